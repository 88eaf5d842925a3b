"""What the company is made of: stores, warehouses, products, suppliers and their offers, list prices by month."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from orchestration.demo.categories import CATEGORIES
from orchestration.demo.company import HISTORY_DAYS, Bools, Company, Floats, Ints, month_number

PRODUCTS = 150
PER_CATEGORY = PRODUCTS // len(CATEGORIES)
SUPPLIERS = 12
LATE_PRODUCTS = 12

# Mean units a day over the year before promotions and trend, all locations together.
UNITS_A_DAY = 860.0
FASTEST = 9.0
RAMP_DAYS = 60

STORES = ("Berlin", "Hamburg", "Munich", "Cologne", "Vienna", "Amsterdam", "Lyon", "Antwerp")
WAREHOUSES = ("Leipzig", "Utrecht", "Frankfurt")
LOCATION_IDS = (*(f"S{i + 1:02d}" for i in range(len(STORES))), "WEB")
WAREHOUSE_IDS = tuple(f"W{i + 1}" for i in range(len(WAREHOUSES)))
WEB = len(STORES)
LOCATIONS = len(LOCATION_IDS)
# Which warehouse serves S01..S08 and the web shop.
SERVED_BY = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
_SHARES = np.array([0.19, 0.14, 0.12, 0.10, 0.08, 0.07, 0.05, 0.04, 0.21])
# Share of the range that a location carries; small stores leave out what sells least.
_ASSORTMENT = np.array([1.0, 1.0, 0.95, 0.95, 0.9, 0.85, 0.8, 0.75, 1.0])
_POPULARITY = np.array([0.6, 1.0, 0.9, 0.8, 0.9, 0.7, 1.2, 1.1, 2.6, 1.1])

_VARIANTS = ("Classic", "Pro", "Eco", "Nordic", "Basic", "Studio", "Urban", "Prime", "Pure", "Original")
_SUPPLIER_NAMES = (
    "Alder & Sons", "Brightwater Trading", "Corvus Import", "Delft Makers", "Elbe Handel", "Fjordline", "Granit GmbH",
    "Harbour Goods", "Iris Wholesale", "Juniper Supply", "Kestrel Mills", "Lumen Works",
)  # fmt: skip

CATEGORY_OF = np.repeat(np.arange(len(CATEGORIES)), PER_CATEGORY)
PRODUCT_IDS = tuple(f"P{i + 1:04d}" for i in range(PRODUCTS))
SUPPLIER_IDS = tuple(f"V{i + 1:02d}" for i in range(SUPPLIERS))


@dataclass(frozen=True)
class Products:
    """The 150 products, in the order of PRODUCT_IDS.

    Attributes:
        base_price: List price in EUR at which the base rates hold.
        cost: What a unit costs in EUR.
        in_usd: Whether the ERP system keeps the product in USD.
        introduced: Day number from which it is sold.
        base_rate: Mean units a day [location, product] at the opening, without season, promotion or price change.
        growth: Yearly growth [location, product], as the exponent of e.
    """

    names: tuple[str, ...]
    base_price: Floats
    cost: Floats
    in_usd: Bools
    introduced: Ints
    base_rate: Floats
    growth: Floats


@lru_cache(maxsize=8)
def products(company: Company) -> Products:
    """Returns the products of a company."""
    draw = company.rng("products")
    spread = np.exp(draw.normal(0.0, 0.5, PRODUCTS))
    price = np.array([_shelf_price(CATEGORIES[c].price * x) for c, x in zip(CATEGORY_OF, spread, strict=True)])
    introduced = np.zeros(PRODUCTS, dtype=np.int64)
    late = draw.choice(PRODUCTS, LATE_PRODUCTS, replace=False)
    introduced[late] = draw.integers(45, HISTORY_DAYS - 40, LATE_PRODUCTS)
    popularity = _POPULARITY[CATEGORY_OF] * np.exp(draw.normal(0.0, 1.0, PRODUCTS))
    taste = np.exp(draw.normal(0.0, 0.35, (LOCATIONS, PRODUCTS)))
    rate = _SHARES[:, None] * popularity * taste
    for location, share in enumerate(_ASSORTMENT):
        left_out = np.argsort(rate[location], kind="stable")[: round((1.0 - share) * PRODUCTS)]
        rate[location, left_out] = 0.0
    # Clipping takes from the few fastest, so the sum is brought back in a second pass.
    for _ in range(2):
        rate = np.minimum(rate * UNITS_A_DAY / rate.sum(), FASTEST)
    by_location = np.append(draw.uniform(-0.02, 0.06, LOCATIONS - 1), 0.08)
    by_category = draw.uniform(-0.03, 0.03, len(CATEGORIES))
    variants = draw.integers(0, len(_VARIANTS), PRODUCTS)
    return Products(
        names=tuple(
            f"{CATEGORIES[i // PER_CATEGORY].goods[i % PER_CATEGORY]} {_VARIANTS[variants[i]]}" for i in range(PRODUCTS)
        ),
        base_price=price,
        cost=np.round(price * draw.uniform(0.42, 0.68, PRODUCTS), 2),
        in_usd=draw.random(PRODUCTS) < 0.1,
        introduced=introduced,
        base_rate=rate * company.scale,
        growth=by_location[:, None] + by_category[CATEGORY_OF],
    )


@lru_cache(maxsize=4096)
def list_prices(company: Company, month: int) -> Floats:
    """Returns the list prices in EUR that hold in a month (see `month_number`); they change on the first of months."""
    prices = products(company).base_price.copy()
    waiting = np.ones(PRODUCTS, dtype=bool)
    # The last change on or before the month holds, so one looks back from there; the opening month has base prices.
    for number in range(month, month_number(company.opened), -1):
        changes, new = _price_changes(company, number)
        prices[waiting & changes] = new[waiting & changes]
        waiting &= ~changes
    return prices


@lru_cache(maxsize=4096)
def _price_changes(company: Company, month: int) -> tuple[Bools, Floats]:
    draw = company.rng("prices", month)
    changes = draw.random(PRODUCTS) < 0.07
    factors = np.exp(np.clip(draw.normal(0.0, 0.09, PRODUCTS), -0.2, 0.2))
    return changes, np.array([_shelf_price(price) for price in products(company).base_price * factors])


@dataclass(frozen=True)
class Offers:
    """Who delivers what: one entry for each supplier and product, the main supplier of a product first."""

    supplier: Ints
    product: Ints
    cost: Floats
    pack_size: Ints
    minimum: Ints
    lead_days: Ints
    lead_sd: Floats
    is_main: Bools


@dataclass(frozen=True)
class Suppliers:
    """The twelve suppliers and the gamma distributions of their lead times in days."""

    names: tuple[str, ...]
    lead_mean: Floats
    lead_sd: Floats
    in_usd: Bools


@lru_cache(maxsize=8)
def suppliers(company: Company) -> Suppliers:
    """Returns the suppliers of a company."""
    draw = company.rng("suppliers")
    mean = np.round(draw.uniform(3.0, 18.0, SUPPLIERS), 1)
    return Suppliers(
        names=_SUPPLIER_NAMES,
        lead_mean=mean,
        lead_sd=np.round(mean * draw.uniform(0.12, 0.35, SUPPLIERS), 1),
        in_usd=np.arange(SUPPLIERS) % 5 == 3,
    )


@lru_cache(maxsize=8)
def offers(company: Company) -> Offers:
    """Returns which supplier offers which product, at which terms; the terms do not change."""
    draw = company.rng("offers")
    goods, firms = products(company), suppliers(company)
    daily = goods.base_rate.sum(axis=0)
    rows: list[tuple[int, int, float, int, int, int, float, bool]] = []
    for product in range(PRODUCTS):
        chosen = draw.choice(SUPPLIERS, int(draw.choice([1, 2, 3], p=[0.45, 0.4, 0.15])), replace=False)
        pack = int(draw.choice([1, 6, 12]))
        for place, supplier in enumerate(chosen.tolist()):
            cost = goods.cost[product] * (1.0 if place == 0 else draw.uniform(1.02, 1.2))
            # A minimum order is some days of what the company sells of it.
            packs = math.ceil(daily[product] * draw.uniform(4.0, 12.0) / pack)
            rows.append(
                (
                    supplier,
                    product,
                    round(float(cost), 2),
                    pack,
                    max(packs, 1) * pack,
                    max(1, round(float(firms.lead_mean[supplier]))),
                    float(firms.lead_sd[supplier]),
                    place == 0,
                )
            )
    columns = list(zip(*rows, strict=True))
    return Offers(*(np.array(column) for column in columns))


def in_currency(euros: float, rate: float) -> float:
    """Returns an amount in a currency of which one unit is worth `rate` EUR, to the cent.

    Below a rate of 1 the way back gives the same cents.
    """
    return round(euros / rate, 2)


def _shelf_price(price: float) -> float:
    # .99 above 10 EUR, .x9 below, as shops do.
    if price >= 10:
        return math.floor(price) + 0.99
    return round(max(math.floor(price * 10) / 10, 0.4) + 0.09, 2)
