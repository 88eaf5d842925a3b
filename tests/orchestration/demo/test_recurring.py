from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from orchestration.contracts import Feed
from orchestration.demo import Company
from orchestration.demo.recurring import monthly_amount, monthly_mrr, mrr_on, total
from orchestration.demo.subscriptions import ACTIVE, CANCELED, PAST_DUE, PLANS, Event

from .conftest import Home, Record

PLAN = {plan.plan_id: plan for plan in PLANS}


@pytest.mark.parametrize(
    ("interval", "count", "quantity", "amount", "expected"),
    [
        ("week", 1, 1, 2.90, "12.57"),  # 2.90 * 52 / 12 = 12.5666...
        ("week", 1, 3, 3.20, "41.60"),
        ("month", 1, 2, 9.90, "19.80"),
        ("month", 2, 1, 18.55, "9.28"),  # 9.275: half a cent goes up
        ("month", 6, 1, 49.90, "8.32"),  # 8.31666...
        ("quarter", 1, 1, 26.90, "8.97"),  # 8.9666...
        ("year", 1, 1, 94.50, "7.88"),  # 7.875: half a cent goes up
        ("year", 1, 4, 99.00, "33.00"),
    ],
)
def test_an_amount_is_normalized_to_a_month_and_rounded_to_the_cent(
    interval: str, count: int, quantity: int, amount: float, expected: str
) -> None:
    assert monthly_amount(interval, count, quantity, amount) == Decimal(expected)


def test_active_and_past_due_subscriptions_count_and_canceled_ones_do_not() -> None:
    states = [
        _state("club-month", ACTIVE, quantity=2),  # 19.80 EUR
        _state("club-year", PAST_DUE),  # 7.88 EUR
        _state("club-week", ACTIVE, in_usd=True),  # 3.20 * 52 / 12 = 13.87 USD
        _state("box-month", CANCELED),
    ]
    found = total(states, {"EUR": Decimal(1), "USD": Decimal("0.92")})
    assert found.by_currency == {"EUR": Decimal("27.68"), "USD": Decimal("13.87")}
    # 27.68 + 13.87 * 0.92 = 40.4404
    assert found.eur == Decimal("40.44")
    assert found.subscriptions == 3


def test_revenue_agrees_with_the_feed_reckoned_in_fractions(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]], judge: Callable[..., list[str]]
) -> None:
    feed = feeds["raw_billing.subscriptions"]
    rows = records(feed, small.path)
    good = [row for row, broken in zip(rows, judge(feed, rows), strict=True) if not broken]
    for day in (date(2023, 12, 31), date(2024, 2, 29), date(2024, 5, 7)):
        latest: dict[str, dict[str, Any]] = {}
        for row in sorted(good, key=lambda row: row["updated_at"]):
            if row["updated_at"] <= f"{day}T23:59:59":
                latest[row["subscription_id"]] = row
        cents = {"EUR": 0, "USD": 0}
        for row in latest.values():
            if row["status"] in ("active", "past_due"):
                months = {"week": Fraction(12, 52), "month": Fraction(1), "quarter": Fraction(3), "year": Fraction(12)}
                amount = Fraction(row["unit_amount"]) * int(row["quantity"])
                monthly = amount / months[row["interval"]] / int(row["interval_count"])
                cents[row["currency"]] += int(monthly * 100 + Fraction(1, 2))
        found = monthly_mrr(small.company, day)
        assert {currency: int(amount * 100) for currency, amount in found.by_currency.items()} == cents
        assert cents["EUR"] > 0


def test_several_days_at_once_give_what_each_gives_alone(grown: Company) -> None:
    days = [date(2022, 10, 31), date(2022, 11, 30), date(2023, 5, 31)]
    assert mrr_on(grown, days) == [monthly_mrr(grown, day) for day in days]


def _state(plan: str, status: int, *, quantity: int = 1, in_usd: bool = False) -> Event:
    return Event(5, 0, 0, 0, PLAN[plan], quantity, in_usd, status, started_t=1, started_second=0)
