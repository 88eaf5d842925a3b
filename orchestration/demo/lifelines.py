"""The lives of all subscriptions: who subscribes when, what they are billed, and when they leave.

A subscriber leaves with a chance that depends on how long they have not bought, so lifelines follow from the visits of
all days before. They are worked out day by day from the opening and kept in memory only: the same company always gives
the same lifelines, whichever day is asked for first.
"""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from functools import lru_cache

import numpy as np

from orchestration.demo.company import BLOCK_DAYS, SUBSCRIPTIONS_PER_BLOCK, Bools, Company, Ints, block_size
from orchestration.demo.customers import COUNTRIES, customers, joined_by, visitors
from orchestration.demo.subscriptions import (
    ACTIVE,
    CANCELED,
    CHANGE_A_DAY,
    PAST_DUE,
    PAYMENT_FAILS,
    PLANS,
    RETRY_DAYS,
    RETRY_FAILS,
    RETURNERS_SHARE,
    RETURNERS_WAIT_DAYS,
    Event,
    Invoice,
    hazard,
)

_WEIGHTS = np.cumsum([plan.weight for plan in PLANS]).tolist()
_EPOCH = np.datetime64("1970-01-01", "D")


class Lifelines:
    """All subscriptions of a company, worked out up to the latest day that was asked for."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._days = 0
        self._events: list[list[Event]] = []
        self._invoices: list[list[Invoice]] = []
        self._state: list[Event] = []
        self._owed = 0
        none = np.zeros(0, dtype=np.int64)
        # By subscription: customer, status, start, months between bills (0: a week), next bill, number of bills, day of
        # the failed payment.
        self._customer, self._status, self._start, self._months = none, none, none, none
        self._bill_at, self._bills, self._failed = none, none, none
        # By customer: last purchase or start, end of the last subscription (-1 never had one, -2 has one now).
        self._last_active, self._left = none, none

    def events(self, t: int) -> list[Event]:
        """Returns the changes of a day, by time."""
        self._extend(t)
        return self._events[t]

    def invoices(self, t: int) -> list[Invoice]:
        """Returns the invoices of a day, by time."""
        self._extend(t)
        return self._invoices[t]

    def _extend(self, t: int) -> None:
        while self._days <= t:
            self._step(self._days)
            self._days += 1

    def _step(self, t: int) -> None:
        draw = self._company.rng("subscriptions", self._company.day(t).toordinal())
        missing = joined_by(self._company, t) - len(self._left)
        self._left = np.append(self._left, np.full(missing, -1))
        self._last_active = np.append(self._last_active, np.full(missing, t))
        events: list[Event] = []
        invoices: list[Invoice] = []
        self._live(t, draw, events, invoices)
        self._begin(t, draw, events, invoices)
        self._last_active[visitors(self._company, t)] = t
        self._events.append(sorted(events, key=lambda event: (event.second, event.subscription)))
        self._invoices.append(sorted(invoices, key=lambda invoice: (invoice.second, invoice.event.subscription)))

    def _live(self, t: int, draw: np.random.Generator, events: list[Event], invoices: list[Invoice]) -> None:
        alive = np.flatnonzero(self._status != CANCELED)
        luck = draw.random((5, len(alive)))
        seconds = draw.integers(7 * 3600, 22 * 3600, len(alive))
        active = self._status[alive] == ACTIVE
        inactive = t - np.maximum(self._last_active[self._customer[alive]], self._start[alive])
        retried = ~active & (self._failed[alive] + RETRY_DAYS == t)
        cancels = (luck[0] < hazard(inactive)) | (retried & (luck[1] < RETRY_FAILS))
        recovers = retried & ~cancels
        billed = (self._bill_at[alive] == t) & ~cancels
        fails: Bools = billed & active & (luck[2] < PAYMENT_FAILS)
        changes = active & ~cancels & ~fails & (luck[3] < CHANGE_A_DAY)
        # A bill is for the state before today's change, and an hour earlier than it.
        paid = ~fails & (active | recovers)
        invoices += self._bill(t, alive[billed], seconds[billed] - 3600, paid[billed])
        for i in np.flatnonzero(cancels | recovers | fails | changes).tolist():
            sub, second = int(alive[i]), int(seconds[i])
            state = self._state[sub]
            if changes[i]:
                self._change(t, second, state, float(luck[4][i]), events)
                continue
            status = CANCELED if cancels[i] else ACTIVE if recovers[i] else PAST_DUE
            self._record(replace(state, t=t, second=second, status=status), events)
            if fails[i]:
                self._failed[sub] = t
            if cancels[i]:
                self._left[state.customer] = t

    def _change(self, t: int, second: int, state: Event, luck: float, events: list[Event]) -> None:
        if luck < 0.5:
            quantity = state.quantity + 1 if luck < 0.35 or state.quantity == 1 else state.quantity - 1
            self._record(replace(state, t=t, second=second, quantity=quantity), events)
        elif state.plan.interval == "month":
            # Within plans that are billed by the month or by months, so that the rhythm of bills goes on.
            others = [p for p in PLANS if p.interval == "month" and p.interval_count == state.plan.interval_count]
            plan = others[(others.index(state.plan) + 1) % len(others)]
            if plan != state.plan:
                self._record(replace(state, t=t, second=second, plan=plan), events)

    def _begin(self, t: int, draw: np.random.Generator, events: list[Event], invoices: list[Invoice]) -> None:
        self._owed += int((_starts(self._company, t // BLOCK_DAYS) == t % BLOCK_DAYS).sum())
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
            state = self._start_of(t, pool.pop(int(luck[1] * len(pool))), len(self._state) + len(started), luck[2:])
            started.append(state)
            self._owed -= 1
        number = len(started)
        self._customer = np.append(self._customer, np.array([s.customer for s in started], dtype=np.int64))
        self._status = np.append(self._status, np.full(number, ACTIVE))
        self._start = np.append(self._start, np.full(number, t))
        self._months = np.append(self._months, np.array([s.plan.months for s in started], dtype=np.int64))
        self._bill_at = np.append(self._bill_at, np.full(number, t))
        self._bills = np.append(self._bills, np.zeros(number, dtype=np.int64))
        self._failed = np.append(self._failed, np.full(number, -RETRY_DAYS - 1))
        self._state += started
        self._left[[s.customer for s in started]] = -2
        events += started
        subscriptions = np.arange(len(self._state) - number, len(self._state))
        seconds = np.array([s.second for s in started], dtype=np.int64)
        invoices += self._bill(t, subscriptions, seconds, np.ones(number, dtype=np.bool_))

    def _start_of(self, t: int, customer: int, subscription: int, luck: list[float]) -> Event:
        city = int(customers(self._company, t).city[customer])
        return Event(
            t=t,
            second=9 * 3600 + int(luck[0] * 13 * 3600),
            subscription=subscription,
            customer=customer,
            plan=PLANS[min(bisect(_WEIGHTS, luck[1]), len(PLANS) - 1)],
            quantity=1 if luck[2] < 0.86 else 2 + int((luck[2] - 0.86) / 0.14 * 3),
            in_usd=COUNTRIES[city] == "US",
            status=ACTIVE,
            started_t=t,
            started_second=9 * 3600 + int(luck[0] * 13 * 3600),
        )

    def _bill(self, t: int, subscriptions: Ints, seconds: Ints, paid: Bools) -> list[Invoice]:
        self._bills[subscriptions] += 1
        numbers = self._bills[subscriptions]
        months = self._months[subscriptions]
        following = period_starts(self._company, self._start[subscriptions], months, numbers)
        self._bill_at[subscriptions] = following
        rows = zip(
            seconds.tolist(), numbers.tolist(), subscriptions.tolist(), following.tolist(), paid.tolist(), strict=True
        )
        return [Invoice(t, second, number, self._state[sub], t, end - 1, ok) for second, number, sub, end, ok in rows]

    def _record(self, event: Event, events: list[Event]) -> None:
        self._state[event.subscription] = event
        self._status[event.subscription] = event.status
        events.append(event)


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


@lru_cache(maxsize=4)
def lifelines(company: Company) -> Lifelines:
    """Returns the subscriptions of a company."""
    return Lifelines(company)


@lru_cache(maxsize=256)
def _starts(company: Company, block: int) -> Ints:
    size = block_size(SUBSCRIPTIONS_PER_BLOCK, company.scale, block)
    return company.rng("subscription starts", block).integers(0, BLOCK_DAYS, size)
