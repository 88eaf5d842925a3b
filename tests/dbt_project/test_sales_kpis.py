"""The sales KPIs of the small company against figures worked by hand, by the very queries that the guide shows."""

import re
from datetime import date
from decimal import Decimal

import pytest

from orchestration.settings import REPOSITORY
from tests.dbt_project.conftest import Query, Rows

# Without those of customers: nobody who was known had bought by the past day.
MARTS = ("daily_product_margins", "orders", "daily_stock")
GUIDE = (REPOSITORY / "docs" / "sales-kpis.md").read_text(encoding="utf-8")


def _ask(query: Query, column: str) -> Rows:
    """Answers the one query of the guide that names a column."""
    (sql,) = (sql for sql in re.findall(r"```sql\n(.+?)```", GUIDE, flags=re.DOTALL) if f" as {column}" in sql)
    return query(sql)


def test_net_sales_returns_and_margin_of_june(query: Query) -> None:
    # Five Sundays and the late row: 42 balls at 10, one back; 2 lamps for 36; something unknown for 5.
    # Cost: 41 x 4 + 2 x 7.36 = 178.72, of what sold for 410 + 36 = 446.
    assert _ask(query, "gross_margin") == [
        (
            Decimal("451"),
            45,
            pytest.approx(1 / 45),
            pytest.approx(10 / 461),
            Decimal("267.28"),
            pytest.approx(267.28 / 446),
            pytest.approx(446 / 451),
        )
    ]


def test_order_value_and_customers_of_june(query: Query) -> None:
    # Six receipts of 70 and an order of 41; the return is no order. Two buyers are known, each with a first order.
    assert _ask(query, "average_order_value") == [
        (pytest.approx(461 / 7), pytest.approx(45 / 7), 2, 0.0),
    ]
    assert _ask(query, "repeat_purchase_rate") == [(0.0,)]


def test_an_order_knows_its_margin_and_which_of_the_customer_it_is(query: Query) -> None:
    # 70 - 7 x 4; 41 less 2 x 7.36, of 36 that have a cost.
    assert query(
        "select customer_id, ordered_date, is_order, customer_order_number, is_repeat_order, net_sales_eur,"
        " costed_net_sales_eur, gross_margin_eur"
        " from core_analytics.orders where customer_id is not null order by ordered_date"
    ) == [
        ("C000002", date(2024, 6, 28), True, 1, False, Decimal("41"), Decimal("36"), Decimal("21.28")),
        ("C000001", date(2024, 6, 29), False, None, None, Decimal("-10"), Decimal("-10"), Decimal("-6")),
        ("C000001", date(2024, 6, 30), True, 1, False, Decimal("70"), Decimal("70"), Decimal("42")),
    ]


def test_stock_of_june_never_ran_out_and_what_was_counted_sold_through_by_half(query: Query) -> None:
    # Counted on the 19th, 29th and 30th; 7 were sold on these days, 8 are left.
    assert _ask(query, "sell_through") == [(0.0, pytest.approx(7 / 15))]


def test_one_of_two_visits_in_june_led_to_an_order(query: Query) -> None:
    assert _ask(query, "conversion") == [(0.5,)]


def test_segments_cover_every_customer_who_ordered(query: Query) -> None:
    # Of two customers the lowest fifth has one and the next the other.
    assert _ask(query, "customers") == [("Hibernating", 2, Decimal("101"))]
    assert query(
        "select customer_id, recency_days, recency_score, frequency_score, monetary_score, gross_margin_eur,"
        " orders_per_year, expected_lifetime_years, lifetime_value_eur"
        " from core_analytics.customer_value order by customer_id"
    ) == [
        ("C000001", 0, 2, 2, 2, Decimal("36"), Decimal("1"), None, None),
        ("C000002", 2, 1, 1, 1, Decimal("21.28"), Decimal("1"), None, None),
    ]


@pytest.mark.parametrize("mart", MARTS)
def test_a_build_for_a_past_day_gives_the_kpis_that_day_would_have_given(
    mart: str, query_past: Query, query_then: Query
) -> None:
    past, then = (ask(f"select * from core_analytics.{mart} order by all") for ask in (query_past, query_then))
    assert past
    assert past == then


def test_the_guide_shows_the_segment_of_every_pair_of_scores_as_the_unit_test_has_it() -> None:
    tested = dict(
        re.findall(
            r"^        r(\dv\d),(.+)$",
            (REPOSITORY / "dbt_project/models/core_analytics/customer_value.yml").read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
    )
    shown = {
        f"{recency}v{mean}": segment.strip()
        for recency, cells in re.findall(r"^\| \*\*(\d)\*\* \|(.+)\|$", GUIDE, flags=re.MULTILINE)
        for mean, segment in enumerate(cells.split("|"), start=1)
    }
    assert len(shown) == 25
    assert shown == tested
