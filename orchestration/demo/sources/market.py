"""What a crawler finds in competitors' shops every Monday: prices in their currencies, now and then by the pack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from orchestration.demo.catalogue import PRODUCT_IDS, PRODUCTS, products
from orchestration.demo.clock import CLOCK
from orchestration.demo.company import Bools, Company, Floats, Ints, month_number
from orchestration.demo.mess import Batch, FeedShape, Row, one, promise, spoil
from orchestration.demo.rates import eur_rate


@dataclass(frozen=True)
class Competitor:
    """Another shop.

    Attributes:
        level: What it asks on average, as a share of our first list price.
    """

    name: str
    currency: str
    level: float
    host: str


COMPETITORS = (
    Competitor("Marktfreund", "EUR", 0.96, "www.marktfreund.example"),
    Competitor("Albion Stores", "GBP", 1.05, "shop.albion-stores.example"),
    Competitor("Prairie Direct", "USD", 0.92, "prairie-direct.example"),
)
CARRIED_SHARE = 0.7
PACK_DISCOUNT = 0.95
_DOZEN = 12
PRICES = FeedShape(
    "raw_market.competitor_prices",
    ("observation_id", "competitor", "product_id", "price", "currency", "unit_of_measure", "pack_size", "observed_at",
     "url"),
    ("observation_id",),
    (
        *one("price", "type", "n/a", "1.299,00"),
        *one("price", "range", "0", "-4.99"),
        *one("currency", "pattern", "$", "euro"),
        *one("product_id", "pattern", "P1"),
        *one("product_id", "required", None),
        *one("pack_size", "range", "0"),
        *one("observed_at", "type", "this morning"),
        *promise("unit_is_known", unit_of_measure="bundle"),
    ),
    retry_suffix="-1",
    resent=0.0,
)  # fmt: skip


def is_crawl_day(day: date) -> bool:
    """Returns whether the crawler comes by on a day."""
    return day.weekday() == 0


def prices_batch(company: Company, t: int) -> Batch:
    """Returns what the crawler finds on day number `t`."""
    day = company.day(t)
    sold = products(company).introduced <= t
    rows: list[Row] = []
    date = f"{day:%Y%m%d}"
    for number, competitor in enumerate(COMPETITORS):
        carried, count, in_dozens = _range(company, number)
        rate = float(eur_rate(company, competitor.currency, day))
        prices = unit_prices(company, number, day) * count * np.where(count > 1, PACK_DISCOUNT, 1.0) / rate
        offered = np.flatnonzero(carried & sold)
        columns = (offered, prices[offered], np.where(in_dozens, 1, count)[offered], in_dozens[offered])
        for product, price, size, is_dozen in zip(*(column.tolist() for column in columns), strict=True):
            rows.append(
                (
                    f"CP{date}-{len(rows)}",
                    competitor.name,
                    PRODUCT_IDS[product],
                    f"{price:.2f}",
                    competitor.currency,
                    "dozen" if is_dozen else "piece",
                    str(size),
                    f"{day}T{CLOCK[4 * 3600 + len(rows) * 11]}",
                    f"https://{competitor.host}/p/{product + 1}",
                )
            )
    return spoil(company, PRICES, day, rows)


def unit_prices(company: Company, competitor: int, day: date) -> Floats:
    """Returns what a competitor, given by its place in COMPETITORS, asks for one unit of each product, in EUR."""
    traits = COMPETITORS[competitor]
    habit = company.rng("competitors", competitor).normal(0.0, 0.08, PRODUCTS)
    mood = company.rng("competitors' months", competitor, month_number(day)).normal(0.0, 0.03, PRODUCTS)
    on_offer = company.rng("competitors' offers", competitor, day.toordinal()).random(PRODUCTS) < 0.06
    return np.asarray(
        products(company).base_price * traits.level * np.exp(habit + mood) * np.where(on_offer, 0.85, 1.0)
    )


@lru_cache(maxsize=8)
def _range(company: Company, competitor: int) -> tuple[Bools, Ints, Bools]:
    """Which products a competitor carries, how many units are in its pack, and whether it counts them in dozens."""
    draw = company.rng("competitors' ranges", competitor)
    carried: Bools = draw.random(PRODUCTS) < CARRIED_SHARE
    count = draw.choice([1, 2, 3, 6, _DOZEN], PRODUCTS, p=[0.8, 0.06, 0.04, 0.05, 0.05])
    return carried, count, (count == _DOZEN) & (draw.random(PRODUCTS) < 0.7)
