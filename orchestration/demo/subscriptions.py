"""The subscription club: its plans, the state of a subscription, and the chance that a subscriber leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.demo.company import Floats, Ints

HAZARD_LOW = 0.0006
HAZARD_HIGH = 0.0100
HAZARD_MIDDLE_DAYS = 45.0
HAZARD_WIDTH_DAYS = 8.0
PAYMENT_FAILS = 0.03
RETRY_DAYS = 7
RETRY_FAILS = 0.2
CHANGE_A_DAY = 0.0006
RETURNERS_SHARE = 0.12
RETURNERS_WAIT_DAYS = 14

ACTIVE, PAST_DUE, CANCELED = 0, 1, 2
STATUSES = ("active", "past_due", "canceled")


@dataclass(frozen=True)
class Plan:
    """What a subscription costs for each interval."""

    plan_id: str
    interval: str
    interval_count: int
    eur: float
    usd: float
    weight: float

    @property
    def months(self) -> int:
        """Months from bill to bill; 0 for plans that are billed by weeks."""
        return {"week": 0, "month": 1, "quarter": 3, "year": 12}[self.interval] * self.interval_count


PLANS = (
    Plan("club-week", "week", 1, 2.90, 3.20, 0.08),
    Plan("club-month", "month", 1, 9.90, 10.90, 0.45),
    Plan("club-two-months", "month", 2, 18.55, 19.95, 0.07),
    Plan("club-quarter", "quarter", 1, 26.90, 28.90, 0.12),
    Plan("club-half-year", "month", 6, 49.90, 54.90, 0.05),
    Plan("club-year", "year", 1, 94.50, 99.00, 0.18),
    Plan("box-month", "month", 1, 24.50, 26.50, 0.05),
)


def hazard(inactive_days: Floats | Ints) -> Floats:
    """Returns the chance to cancel on a day, by the days since the last purchase (or the start, when later)."""
    steepness = (np.asarray(inactive_days) - HAZARD_MIDDLE_DAYS) / HAZARD_WIDTH_DAYS
    return np.asarray(HAZARD_LOW + (HAZARD_HIGH - HAZARD_LOW) / (1.0 + np.exp(-steepness)))


@dataclass(frozen=True)
class Event:
    """The full state of a subscription from a change on."""

    t: int
    second: int
    subscription: int
    customer: int
    plan: Plan
    quantity: int
    in_usd: bool
    status: int
    started_t: int
    started_second: int

    @property
    def unit_amount(self) -> float:
        """Price of an interval and a unit, in the subscription's currency."""
        return self.plan.usd if self.in_usd else self.plan.eur

    @property
    def currency(self) -> str:
        """EUR or USD."""
        return "USD" if self.in_usd else "EUR"

    @property
    def ended(self) -> bool:
        """Whether the subscription is over."""
        return self.status == CANCELED


@dataclass(frozen=True)
class Invoice:
    """A bill for the coming period of a subscription in the state of `event`."""

    t: int
    second: int
    number: int
    event: Event
    period_start_t: int
    period_end_t: int
    paid: bool


def subscription_id(index: int) -> str:
    """Returns the id under which billing knows a subscription."""
    return f"SUB{index + 1:06d}"
