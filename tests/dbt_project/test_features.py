"""The features of the small company against figures worked by hand."""

from __future__ import annotations

import math
from datetime import date

from tests.dbt_project.conftest import Query


def test_each_series_is_predicted_for_thirty_days_from_the_as_of_date(query: Query) -> None:
    assert query(
        "select store_id, product_id, count(*), min(target_date), max(target_date), max(horizon), count(units)"
        " from feature_store.demand_forecast_features where purpose = 'predict'"
        " group by store_id, product_id order by all"
    ) == [
        ("S01", "P0001", 30, date(2024, 7, 1), date(2024, 7, 30), 30, 0),
        ("WEB", "P0002", 30, date(2024, 7, 1), date(2024, 7, 30), 30, 0),
        ("WEB", "P9999", 30, date(2024, 7, 1), date(2024, 7, 30), 30, 0),
    ]


def test_backtest_origins_lie_7_days_apart_and_have_all_targets_up_to_the_as_of_date(query: Query) -> None:
    assert query(
        "select origin_date, count(*), min(horizon), max(horizon) from feature_store.demand_forecast_features"
        " where purpose = 'backtest' and product_id = 'P0001' group by origin_date order by all"
    ) == [
        (date(2024, 5, 31), 30, 1, 30),
        (date(2024, 6, 7), 23, 1, 23),
        (date(2024, 6, 14), 16, 1, 16),
        (date(2024, 6, 21), 9, 1, 9),
    ]


def test_training_origins_need_four_weeks_of_history_and_take_a_third_of_the_horizons(query: Query) -> None:
    # As of 30 June the first origin is 14 May (k = 1), 37 days after the first sale; the second, 27 April, only 20.
    # Horizons are those for which horizon + k divides by 3.
    rows = query(
        "select origin_date, list(horizon order by horizon) from feature_store.demand_forecast_features"
        " where purpose = 'train' group by origin_date order by origin_date desc"
    )
    assert rows == [
        (date(2024, 5, 14), [2, 5, 8, 11, 14, 17, 20, 23, 26, 29]),
    ]


def test_features_of_today_summarize_what_is_known_today(query: Query) -> None:
    # First sale on 7 April, so 85 days are known. Units: 7 in 7 days; 28 in 28 days (the late sale of 2 June lies 28
    # days back, just outside); 8 Sundays and the late sale, 63, in 56 days; 98 in 85 days. Days with sales: 4 of 28.
    (row,) = query(
        "select level, mean_7, mean_28, mean_364, nonzero_share_28, days_since_sale, weekday_mean, seasonal_naive,"
        " yearly_mean, promotion_share_28, category_mean_7, weekday, day_of_month, week_of_year, is_holiday,"
        " days_to_holiday, price, price_ratio, discount_rate, year_level"
        " from feature_store.demand_forecast_features"
        " where purpose = 'predict' and product_id = 'P0001' and horizon = 7"
    )
    # Target: Sunday 7 July. Sundays had 63 units in eight weeks; the list price is 12, charged were 10.
    assert row[:8] == (63 / 56, 1.0, 1.0, 98 / 85, 4 / 28, 0, 63 / 8, 7.0)
    assert row[8:10] == (None, 0.0)
    assert math.isclose(row[10], 1 / (63 / 56))
    assert row[11:19] == (7, 7, 27, False, 30, 12.0, 1.2, 0.0)
    # It is all of its category, so that the season of the category is its own.
    assert math.isclose(row[19], 63 / 56)


def test_a_planned_promotion_lowers_the_planned_price_on_its_days(query: Query) -> None:
    # 25 % off 12 EUR on 2 and 3 July; the promotion of 90 % was published a day too late to be known.
    assert query(
        "select target_date, discount_rate, price, price_ratio from feature_store.demand_forecast_features"
        " where purpose = 'predict' and product_id = 'P0001' and horizon <= 4 order by target_date"
    ) == [
        (date(2024, 7, 1), 0.0, 12.0, 1.2),
        (date(2024, 7, 2), 0.25, 9.0, 0.9),
        (date(2024, 7, 3), 0.25, 9.0, 0.9),
        (date(2024, 7, 4), 0.0, 12.0, 1.2),
    ]


def test_an_origin_before_a_late_row_was_recorded_does_not_know_it(query: Query) -> None:
    # 7 units of 2 June became known on 21 June. 7 June knows the 7 units that were recorded at once; its days are 62.
    assert query(
        "select distinct origin_date, mean_28, mean_364 from feature_store.demand_forecast_features"
        " where purpose = 'backtest' and product_id = 'P0001' and origin_date >= '2024-06-07' order by origin_date"
    ) == [
        (date(2024, 6, 7), 28 / 28, 63 / 62),
        (date(2024, 6, 14), 28 / 28, 70 / 69),
        (date(2024, 6, 21), 35 / 28, 84 / 76),
    ]


def test_labels_are_what_is_known_today_about_the_target_date(query: Query) -> None:
    # 2 June: 7 at once and 7 late. A return is no negative demand.
    assert query(
        "select target_date, units from feature_store.demand_forecast_features"
        " where origin_date = '2024-05-31' and product_id = 'P0001' and target_date in ('2024-06-01', '2024-06-02',"
        " '2024-06-09', '2024-06-29') order by target_date"
    ) == [
        (date(2024, 6, 1), 0.0),
        (date(2024, 6, 2), 14.0),
        (date(2024, 6, 9), 7.0),
        (date(2024, 6, 29), 0.0),
    ]


def test_the_price_of_a_product_without_a_list_price_is_what_was_charged(query: Query) -> None:
    assert query(
        "select distinct price, price_ratio from feature_store.demand_forecast_features"
        " where purpose = 'predict' and product_id = 'P9999'"
    ) == [(5.0, 1.0)]
