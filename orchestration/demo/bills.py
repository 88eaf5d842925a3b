"""What the subscription club charges and gives back: bills for periods ahead, and credit notes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from orchestration.demo.company import Company, Ints
from orchestration.demo.subscriptions import Event

# Of the paid bills for less than half a year, a fifth is given back on the same day.
GOODWILL_SHARE = 0.012
GOODWILL_FIFTH = Decimal("0.2")
# Who leaves a plan at once that is paid for so many months gets the months back that have not begun.
REFUNDED_MONTHS = 6

_EPOCH = np.datetime64("1970-01-01", "D")


@dataclass(frozen=True)
class Invoice:
    """A bill for a period of a subscription in the state of `event`.

    Attributes:
        status: paid, open where the payment failed, uncollectible once billing has given up.
        again: Whether it replaces an open one of that number, paid at last.
    """

    t: int
    second: int
    number: int
    event: Event
    period_start_t: int
    period_end_t: int
    amount: Decimal
    status: str
    again: bool = False


@dataclass(frozen=True)
class CreditNote:
    """Money of a paid invoice that is given back, for a part of its period."""

    t: int
    second: int
    invoice: Invoice
    period_start_t: int
    period_end_t: int
    amount: Decimal
    reason: str


def charge(event: Event, t: int) -> Decimal:
    """Returns the amount of a bill that is due on a day, after the coupon."""
    price = event.quantity * Decimal(str(event.unit_amount))
    if event.coupon is not None and event.coupon.counts_on(t):
        price = price * (100 - event.coupon.percent) / 100 - Decimal(str(event.coupon.amount))
    return rounded(max(price, Decimal(0)), event.currency)


def refund(company: Company, t: int, second: int, invoice: Invoice) -> CreditNote | None:
    """Returns what is given back of a prepaid bill to who leaves at once; None where its last month has begun."""
    months = invoice.event.plan.months
    starts = period_starts(
        company, np.full(months, invoice.period_start_t), np.ones(months, dtype=np.int64), np.arange(months)
    )
    unused = starts[starts > t]
    amount = rounded(invoice.amount * len(unused) / months, invoice.event.currency)
    if not amount:
        return None
    return CreditNote(t, second, invoice, int(unused[0]), invoice.period_end_t, amount, "refund")


def goodwill(invoice: Invoice) -> CreditNote | None:
    """Returns the credit for a bill that somebody was unhappy about, an hour later; None for a bill of nothing."""
    amount = rounded(invoice.amount * GOODWILL_FIFTH, invoice.event.currency)
    if not amount:
        return None
    start, end = invoice.period_start_t, invoice.period_end_t
    return CreditNote(invoice.t, invoice.second + 3600, invoice, start, end, amount, "goodwill")


def period_starts(company: Company, start: Ints, months: Ints, number: Ints) -> Ints:
    """Returns the day numbers on which the periods `number` (from 0) of subscriptions start.

    Months keep the day of the start, or take the last of a month that is too short.
    """
    opened = int((np.datetime64(company.opened, "D") - _EPOCH).astype(np.int64))
    began = (start + opened).astype("datetime64[D]")
    first = began.astype("datetime64[M]")
    day_of_month = (began - first).astype(np.int64)
    month = first + months * number
    last = (month + 1).astype("datetime64[D]").astype(np.int64) - 1
    by_month = np.minimum(month.astype("datetime64[D]").astype(np.int64) + day_of_month, last) - opened
    return np.where(months > 0, by_month, start + 7 * number)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Returns an amount in whole cents, or yen, of which there is no hundredth; halves go away from zero."""
    return amount.quantize(Decimal(1) if currency == "JPY" else Decimal("0.01"), ROUND_HALF_UP)
