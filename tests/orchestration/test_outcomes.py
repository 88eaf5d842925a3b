"""What came of predictions, on made-up models of which every error is worked out by hand."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestration import outcomes
from orchestration.outcomes import Scored
from orchestration.warehouse import MONITORING_TABLES, Warehouse

UNITS: Any = SimpleNamespace(
    NAME="units_sold",
    ENTITY=("store_id", "product_id"),
    TARGET="units",
    SEGMENT="category",
    PREDICTED="mean_units",
    INTERVAL=("low", "high"),
    LOSS="absolute",
)
LEAVING: Any = SimpleNamespace(
    NAME="leaving",
    ENTITY=("customer_id",),
    TARGET="has_left",
    SEGMENT="plan",
    PREDICTED="probability",
    INTERVAL=None,
    LOSS="log",
)
READ = "select predicted_on, target_date, horizon, entity, segment, actual, predicted, low, high, loss, scored_on"


def day(number: int) -> date:
    return date(2026, 6, number)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path / "warehouse.duckdb")
    with made.connect() as connection:
        for schema in ("feature_store", "predictions", "monitoring"):
            connection.execute(f"create schema {schema}")
        for name, columns in MONITORING_TABLES.items():
            connection.execute(f"create table {name} ({columns})")
        connection.execute(
            """
            create table predictions.units_sold (as_of_date date, store_id varchar, product_id varchar,
                target_date date, mean_units double, low double, high double, model_name varchar, model_version varchar)
            """
        )
        connection.execute(
            """
            create table feature_store.units_sold_features (purpose varchar, origin_date date, target_date date,
                store_id varchar, product_id varchar, category varchar, units double)
            """
        )
    return made


def predict(warehouse: Warehouse, as_of: int, *rows: tuple[str, int, float]) -> None:
    """Predictions of a product for a day of June, 1 below and above them as the interval."""
    with warehouse.connect() as connection:
        for product, target, mean in rows:
            connection.execute(
                "insert into predictions.units_sold values (?, 'S1', ?, ?, ?, ?, ?, 'units_sold', 'v1')",
                [day(as_of), product, day(target), mean, mean - 1, mean + 1],
            )


def know(warehouse: Warehouse, *rows: tuple[str, int, float | None]) -> None:
    """Labels, as each of two origins has them."""
    with warehouse.connect() as connection:
        connection.execute("delete from feature_store.units_sold_features")
        for product, target, units in rows:
            for origin in (1, 2):
                connection.execute(
                    "insert into feature_store.units_sold_features values ('backtest', ?, ?, 'S1', ?, 'Toys', ?)",
                    [day(origin), day(target), product, units],
                )


def score(warehouse: Warehouse, as_of: int) -> Scored:
    return outcomes.score(warehouse, UNITS, day(as_of))


def kept(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f"{READ} from monitoring.outcomes order by all").fetchall()


def test_the_actual_value_joins_each_prediction_of_its_day_once(warehouse: Warehouse) -> None:
    predict(warehouse, 1, ("P1", 3, 4.0), ("P1", 4, 9.0))
    predict(warehouse, 2, ("P1", 3, 5.0))
    know(warehouse, ("P1", 3, 7.0), ("P1", 4, 8.0))
    assert score(warehouse, 3) == Scored(scored=2, excluded=0, unknown=0)
    assert kept(warehouse) == [
        (day(1), day(3), 2, "S1/P1", "Toys", 7.0, 4.0, 3.0, 5.0, 3.0, day(3)),
        (day(2), day(3), 1, "S1/P1", "Toys", 7.0, 5.0, 4.0, 6.0, 2.0, day(3)),
    ]


def test_what_has_no_label_and_what_is_not_known_is_counted_and_not_scored(warehouse: Warehouse) -> None:
    predict(warehouse, 1, ("P1", 2, 1.0), ("P2", 2, 1.0), ("P3", 2, 1.0))
    know(warehouse, ("P1", 2, 1.0), ("P2", 2, None))
    assert score(warehouse, 2) == Scored(scored=1, excluded=1, unknown=1)


def test_a_second_run_changes_nothing_and_a_missed_one_loses_nothing(warehouse: Warehouse) -> None:
    predict(warehouse, 1, *(("P1", target, 1.0) for target in range(2, 8)))
    know(warehouse, *(("P1", target, 2.0) for target in range(2, 8)))
    assert score(warehouse, 2).scored == 1
    # Nobody ran on the third and fourth.
    assert score(warehouse, 5).scored == 3
    before = kept(warehouse)
    assert score(warehouse, 5).scored == 3
    assert kept(warehouse) == before
    # A run for a day in between takes over the days that would have been its own, and the later one what is left.
    assert score(warehouse, 4).scored == 2
    assert score(warehouse, 5).scored == 1
    assert [(row[1], row[-1]) for row in kept(warehouse)] == [
        (day(2), day(2)),
        (day(3), day(4)),
        (day(4), day(4)),
        (day(5), day(5)),
    ]


def test_a_prediction_never_meets_a_day_that_it_knew_nor_one_that_is_to_come(warehouse: Warehouse) -> None:
    predict(warehouse, 3, ("P1", 3, 1.0), ("P1", 4, 1.0), ("P1", 6, 1.0))
    know(warehouse, ("P1", 3, 1.0), ("P1", 4, 1.0), ("P1", 6, 1.0))
    assert score(warehouse, 5).scored == 1
    assert [row[1] for row in kept(warehouse)] == [day(4)]


def test_a_run_that_dies_before_the_end_leaves_all_as_it_was(warehouse: Warehouse) -> None:
    predict(warehouse, 1, ("P1", 2, 1.0))
    know(warehouse, ("P1", 2, 1.0))
    score(warehouse, 2)
    before = kept(warehouse)
    with warehouse.connect() as connection:
        connection.execute("alter table feature_store.units_sold_features rename column category to kind")
    with pytest.raises(Exception, match="category"):
        score(warehouse, 2)
    assert kept(warehouse) == before


def test_a_mean_is_scored_by_the_squared_error_where_its_model_is(warehouse: Warehouse) -> None:
    predict(warehouse, 1, ("P1", 2, 4.0), ("P2", 2, 0.5))
    know(warehouse, ("P1", 2, 1.0), ("P2", 2, 2.5))
    squared: Any = SimpleNamespace(**{**vars(UNITS), "LOSS": "squared"})
    assert outcomes.score(warehouse, squared, day(2)).scored == 2
    assert [(row[5], row[9]) for row in kept(warehouse)] == [(1.0, 9.0), (2.5, 4.0)]


def test_a_probability_is_scored_by_the_logarithmic_loss(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute(
            """
            create table predictions.leaving as
            select date '2026-06-01' as as_of_date, id as customer_id, date '2026-06-30' as target_date,
                probability, 'leaving' as model_name, 'v1' as model_version
            from (values ('C1', 0.25), ('C2', 0.25), ('C3', 0.0)) as given (id, probability)
            """
        )
        connection.execute(
            """
            create table feature_store.leaving_features as
            select 'backtest' as purpose, date '2026-06-01' as origin_date, date '2026-06-30' as target_date,
                id as customer_id, cast(null as varchar) as plan, has_left
            from (values ('C1', true), ('C2', false), ('C3', true)) as given (id, has_left)
            """
        )
    assert outcomes.score(warehouse, LEAVING, day(30)).scored == 3
    found = {row[3]: (row[4], row[5], row[7], row[9]) for row in kept(warehouse)}
    assert found["C1"] == ("none", 1.0, None, pytest.approx(math.log(4)))
    assert found["C2"] == ("none", 0.0, None, pytest.approx(math.log(4 / 3)))
    # What never was to happen and did is a great error, but not an endless one.
    assert found["C3"][3] == pytest.approx(math.log(1e6))
