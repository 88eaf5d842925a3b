"""A day that came wrong and late, and was sent again, gives the marts that it would have given at once.

The whole way of such a day: files and a database as the sources leave them, landing, the gate, and dbt.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration import runs
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.dbt_project.conftest import WITHOUT_TESTS
from tests.dbt_project.raw_warehouse import FEEDS, run_dbt

AS_OF = date(2024, 6, 4)
RESTATED = ("raw_web.orders", "raw_erp.products", "raw_treasury.exchange_rates", "raw_pos.sales")
CHANGED = {
    *("sales", "daily_product_sales", "products", "customers"),
    *("orders", "daily_product_margins", "customer_scores", "customer_value"),
}

Rows = Sequence[Mapping[str, Any]]


def _order(line: str, at: str, product: str, quantity: int, price: float, currency: str = "EUR") -> dict[str, Any]:
    return {
        "order_line_id": line,
        "order_id": line[:2],
        "ordered_at": datetime.fromisoformat(at),
        "product_id": product,
        "category": "toys",
        "customer_id": "C000001",
        "quantity": quantity,
        "unit_price": price,
        "currency": currency,
        "promotion_id": None,
        "shipping_country": "DE",
        "recorded_at": datetime.fromisoformat(at),
        "device": "phone",
    }


def _product(exported: str, product: str, category: str, price: str) -> dict[str, str]:
    return {
        "exported_at": exported,
        "product_id": product,
        "product_name": product,
        "category": category,
        "list_price": price,
        "unit_cost": "1",
        "currency": "EUR",
        "introduced_on": "2024-01-01",
    }


def _rates(day: str, usd: str) -> list[dict[str, str]]:
    return [
        {"rate_date": day, "currency": currency, "eur_rate": rate, "published_at": f"{day} 15:00:00"}
        for currency, rate in (("USD", usd), ("GBP", "1.2"), ("JPY", "0.006"))
    ]


MONDAY = [
    _order("A1-1", "2024-06-03 10:00:00", "P0001", 2, 10.0),
    _order("A1-2", "2024-06-03 10:00:00", "P0002", 1, 5.0),
]
# On Tuesday the till rings up what was ordered 20 minutes before.
TUESDAY = [
    _order("B1-1", "2024-06-04 09:00:00", "P0001", 1, 20.0, "USD"),
    _order("B2-1", "2024-06-04 10:00:00", "P0003", 3, 4.0),
]
# A line with another quantity and product, one that never was, and B2-1 missing.
TUESDAY_WRONG = [
    _order("B1-1", "2024-06-04 09:00:00", "P0002", 7, 20.0, "USD"),
    _order("B9-1", "2024-06-04 11:00:00", "P0004", 100, 1.0),
]
TILL = [("T1", "2024-06-03 12:00:00", "P0001", 1, 10.0), ("T2", "2024-06-04 10:20:00", "P0003", 3, 4.0)]
RIGHT = {
    "web/orders/date=2024-06-03/orders.parquet": MONDAY,
    "web/orders/date=2024-06-04/orders.parquet": TUESDAY,
    "erp/products/products_2024-06-01.csv": [_product("2024-06-01", "P0001", "toys", "10")],
    "erp/products/products_2024-06-04.csv": [_product("2024-06-04", "P0001", "books", "12")],
    "treasury/rates/month=2024-06/rates_2024-06-03.csv": _rates("2024-06-03", "0.9"),
    "treasury/rates/month=2024-06/rates_2024-06-04.csv": _rates("2024-06-04", "0.8"),
}
# Monday's orders and rates come after Tuesday's.
WRONG = {
    "web/orders/date=2024-06-04/orders.parquet": TUESDAY_WRONG,
    "erp/products/products_2024-06-01.csv": [_product("2024-06-01", "P0001", "toys", "10")],
    "erp/products/products_2024-06-04.csv": [
        _product("2024-06-04", "P0001", "garden", "99"),
        _product("2024-06-04", "P0077", "garden", "99"),
    ],
    "treasury/rates/month=2024-06/rates_2024-06-04.csv": _rates("2024-06-04", "8.0"),
}


def _send(sources: Path, files: Mapping[str, Rows]) -> None:
    for name, rows in files.items():
        path = sources / "demo" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".parquet":
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
        else:
            with path.open("w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, rows[0].keys())
                writer.writeheader()
                writer.writerows(rows)


def _ring_up(sources: Path) -> None:
    with sqlite3.connect(sources / "demo" / "pos.db") as till:
        till.execute(
            "create table sales (entry_id integer primary key, sale_line_id text, receipt_id text, store_id text,"
            " sold_at datetime, product_id text, customer_id text, quantity integer, unit_price real, currency text,"
            " promotion_id text, recorded_at datetime)"
        )
        till.executemany(
            "insert into sales (sale_line_id, receipt_id, store_id, sold_at, product_id, customer_id, quantity,"
            " unit_price, currency, recorded_at) values (?, ?, 'S01', ?, ?, 'C000001', ?, ?, 'EUR', ?)",
            [(line, line, at, product, quantity, price, at) for line, at, product, quantity, price in TILL],
        )
    till.close()


def _run(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Lands what has changed, gates it, builds the marts, and returns their rows."""
    for feed in FEEDS:
        if feed.id in RESTATED:
            land(feed, warehouse)
            gate(feed, warehouse)
            check_balance(feed, warehouse)
    done = run_dbt(["build", *WITHOUT_TESTS, "--select", "+config.schema:core_analytics"], warehouse.path.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables() where schema_name = 'core_analytics'")
        return {
            name: connection.execute(f"select * from core_analytics.{name} order by all").fetchall()
            for (name,) in names.fetchall()
        }


def test_a_day_restated_after_a_wrong_one_gives_the_marts_of_the_right_day_at_once(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marts = {}
    for way, sendings in {"at once": [RIGHT], "restated": [WRONG, RIGHT]}.items():
        sources = tmp_path / way
        (sources / "demo").mkdir(parents=True)
        _ring_up(sources)
        monkeypatch.setenv("CATALYST_HOME", str(sources))
        warehouse = Warehouse(home / "warehouse.duckdb")
        warehouse.prepare(FEEDS)
        runs.begin(warehouse, way, AS_OF)
        for number, files in enumerate(sendings):
            _send(sources, files)
            marts[way, number] = _run(warehouse)
        warehouse.path.rename(sources / "warehouse.duckdb")
    at_once, wrong, restated = marts["at once", 0], marts["restated", 0], marts["restated", 1]
    assert restated == at_once
    assert {name for name in at_once if wrong[name] != at_once[name]} == CHANGED
    # A1-1, A1-2, B1-1, B2-1 and T1; T2 is B2-1 again. 20 + 5 + 20 USD x 0.8 + 12 + 10 = 63 EUR
    with duckdb.connect(str(tmp_path / "restated" / "warehouse.duckdb"), read_only=True) as connection:
        [row] = connection.execute("select count(*), sum(gross_amount_eur) from core_analytics.sales").fetchall()
    assert (row[0], float(row[1])) == (5, 63.0)
