"""Who buys: the people who joined, where they live, and on which days each of them comes to buy."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from orchestration.demo.catalogue import STORES
from orchestration.demo.company import BLOCK_DAYS, CUSTOMERS_PER_BLOCK, Bools, Company, Floats, Ints, block_size
from orchestration.demo.seasons import holidays, weekday_factors

DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")
# Cities by number: those of the stores first, then where only the web shop delivers.
CITIES = (*STORES, "New York", "Chicago", "Austin", "Madrid", "Copenhagen")
COUNTRIES = ("DE", "DE", "DE", "DE", "AT", "NL", "FR", "BE", "US", "US", "US", "ES", "DK")
_CITY_WEIGHTS = np.array([0.19, 0.14, 0.12, 0.10, 0.08, 0.07, 0.05, 0.04, 0.06, 0.05, 0.04, 0.03, 0.03])
FIRST_WEB_ONLY_CITY = len(STORES)
MEAN_DAYS_BETWEEN_VISITS = 14.0
MEAN_DAYS_TO_LAPSE = 480.0
# A third of the names, the first ones of their lists, is more frequent than the rest.
_COMMON_NAMES = 30
_RARITY = (0.4, 0.35, 0.25)
# Who has drifted away still comes now and then.
LAPSED_VISIT_SHARE = 0.06
_VISIT_WEEKDAYS = weekday_factors()[0].mean(axis=0)
_HOLIDAY_VISITS = 0.2


@dataclass(frozen=True)
class Customers:
    """Everyone who has joined so far, in order of joining; entry i is customer C<i+1>.

    Attributes:
        joined: Day number on which they signed up, and bought for the first time.
        city: Number in CITIES; the one they lived in when they joined.
        web_share: Share of their purchases made in the web shop.
        visit_rate: Chance to buy on an ordinary day, before they lapse.
        lapses: Day number from which they come rarely.
        birth_year: 0 where unknown.
    """

    joined: Ints
    first_name: Ints
    last_name: Ints
    domain: Ints
    city: Ints
    web_share: Floats
    visit_rate: Floats
    lapses: Ints
    birth_year: Ints

    def __len__(self) -> int:
        return len(self.joined)


@lru_cache(maxsize=1 << 20)
def customer_id(index: int) -> str:
    """Returns the id under which the systems know a customer."""
    return f"C{index + 1:06d}"


def customers(company: Company, t: int) -> Customers:
    """Returns the customers who joined up to the end of the block of days that day number `t` lies in."""
    return _up_to_block(company, t // BLOCK_DAYS)


def joined_by(company: Company, t: int) -> int:
    """Returns how many customers have joined on or before day number `t`."""
    return int(np.searchsorted(customers(company, t).joined, t, side="right"))


@lru_cache(maxsize=64)
def visitors(company: Company, t: int) -> Ints:
    """Returns the customers who buy on day number `t`, by index.

    A purchase in the lines of the day carries each of them, so inactivity can be told from the sales feeds alone.
    """
    people = customers(company, t)
    known = joined_by(company, t)
    day = company.day(t)
    draw = company.rng("visits", day.toordinal())
    rate = np.where(people.lapses[:known] <= t, LAPSED_VISIT_SHARE, 1.0) * people.visit_rate[:known]
    rate = rate * _VISIT_WEEKDAYS[day.weekday()]
    if day in holidays(day.year):
        rate = rate * _HOLIDAY_VISITS
    comes: Bools = (draw.random(known) < rate) | (people.joined[:known] == t)
    return np.flatnonzero(comes)


@lru_cache(maxsize=64)
def _up_to_block(company: Company, block: int) -> Customers:
    parts = [_block(company, number) for number in range(block + 1)]
    return Customers(*(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Customers)))


@lru_cache(maxsize=256)
def _block(company: Company, block: int) -> Customers:
    size = block_size(CUSTOMERS_PER_BLOCK, company.scale, block)
    draw = company.rng("customers", block)
    joined = block * BLOCK_DAYS + np.sort(draw.integers(0, BLOCK_DAYS, size))
    city = draw.choice(len(CITIES), size, p=_CITY_WEIGHTS)
    birth_year = np.clip(draw.normal(1984, 14, size), 1932, 2006).astype(np.int64)
    birth_year[draw.random(size) < 0.08] = 0
    # Names have a stream of their own, as what is drawn from this one decides who buys when.
    rarity = company.rng("rare names", block).choice(3, (2, size), p=_RARITY)
    return Customers(
        joined=joined,
        first_name=draw.integers(0, _COMMON_NAMES, size) + _COMMON_NAMES * rarity[0],
        last_name=draw.integers(0, _COMMON_NAMES, size) + _COMMON_NAMES * rarity[1],
        domain=draw.integers(0, len(DOMAINS), size),
        city=city,
        web_share=np.where(city >= FIRST_WEB_ONLY_CITY, 1.0, draw.beta(0.7, 4.0, size)),
        visit_rate=np.clip(draw.gamma(2.0, 0.5 / MEAN_DAYS_BETWEEN_VISITS, size), 0.002, 0.5),
        lapses=joined + 20 + draw.exponential(MEAN_DAYS_TO_LAPSE, size).astype(np.int64),
        birth_year=birth_year,
    )
