"""Click and collect: web orders that a store's till rings up once more when the customer fetches the goods."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from orchestration.demo.baskets import ANONYMOUS, Lines, lines
from orchestration.demo.catalogue import WEB
from orchestration.demo.company import Company, Ints
from orchestration.demo.customers import FIRST_WEB_ONLY_CITY
from orchestration.demo.promotions import NO_PROMOTION

# Of all web orders; but only those of customers near a store, by day, can be collected.
COLLECTED_SHARE = 0.003
# Between order and till, in seconds.
SOONEST, LATEST = 10 * 60, 55 * 60
_FIRST_SECOND, _LAST_SECOND = 8 * 3600 + 1800, 19 * 3600


@lru_cache(maxsize=32)
def collected(company: Company, t: int) -> tuple[Lines, Ints]:
    """Returns the lines that tills ring up though the web shop has sold them, and the numbers of the web shop's lines.

    They are numbered on after the lines of the day, so that they have ids of their own.
    """
    day_lines = lines(company, t)
    draw = company.rng("click and collect", company.day(t).toordinal())
    # By basket, of which numbers have no gaps.
    baskets = int(day_lines["basket"].max(initial=-1)) + 1
    luck = draw.random(baskets)
    delay = draw.integers(SOONEST, LATEST, baskets)
    in_web = day_lines["location"] == WEB
    can_be_collected = (
        in_web
        & (day_lines["customer"] != ANONYMOUS)
        & (day_lines["city"] < FIRST_WEB_ONLY_CITY)
        & (day_lines["late"] == 0)
        & (day_lines["second"] >= _FIRST_SECOND)
        & (day_lines["second"] <= _LAST_SECOND)
    )
    orders, candidates = (len(np.unique(day_lines["basket"][lines])) for lines in (in_web, can_be_collected))
    chosen = luck < COLLECTED_SHARE * orders / max(candidates, 1)
    originals = day_lines[can_be_collected & chosen[day_lines["basket"]]]
    twins = originals.copy()
    twins["number"] = len(day_lines) + np.arange(len(twins))
    twins["basket"] = baskets + originals["basket"]
    # Stores have the numbers of their cities.
    twins["location"] = originals["city"]
    twins["promotion"] = NO_PROMOTION
    twins["second"] = originals["second"] + delay[originals["basket"]]
    twins["returned"] = 0
    return twins, originals["number"]
