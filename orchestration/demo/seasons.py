"""When people buy: weekdays, the year's swing and holidays, all as factors on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from orchestration.demo.categories import CATEGORIES, NAMES
from orchestration.demo.company import Floats

# The web shop's week, from Monday to Sunday, is the same for all categories.
WEB_WEEKDAYS = (1.10, 1.02, 0.98, 0.96, 0.90, 0.92, 1.12)


@dataclass(frozen=True)
class HolidayEffect:
    """What a holiday multiplies demand by.

    Attributes:
        stores: In the stores; 0 means closed.
        web: In the web shop.
        categories: A further factor by category, in both.
        run_up_days: Days before it on which demand is already higher.
        run_up: The factor of those days by category; `run_up_default` for the rest.
    """

    stores: float
    web: float
    categories: Mapping[str, float] = field(default_factory=dict)
    run_up_days: int = 0
    run_up: Mapping[str, float] = field(default_factory=dict)
    run_up_default: float = 1.0


EFFECTS: Mapping[str, HolidayEffect] = {
    "New Year's Day": HolidayEffect(0.0, 0.7),
    "Good Friday": HolidayEffect(0.6, 0.9),
    "Easter Sunday": HolidayEffect(0.5, 0.8, {}, 4, {"Grocery": 1.30, "Garden": 1.15}, 1.05),
    "Easter Monday": HolidayEffect(0.5, 0.9),
    "Labour Day": HolidayEffect(0.6, 1.0),
    "Black Friday": HolidayEffect(1.8, 2.2, {"Electronics": 1.5, "Grocery": 0.6}),
    "Christmas Eve": HolidayEffect(0.7, 0.5, {}, 6, {"Toys": 1.60, "Books": 1.45, "Beauty": 1.35}, 1.15),
    "Christmas Day": HolidayEffect(0.0, 0.5),
    "Boxing Day": HolidayEffect(0.4, 0.8),
    "New Year's Eve": HolidayEffect(0.8, 0.7, {}, 2, {"Grocery": 1.35}, 1.0),
}


@lru_cache(maxsize=64)
def holidays(year: int) -> Mapping[date, str]:
    """Returns the holidays that the company's customers keep, by date."""
    easter = _easter(year)
    first_november = date(year, 11, 1)
    # The fourth Friday that follows a Thursday of November.
    thanksgiving = first_november + timedelta(days=(3 - first_november.weekday()) % 7 + 21)
    return {
        date(year, 1, 1): "New Year's Day",
        easter - timedelta(days=2): "Good Friday",
        easter: "Easter Sunday",
        easter + timedelta(days=1): "Easter Monday",
        date(year, 5, 1): "Labour Day",
        thanksgiving + timedelta(days=1): "Black Friday",
        date(year, 12, 24): "Christmas Eve",
        date(year, 12, 25): "Christmas Day",
        date(year, 12, 26): "Boxing Day",
        date(year, 12, 31): "New Year's Eve",
    }


def weekday_factors() -> Floats:
    """Returns the weekday factors [stores or web, category, Monday to Sunday]; each week averages 1."""
    stores = np.array([category.weekdays for category in CATEGORIES])
    web = np.broadcast_to(np.array(WEB_WEEKDAYS), stores.shape)
    factors = np.stack([stores, web])
    return np.asarray(factors / factors.mean(axis=2, keepdims=True))


def yearly_factors(day_of_year: int) -> Floats:
    """Returns the factor of each category on a day of the year."""
    peaks = np.array([category.peak_day for category in CATEGORIES])
    swing = np.array([category.amplitude for category in CATEGORIES])
    return np.asarray(1.0 + swing * np.cos(2.0 * np.pi * (day_of_year - peaks) / 365.25))


def holiday_factors(day: date) -> Floats:
    """Returns the factors [stores or web, category] that holidays on and after a day put on it."""
    factors = np.ones((2, len(NAMES)))
    today = holidays(day.year).get(day)
    if today is not None:
        effect = EFFECTS[today]
        factors *= np.array([effect.categories.get(name, 1.0) for name in NAMES])
        return np.asarray(factors * [[effect.stores], [effect.web]])
    for ahead in range(1, 7):
        later = day + timedelta(days=ahead)
        name = holidays(later.year).get(later)
        if name is not None and ahead <= EFFECTS[name].run_up_days:
            effect = EFFECTS[name]
            factors *= np.array([effect.run_up.get(category, effect.run_up_default) for category in NAMES])
    return factors


_WEEKDAYS = weekday_factors()


def season(day: date) -> Floats:
    """Returns all seasonal factors of a day together, [stores or web, category]."""
    weekday = _WEEKDAYS[:, :, day.weekday()]
    return np.asarray(weekday * yearly_factors(day.timetuple().tm_yday) * holiday_factors(day))


def _easter(year: int) -> date:
    # Gauss's rule in the form of Meeus, for the Gregorian calendar.
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)
