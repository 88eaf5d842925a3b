from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.baskets import ANONYMOUS, Lines
from orchestration.demo.bills import Invoice
from orchestration.demo.customers import customers
from orchestration.demo.lifelines import lifelines
from orchestration.demo.subscriptions import ACTIVE, CANCELED, PAST_DUE, PAUSED, TRIALING, UNPAID, Event, hazard

DAYS = 728


@pytest.fixture(scope="module")
def histories(grown: Company) -> dict[int, list[Event]]:
    """The events of each subscription in two years."""
    found: dict[int, list[Event]] = {}
    for t in range(DAYS):
        for event in lifelines(grown).events(t):
            found.setdefault(event.subscription, []).append(event)
    return found


@pytest.fixture(scope="module")
def bills(grown: Company) -> dict[int, list[Invoice]]:
    """The invoices of each subscription in two years."""
    found: dict[int, list[Invoice]] = {}
    for t in range(DAYS):
        for invoice in lifelines(grown).invoices(t):
            found.setdefault(invoice.event.subscription, []).append(invoice)
    return found


def test_the_hazard_rises_from_low_to_high_with_inactivity() -> None:
    low, middle, high = hazard(np.array([0, 45, 200])).tolist()
    assert low == pytest.approx(0.0006, abs=0.0001)
    assert middle == pytest.approx(0.0053)
    assert high == pytest.approx(0.0100, abs=0.0001)


def test_a_subscription_starts_active_or_on_trial_and_only_a_mistake_follows_its_end(
    histories: dict[int, list[Event]],
) -> None:
    for events in histories.values():
        assert events[0].status in (ACTIVE, TRIALING)
        assert all(event.status != CANCELED for event in events[:-1])
        moments = [(event.t, event.second) for event in events]
        assert moments == sorted(set(moments))


def test_a_failed_payment_is_decided_a_week_later(histories: dict[int, list[Event]]) -> None:
    recovered = given_up = 0
    for events in histories.values():
        for failed, after in pairwise(events):
            if failed.status == PAST_DUE:
                assert after.t <= failed.t + 7
                recovered += after.status == ACTIVE
                given_up += after.status == UNPAID
    assert given_up / (given_up + recovered) == pytest.approx(0.2, abs=0.06)


def test_the_last_try_comes_two_weeks_after_billing_gave_up(histories: dict[int, list[Event]]) -> None:
    outcomes = [
        after
        for events in histories.values()
        for failed, after in pairwise(events)
        if failed.status == UNPAID and after.t == failed.t + 14
    ]
    assert {after.status for after in outcomes} == {ACTIVE, CANCELED}
    # But for the odd one, who asks on that very day.
    lost = sum(after.status == CANCELED and after.asked is None for after in outcomes)
    assert lost / len(outcomes) == pytest.approx(0.6, abs=0.12)


def test_a_trial_lasts_two_weeks_and_its_first_bill_is_that_of_the_day_after(
    histories: dict[int, list[Event]], bills: dict[int, list[Invoice]]
) -> None:
    kept = lost = 0
    for sub, events in histories.items():
        if events[0].trial_ends_t is not None and events[0].trial_ends_t < DAYS:
            assert events[0].trial_ends_t == events[0].started_t + 14
            assert not [bill for bill in bills.get(sub, ()) if bill.period_start_t < events[0].trial_ends_t]
            decided = events[1]
            if (decided.t, decided.second) == (events[0].trial_ends_t, events[0].started_second):
                kept += decided.status == ACTIVE
                lost += decided.status == CANCELED
                assert (sub in bills) == (decided.status == ACTIVE)
    assert kept + lost > 200
    assert lost / (kept + lost) == pytest.approx(0.35, abs=0.08)


def test_a_pause_is_one_or_two_months_without_a_bill(
    histories: dict[int, list[Event]], bills: dict[int, list[Invoice]]
) -> None:
    lengths = []
    for sub, events in histories.items():
        for pause, after in pairwise(events):
            if pause.status == PAUSED and after.status == ACTIVE:
                lengths.append(after.t - pause.t)
                assert not [bill for bill in bills[sub] if pause.t <= bill.period_start_t < after.t]
                assert [bill for bill in bills[sub] if bill.period_start_t == after.t and bill.status == "paid"]
    assert len(lengths) > 30
    assert {28, 29, 30, 31, 59, 60, 61, 62} >= set(lengths)
    assert min(lengths) < 32 < max(lengths)


def test_who_gives_notice_stays_to_the_end_of_what_is_paid_for(
    histories: dict[int, list[Event]], bills: dict[int, list[Invoice]]
) -> None:
    notices = at_once = 0
    for sub, events in histories.items():
        for event in events:
            if event.status == CANCELED and event.asked == event.ends:
                at_once += 1
            if event.status == ACTIVE and event.asked is not None:
                notices += 1
                assert event.ends is not None
                assert event.asked == (event.t, event.second)
                assert event.ends[0] == bills[sub][-1].period_end_t + 1
                assert event is events[-1 if event.ends[0] >= DAYS else -2]
                if event.ends[0] < DAYS:
                    assert (events[-1].status, events[-1].ends, events[-1].asked) == (CANCELED, event.ends, event.asked)
                    assert (events[-1].t, events[-1].second) == event.ends
    # A request on the day of a bill, on trial or in a pause ends the subscription at once, whatever was wished.
    assert notices / (notices + at_once) == pytest.approx(0.3, abs=0.06)


def test_a_start_is_entered_up_to_three_days_late_but_never_before_the_customer_came(
    grown: Company, histories: dict[int, list[Event]]
) -> None:
    late = [events[0] for events in histories.values() if events[0].t != events[0].started_t]
    assert 20 < len(late) < 100
    assert {event.t - event.started_t for event in late} == {1, 2, 3}
    joined = customers(grown, DAYS).joined
    assert all(joined[event.customer] < event.started_t for event in late)


def test_a_mistake_is_deleted_within_a_week_and_what_was_paid_is_given_back(
    grown: Company, histories: dict[int, list[Event]], bills: dict[int, list[Invoice]]
) -> None:
    deleted = {sub: events for sub, events in histories.items() if events[-1].deleted}
    notes = [note for t in range(DAYS) for note in lifelines(grown).credit_notes(t) if note.reason == "duplicate"]
    assert 1 < len(deleted) < 20
    assert all(2 <= events[-1].t - events[0].t <= 6 for events in deleted.values())
    paid = {sub: bills[sub][0].amount for sub in deleted if sub in bills and bills[sub][0].amount}
    assert {note.invoice.event.subscription: note.amount for note in notes} == paid


def test_money_goes_back_to_who_leaves_a_prepaid_plan_at_once_and_to_some_who_complain(
    grown: Company, histories: dict[int, list[Event]]
) -> None:
    notes = [note for t in range(DAYS) for note in lifelines(grown).credit_notes(t)]
    given: dict[str, Decimal] = {}
    for note in notes:
        key = f"{note.invoice.event.subscription}-{note.invoice.number}-{note.invoice.again}"
        given[key] = given.get(key, Decimal(0)) + note.amount
        assert note.invoice.status == "paid"
        assert 0 < given[key] <= note.invoice.amount
        if note.reason == "refund":
            assert histories[note.invoice.event.subscription][-1].asked == (note.t, note.second)
            assert note.period_start_t > note.t
    assert {note.reason for note in notes} == {"refund", "duplicate", "goodwill"}
    refunds = sum(note.reason == "refund" for note in notes)
    assert refunds > 100


def test_the_hazard_of_leaving_is_found_from_purchases_and_cancellations(
    sold: Lines, histories: dict[int, list[Event]]
) -> None:
    known = sold[sold["customer"] != ANONYMOUS]
    order = np.lexsort((known["sold_t"], known["customer"]))
    customer, day = known["customer"][order], known["sold_t"][order]
    at_risk, left = np.zeros(800), np.zeros(800)
    for events in histories.values():
        start, last = events[0].started_t, events[-1]
        # Nobody asks twice, and of who is deleted nobody knows what they would have done on the day.
        asked = last.asked[0] if last.asked else None
        until = DAYS - 1 if asked is None and last.status != CANCELED else last.t - last.deleted
        days = np.arange(events[0].t + 1, (until if asked is None else asked) + 1)
        mine = day[np.searchsorted(customer, last.customer) : np.searchsorted(customer, last.customer, side="right")]
        before = np.searchsorted(mine, days) - 1
        bought = np.where(before >= 0, mine[np.maximum(before, 0)], -1)
        inactive = days - np.maximum(bought, start)
        np.add.at(at_risk, inactive, 1)
        # A payment that fails for good, or a trial, ends a subscription without being asked.
        if asked is not None:
            left[inactive[-1]] += 1
    for low, high in ((1, 20), (20, 40), (40, 50), (50, 80), (80, 300)):
        span = slice(low, high)
        planted = (hazard(np.arange(low, high)) * at_risk[span]).sum()
        assert planted > 50
        assert left[span].sum() == pytest.approx(planted, abs=4 * planted**0.5)


def test_the_first_subscriber_complains_so_that_there_are_credit_notes_as_soon_as_there_are_bills(
    grown: Company,
) -> None:
    for t in range(DAYS):
        short = [bill for bill in lifelines(grown).invoices(t) if bill.amount and bill.event.plan.months < 6]
        if short:
            notes = [note for note in lifelines(grown).credit_notes(t) if note.reason == "goodwill"]
            assert notes
            assert all(note.invoice in short for note in notes)
            return


def test_bills_follow_one_another_without_gap_but_for_pauses(
    histories: dict[int, list[Event]], bills: dict[int, list[Invoice]]
) -> None:
    billed = 0
    for sub, mine in bills.items():
        first = histories[sub][0]
        assert mine[0].period_start_t == (first.started_t if first.trial_ends_t is None else first.trial_ends_t)
        paused = {event.t for event in histories[sub] if event.status == PAUSED}
        regular = [bill for bill in mine if not bill.again]
        for bill, following in pairwise(regular):
            assert (following.period_start_t == bill.period_end_t + 1) != (bill.period_end_t + 1 in paused)
            assert following.t == following.period_start_t
            assert following.number > bill.number
        billed += len(regular)
    assert billed > 15000


def test_a_bill_that_is_paid_at_last_is_written_anew(
    histories: dict[int, list[Event]], bills: dict[int, list[Invoice]]
) -> None:
    mended = 0
    for sub, mine in bills.items():
        for again in (bill for bill in mine if bill.again):
            [failed] = [bill for bill in mine if bill.number == again.number and not bill.again]
            assert (failed.status, again.status) == ("open", "paid")
            assert again == replace(failed, t=again.t, second=again.second, status="paid", again=True)
            assert (again.t, again.second, ACTIVE) in {(e.t, e.second, e.status) for e in histories[sub]}
            mended += 1
        assert {bill.status for bill in mine} <= {"paid", "open", "uncollectible"}
    assert mended > 300


def test_what_is_free_cannot_fail(bills: dict[int, list[Invoice]]) -> None:
    free = [bill for mine in bills.values() for bill in mine if not bill.amount]
    assert len(free) > 20
    assert {bill.status for bill in free} == {"paid"}
