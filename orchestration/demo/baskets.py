"""The purchases of a day: units become lines, lines become baskets, baskets get their customer, time and place."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from orchestration.demo.catalogue import CATEGORY_OF, LOCATIONS, PRODUCTS, WEB, products
from orchestration.demo.categories import CATEGORIES
from orchestration.demo.company import Company, Ints
from orchestration.demo.customers import CITIES, customers, visitors
from orchestration.demo.demand import charged_prices, units
from orchestration.demo.promotions import discounts

NEW_LINE_SHARE = 0.85
NEW_BASKET_SHARE = 0.52
LATE_SHARE = 0.008
LATEST_DAYS = 5
RETURN_DAYS = 14
ATTACH_SHARES = (0.45, 0.40, 0.35, 0.30, 0.25, 0.40, 0.30, 0.25)
ANONYMOUS = -1
_GUEST_CITIES = np.array([0.24, 0.12, 0.10, 0.08, 0.08, 0.06, 0.04, 0.04, 0.07, 0.06, 0.05, 0.03, 0.03])
_RETURN_SHARE = np.array([category.return_share for category in CATEGORIES])[CATEGORY_OF]


# A line: where and what was sold, when, in which basket of the day, to whom, and what becomes of it.
LINE = np.dtype(
    [
        ("sold_t", np.int64),
        ("number", np.int64),  # place among the lines of the day
        ("location", np.int64),
        ("product", np.int64),
        ("basket", np.int64),
        ("quantity", np.int64),
        ("price", np.float64),  # charged for a unit, in EUR
        ("promotion", np.int64),  # code, or NO_PROMOTION
        ("customer", np.int64),  # index, or ANONYMOUS
        ("city", np.int64),  # delivered to, as a number in CITIES; only the web shop shows it
        ("second", np.int64),
        ("late", np.int64),  # days until it is recorded
        ("returned", np.int64),  # days until it comes back, 0 if never
        ("spelling", np.int64),  # picks how the web shop writes the category
        ("device", np.int64),  # picks the device in the web shop
    ]
)
Lines = NDArray[np.void]
_BYTES = np.dtype((np.void, LINE.itemsize))


@lru_cache(maxsize=8)
def affinities(company: Company) -> tuple[tuple[int, int, float], ...]:
    """Returns the planted affinities (product, companion, share).

    The share is the chance that a line of the companion lies in a basket with the product, on days and in places where
    the product is sold at all. Pairs are taken from what sells best, as chance alone decides over the rest.
    """
    draw = company.rng("affinities")
    goods = products(company)
    rate = np.where(goods.introduced == 0, goods.base_rate.sum(axis=0), 0.0)
    best = draw.permutation(np.argsort(-rate, kind="stable")[: 4 * len(ATTACH_SHARES)])
    return tuple((int(best[2 * i]), int(best[2 * i + 1]), share) for i, share in enumerate(ATTACH_SHARES))


@lru_cache(maxsize=32)
def lines(company: Company, t: int) -> Lines:
    """Returns all purchases of day number `t`, in stores and in the web shop."""
    day = company.day(t)
    draw = company.rng("lines", day.toordinal())
    series, quantity = _split(units(company, day), draw)
    # By location, and within it in random order, so that neighbours make random baskets.
    order = np.lexsort((draw.random(len(series)), series // PRODUCTS))
    series, quantity = series[order], quantity[order]
    location, product = series // PRODUCTS, series % PRODUCTS
    present, wanted = _visits(company, t, location, draw)
    basket = _baskets(company, location, product, wanted, draw)
    order = np.argsort(basket, kind="stable")
    location, product, quantity, basket = location[order], product[order], quantity[order], basket[order]
    first = np.flatnonzero(np.diff(basket, prepend=-1))
    place = location[first]
    customer = _customers(place, present, wanted)
    guests = draw.choice(len(CITIES), len(place), p=_GUEST_CITIES)
    city = np.where(customer == ANONYMOUS, guests, np.append(customers(company, t).city, 0)[customer])
    number = len(place)
    opening = np.where(place == WEB, 7 * 3600, 9 * 3600)
    length = np.where(place == WEB, 16.9 * 3600, 11 * 3600)
    second = (opening + length * draw.beta(2.4, 2.0, number)).astype(np.int64)
    late = np.where(draw.random(number) < LATE_SHARE, draw.integers(1, LATEST_DAYS + 1, number), 0)
    device = draw.integers(0, 100, number)
    comes_back = draw.random(len(basket)) < _RETURN_SHARE[product]
    returned = np.where(comes_back, draw.integers(1, RETURN_DAYS + 1, len(basket)), 0)
    found = np.empty(len(basket), dtype=LINE)
    found["sold_t"] = t
    found["number"] = np.arange(len(basket))
    found["location"] = location
    found["product"] = product
    found["basket"] = basket
    found["quantity"] = quantity
    found["price"] = charged_prices(company, day)[product]
    found["promotion"] = discounts(company, day)[1][product]
    found["customer"] = customer[basket]
    found["city"] = city[basket]
    found["second"] = second[basket]
    found["late"] = late[basket]
    # What has not been recorded yet cannot come back.
    found["returned"] = np.where(returned > late[basket], returned, 0)
    found["spelling"] = draw.integers(0, 1000, len(basket))
    found["device"] = device[basket]
    return found


@lru_cache(maxsize=32)
def followed_up(company: Company, t: int) -> Lines:
    """Returns those purchases of day number `t` that are recorded late or come back."""
    found = lines(company, t)
    return np.asarray(found[(found["late"] > 0) | (found["returned"] > 0)])


def joined(parts: list[Lines]) -> Lines:
    """Returns lines of several days after one another; as bytes, since numpy would compare all fields each time."""
    return np.concatenate([part.view(_BYTES) for part in parts]).view(LINE)


def _split(counts: Ints, draw: np.random.Generator) -> tuple[Ints, Ints]:
    """Units of a series become lines: most units are a line of their own, the others add to the line before."""
    series = np.repeat(np.arange(counts.size), counts.ravel())
    opens = (draw.random(len(series)) < NEW_LINE_SHARE) | (np.diff(series, prepend=-1) != 0)
    line = np.cumsum(opens) - 1
    return series[opens], np.bincount(line, minlength=0)


def _visits(company: Company, t: int, location: Ints, draw: np.random.Generator) -> tuple[Ints, Ints]:
    """The visitors of a day and where they buy, by place; whose store sells too little goes to the web shop."""
    people = customers(company, t)
    present = draw.permutation(visitors(company, t))
    wanted = np.where(draw.random(len(present)) < people.web_share[present], WEB, people.city[present])
    order = np.argsort(wanted, kind="stable")
    present, wanted = present[order], wanted[order]
    wanted = np.where(_nth(wanted) < np.bincount(location, minlength=LOCATIONS)[wanted], wanted, WEB)
    order = np.argsort(wanted, kind="stable")
    return present[order], wanted[order]


def _baskets(company: Company, location: Ints, product: Ints, wanted: Ints, draw: np.random.Generator) -> Ints:
    opens = (draw.random(len(location)) < NEW_BASKET_SHARE) | (np.diff(location, prepend=-1) != 0)
    basket = np.cumsum(opens) - 1
    for anchor, companion, share in affinities(company):
        follows = np.flatnonzero(product == companion)
        follows = follows[draw.random(len(follows)) < share]
        leads = np.flatnonzero(product == anchor)
        low = np.searchsorted(location[leads], location[follows], side="left")
        high = np.searchsorted(location[leads], location[follows], side="right")
        met = high > low
        chosen = low[met] + (draw.random(int(met.sum())) * (high - low)[met]).astype(np.int64)
        basket[follows[met]] = basket[leads[chosen]]
    # Where baskets are too few for the visitors, further lines leave theirs.
    first = np.unique(basket, return_index=True)[1]
    missing = np.bincount(wanted, minlength=LOCATIONS) - np.bincount(location[first], minlength=LOCATIONS)
    further = np.delete(np.arange(len(basket)), first)
    leaves = further[_nth(location[further]) < missing[location[further]]]
    basket[leaves] = len(basket) + np.arange(len(leaves))
    # A basket whose only line has moved is gone; numbers are in order of place.
    return np.asarray(np.unique(location * 2 * len(basket) + basket, return_inverse=True)[1], dtype=np.int64)


def _customers(place: Ints, present: Ints, wanted: Ints) -> Ints:
    """Gives the n-th visitor of a place the n-th basket there; baskets that are left over are anonymous."""
    customer = np.full(len(place), ANONYMOUS, dtype=np.int64)
    start = np.searchsorted(place, np.arange(LOCATIONS + 1), side="left")
    nth = _nth(wanted)
    served = nth < (start[wanted + 1] - start[wanted])
    customer[start[wanted[served]] + nth[served]] = present[served]
    # In a company so small that even the web shop has too few lines, some visitors take a basket anywhere, if any.
    free = np.flatnonzero(customer == ANONYMOUS)[: int((~served).sum())]
    customer[free] = present[~served][: len(free)]
    return customer


def _nth(ordered: Ints) -> Ints:
    """The place of each entry among its equals, in an ordered array."""
    return np.arange(len(ordered)) - np.searchsorted(ordered, ordered, side="left")
