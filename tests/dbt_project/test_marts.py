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
    "core_analytics.competitor_prices",
    "core_analytics.daily_app_logins",
    "core_analytics.shipments",
    "core_analytics.web_sessions",
    "feature_store.demand_forecast_features",
)


def test_sales_hold_accepted_rows_that_were_known_by_the_as_of_date(query: Query) -> None:
    # 13 Sundays, a return, a row that was 19 days late and two web lines; neither the rejected row, nor that of the
    # ungated load, nor the one that was recorded in July, nor what the till rang up of a web order.
    assert query("select count(*), max(quantity) from core_analytics.sales") == [(17, 7)]


def test_sales_are_valued_in_euro_and_returns_are_not_sold(query: Query) -> None:
    # Sold: 14 x 7 balls, 2 lamps, 1 unknown thing. Friday has the rate of Thursday, the last one that is known by
    # then: 98 x 10 - 10 + 2 x 20 USD x 0.90 + 5 = 1,011 EUR
    assert query(
        "select sum(units_sold), sum(units_returned), sum(gross_amount_eur), count_if(is_return)"
        " from core_analytics.sales"
    ) == [(101, 1, Decimal("1011.0000"), 1)]


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
        (date(2024, 6, 28), "WEB", "P0002", 2, 0, Decimal("36"), 1),
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
    # C000001 bought 7 balls and returned one: 60 EUR; C000002 bought in the web shop: 36 + 5.
    assert query(
        "select customer_id, city, country, has_subscribed, orders, units_sold, net_sales_eur"
        " from core_analytics.customers order by 1"
    ) == [
        ("C000001", "Berlin", None, True, 1, 7, Decimal("60")),
        ("C000002", None, "FR", False, 1, 3, Decimal("41")),
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
    assert query(
        "select month, customer_id, currency, cohort_month, amount, subscriptions, amount_eur, amount_eur_constant"
        " from core_analytics.monthly_recurring_revenue order by month, customer_id"
    ) == [
        (date(2024, 4, 1), "C000001", "USD", date(2024, 4, 1), Decimal(20), 1, Decimal("18.4"), Decimal("18.4")),
        (date(2024, 5, 1), "C000001", "USD", date(2024, 4, 1), Decimal(20), 1, Decimal("18.4"), Decimal("18.4")),
        (date(2024, 5, 1), "C000003", "EUR", date(2024, 5, 1), Decimal("10.01"), 1, Decimal("10.01"), Decimal("10.01")),
        (date(2024, 6, 1), "C000003", "EUR", date(2024, 5, 1), Decimal("10.01"), 1, Decimal("10.01"), Decimal("10.01")),
    ]


def test_a_web_order_that_the_till_rings_up_again_is_one_sale(query: Query) -> None:
    assert query("select kept_sale_line_id, minutes_apart, rule from intermediate.int_sale_lines_near_duplicates") == [
        ("WEB02", 40.0, "click_and_collect")
    ]
    assert query("select sale_line_id, channel from core_analytics.sales where product_id = 'P9999'") == [
        ("WEB02", "web")
    ]


def test_the_rate_of_a_day_is_the_last_one_published_for_it_or_before(query: Query) -> None:
    # The seed's until the first published one; 28 June is a Friday without a rate, and 1 July was not there yet.
    assert query(
        "select valid_on, eur_rate, rate_source from intermediate.int_currency_rates_dated"
        " where currency = 'USD' and valid_on in ('2024-06-17', '2024-06-18', '2024-06-26', '2024-06-28', '2024-06-30')"
        " order by valid_on"
    ) == [
        (date(2024, 6, 17), Decimal("0.92"), "seed"),
        (date(2024, 6, 18), Decimal("0.95"), "feed"),
        (date(2024, 6, 26), Decimal("0.94"), "feed"),
        (date(2024, 6, 28), Decimal("0.9"), "feed"),
        (date(2024, 6, 30), Decimal("0.9"), "feed"),
    ]
    assert query("select max(valid_on) from intermediate.int_currency_rates_dated") == [(date(2024, 6, 30),)]


def test_a_rate_that_came_late_is_unknown_before(query_past: Query) -> None:
    # On 20 June the rate of the 18th had not come.
    assert query_past(
        "select eur_rate from intermediate.int_currency_rates_dated"
        " where currency = 'USD' and valid_on between '2024-06-18' and '2024-06-20' order by valid_on"
    ) == [(Decimal("0.92"),), (Decimal("0.94"),), (Decimal("0.94"),)]


def test_unknown_spellings_of_categories_are_counted_by_feed(query: Query) -> None:
    assert query("select feed, raw_category, source_rows from intermediate.int_categories_unmatched order by feed") == [
        ("raw_erp.products", "???", 1),
        ("raw_web.orders", "???", 1),
    ]


def test_prices_of_competitors_are_for_one_piece_in_euro_beside_ours_of_that_day(query: Query) -> None:
    # The ball cost 10 until June and 12 since; a dozen for 80 USD x 0.90 is 6 EUR each. The lamp: 20 USD x 0.92.
    rows = query(
        "select product_id, observed_on, unit_price_eur, list_price_eur, price_index"
        " from core_analytics.competitor_prices order by all"
    )
    assert [row[:4] for row in rows] == [
        ("P0001", date(2024, 5, 27), Decimal("9"), Decimal("10")),
        ("P0001", date(2024, 6, 28), Decimal("6"), Decimal("12")),
        ("P0002", date(2024, 6, 28), Decimal("23"), Decimal("18.4")),
    ]
    assert [row[4] for row in rows] == [0.9, 0.5, 1.25]


def test_visits_tell_who_came_and_whether_they_bought(query: Query) -> None:
    # The click of 30 June that was received in July is not known.
    assert query(
        "select session_id, customer_id, session_seconds, clicks, orders, is_converted"
        " from core_analytics.web_sessions order by session_id"
    ) == [("V1", None, 0, 1, 0, False), ("V2", "C000002", 600, 4, 1, True)]


def test_log_ins_are_counted_on_the_day_that_it_was_by_utc(query: Query) -> None:
    # 00:30 in Berlin is the day before; 20:00 in Chicago is the day after.
    assert query("select * from core_analytics.daily_app_logins order by login_date") == [
        ("C000001", date(2024, 6, 10), 1, 60),
        ("C000001", date(2024, 6, 30), 2, 35),
    ]


def test_shipments_show_how_far_they_have_come(query: Query) -> None:
    # One degree of latitude is 111.195 km. H2 was delivered on 30 June, and the carrier heard of it in July.
    assert query(
        "select shipment_id, status, is_delivered, hours_under_way, distance_km"
        " from core_analytics.shipments order by shipment_id"
    ) == [
        ("H1", "delivered", True, 2.5, Decimal("111.195")),
        ("H2", "departed", False, 0.0, Decimal("0")),
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
