"""The source systems of the simulated company: what each of them gains on a day, good rows and bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestration.demo.company import Company
from orchestration.demo.mess import Batch
from orchestration.demo.sources import (
    app,
    billing,
    clicks,
    crm,
    erp,
    logistics,
    market,
    people,
    sales,
    treasury,
    warehouses,
)
from orchestration.demo.sources.formats import csv_bytes, json_lines, json_lines_gz, parquet_bytes

# For how many days sources that forget keep rows. Models are trained on ends of months whose 30 days were over 90 days
# ago, the latest up to 150 days old; for a label, log-ins have to reach back 30 days from there.
KEPT_DAYS = 60
LOGINS_KEPT_DAYS = 180
FORGOTTEN_FOLDERS = ("web/clicks", "logistics/positions")
FORGETFUL = {clicks.CLICKS.id: KEPT_DAYS, logistics.POSITIONS.id: KEPT_DAYS, app.LOGINS.id: LOGINS_KEPT_DAYS}

_File = tuple[Batch, str, Callable[[Batch], bytes]]


@dataclass(frozen=True)
class Day:
    """Everything that the source systems gain on a day.

    Attributes:
        files: New files by their path below the demo folder; a system with nothing to say writes none.
        tables: Rows for the tables of databases, by the database's file and the table.
        batches: All rows by feed, those of files and APIs among them.
        near_duplicates: Sale lines of the tills that repeat an order line of the web shop, with that line.
    """

    files: Mapping[str, bytes]
    tables: Mapping[tuple[str, str], Batch]
    batches: tuple[Batch, ...]
    near_duplicates: tuple[tuple[str, str], ...]


def whole_day(company: Company, t: int, through: int | None = None) -> Day:
    """Returns what the source systems gain on day number `t`; it needs no other day to have been generated.

    Args:
        company: Whose systems they are.
        t: The day.
        through: Day number that the systems hold last, so that sources which forget may have nothing of this day any
            more; this day, if not given.
    """
    day, age = company.day(t), 0 if through is None else through - t
    files: dict[str, bytes] = {}
    batches: list[Batch] = []
    written: list[_File] = [
        (sales.orders_batch(company, t), f"web/orders/date={day}/orders.parquet", lambda b: sales.orders_parquet(b, t)),
        (billing.subscriptions_batch(company, t), f"billing/subscriptions/date={day}/events.jsonl", json_lines),
        (billing.invoices_batch(company, t), f"billing/invoices/date={day}/invoices.jsonl", json_lines),
        (billing.credit_notes_batch(company, t), f"billing/credit_notes/date={day}/credit_notes.jsonl", json_lines),
        (treasury.rates_batch(company, t), f"treasury/rates/month={day:%Y-%m}/rates_{day}.csv", csv_bytes),
        *(_forgotten_files(company, t) if age < KEPT_DAYS else []),
    ]
    for batch, path, content in written:
        batches.append(batch)
        if batch.rows:
            files[path] = content(batch)
    for path, batch in _exports(company, t).items():
        batches.append(batch)
        files[path] = csv_bytes(batch)
    tables = {
        ("pos.db", "sales"): sales.sales_batch(company, t),
        ("pos.db", "customers"): people.customers_batch(company, t),
        ("crm.db", "contacts"): crm.contacts_batch(company, t),
        ("crm.db", "interactions"): crm.interactions_batch(company, t),
    }
    batches.append(warehouses.inventory_batch(company, t))
    if age < LOGINS_KEPT_DAYS:
        batches.append(app.logins_batch(company, t))
    return Day(files, tables, (*tables.values(), *batches), tuple(sales.near_duplicates(company, t)))


def _forgotten_files(company: Company, t: int) -> list[_File]:
    day = company.day(t)
    return [
        (clicks.clicks_batch(company, t), f"web/clicks/date={day}/clicks.jsonl.gz", json_lines_gz),
        (
            logistics.positions_batch(company, t),
            f"logistics/positions/date={day}/positions.parquet",
            lambda batch: parquet_bytes(batch, batch.shape.columns, logistics.POSITION_TYPES),
        ),
    ]


def _exports(company: Company, t: int) -> dict[str, Batch]:
    day = company.day(t)
    found: dict[str, Batch] = {}
    if market.is_crawl_day(day):
        found[f"market/date={day}/competitor_prices.csv"] = market.prices_batch(company, t)
    if erp.is_export_day(company, day):
        found |= {
            f"erp/products/products_{day}.csv": erp.products_batch(company, t),
            f"erp/supplier_offers/supplier_offers_{day}.csv": erp.offers_batch(company, t),
            f"marketing/promotions/promotions_{day}.csv": erp.promotions_batch(company, t),
        }
    if t == 0:
        found[f"erp/locations/locations_{day}.csv"] = erp.locations_batch(company, t)
    return found
