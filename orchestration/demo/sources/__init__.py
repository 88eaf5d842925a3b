"""The source systems of the simulated company: what each of them gains on a day, good rows and bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestration.demo.company import Company
from orchestration.demo.mess import Batch
from orchestration.demo.sources import billing, erp, people, sales, warehouses


@dataclass(frozen=True)
class Day:
    """Everything that the source systems gain on a day.

    Attributes:
        files: New files by their path below the demo folder; a system with nothing to say writes none.
        sales: Rows for the till system's table of sales.
        customers: Rows for its table of customers.
        batches: All rows by feed, those of files and of the inventory API among them.
    """

    files: Mapping[str, bytes]
    sales: Batch
    customers: Batch
    batches: tuple[Batch, ...]


def whole_day(company: Company, t: int) -> Day:
    """Returns what the source systems gain on day number `t`; it needs no other day to have been generated."""
    day = company.day(t)
    files: dict[str, bytes] = {}
    batches: list[Batch] = []
    orders = sales.orders_batch(company, t)
    subscriptions, invoices = billing.subscriptions_batch(company, t), billing.invoices_batch(company, t)
    for batch, path, content in (
        (orders, f"web/orders/date={day}/orders.parquet", lambda b: sales.orders_parquet(b, t)),
        (subscriptions, f"billing/subscriptions/date={day}/events.jsonl", billing.json_lines),
        (invoices, f"billing/invoices/date={day}/invoices.jsonl", billing.json_lines),
    ):
        batches.append(batch)
        if batch.rows:
            files[path] = content(batch)
    for path, batch in _exports(company, t).items():
        batches.append(batch)
        files[path] = erp.csv_bytes(batch)
    tills, people_batch = sales.sales_batch(company, t), people.customers_batch(company, t)
    return Day(files, tills, people_batch, (tills, people_batch, *batches, warehouses.inventory_batch(company, t)))


def _exports(company: Company, t: int) -> dict[str, Batch]:
    day = company.day(t)
    if not erp.is_export_day(company, day):
        return {}
    found = {
        f"erp/products/products_{day}.csv": erp.products_batch(company, t),
        f"erp/supplier_offers/supplier_offers_{day}.csv": erp.offers_batch(company, t),
        f"marketing/promotions/promotions_{day}.csv": erp.promotions_batch(company, t),
    }
    if t == 0:
        found[f"erp/locations/locations_{day}.csv"] = erp.locations_batch(company, t)
    return found
