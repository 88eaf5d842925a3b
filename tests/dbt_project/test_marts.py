"""The marts of the small company against figures worked by hand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.dbt_project.conftest import Query

MARTS = (
    "core_analytics.sales",
    "core_analytics.daily_product_sales",
    "core_analytics.customers",
    "core_analytics.products",
    "core_analytics.locations",
    "core_analytics.inventory_positions",
    "core_analytics.monthly_recurring_revenue",
    "feature_store.demand_forecast_features",
)


def test_sales_hold_accepted_rows_that_were_known_by_the_as_of_date(query: Query) -> None:
    # 13 Sundays, a return, a row that was 19 days late and two web lines; neither the rejected row, nor that of the
    # ungated load, nor the one that was recorded in July.
    assert query("select count(*), max(quantity) from core_analytics.sales") == [(17, 7)]


def test_sales_are_valued_in_euro_and_returns_are_not_sold(query: Query) -> None:
    # Sold: 14 x 7 balls, 2 lamps, 1 unknown thing. 98 x 10 - 10 + 2 x 20 USD x 0.92 + 5 = 1,011.80 EUR
    assert query(
        "select sum(units_sold), sum(units_returned), sum(gross_amount_eur), count_if(is_return)"
        " from core_analytics.sales"
    ) == [(101, 1, Decimal("1011.8000"), 1)]


def test_categories_come_from_the_catalogue_then_from_the_web_shop_then_they_are_other(query: Query) -> None:
    assert query("select distinct product_id, category from core_analytics.sales order by 1") == [
        ("P0001", "Toys"),
        ("P0002", "Electronics"),
        ("P9999", "Other"),
    ]


def test_daily_sales_have_a_row_for_each_day_with_sales_or_returns(query: Query) -> None:
    rows = query(
        "select sold_date, store_id, product_id, units_sold, units_returned, net_sales_eur, orders"
        " from core_analytics.daily_product_sales where sold_date >= '2024-06-28' order by all"
    )
    assert rows == [
        (date(2024, 6, 28), "WEB", "P0002", 2, 0, Decimal("36.8"), 1),
        (date(2024, 6, 28), "WEB", "P9999", 1, 0, Decimal("5"), 1),
        (date(2024, 6, 29), "S01", "P0001", 0, 1, Decimal("-10"), 0),
        (date(2024, 6, 30), "S01", "P0001", 7, 0, Decimal("70"), 1),
    ]


def test_products_show_the_latest_known_version_in_euro(query: Query) -> None:
    # The catalogue of 1 July calls the ball a book for 99; 20 USD x 0.92 = 18.40, 8 USD x 0.92 = 7.36.
    assert query(
        "select product_id, product_name, category, list_price_eur, unit_cost_eur, has_sales"
        " from core_analytics.products order by 1"
    ) == [
        ("P0001", "Ball", "Toys", Decimal("12"), Decimal("4"), True),
        ("P0002", "Lamp", "Electronics", Decimal("18.4"), Decimal("7.36"), True),
        ("P9999", "P9999", "Other", None, None, True),
    ]


def test_customers_are_all_who_registered_bought_or_subscribed(query: Query) -> None:
    # C000001 bought 7 balls and returned one: 60 EUR; C000002 bought in the web shop: 36.80 + 5.
    assert query(
        "select customer_id, city, country, has_subscribed, orders, units_sold, net_sales_eur"
        " from core_analytics.customers order by 1"
    ) == [
        ("C000001", "Berlin", None, True, 1, 7, Decimal("60")),
        ("C000002", None, "FR", False, 1, 3, Decimal("41.8")),
        ("C000003", None, None, True, 0, 0, Decimal("0")),
    ]


def test_a_store_that_sells_is_a_location_even_before_the_export_lists_it(query: Query) -> None:
    assert query("select location_id, location_name, kind, warehouse_id from core_analytics.locations order by 1") == [
        ("S01", "Mitte", "store", "W1"),
        ("S02", "Wedding", "store", "W1"),
        ("W1", "Depot", "warehouse", "W1"),
        ("WEB", "WEB", "web", None),
    ]


def test_inventory_is_that_of_the_latest_snapshot_known(query: Query) -> None:
    assert query("select * from core_analytics.inventory_positions") == [
        ("W1", "P0001", date(2024, 6, 30), 8, 2, 10),
    ]


def test_revenue_of_each_month_is_that_of_the_subscriptions_running_as_it_ends(query: Query) -> None:
    # 2 x 10 USD a month until the cancellation on 20 June, 18.40 EUR; 120.06 EUR a year are 10.005, so 10.01 a month.
    # The subscription that became known in July is not there.
    assert query("select * from core_analytics.monthly_recurring_revenue order by month, customer_id") == [
        (date(2024, 4, 1), "C000001", "USD", Decimal("20.00"), 1, Decimal("18.40")),
        (date(2024, 5, 1), "C000001", "USD", Decimal("20.00"), 1, Decimal("18.40")),
        (date(2024, 5, 1), "C000003", "EUR", Decimal("10.01"), 1, Decimal("10.01")),
        (date(2024, 6, 1), "C000003", "EUR", Decimal("10.01"), 1, Decimal("10.01")),
    ]


def test_the_seed_knows_the_ten_categories(query: Query) -> None:
    assert [row[0] for row in query("select distinct category from seeds.category_aliases order by 1")] == [
        *("Beauty", "Books", "Clothing", "Electronics", "Garden", "Grocery", "Home", "Kitchen", "Sports", "Toys")
    ]


def test_the_holidays_of_a_year_are_where_the_calendar_has_them(query: Query) -> None:
    # Easter Sunday was 31 March 2024; the fourth Thursday of November is the 28th.
    days = query("select strftime(date, '%m-%d') from seeds.holidays where year(date) = 2024 order by date")
    assert [day for (day,) in days] == [
        *("01-01", "03-29", "03-31", "04-01", "05-01", "11-29", "12-24", "12-25", "12-26", "12-31")
    ]


@pytest.mark.parametrize("table", MARTS)
def test_a_build_for_a_past_day_gives_what_that_day_would_have_given(
    table: str, query_past: Query, query_then: Query
) -> None:
    past, then = (ask(f"select * from {table} order by all") for ask in (query_past, query_then))
    assert past
    assert past == then


def test_every_column_of_a_described_layer_is_described_and_exists(home: Path, query: Query) -> None:
    manifest = json.loads((home / "target" / "manifest.json").read_text())
    for node in manifest["nodes"].values():
        name, schema = node["name"], node["schema"]
        described = set(node["columns"])
        if node["resource_type"] != "model" or not described:
            continue
        columns = {
            column
            for (column,) in query(
                "select column_name from information_schema.columns"
                f" where table_schema = '{schema}' and table_name = '{name}'"
            )
        }
        assert described <= columns, f"{name} describes columns that it does not have"
        if schema == "core_analytics" or f"{schema}.{name}" in MARTS:
            assert described == columns, f"{name} does not describe all its columns"


def test_descriptions_of_marts_are_in_the_warehouse_for_those_who_look_only_there(query: Query) -> None:
    assert query("select count(*) from duckdb_columns() where schema_name = 'core_analytics' and comment is null") == [
        (0,)
    ]
