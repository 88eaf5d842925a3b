"""The subscription club: its plans, the state of a subscription, and the chance that a subscriber leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestration.demo.company import Floats, Ints

HAZARD_LOW = 0.0006
HAZARD_HIGH = 0.0100
HAZARD_MIDDLE_DAYS = 45.0
HAZARD_WIDTH_DAYS = 8.0
# Of those who ask to cancel; the others leave at once.
NOTICE_SHARE = 0.3
PAYMENT_FAILS = 0.03
RETRY_DAYS = 7
RETRY_FAILS = 0.2
LAST_TRY_DAYS = 14
LAST_TRY_FAILS = 0.6
# Of the bills of plans that are billed by the month.
PAUSE_SHARE = 0.02
CHANGE_A_DAY = 0.0006
RETURNERS_SHARE = 0.12
RETURNERS_WAIT_DAYS = 14

TRIALING, ACTIVE, PAST_DUE, UNPAID, PAUSED, CANCELED = range(6)
STATUSES = ("trialing", "active", "past_due", "unpaid", "paused", "canceled")
CURRENCIES = ("EUR", "USD", "JPY")

# Day number and second of the day.
Moment = tuple[int, int]


@dataclass(frozen=True)
class Plan:
    """What a subscription costs for each interval."""

    plan_id: str
    interval: str
    interval_count: int
    eur: float
    usd: float
    jpy: float
    weight: float

    @property
    def months(self) -> int:
        """Months from bill to bill; 0 for plans that are billed by weeks."""
        return {"week": 0, "month": 1, "quarter": 3, "year": 12}[self.interval] * self.interval_count


PLANS = (
    Plan("club-week", "week", 1, 2.90, 3.20, 470, 0.08),
    Plan("club-month", "month", 1, 9.90, 10.90, 1600, 0.45),
    Plan("club-two-months", "month", 2, 18.55, 19.95, 2990, 0.07),
    Plan("club-quarter", "quarter", 1, 26.90, 28.90, 4300, 0.12),
    Plan("club-half-year", "month", 6, 49.90, 54.90, 8100, 0.05),
    Plan("club-year", "year", 1, 94.50, 99.00, 15200, 0.18),
    Plan("box-month", "month", 1, 24.50, 26.50, 3950, 0.05),
)


def hazard(inactive_days: Floats | Ints) -> Floats:
    """Returns the chance to ask to cancel on a day, by the days since the last purchase (or the start, when later)."""
    steepness = (np.asarray(inactive_days) - HAZARD_MIDDLE_DAYS) / HAZARD_WIDTH_DAYS
    return np.asarray(HAZARD_LOW + (HAZARD_HIGH - HAZARD_LOW) / (1.0 + np.exp(-steepness)))


@dataclass(frozen=True)
class Coupon:
    """What a subscriber need not pay.

    Attributes:
        percent: Share of the price, in percent.
        amount: Off each bill, in the subscription's currency.
        ends_t: First day number without it; None where it lasts.
    """

    percent: int = 0
    amount: float = 0
    ends_t: int | None = None

    def counts_on(self, t: int) -> bool:
        """Returns whether it is deducted on a day."""
        return self.ends_t is None or t < self.ends_t


@dataclass(frozen=True)
class Event:
    """The full state of a subscription from a change on.

    Attributes:
        t: Day number on which billing enters the change; the first one may be entered after the subscription began.
        trial_ends_t: Day number on which a trial ends, at the second at which it began.
        asked: When the customer asked to cancel.
        ends: When the subscription ends or ended; may lie ahead.
        deleted: Whether it was a mistake: the subscription never was.
    """

    t: int
    second: int
    subscription: int
    customer: int
    plan: Plan
    quantity: int
    currency: str
    status: int
    started_t: int
    started_second: int
    trial_ends_t: int | None = None
    coupon: Coupon | None = None
    asked: Moment | None = None
    ends: Moment | None = None
    deleted: bool = False

    @property
    def unit_amount(self) -> float:
        """Price of an interval and a unit, in the subscription's currency."""
        return {"EUR": self.plan.eur, "USD": self.plan.usd, "JPY": self.plan.jpy}[self.currency]


def subscription_id(index: int) -> str:
    """Returns the id under which billing knows a subscription."""
    return f"SUB{index + 1:06d}"
