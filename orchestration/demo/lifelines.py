"""The lives of all subscriptions: who subscribes when, what they are billed, and when they leave.

A subscriber leaves with a chance that depends on how long they have not bought, so lifelines follow from the visits of
all days before. They are worked out day by day from the opening and kept in memory only: the same company always gives
the same lifelines, whichever day is asked for first.
"""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from dataclasses import replace
from functools import lru_cache

import numpy as np

from orchestration.demo.bills import (
    GOODWILL_SHARE,
    REFUNDED_MONTHS,
    CreditNote,
    Invoice,
    charge,
    goodwill,
    period_starts,
    refund,
)
from orchestration.demo.books import Day, Standing
from orchestration.demo.company import Bools, Company, Ints
from orchestration.demo.customers import customers, joined_by, visitors
from orchestration.demo.offers import left_of_hazard, offered
from orchestration.demo.subscriptions import (
    ACTIVE,
    CANCELED,
    CHANGE_A_DAY,
    LAST_TRY_DAYS,
    LAST_TRY_FAILS,
    NOTICE_SHARE,
    PAST_DUE,
    PAUSE_SHARE,
    PAUSED,
    PAYMENT_FAILS,
    PLANS,
    RETRY_DAYS,
    RETRY_FAILS,
    RETURNERS_SHARE,
    RETURNERS_WAIT_DAYS,
    TRIALING,
    UNPAID,
    Event,
    hazard,
)
from orchestration.demo.terms import TRIAL_LOST, agree, currency_of, starts_due

_WEIGHTS = np.cumsum([plan.weight for plan in PLANS]).tolist()


class Lifelines:
    """All subscriptions of a company, worked out up to the latest day that was asked for."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._days: list[Day] = []
        self._known = Standing()
        self._state: list[Event] = []
        self._owed = 0
        # By customer: last purchase or start, end of the last subscription (-1 never had one, -2 has one now).
        none = np.zeros(0, dtype=np.int64)
        self._last_active, self._left = none, none
        # By subscription: its bills that are not paid, and the last one that is.
        self._open: defaultdict[int, list[Invoice]] = defaultdict(list)
        self._paid: dict[int, Invoice] = {}
        # By subscription that was entered by mistake: the day on which that is noticed.
        self._mistakes: dict[int, int] = {}
        self._is_pleased = False

    def events(self, t: int) -> list[Event]:
        """Returns the changes of a day, by time."""
        return self._day(t).events

    def invoices(self, t: int) -> list[Invoice]:
        """Returns the invoices of a day, by time."""
        return self._day(t).invoices

    def credit_notes(self, t: int) -> list[CreditNote]:
        """Returns the credit notes of a day, by time."""
        return self._day(t).credits

    def offers(self, t: int) -> list[int]:
        """Returns the customers who get a retention offer on a day, by subscription."""
        return self._day(t).offers

    def _day(self, t: int) -> Day:
        while len(self._days) <= t:
            self._days.append(self._step(len(self._days)))
        return self._days[t]

    def _step(self, t: int) -> Day:
        draw = self._company.rng("subscriptions", self._company.day(t).toordinal())
        missing = joined_by(self._company, t) - len(self._left)
        self._left = np.append(self._left, np.full(missing, -1))
        self._last_active = np.append(self._last_active, np.full(missing, t))
        day = Day()
        self._correct(t, day)
        self._live(t, draw, day)
        self._begin(t, draw, day)
        self._please(t, day)
        asked_to_stay = offered(self._company, t, self._known)
        self._known.offered[asked_to_stay] = t
        day.offers = self._known.customer[asked_to_stay].tolist()
        self._last_active[visitors(self._company, t)] = t
        day.events.sort(key=lambda event: (event.second, event.subscription))
        day.invoices.sort(key=lambda invoice: (invoice.second, invoice.event.subscription, invoice.number))
        day.credits.sort(key=lambda note: (note.second, note.invoice.event.subscription))
        return day

    def _correct(self, t: int, day: Day) -> None:
        """Deletes what was entered by mistake, before anybody is at work."""
        for sub in [sub for sub, noticed in self._mistakes.items() if noticed == t]:
            state, second = self._state[sub], 6 * 3600 + sub % 3600
            if state.status == CANCELED:
                continue
            self._record(replace(state, t=t, second=second, status=CANCELED, ends=(t, second), deleted=True), day)
            self._left[state.customer] = t
            bill = self._paid.get(sub)
            if bill is not None and bill.amount:
                note = CreditNote(t, second, bill, bill.period_start_t, bill.period_end_t, bill.amount, "duplicate")
                day.credits.append(note)

    def _live(self, t: int, draw: np.random.Generator, day: Day) -> None:
        known = self._known
        alive = np.flatnonzero(known.status != CANCELED)
        luck = draw.random((5, len(alive)))
        seconds = draw.integers(7 * 3600, 22 * 3600, len(alive))
        wishes = self._company.rng("pauses and notice", self._company.day(t).toordinal()).random((2, len(alive)))
        status, leaving, due = known.status[alive], known.leaving[alive], known.due[alive] == t
        # A trial and a term of notice end at the second at which the subscription began.
        seconds = np.where(due & (leaving | (status == TRIALING)), known.second[alive], seconds)
        active = (status == ACTIVE) & ~leaving
        inactive = t - np.maximum(self._last_active[known.customer[alive]], known.start[alive])
        gives_up = due & (status == PAST_DUE) & (luck[1] < RETRY_FAILS)
        lost = np.where(status == TRIALING, TRIAL_LOST, np.where(status == UNPAID, LAST_TRY_FAILS, 0.0))
        over = due & (leaving | (luck[1] < lost))
        chance = hazard(inactive) * left_of_hazard(t - known.offered[alive])
        cancels = over | ((luck[0] < chance) & ~leaving)
        gives_up &= ~cancels
        returns = due & ~cancels & ~gives_up
        billed = (known.bill_at[alive] == t) & ~cancels & ~leaving
        pauses = billed & active & (known.months[alive] == 1) & (wishes[0] < PAUSE_SHARE)
        billed &= ~pauses
        fails: Bools = billed & active & (luck[2] < PAYMENT_FAILS) & (known.charged_from[alive] <= t)
        changes = active & ~cancels & ~fails & ~pauses & (luck[3] < CHANGE_A_DAY)
        # A bill is for the state before today's change, and an hour earlier than it.
        paid = ~fails & (active | returns)
        self._bill(t, alive[billed], np.where(returns, seconds, seconds - 3600)[billed], paid[billed], day)
        for i in np.flatnonzero(cancels | gives_up | returns | fails | pauses | changes).tolist():
            sub, second = int(alive[i]), int(seconds[i])
            if changes[i]:
                self._change(t, second, self._state[sub], float(luck[4][i]), day)
            elif cancels[i]:
                self._cancel(t, second, sub, asks=not over[i], gives_notice=bool(wishes[1][i] < NOTICE_SHARE), day=day)
            elif pauses[i]:
                self._pause(t, second, sub, 1 if wishes[1][i] < 0.6 else 2, day)
            elif returns[i]:
                self._return(t, second, sub, day)
            else:
                known.due[sub] = t + (RETRY_DAYS if fails[i] else LAST_TRY_DAYS)
                status_now = PAST_DUE if fails[i] else UNPAID
                self._record(replace(self._state[sub], t=t, second=second, status=status_now), day)

    def _change(self, t: int, second: int, state: Event, luck: float, day: Day) -> None:
        if luck < 0.5:
            quantity = state.quantity + 1 if luck < 0.35 or state.quantity == 1 else state.quantity - 1
            self._record(replace(state, t=t, second=second, quantity=quantity), day)
        elif state.plan.interval == "month":
            # Within plans that are billed by the month or by months, so that the rhythm of bills goes on.
            others = [p for p in PLANS if p.interval == "month" and p.interval_count == state.plan.interval_count]
            plan = others[(others.index(state.plan) + 1) % len(others)]
            if plan != state.plan:
                self._record(replace(state, t=t, second=second, plan=plan), day)

    def _cancel(self, t: int, second: int, sub: int, *, asks: bool, gives_notice: bool, day: Day) -> None:
        known, state, now = self._known, self._state[sub], (t, second)
        until = int(known.bill_at[sub])
        if asks and gives_notice and state.status == ACTIVE and until > t:
            known.leaving[sub], known.due[sub] = True, until
            ends = (until, state.started_second)
            self._record(replace(state, t=t, second=second, asked=now, ends=ends), day)
            return
        asked = now if asks else state.asked
        self._record(replace(state, t=t, second=second, status=CANCELED, asked=asked, ends=now), day)
        self._left[state.customer] = t
        bill = self._paid.get(sub)
        if asks and bill is not None and state.plan.months >= REFUNDED_MONTHS:
            note = refund(self._company, t, second, bill)
            if note is not None:
                day.credits.append(note)

    def _pause(self, t: int, second: int, sub: int, periods: int, day: Day) -> None:
        known = self._known
        known.periods[sub] += periods
        following = period_starts(self._company, known.anchor[[sub]], known.months[[sub]], known.periods[[sub]])
        known.bill_at[sub] = known.due[sub] = following[0]
        self._record(replace(self._state[sub], t=t, second=second, status=PAUSED), day)

    def _return(self, t: int, second: int, sub: int, day: Day) -> None:
        self._record(replace(self._state[sub], t=t, second=second, status=ACTIVE), day)
        for bill in self._open.pop(sub, ()):
            mended = replace(bill, t=t, second=second, status="paid", again=True)
            day.invoices.append(mended)
            self._paid[sub] = mended

    def _begin(self, t: int, draw: np.random.Generator, day: Day) -> None:
        self._owed += starts_due(self._company, t)
        if not self._owed or t == 0:
            return
        # Nobody subscribes on the day they join, so a start may have to wait for the first customers.
        left = self._left[: joined_by(self._company, t - 1)]
        new = np.flatnonzero(left == -1).tolist()
        lapsed = np.flatnonzero((left >= 0) & (left <= t - RETURNERS_WAIT_DAYS)).tolist()
        started: list[Event] = []
        while self._owed and (new or lapsed):
            luck = draw.random(5).tolist()
            pool = lapsed if lapsed and (luck[0] < RETURNERS_SHARE or not new) else new
            sub, customer = len(self._state) + len(started), pool.pop(int(luck[1] * len(pool)))
            earliest = int(customers(self._company, t).joined[customer]) + 1
            beginning = agree(self._company, t, self._start_of(t, customer, sub, luck[2:]), earliest)
            started.append(beginning.state)
            if beginning.mistake_t is not None:
                self._mistakes[sub] = beginning.mistake_t
            self._owed -= 1
        first = len(self._state)
        self._known.begin(t, started)
        self._state += started
        self._left[[s.customer for s in started]] = -2
        day.events += started
        billed = np.array([s.subscription for s in started if s.trial_ends_t is None], dtype=np.int64)
        seconds = np.array([started[sub - first].second for sub in billed.tolist()], dtype=np.int64)
        self._bill(t, billed, seconds, np.ones(len(billed), dtype=np.bool_), day)

    def _start_of(self, t: int, customer: int, subscription: int, luck: list[float]) -> Event:
        second = 9 * 3600 + int(luck[0] * 13 * 3600)
        return Event(
            t=t,
            second=second,
            subscription=subscription,
            customer=customer,
            plan=PLANS[min(bisect(_WEIGHTS, luck[1]), len(PLANS) - 1)],
            quantity=1 if luck[2] < 0.86 else 2 + int((luck[2] - 0.86) / 0.14 * 3),
            currency=currency_of(self._company, t, customer),
            status=ACTIVE,
            started_t=t,
            started_second=second,
        )

    def _bill(self, t: int, subscriptions: Ints, seconds: Ints, paid: Bools, day: Day) -> None:
        known = self._known
        anchors, months = known.anchor[subscriptions], known.months[subscriptions]
        starts = period_starts(self._company, anchors, months, known.periods[subscriptions])
        known.periods[subscriptions] += 1
        numbers = known.periods[subscriptions]
        following = period_starts(self._company, anchors, months, numbers)
        known.bill_at[subscriptions] = following
        columns = (subscriptions, seconds, numbers, starts, following, paid)
        for sub, second, number, start, end, is_paid in zip(*(c.tolist() for c in columns), strict=True):
            state = self._state[sub]
            status = "paid" if is_paid else "uncollectible" if state.status == UNPAID else "open"
            bill = Invoice(t, second, number, state, start, end - 1, charge(state, start), status)
            day.invoices.append(bill)
            if status == "paid":
                self._paid[sub] = bill
            elif status == "open":
                self._open[sub].append(bill)

    def _please(self, t: int, day: Day) -> None:
        """Gives a part of some bills back to customers who complain."""
        bills = [bill for bill in day.invoices if bill.status == "paid" and not self._may_be_refunded(bill)]
        luck = self._company.rng("goodwill", self._company.day(t).toordinal()).random(len(bills))
        if not self._is_pleased:
            # The first subscriber complains: a feed that stays empty for weeks would stop a young company at the gate.
            luck[:1] = 0.0
        for i in np.flatnonzero(luck < GOODWILL_SHARE).tolist():
            note = goodwill(bills[i])
            if note is not None:
                day.credits.append(note)
                self._is_pleased = True

    def _may_be_refunded(self, bill: Invoice) -> bool:
        return bill.event.plan.months >= REFUNDED_MONTHS or bill.event.subscription in self._mistakes

    def _record(self, event: Event, day: Day) -> None:
        self._state[event.subscription] = event
        self._known.status[event.subscription] = event.status
        day.events.append(event)


@lru_cache(maxsize=4)
def lifelines(company: Company) -> Lifelines:
    """Returns the subscriptions of a company."""
    return Lifelines(company)
