"""The promotions calendar: which products are cheaper, from when to when, and by how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from orchestration.demo.catalogue import CATEGORY_OF, PRODUCTS
from orchestration.demo.categories import CATEGORIES
from orchestration.demo.company import Company, Floats, Ints, first_of_month, month_number

PER_MONTH = 10
LONGEST_DAYS = 14
PUBLISHED_MONTHS_AHEAD = 3
_DISCOUNTS = (0.10, 0.15, 0.20, 0.25, 0.30, 0.40)
_WEIGHTS = (0.2, 0.2, 0.25, 0.15, 0.15, 0.05)
_NAMES = ("Spring Deal", "Weekend Special", "Club Days", "Bargain Week", "Happy Days", "Stock Clearance", "Top Offer")
NO_PROMOTION = -1


@dataclass(frozen=True)
class Promotion:
    """A promotion in all stores and the web shop, of one product or (product None) of a whole category.

    Attributes:
        code: Month number times 100 plus the place in the month; `promotion_id` makes the id of it.
        ends_on: Last day on which it holds.
    """

    code: int
    name: str
    category: int
    product: int | None
    starts_on: date
    ends_on: date
    discount: float


@lru_cache(maxsize=4096)
def promotion_id(code: int) -> str:
    """Returns the id under which the systems know a promotion."""
    month, place = divmod(code, 100)
    return f"PR{first_of_month(month):%Y%m}-{place:02d}"


@lru_cache(maxsize=4096)
def promotions_starting(company: Company, month: int) -> tuple[Promotion, ...]:
    """Returns the promotions that start in a month (see `month_number`), by day of start."""
    draw = company.rng("promotions", month)
    first = first_of_month(month)
    days = (first_of_month(month + 1) - first).days
    found = []
    for place, offset in enumerate(np.sort(draw.integers(0, days, PER_MONTH)).tolist()):
        category = int(draw.integers(len(CATEGORIES)))
        members = np.flatnonzero(category == CATEGORY_OF)
        product = int(draw.choice(members)) if draw.random() < 0.65 else None
        starts_on = first + timedelta(days=offset)
        length = int(draw.integers(5, LONGEST_DAYS + 1))
        discount = float(draw.choice(_DISCOUNTS, p=_WEIGHTS))
        label = f"{_NAMES[int(draw.integers(len(_NAMES)))]} {CATEGORIES[category].name}"
        if starts_on >= company.opened:
            found.append(
                Promotion(
                    month * 100 + place + 1,
                    label,
                    category,
                    product,
                    starts_on,
                    starts_on + timedelta(days=length - 1),
                    discount,
                )
            )
    return tuple(found)


def promotions_published(company: Company, day: date) -> tuple[Promotion, ...]:
    """Returns what the calendar of a day adds: on the first of a month a third month, at the opening three."""
    month = month_number(day)
    if day == company.opened:
        return tuple(p for m in range(month, month + PUBLISHED_MONTHS_AHEAD) for p in promotions_starting(company, m))
    if day.day == 1:
        return promotions_starting(company, month + PUBLISHED_MONTHS_AHEAD - 1)
    return ()


@lru_cache(maxsize=4096)
def discounts(company: Company, day: date) -> tuple[Floats, Ints]:
    """Returns discount and promotion code of each product on a day; the highest discount wins, else the older code."""
    rate = np.zeros(PRODUCTS)
    code = np.full(PRODUCTS, NO_PROMOTION, dtype=np.int64)
    month = month_number(day)
    for promotion in promotions_starting(company, month - 1) + promotions_starting(company, month):
        if promotion.starts_on <= day <= promotion.ends_on:
            members = promotion.category == CATEGORY_OF
            if promotion.product is not None:
                members = np.arange(PRODUCTS) == promotion.product
            better = members & (promotion.discount > rate)
            rate[better], code[better] = promotion.discount, promotion.code
    return rate, code
