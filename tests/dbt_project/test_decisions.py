"""Purchase recommendations and forecast accuracy of the small company against figures worked by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.dbt_project.conftest import Query


def test_a_recommendation_orders_what_the_forecast_needs_from_the_cheapest_supplier(query: Query) -> None:
    # W1 serves both stores: 1.5 a day. 2.5 days of lead time are 3, and 7 of review make 10 days: 15 units.
    # Safety stock: sqrt(3 days x 2 stores x 1 + (1.2816 x 1.5 x 1)^2) = sqrt(9.6956) = 3.11. Position 8 + 2 = 10, so
    # 8.11 are missing; the minimum of 10 makes 2 packs of 6, 12 x 4 EUR = 48. (10 - 3.11) / 1.5 = 4.6 days, less 3 of
    # lead time: by tomorrow.
    columns = (
        "as_of_date, product_id, product_name, warehouse_id, supplier_id, supplier_name, quantity, order_by_date,"
        " unit_cost_eur, expected_cost_eur, on_hand, on_order, position, forecast_lead_time_units,"
        " safety_stock_units, reorder_point, minimum_order_quantity, pack_size, lead_time_days"
    )
    (order,) = query(f"select {columns} from decisions.purchase_recommendations")
    assert order[:8] == (date(2024, 6, 30), "P0001", "Ball", "W1", "V01", "Balls Inc", 12, date(2024, 7, 1))
    assert order[8:] == (*map(Decimal, ("4", "48", "8", "2", "10", "15", "3.11", "18.11")), 10, 6, 3)


def test_a_recommendation_says_why_in_a_sentence(query: Query) -> None:
    ((reason,),) = query("select reason from decisions.purchase_recommendations")
    assert reason == (
        "10 units in stock or on order (8 + 2) are fewer than the 18.11 needed: 15.00 expected to sell in 10 days"
        " (3 until delivery, 7 until the next review) plus 3.11 safety stock; 8.11 are missing, so order 12"
        " (minimum order 10, packs of 6) by 2024-07-01."
    )


def test_accuracy_weighs_errors_by_units_and_stands_beside_the_naive_forecast(query: Query) -> None:
    # Errors 1, -2, 1 against 10 units, naive 0, -4, 0; 7 units lie above the 90 % quantile of 6.
    assert query("select * from monitoring.forecast_accuracy order by scope") == [
        (date(2024, 6, 30), "Toys", 0.4, 0.4, 0.0, 2 / 3, 3),
        (date(2024, 6, 30), "all", 0.4, 0.4, 0.0, 2 / 3, 3),
        (date(2024, 6, 30), "days 1-7", 3 / 7, 4 / 7, -1 / 7, 0.5, 2),
        (date(2024, 6, 30), "days 8-14", 1 / 3, 0.0, 1 / 3, 1.0, 1),
    ]
