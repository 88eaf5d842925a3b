from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.bills import Invoice, charge, goodwill, period_starts, refund
from orchestration.demo.subscriptions import ACTIVE, PLANS, Coupon, Event

PLAN = {plan.plan_id: plan for plan in PLANS}
COMPANY = Company(opened=date(2024, 1, 1))


def test_a_month_too_short_takes_its_last_day() -> None:
    company = Company(opened=date(2024, 1, 1))
    start = np.full(4, company.t(date(2024, 1, 31)))
    found = period_starts(company, start, np.ones(4, dtype=np.int64), np.arange(4))
    assert [company.day(t) for t in found.tolist()] == [
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 30),
    ]


def test_weeks_and_years_keep_their_day() -> None:
    company = Company(opened=date(2024, 1, 1))
    start = np.array([59, 59])
    found = period_starts(company, start, np.array([0, 12]), np.array([2, 1]))
    assert [company.day(t) for t in found.tolist()] == [date(2024, 3, 14), date(2025, 2, 28)]


@pytest.mark.parametrize(
    ("coupon", "currency", "quantity", "t", "expected"),
    [
        (None, "EUR", 2, 0, "19.80"),
        (Coupon(percent=25, ends_t=90), "EUR", 1, 89, "7.43"),  # 9.90 * 0.75 = 7.425: half a cent goes up
        (Coupon(percent=25, ends_t=90), "EUR", 1, 90, "9.90"),
        (Coupon(percent=25, ends_t=90), "JPY", 3, 0, "3600"),  # 1600 * 3 * 0.75
        (Coupon(amount=1.5), "USD", 2, 900, "20.30"),  # 10.90 * 2 - 1.50: once off a bill, however many units
        (Coupon(amount=20), "EUR", 1, 0, "0.00"),  # nobody is paid for subscribing
        (Coupon(percent=100, ends_t=31), "EUR", 1, 30, "0.00"),
    ],
)
def test_a_bill_is_the_price_less_the_coupon_of_its_day(
    coupon: Coupon | None, currency: str, quantity: int, t: int, expected: str
) -> None:
    event = replace(_state("club-month"), coupon=coupon, currency=currency, quantity=quantity)
    assert charge(event, t) == Decimal(expected)


def test_a_refund_is_for_the_months_that_have_not_begun() -> None:
    # Paid from 15 January; on 20 April the month from 15 April has begun, eight months are left.
    bill = _bill("club-year", date(2024, 1, 15), date(2025, 1, 14), "94.50")
    note = refund(COMPANY, COMPANY.t(date(2024, 4, 20)), 40_000, bill)
    assert note is not None
    assert (COMPANY.day(note.period_start_t), COMPANY.day(note.period_end_t)) == (date(2024, 5, 15), date(2025, 1, 14))
    assert (note.amount, note.reason) == (Decimal("63.00"), "refund")  # 94.50 * 8 / 12


def test_a_refund_in_yen_has_no_hundredths() -> None:
    bill = _bill("club-half-year", date(2024, 1, 1), date(2024, 6, 30), "8100", currency="JPY")
    note = refund(COMPANY, COMPANY.t(date(2024, 1, 1)), 40_000, bill)
    assert note is not None
    assert note.amount == Decimal("6750")  # 8100 * 5 / 6


def test_nothing_is_refunded_once_the_last_month_has_begun_or_of_a_free_bill() -> None:
    bill = _bill("club-half-year", date(2024, 1, 1), date(2024, 6, 30), "49.90")
    assert refund(COMPANY, COMPANY.t(date(2024, 6, 1)), 40_000, bill) is None
    assert refund(COMPANY, COMPANY.t(date(2024, 2, 1)), 40_000, replace(bill, amount=Decimal("0.00"))) is None


def test_goodwill_is_a_fifth_an_hour_later() -> None:
    bill = _bill("club-month", date(2024, 1, 15), date(2024, 2, 14), "9.90")
    note = goodwill(bill)
    assert note is not None
    assert (note.amount, note.t, note.second) == (Decimal("1.98"), bill.t, bill.second + 3600)
    assert goodwill(replace(bill, amount=Decimal("0.02"))) is None


def _state(plan: str) -> Event:
    return Event(0, 36_000, 0, 0, PLAN[plan], 1, "EUR", ACTIVE, started_t=0, started_second=36_000)


def _bill(plan: str, start: date, end: date, amount: str, *, currency: str = "EUR") -> Invoice:
    event = replace(_state(plan), currency=currency)
    return Invoice(COMPANY.t(start), 36_000, 1, event, COMPANY.t(start), COMPANY.t(end), Decimal(amount), "paid")
