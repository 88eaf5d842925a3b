"""The sales of as many simulated companies as so many series take, as the tables that the feature models read."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.demand import AHEAD, AS_OF, DAYS, finish
from orchestration import settings
from orchestration.demo.catalogue import CATEGORY_OF, LOCATION_IDS, PRODUCT_IDS, list_prices, products
from orchestration.demo.categories import NAMES
from orchestration.demo.company import Company, first_of_month, month_number
from orchestration.demo.demand import charged_prices, mean_demand, units
from orchestration.demo.promotions import discounts, promotions_starting

Array = npt.NDArray[Any]
# Before the first day, so that no product counts as new: the stores of all companies sell its category.
LISTED_FROM = AS_OF - timedelta(days=DAYS + 100)


def simulate(series: int) -> None:
    """Writes the sales of so many series, and what is true of the days to be forecast."""
    left = series
    for seed in range(1, 1000):
        left -= _write_company(Company(opened=AS_OF - timedelta(days=DAYS - 1), seed=seed), f"K{seed:02d}-", left)
        if left <= 0:
            break
    finish(settings.load().warehouse)


def _write_company(company: Company, prefix: str, most: int) -> int:
    """Writes the sales of a company's first series, and returns how many these are."""
    goods = products(company)
    location, product = np.nonzero(goods.base_rate > 0)
    location, product = location[:most], product[:most]
    stores = np.array([prefix + name for name in LOCATION_IDS])
    names = np.array([prefix + name for name in PRODUCT_IDS])
    sales, truth = [], []
    for day in (company.day(t) for t in range(DAYS + AHEAD)):
        sold = units(company, day)[location, product]
        if day > AS_OF:
            truth.append(
                _columns(day, stores[location], names[product], sold, mean_demand(company, day)[location, product])
            )
            continue
        some = np.flatnonzero(sold)
        promoted = discounts(company, day)[0][product[some]] > 0
        amount = sold[some] * charged_prices(company, day)[product[some]]
        sales.append(_columns(day, stores[location[some]], names[product[some]], sold[some], amount, promoted))
    months = range(month_number(company.opened), month_number(AS_OF + timedelta(days=AHEAD)) + 1)
    with duckdb.connect(str(settings.load().warehouse)) as connection:
        category = pa.table({"product_id": names, "category": np.array(NAMES)[CATEGORY_OF]})
        lines, days = pa.concat_tables(sales), pa.concat_tables(truth)
        prices = pa.concat_tables(
            [
                pa.table(
                    {
                        "product_id": names,
                        "price": list_prices(company, month),
                        "valid_from": [LISTED_FROM if month == months[0] else first_of_month(month)] * len(names),
                        "valid_until": [first_of_month(month + 1)] * len(names),
                    }
                )
                for month in months
            ]
        )
        planned = [
            (names[number], first_of_month(month - 2), one.starts_on, one.ends_on, one.discount)
            for month in months
            for one in promotions_starting(company, month)
            for number in ([one.product] if one.product is not None else np.flatnonzero(one.category == CATEGORY_OF))
        ]
        tables = {"category": category, "lines": lines, "days": days, "prices": prices}
        for name, table in tables.items():
            connection.register(name, table)
        connection.execute("insert into core_analytics.products select * from category")
        connection.execute(
            """
            insert into core_analytics.sales
            select store_id, product_id, category, day, day, case when promoted then 'promotion' end, units, number
            from lines inner join category using (product_id)
            """
        )
        connection.execute("insert into truth.days select day, store_id, product_id, units, number from days")
        connection.execute("insert into intermediate.int_product_prices_versioned select * from prices")
        connection.executemany(
            "insert into intermediate.int_promotions_harmonized values (?, null, ?, ?, ?, ?)", planned
        )
    return len(location)


def _columns(
    day: date,
    store: Array,
    product: Array,
    sold: Array,
    number: Array,
    promoted: Array | None = None,
) -> pa.Table:
    flags = {} if promoted is None else {"promoted": promoted}
    days = pa.array([day] * len(store), pa.date32())
    return pa.table({"day": days, "store_id": store, "product_id": product, "units": sold, "number": number, **flags})
