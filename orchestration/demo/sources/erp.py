"""What the ERP system and marketing export as CSV: products, supplier offers, locations and the promotions calendar."""

from __future__ import annotations

from datetime import date

from orchestration.demo.catalogue import (
    CATEGORY_OF,
    LOCATION_IDS,
    PRODUCT_IDS,
    PRODUCTS,
    SERVED_BY,
    STORES,
    SUPPLIER_IDS,
    WAREHOUSE_IDS,
    WAREHOUSES,
    in_currency,
    list_prices,
    offers,
    products,
    suppliers,
)
from orchestration.demo.company import Company, first_of_month, month_number
from orchestration.demo.mess import Batch, Fault, FeedShape, Row, one, replaced, spelled, spoil
from orchestration.demo.promotions import promotion_id, promotions_published
from orchestration.demo.rates import eur_rate

PRODUCTS_SHAPE = FeedShape(
    "raw_erp.products",
    ("exported_at", "product_id", "product_name", "category", "list_price", "unit_cost", "currency", "introduced_on"),
    ("product_id", "exported_at"),
    (
        *one("list_price", "type", "n/a", "tbd"),
        *one("list_price", "range", "0", "10000000"),
        *one("unit_cost", "range", "-1.00"),
        *one("introduced_on", "type", "2023-02-30"),
        *one("product_name", "required", None),
        *one("currency", "pattern", "Euro"),
        Fault({"list_price": "n/a", "unit_cost": None}, ("list_price:type", "unit_cost:required")),
    ),
    broken=0.0030,
)
OFFERS_SHAPE = FeedShape(
    "raw_erp.supplier_offers",
    ("exported_at", "supplier_id", "supplier_name", "product_id", "unit_cost", "currency", "minimum_order_quantity",
     "pack_size", "lead_time_days", "lead_time_sd_days"),
    ("supplier_id", "product_id", "exported_at"),
    (
        *one("unit_cost", "type", "on request"),
        *one("unit_cost", "range", "0"),
        *one("minimum_order_quantity", "range", "0"),
        *one("lead_time_days", "type", "soon"),
        *one("lead_time_days", "range", "-3", "9999"),
        *one("supplier_id", "pattern", "V1"),
        *one("pack_size", "required", None),
    ),
)  # fmt: skip
LOCATIONS_SHAPE = FeedShape(
    "raw_erp.locations",
    ("exported_at", "location_id", "location_name", "kind", "warehouse_id", "city"),
    ("location_id", "exported_at"),
    (),
)
PROMOTIONS_SHAPE = FeedShape(
    "raw_marketing.promotions",
    ("published_at", "promotion_id", "promotion_name", "category", "product_id", "starts_on", "ends_on",
     "discount_rate"),
    ("promotion_id",),
    (
        *one("discount_rate", "range", "1.5", "-0.2", "20"),
        *one("discount_rate", "type", "twenty percent"),
        *one("starts_on", "type", "2024-02-31"),
        *one("ends_on", "required", None),
    ),
    resent=0.004,
)  # fmt: skip


def is_export_day(company: Company, day: date) -> bool:
    """Returns whether the ERP system exports: at the opening and on the first of each month."""
    return day == company.opened or day.day == 1


def products_batch(company: Company, t: int) -> Batch:
    """Returns the catalogue as exported on day number `t`, with the list prices of that month."""
    day = company.day(t)
    goods, prices = products(company), list_prices(company, month_number(day))
    rate = float(eur_rate(company, "USD", day))
    spelling = company.rng("spelling", day.toordinal()).integers(0, 1000, PRODUCTS).tolist()
    rows: list[Row] = []
    for i in range(PRODUCTS):
        if goods.introduced[i] <= t:
            price, cost, usd = float(prices[i]), float(goods.cost[i]), bool(goods.in_usd[i])
            rows.append(
                (
                    str(day),
                    PRODUCT_IDS[i],
                    goods.names[i],
                    spelled(int(CATEGORY_OF[i]), spelling[i]),
                    f"{in_currency(price, rate) if usd else price:.2f}",
                    f"{in_currency(cost, rate) if usd else cost:.2f}",
                    "USD" if usd else "EUR",
                    str(company.day(int(goods.introduced[i]))),
                )
            )
    return spoil(company, PRODUCTS_SHAPE, day, rows)


def offers_batch(company: Company, t: int) -> Batch:
    """Returns the suppliers' offers as exported on day number `t`, for the products sold by then."""
    day = company.day(t)
    goods, firms, terms = products(company), suppliers(company), offers(company)
    rate = float(eur_rate(company, "USD", day))
    rows: list[Row] = []
    for i, (supplier, product) in enumerate(zip(terms.supplier.tolist(), terms.product.tolist(), strict=True)):
        if goods.introduced[product] <= t:
            cost, usd = float(terms.cost[i]), bool(firms.in_usd[supplier])
            rows.append(
                (
                    str(day),
                    SUPPLIER_IDS[supplier],
                    firms.names[supplier],
                    PRODUCT_IDS[product],
                    f"{in_currency(cost, rate) if usd else cost:.2f}",
                    "USD" if usd else "EUR",
                    str(terms.minimum[i]),
                    str(terms.pack_size[i]),
                    str(terms.lead_days[i]),
                    f"{terms.lead_sd[i]:.1f}",
                )
            )
    return spoil(company, OFFERS_SHAPE, day, rows)


def locations_batch(company: Company, t: int) -> Batch:
    """Returns the list of stores, web shop and warehouses; one store is in it twice."""
    day = str(company.day(t))
    served = [WAREHOUSE_IDS[i] for i in SERVED_BY.tolist()]
    rows: list[Row] = [
        (day, LOCATION_IDS[i], f"Store {city}", "store", served[i], city) for i, city in enumerate(STORES)
    ]
    rows.insert(3, rows[2])
    rows.append((day, "WEB", "Web shop", "web", served[-1], WAREHOUSES[int(SERVED_BY[-1])]))
    rows += [
        (day, WAREHOUSE_IDS[i], f"Warehouse {city}", "warehouse", WAREHOUSE_IDS[i], city)
        for i, city in enumerate(WAREHOUSES)
    ]
    return Batch(LOCATIONS_SHAPE, rows, {3: "location_id+exported_at:unique"})


def promotions_batch(company: Company, t: int) -> Batch:
    """Returns what the promotions calendar gains on day number `t`; marketing rarely publishes one again."""
    day = company.day(t)
    before = max(first_of_month(month_number(day) - 1), company.opened)
    return spoil(
        company,
        PROMOTIONS_SHAPE,
        day,
        _published(company, day),
        _published(company, before) if t else (),
        lambda row: replaced(PROMOTIONS_SHAPE, row, {"published_at": str(day)}),
        least_broken=0 if t else 1,
    )


def _published(company: Company, day: date) -> list[Row]:
    return [
        (
            str(day),
            promotion_id(p.code),
            p.name,
            spelled(p.category, p.code * 131 % 1000),
            None if p.product is None else PRODUCT_IDS[p.product],
            str(p.starts_on),
            str(p.ends_on),
            f"{p.discount:.2f}",
        )
        for p in promotions_published(company, day)
    ]
