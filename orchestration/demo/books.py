"""The books of the subscription club: what billing writes on a day, and what it knows of every subscription."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from orchestration.demo.bills import CreditNote, Invoice
from orchestration.demo.company import Ints
from orchestration.demo.subscriptions import Event

# Longer ago than any offer works.
_NO_OFFER = -1_000_000


@dataclass
class Day:
    """What billing writes on a day, and the customers whom the retention team makes an offer."""

    events: list[Event] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    credits: list[CreditNote] = field(default_factory=list)
    offers: list[int] = field(default_factory=list)


class Standing:
    """What the days before leave to know of every subscription, by its number."""

    def __init__(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        self.customer, self.status = none, none
        # Day and second of the start.
        self.start, self.second = none, none
        # First day that is paid for, months between bills (0: a week), next bill, number of periods so far.
        self.anchor, self.months, self.bill_at, self.periods = none, none, none, none
        # Day on which a trial, a pause, a payment's retry or a term of notice is over.
        self.due = none
        self.leaving = np.zeros(0, dtype=np.bool_)
        # First day on which a bill is not free, and the day of the latest retention offer.
        self.charged_from, self.offered = none, none

    def begin(self, t: int, started: list[Event]) -> None:
        """Adds subscriptions that come into the books on a day."""
        anchors = [s.started_t if s.trial_ends_t is None else s.trial_ends_t for s in started]
        self.customer = _with(self.customer, [s.customer for s in started])
        self.status = _with(self.status, [s.status for s in started])
        self.start = _with(self.start, [s.started_t for s in started])
        self.second = _with(self.second, [s.started_second for s in started])
        self.anchor = _with(self.anchor, anchors)
        self.months = _with(self.months, [s.plan.months for s in started])
        # A start that was entered late is billed as it is entered.
        self.bill_at = _with(self.bill_at, [max(t, anchor) for anchor in anchors])
        self.periods = _with(self.periods, [0] * len(started))
        self.due = _with(self.due, [-1 if s.trial_ends_t is None else s.trial_ends_t for s in started])
        self.leaving = np.append(self.leaving, np.zeros(len(started), dtype=np.bool_))
        free = [s.coupon.ends_t if s.coupon and s.coupon.percent == 100 else 0 for s in started]
        self.charged_from = _with(self.charged_from, [day or 0 for day in free])
        self.offered = _with(self.offered, [_NO_OFFER] * len(started))


def _with(known: Ints, values: list[int]) -> Ints:
    return np.append(known, np.array(values, dtype=np.int64))
