from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.baskets import ANONYMOUS, Lines
from orchestration.demo.lifelines import lifelines, period_starts
from orchestration.demo.subscriptions import ACTIVE, CANCELED, PAST_DUE, Event, hazard


@pytest.fixture(scope="module")
def histories(grown: Company) -> dict[int, list[Event]]:
    """The events of each subscription in two years."""
    found: dict[int, list[Event]] = {}
    for t in range(728):
        for event in lifelines(grown).events(t):
            found.setdefault(event.subscription, []).append(event)
    return found


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


def test_the_hazard_rises_from_low_to_high_with_inactivity() -> None:
    low, middle, high = hazard(np.array([0, 45, 200])).tolist()
    assert low == pytest.approx(0.0006, abs=0.0001)
    assert middle == pytest.approx(0.0053)
    assert high == pytest.approx(0.0100, abs=0.0001)


def test_a_subscription_starts_active_and_nothing_follows_its_end(histories: dict[int, list[Event]]) -> None:
    for events in histories.values():
        assert events[0].status == ACTIVE
        assert all(event.status != CANCELED for event in events[:-1])
        moments = [(event.t, event.second) for event in events]
        assert moments == sorted(set(moments))


def test_a_failed_payment_is_decided_a_week_later(histories: dict[int, list[Event]]) -> None:
    recovered = lost = 0
    for events in histories.values():
        for failed, after in pairwise(events):
            if failed.status == PAST_DUE:
                assert after.t <= failed.t + 7
                recovered += after.status == ACTIVE
                lost += after.status == CANCELED
    assert lost / (lost + recovered) == pytest.approx(0.2, abs=0.06)


def test_the_hazard_of_leaving_is_found_from_purchases_and_cancellations(
    sold: Lines, histories: dict[int, list[Event]]
) -> None:
    known = sold[sold["customer"] != ANONYMOUS]
    order = np.lexsort((known["sold_t"], known["customer"]))
    customer, day = known["customer"][order], known["sold_t"][order]
    at_risk, left = np.zeros(800), np.zeros(800)
    for events in histories.values():
        start, last = events[0].t, events[-1]
        days = np.arange(start + 1, (last.t if last.status == CANCELED else 727) + 1)
        mine = day[np.searchsorted(customer, last.customer) : np.searchsorted(customer, last.customer, side="right")]
        before = np.searchsorted(mine, days) - 1
        bought = np.where(before >= 0, mine[np.maximum(before, 0)], -1)
        inactive = days - np.maximum(bought, start)
        np.add.at(at_risk, inactive, 1)
        # A payment that fails twice ends a subscription too, whatever the customer does.
        if last.status == CANCELED and events[-2].status != PAST_DUE:
            left[inactive[-1]] += 1
    for low, high in ((1, 20), (20, 40), (40, 50), (50, 80), (80, 300)):
        span = slice(low, high)
        planted = (hazard(np.arange(low, high)) * at_risk[span]).sum()
        assert planted > 50
        assert left[span].sum() == pytest.approx(planted, abs=4 * planted**0.5)


def test_bills_follow_one_another_without_gap(grown: Company) -> None:
    ends: dict[int, int] = {}
    billed = 0
    for t in range(500):
        for invoice in lifelines(grown).invoices(t):
            sub = invoice.event.subscription
            assert invoice.period_start_t == ends.get(sub, invoice.period_start_t - 1) + 1
            assert invoice.period_start_t == t
            ends[sub] = invoice.period_end_t
            billed += 1
    assert billed > 5000
