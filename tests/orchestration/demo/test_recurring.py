from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from orchestration.contracts import Feed
from orchestration.demo import Company
from orchestration.demo.lifelines import lifelines
from orchestration.demo.recurring import MonthlyRevenue, monthly_amount, monthly_mrr, movements, mrr_on, total
from orchestration.demo.subscriptions import ACTIVE, CANCELED, PAST_DUE, PAUSED, PLANS, TRIALING, UNPAID, Coupon, Event

from .conftest import Home, Record

PLAN = {plan.plan_id: plan for plan in PLANS}
RATES = {"EUR": Decimal(1), "USD": Decimal("0.92"), "JPY": Decimal("0.006")}


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


@pytest.mark.parametrize(
    ("percent", "off", "currency", "amount", "expected"),
    [
        (25, 0, "EUR", 9.90, "7.43"),  # 7.425: half a cent goes up
        (0, 1.5, "EUR", 9.90, "8.40"),
        (0, 20, "EUR", 9.90, "0.00"),  # never less than nothing
        (100, 0, "USD", 10.90, "0.00"),
        (25, 0, "JPY", 1602, "1202"),  # 1201.5: there is no half yen
    ],
)
def test_a_coupon_comes_off_before_the_amount_is_normalized(
    percent: int, off: float, currency: str, amount: float, expected: str
) -> None:
    assert monthly_amount("month", 1, 1, amount, currency, percent, off) == Decimal(expected)


def test_a_yearly_price_in_yen_is_rounded_to_the_yen() -> None:
    assert monthly_amount("year", 1, 1, 15200, "JPY") == Decimal("1267")  # 1266.67
    assert monthly_amount("year", 1, 1, 15200, "JPY", off=250) == Decimal("1246")  # 14950 / 12 = 1245.83


def test_active_and_past_due_subscriptions_count_and_no_others_do() -> None:
    states = [
        _state("club-month", ACTIVE, quantity=2),  # 19.80 EUR
        _state("club-year", PAST_DUE),  # 7.88 EUR
        _state("club-week", ACTIVE, currency="USD"),  # 3.20 * 52 / 12 = 13.87 USD
        _state("club-month", ACTIVE, currency="JPY", customer=1),
        *(_state("box-month", status) for status in (CANCELED, UNPAID, PAUSED, TRIALING)),
    ]
    found = total(states, 10, RATES)
    assert found.by_currency == {"EUR": Decimal("27.68"), "USD": Decimal("13.87"), "JPY": Decimal("1600")}
    assert found.by_payer == {
        (0, "EUR"): Decimal("27.68"),
        (0, "USD"): Decimal("13.87"),
        (1, "JPY"): Decimal("1600"),
    }
    # 27.68 + 13.87 * 0.92 + 1600 * 0.006 = 50.0404
    assert found.eur == Decimal("50.04")
    assert found.subscriptions == 4


@pytest.mark.parametrize(
    ("terms", "t", "expected"),
    [
        ({"trial_ends_t": 20}, 19, "0"),
        ({"trial_ends_t": 20}, 20, "9.90"),
        ({"ends": (20, 0), "asked": (10, 0)}, 19, "9.90"),  # notice was given, the end lies ahead
        ({"ends": (20, 0), "asked": (10, 0)}, 20, "0"),
        ({"coupon": Coupon(percent=100, ends_t=20)}, 19, "0"),
        ({"coupon": Coupon(percent=100, ends_t=20)}, 20, "9.90"),
    ],
)
def test_trials_ends_and_coupons_take_effect_on_their_day(terms: dict[str, Any], t: int, expected: str) -> None:
    found = total([replace(_state("club-month", ACTIVE), **terms)], t, RATES)
    assert found.by_currency["EUR"] == Decimal(expected)
    assert found.subscriptions == (expected != "0")


def test_movements_are_told_by_what_a_customer_paid_before_in_any_currency() -> None:
    months = [
        _month({(1, "EUR"): "10", (2, "EUR"): "5", (3, "EUR"): "8"}),
        _month({(1, "EUR"): "12", (2, "USD"): "6", (3, "EUR"): "8", (4, "JPY"): "1600"}),
        _month({(1, "EUR"): "7", (2, "USD"): "6", (4, "JPY"): "1600"}),
        _month({(1, "EUR"): "7", (2, "USD"): "6", (3, "EUR"): "9"}),
    ]
    assert movements(months) == [
        {"EUR": {"new": Decimal(23)}},
        # 2 leaves one currency for another, which is no churn
        {
            "EUR": {"expansion": Decimal(2), "contraction": Decimal(-5)},
            "USD": {"expansion": Decimal(6)},
            "JPY": {"new": Decimal(1600)},
        },
        {"EUR": {"contraction": Decimal(-5), "churn": Decimal(-8)}},
        {"EUR": {"reactivation": Decimal(9)}, "JPY": {"churn": Decimal(-1600)}},
    ]


def test_revenue_agrees_with_the_feed_reckoned_in_fractions(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]], judge: Callable[..., list[str]]
) -> None:
    feed = feeds["raw_billing.subscriptions"]
    rows = records(feed, small.path)
    good = [row for row, broken in zip(rows, judge(feed, rows), strict=True) if not broken]
    histories: dict[str, list[Record]] = {}
    for row in sorted(good, key=lambda row: row["updated_at"]):
        histories.setdefault(row["subscription_id"], []).append(row)
    real = [history for history in histories.values() if history[-1]["is_deleted"] == "False"]
    assert len(real) < len(histories)
    for day in (date(2023, 12, 31), date(2024, 2, 29), date(2024, 5, 7)):
        smallest: dict[str, int] = {"EUR": 0, "USD": 0, "JPY": 0}
        for history in real:
            state = None
            for place, row in enumerate(history):
                if row["started_at" if place == 0 else "updated_at"][:10] <= str(day):
                    state = row
            if state is not None and _counts(state, str(day)):
                smallest[state["currency"]] += _in_smallest_units(state, str(day))
        found = monthly_mrr(small.company, day, known=small.through)
        assert {
            currency: int(amount * (1 if currency == "JPY" else 100)) for currency, amount in found.by_currency.items()
        } == smallest
        assert smallest["EUR"] > 0
    assert smallest["JPY"] > 0


def _counts(state: Record, day: str) -> bool:
    return (
        state["status"] in ("active", "past_due")
        and (state["ended_at"] is None or state["ended_at"][:10] > day)
        and (state["trial_ends_at"] is None or state["trial_ends_at"][:10] <= day)
    )


def _in_smallest_units(state: Record, day: str) -> int:
    amount = Fraction(state["unit_amount"]) * int(state["quantity"])
    if state["discount_ends_at"] is None or day < state["discount_ends_at"][:10]:
        amount -= amount * Fraction(state["discount_percent"] or 0) / 100 + Fraction(state["discount_amount"] or 0)
    months = {"week": Fraction(12, 52), "month": Fraction(1), "quarter": Fraction(3), "year": Fraction(12)}
    monthly = max(amount, Fraction(0)) / months[state["interval"]] / int(state["interval_count"])
    return int(monthly * (1 if state["currency"] == "JPY" else 100) + Fraction(1, 2))


def test_what_is_entered_late_or_was_a_mistake_changes_what_an_earlier_day_brought(grown: Company) -> None:
    histories: dict[int, list[Event]] = {}
    for t in range(728):
        for event in lifelines(grown).events(t):
            histories.setdefault(event.subscription, []).append(event)
    late = next(events[0] for events in histories.values() if events[0].started_t < events[0].t and _pays(events[0]))
    day, entered = grown.day(late.t - 1), grown.day(late.t)
    assert late.customer not in {customer for customer, _ in monthly_mrr(grown, day).by_payer}
    assert late.customer in {customer for customer, _ in monthly_mrr(grown, day, known=entered).by_payer}
    mistake = next(events for events in histories.values() if events[-1].deleted and _pays(events[0]))
    day, noticed = grown.day(mistake[0].t), grown.day(mistake[-1].t)
    assert mistake[0].customer in {customer for customer, _ in monthly_mrr(grown, day).by_payer}
    assert mistake[0].customer not in {customer for customer, _ in monthly_mrr(grown, day, known=noticed).by_payer}


def test_several_days_at_once_give_what_each_gives_alone(grown: Company) -> None:
    days = [date(2022, 10, 31), date(2022, 11, 30), date(2023, 5, 31)]
    assert mrr_on(grown, days, days[-1]) == [monthly_mrr(grown, day, days[-1]) for day in days]


def _pays(event: Event) -> bool:
    return event.status == ACTIVE and event.coupon is None


def _month(amounts: dict[tuple[int, str], str]) -> MonthlyRevenue:
    return MonthlyRevenue({payer: Decimal(amount) for payer, amount in amounts.items()}, {}, Decimal(0), 0)


def _state(plan: str, status: int, *, quantity: int = 1, currency: str = "EUR", customer: int = 0) -> Event:
    return Event(5, 0, 0, customer, PLAN[plan], quantity, currency, status, started_t=1, started_second=0)
