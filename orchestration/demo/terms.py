"""When subscriptions begin, and what is agreed then: currency, trial and coupon; and how it comes into the books."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from orchestration.demo.bills import period_starts
from orchestration.demo.company import BLOCK_DAYS, SUBSCRIPTIONS_PER_BLOCK, Company, Ints, block_size
from orchestration.demo.customers import COUNTRIES, customers
from orchestration.demo.subscriptions import TRIALING, Coupon, Event

YEN_SHARE = 0.03
TRIAL_SHARE = 0.10
TRIAL_DAYS = 14
TRIAL_LOST = 0.35
# Coupons that end are for plans that are billed by the week or month: a bill for a year has one price.
PERCENT_SHARE, PERCENT, PERCENT_MONTHS = 0.10, 25, 3
AMOUNT_SHARE, AMOUNT, AMOUNT_YEN = 0.05, 1.5, 250
FREE_SHARE, FREE_MONTHS = 0.04, 1
LATE_SHARE, LATEST_DAYS = 0.02, 3
MISTAKE_SHARE = 0.003
# So that no second bill has been written.
_MISTAKE_DAYS = (2, 6)


@dataclass(frozen=True)
class Beginning:
    """The first state of a subscription, and the day number on which it turns out to be a mistake, if it is one."""

    state: Event
    mistake_t: int | None


def starts_due(company: Company, t: int) -> int:
    """Returns how many subscriptions somebody would begin on day number `t`."""
    return int((_starts(company, t // BLOCK_DAYS) == t % BLOCK_DAYS).sum())


def currency_of(company: Company, t: int, customer: int) -> str:
    """Returns the currency in which a customer pays all subscriptions."""
    if company.rng("yen", customer).random() < YEN_SHARE:
        return "JPY"
    return "USD" if COUNTRIES[int(customers(company, t).city[customer])] == "US" else "EUR"


def agree(company: Company, t: int, state: Event, earliest_t: int) -> Beginning:
    """Returns a subscription that starts on day number `t` with all that is agreed.

    Args:
        company: Whose subscription it is.
        t: Day on which it comes into the books.
        state: What the subscriber has chosen.
        earliest_t: First day on which the customer could have subscribed.
    """
    trial, coupon, late, mistake = company.rng("subscription terms", state.subscription).random(4).tolist()
    if late < LATE_SHARE:
        days = 1 + int(late / LATE_SHARE * LATEST_DAYS)
        state = replace(state, started_t=max(t - days, min(earliest_t, t)))
    if trial < TRIAL_SHARE:
        state = replace(state, status=TRIALING, trial_ends_t=state.started_t + TRIAL_DAYS)
    first, last = _MISTAKE_DAYS
    mistake_t = t + first + int(mistake / MISTAKE_SHARE * (last - first + 1)) if mistake < MISTAKE_SHARE else None
    return Beginning(replace(state, coupon=_coupon(company, state, coupon)), mistake_t)


def _coupon(company: Company, state: Event, luck: float) -> Coupon | None:
    if luck < AMOUNT_SHARE:
        return Coupon(amount=AMOUNT_YEN if state.currency == "JPY" else AMOUNT)
    if state.plan.months > 1:
        return None
    if luck < AMOUNT_SHARE + FREE_SHARE:
        return Coupon(percent=100, ends_t=_months_later(company, state.started_t, FREE_MONTHS))
    if luck < AMOUNT_SHARE + FREE_SHARE + PERCENT_SHARE:
        return Coupon(percent=PERCENT, ends_t=_months_later(company, state.started_t, PERCENT_MONTHS))
    return None


def _months_later(company: Company, t: int, months: int) -> int:
    return int(period_starts(company, np.array([t]), np.array([1]), np.array([months]))[0])


@lru_cache(maxsize=256)
def _starts(company: Company, block: int) -> Ints:
    size = block_size(SUBSCRIPTIONS_PER_BLOCK, company.scale, block)
    return company.rng("subscription starts", block).integers(0, BLOCK_DAYS, size)
