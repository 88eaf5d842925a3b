"""What the billing system writes as JSON lines: the state of subscriptions at each change, invoices, credit notes."""

from __future__ import annotations

from functools import lru_cache

from orchestration.demo.bills import Invoice
from orchestration.demo.company import Company
from orchestration.demo.customers import customer_id
from orchestration.demo.lifelines import lifelines
from orchestration.demo.mess import Batch, FeedShape, Row, one, spoil_day
from orchestration.demo.subscriptions import STATUSES, Moment, subscription_id

SUBSCRIPTIONS = FeedShape(
    "raw_billing.subscriptions",
    ("subscription_id", "customer_id", "plan_id", "status", "interval", "interval_count", "quantity", "unit_amount",
     "currency", "started_at", "ended_at", "trial_ends_at", "discount_percent", "discount_amount", "discount_ends_at",
     "canceled_at", "is_deleted", "updated_at"),
    ("subscription_id", "updated_at"),
    (
        *one("unit_amount", "type", "twelve", "n/a"),
        *one("unit_amount", "range", -9.9, 10_000_000),
        *one("quantity", "range", 0),
        *one("quantity", "type", "two"),
        *one("started_at", "type", "2024-02-31T10:00:00"),
        *one("status", "pattern", "frozen"),
        *one("currency", "pattern", "usd"),
        *one("interval", "pattern", "fortnight"),
        *one("discount_percent", "range", 250),
        *one("discount_amount", "range", -5),
        *one("trial_ends_at", "type", "in two weeks"),
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


CREDIT_NOTES = FeedShape(
    "raw_billing.credit_notes",
    ("credit_note_id", "invoice_id", "subscription_id", "customer_id", "issued_at", "period_start", "period_end",
     "amount", "currency", "reason"),
    ("credit_note_id",),
    (
        *one("amount", "range", 0, -94.5),
        *one("amount", "type", "n/a"),
        *one("reason", "pattern", "other"),
        *one("invoice_id", "required", None),
    ),
    # One in two days: with the usual shares there would hardly be a bad one in a year.
    broken=0.04,
    repeated=0.01,
    # Sent again, it would often be the only one of its day, and a file with the content of another does not land.
    resent=0.0,
)  # fmt: skip


def subscriptions_batch(company: Company, t: int) -> Batch:
    """Returns the changes of subscriptions on day number `t`."""
    return spoil_day(company, SUBSCRIPTIONS, t, _subscriptions)


def invoices_batch(company: Company, t: int) -> Batch:
    """Returns the invoices of day number `t`."""
    return spoil_day(company, INVOICES, t, _invoices)


def credit_notes_batch(company: Company, t: int) -> Batch:
    """Returns the credit notes of day number `t`."""
    return spoil_day(company, CREDIT_NOTES, t, _credit_notes)


@lru_cache(maxsize=4)
def _subscriptions(company: Company, t: int) -> list[Row]:
    rows: list[Row] = []
    for event in lifelines(company).events(t):
        coupon = event.coupon
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
                _at(company, (event.started_t, event.started_second)),
                _at(company, event.ends),
                _at(company, None if event.trial_ends_t is None else (event.trial_ends_t, event.started_second)),
                (coupon.percent or None) if coupon else None,
                (coupon.amount or None) if coupon else None,
                _at(company, (coupon.ends_t, event.started_second) if coupon and coupon.ends_t is not None else None),
                _at(company, event.asked),
                event.deleted,
                _at(company, (event.t, event.second)),
            )
        )
    return rows


@lru_cache(maxsize=4)
def _invoices(company: Company, t: int) -> list[Row]:
    return [
        (
            _invoice_id(invoice),
            subscription_id(invoice.event.subscription),
            customer_id(invoice.event.customer),
            _at(company, (invoice.t, invoice.second)),
            _date(company, invoice.period_start_t),
            _date(company, invoice.period_end_t),
            float(invoice.amount),
            invoice.event.currency,
            invoice.status,
        )
        for invoice in lifelines(company).invoices(t)
    ]


@lru_cache(maxsize=4)
def _credit_notes(company: Company, t: int) -> list[Row]:
    return [
        (
            f"CRN-{_invoice_id(note.invoice)}-{note.reason}",
            _invoice_id(note.invoice),
            subscription_id(note.invoice.event.subscription),
            customer_id(note.invoice.event.customer),
            _at(company, (note.t, note.second)),
            _date(company, note.period_start_t),
            _date(company, note.period_end_t),
            float(note.amount),
            note.invoice.event.currency,
            note.reason,
        )
        for note in lifelines(company).credit_notes(t)
    ]


def _invoice_id(invoice: Invoice) -> str:
    again = "R" if invoice.again else ""
    return f"INV{invoice.event.subscription + 1:06d}-{invoice.number:04d}{again}"


def _at(company: Company, moment: Moment | None) -> str | None:
    if moment is None:
        return None
    t, second = moment
    return f"{_date(company, t)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


@lru_cache(maxsize=4096)
def _date(company: Company, t: int) -> str:
    return str(company.day(t))
