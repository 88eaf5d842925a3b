"""What the billing system writes as JSON lines: the state of subscriptions at each change, and invoices."""

from __future__ import annotations

from functools import lru_cache

from orchestration.demo.company import Company
from orchestration.demo.customers import customer_id
from orchestration.demo.lifelines import lifelines
from orchestration.demo.mess import Batch, FeedShape, Row, one, spoil_day
from orchestration.demo.subscriptions import STATUSES, subscription_id

SUBSCRIPTIONS = FeedShape(
    "raw_billing.subscriptions",
    ("subscription_id", "customer_id", "plan_id", "status", "interval", "interval_count", "quantity", "unit_amount",
     "currency", "started_at", "ended_at", "updated_at"),
    ("subscription_id", "updated_at"),
    (
        *one("unit_amount", "type", "twelve", "n/a"),
        *one("unit_amount", "range", -9.9, 10_000_000),
        *one("quantity", "range", 0),
        *one("quantity", "type", "two"),
        *one("started_at", "type", "2024-02-31T10:00:00"),
        *one("status", "pattern", "paused"),
        *one("currency", "pattern", "usd"),
        *one("interval", "pattern", "fortnight"),
        *one("customer_id", "required", None),
    ),
    broken=0.0025,
)  # fmt: skip
INVOICES = FeedShape(
    "raw_billing.invoices",
    ("invoice_id", "subscription_id", "customer_id", "issued_at", "period_start", "period_end", "amount", "currency",
     "status"),
    ("invoice_id",),
    (
        *one("amount", "type", "n/a", "EUR 9.90"),
        *one("amount", "range", -9.9),
        *one("period_end", "type", "2024-13-01"),
        *one("currency", "pattern", "EURO"),
        *one("status", "pattern", "unknown"),
        *one("subscription_id", "required", None),
    ),
)  # fmt: skip


def subscriptions_batch(company: Company, t: int) -> Batch:
    """Returns the changes of subscriptions on day number `t`."""
    return spoil_day(company, SUBSCRIPTIONS, t, _subscriptions)


def invoices_batch(company: Company, t: int) -> Batch:
    """Returns the invoices of day number `t`."""
    return spoil_day(company, INVOICES, t, _invoices)


@lru_cache(maxsize=4)
def _subscriptions(company: Company, t: int) -> list[Row]:
    rows: list[Row] = []
    for event in lifelines(company).events(t):
        updated_at = _at(company, event.t, event.second)
        rows.append(
            (
                subscription_id(event.subscription),
                customer_id(event.customer),
                event.plan.plan_id,
                STATUSES[event.status],
                event.plan.interval,
                event.plan.interval_count,
                event.quantity,
                event.unit_amount,
                event.currency,
                _at(company, event.started_t, event.started_second),
                updated_at if event.ended else None,
                updated_at,
            )
        )
    return rows


@lru_cache(maxsize=4)
def _invoices(company: Company, t: int) -> list[Row]:
    return [
        (
            f"INV{invoice.event.subscription + 1:06d}-{invoice.number:04d}",
            subscription_id(invoice.event.subscription),
            customer_id(invoice.event.customer),
            _at(company, invoice.t, invoice.second),
            _date(company, invoice.period_start_t),
            _date(company, invoice.period_end_t),
            round(invoice.event.quantity * invoice.event.unit_amount, 2),
            invoice.event.currency,
            "paid" if invoice.paid else "open",
        )
        for invoice in lifelines(company).invoices(t)
    ]


def _at(company: Company, t: int, second: int) -> str:
    return f"{_date(company, t)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


@lru_cache(maxsize=4096)
def _date(company: Company, t: int) -> str:
    return str(company.day(t))
