from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from orchestration.demo import Company
from orchestration.demo.subscriptions import ACTIVE, PLANS, TRIALING, Coupon, Event
from orchestration.demo.terms import agree, currency_of

NUMBER = 4000


@pytest.fixture(scope="module")
def agreed(grown: Company) -> list[Event]:
    """The first states of monthly subscriptions that come into the books on one day."""
    return [agree(grown, 400, _chosen(sub, "club-month"), earliest_t=300).state for sub in range(NUMBER)]


def test_a_tenth_begins_with_a_trial(agreed: list[Event]) -> None:
    on_trial = [state for state in agreed if state.status == TRIALING]
    assert len(on_trial) / NUMBER == pytest.approx(0.10, abs=0.015)
    assert all(state.trial_ends_t == state.started_t + 14 for state in on_trial)
    assert all(state.trial_ends_t is None for state in agreed if state.status != TRIALING)


def test_coupons_are_for_good_for_a_quarter_or_for_one_free_month(grown: Company, agreed: list[Event]) -> None:
    kinds = Counter(
        (state.coupon.percent, state.coupon.amount, state.coupon.ends_t is None) for state in agreed if state.coupon
    )
    assert set(kinds) == {(25, 0, False), (100, 0, False), (0, 1.5, True)}
    assert kinds[25, 0, False] / NUMBER == pytest.approx(0.10, abs=0.015)
    assert kinds[100, 0, False] / NUMBER == pytest.approx(0.04, abs=0.012)
    assert kinds[0, 1.5, True] / NUMBER == pytest.approx(0.05, abs=0.012)
    # Day 400 is 17 October 2023.
    ends = {state.coupon.percent: state.coupon.ends_t for state in agreed if state.coupon and state.started_t == 400}
    assert ends[100] == grown.t(date(2023, 11, 17))
    assert ends[25] == grown.t(date(2024, 1, 17))


def test_a_plan_of_several_months_has_no_coupon_that_ends(grown: Company) -> None:
    found = {agree(grown, 400, _chosen(sub, "club-year"), earliest_t=300).state.coupon for sub in range(NUMBER)}
    assert found == {None, Coupon(amount=1.5)}


def test_who_could_not_have_subscribed_earlier_is_not_entered_late(grown: Company) -> None:
    states = [agree(grown, 400, _chosen(sub, "club-month"), earliest_t=400).state for sub in range(NUMBER)]
    assert {state.started_t for state in states} == {400}


def test_a_customer_pays_all_subscriptions_in_one_currency(grown: Company) -> None:
    found = Counter(currency_of(grown, 700, customer) for customer in range(4000))
    assert found["JPY"] / 4000 == pytest.approx(0.03, abs=0.01)
    assert found["EUR"] > found["USD"] > found["JPY"]
    assert currency_of(grown, 700, 17) == currency_of(grown, 500, 17)


def _chosen(subscription: int, plan: str) -> Event:
    chosen = next(candidate for candidate in PLANS if candidate.plan_id == plan)
    return Event(400, 36_000, subscription, 5, chosen, 1, "EUR", ACTIVE, started_t=400, started_second=36_000)
