"""How much is bought: the true mean demand of a day, and the units drawn from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import numpy as np
import pyarrow as pa

from orchestration.demo.catalogue import (
    CATEGORY_OF,
    LOCATION_IDS,
    LOCATIONS,
    PRODUCT_IDS,
    PRODUCTS,
    RAMP_DAYS,
    WEB,
    list_prices,
    products,
)
from orchestration.demo.categories import CATEGORIES, NAMES
from orchestration.demo.company import Company, Floats, Ints, month_number
from orchestration.demo.promotions import discounts
from orchestration.demo.seasons import season

# Variance of the units of a series and day is mean + DISPERSION * mean ** 2 (negative binomial).
DISPERSION = 0.10
_ELASTICITY = np.array([category.elasticity for category in CATEGORIES])[CATEGORY_OF]
_UPLIFT = np.array([category.uplift for category in CATEGORIES])[CATEGORY_OF]


def charged_prices(company: Company, day: date) -> Floats:
    """Returns what a unit of each product costs on a day, in EUR, after any promotion."""
    rate, _ = discounts(company, day)
    return np.asarray(np.round(list_prices(company, month_number(day)) * (1.0 - rate), 2))


def mean_demand(company: Company, day: date) -> Floats:
    """Returns the true mean units of a day [location, product], in the order of LOCATION_IDS and PRODUCT_IDS.

    It knows everything but chance: no forecast can have a smaller expected error than the distribution around it.
    """
    t = company.t(day)
    goods = products(company)
    rate, _ = discounts(company, day)
    by_category = season(day)[:, CATEGORY_OF]
    by_product = (charged_prices(company, day) / goods.base_price) ** -_ELASTICITY
    # A product that comes later needs two months to find its customers; those of the opening are known already.
    known = np.where(goods.introduced == 0, 1.0, _ramp(t - goods.introduced))
    by_product = by_product * np.where(rate > 0.0, _UPLIFT, 1.0) * known
    mean = goods.base_rate * np.exp(goods.growth * (t / 365.25)) * by_product
    mean[:WEB] *= by_category[0]
    mean[WEB] *= by_category[1]
    if company.regime and day >= company.regime.since:
        turned = dict(company.regime.factors)
        mean *= np.array([turned.get(category, 1.0) for category in NAMES])[CATEGORY_OF]
    return np.asarray(mean)


def mean_demand_table(company: Company, days: Iterable[date]) -> pa.Table:
    """Returns the true mean demand of days as rows of sold_date, store_id, product_id, mean_units."""
    wanted = list(days)
    means = [mean_demand(company, day).ravel() for day in wanted]
    return pa.table(
        {
            "sold_date": pa.array([day for day in wanted for _ in range(LOCATIONS * PRODUCTS)], pa.date32()),
            "store_id": pa.array([i for _ in wanted for i in LOCATION_IDS for _ in PRODUCT_IDS], pa.string()),
            "product_id": pa.array(PRODUCT_IDS * LOCATIONS * len(wanted), pa.string()),
            "mean_units": pa.array(np.concatenate(means) if means else [], pa.float64()),
        }
    )


@lru_cache(maxsize=64)
def units(company: Company, day: date) -> Ints:
    """Returns the units that were bought on a day [location, product]."""
    draw = company.rng("demand", day.toordinal())
    luck = draw.gamma(1.0 / DISPERSION, DISPERSION, (LOCATIONS, PRODUCTS))
    return np.asarray(draw.poisson(mean_demand(company, day) * luck), dtype=np.int64)


def _ramp(age: Ints) -> Floats:
    grown = np.clip(0.3 + 0.7 * age / RAMP_DAYS, 0.3, 1.0)
    return np.asarray(np.where(age < 0, 0.0, grown))
