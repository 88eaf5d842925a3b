"""What foreign currencies are worth: rates that wander around a mean and are published on business days only."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

import numpy as np

from orchestration.demo.company import Company, Floats, first_of_month, month_number
from orchestration.demo.seasons import holidays

MEAN_RATES = {"USD": 0.92, "GBP": 1.17, "JPY": 0.0061}
# A yen is worth so little that four decimals would round away a percent of it.
_DECIMALS = {"JPY": 6}
# Rates of so many days before the opening are known; no gap between business days is longer than six.
KNOWN_BEFORE_DAYS = 10
SPREAD = 0.02
# A dollar stays below a euro: a price in dollars to the cent then gives the same cents in euros back.
LARGEST_SWING = 0.06
# A day keeps so much of the deviation of the day before; after a year 3 % of it are left.
_KEPT = 0.99
_MEMORY_MONTHS = 12
_CLOSED = ("New Year's Day", "Good Friday", "Easter Monday", "Labour Day", "Christmas Day", "Boxing Day")


def eur_rate(company: Company, currency: str, day: date) -> Decimal:
    """Returns what one unit of a currency is worth in EUR on a day: the rate of the last business day up to it."""
    if currency == "EUR":
        return Decimal(1)
    while not is_business_day(day):
        day -= timedelta(days=1)
    return _month(company, month_number(day))[currency][day.day - 1]


def is_business_day(day: date) -> bool:
    """Returns whether rates are published on a day: not on weekends, nor when the central bank is closed."""
    return day.weekday() < 5 and holidays(day.year).get(day) not in _CLOSED


@lru_cache(maxsize=256)
def _month(company: Company, month: int) -> dict[str, tuple[Decimal, ...]]:
    """The rates of all days of a month, from the shocks of a year, so that no month needs the ones before it."""
    shocks = np.concatenate([_shocks(company, number) for number in range(month - _MEMORY_MONTHS, month + 1)], axis=1)
    days = _days(month)
    ages = np.arange(shocks.shape[1])
    kernel = _KEPT ** np.abs(ages[:, None] - ages[-days:]) * (ages[:, None] <= ages[-days:])
    swing = LARGEST_SWING * np.tanh(shocks @ kernel / LARGEST_SWING)
    return {
        currency: tuple(Decimal(f"{mean * (1.0 + x):.{_DECIMALS.get(currency, 4)}f}") for x in swing[place].tolist())
        for place, (currency, mean) in enumerate(MEAN_RATES.items())
    }


@lru_cache(maxsize=256)
def _shocks(company: Company, month: int) -> Floats:
    draw = company.rng("exchange rates", month)
    return np.asarray(draw.normal(0.0, SPREAD * (1.0 - _KEPT**2) ** 0.5, (len(MEAN_RATES), _days(month))))


def _days(month: int) -> int:
    return (first_of_month(month + 1) - first_of_month(month)).days
