"""When a model is trained again, on outcomes and hold-outs that are made up so that each ratio is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ml.drift import Drift
from orchestration import retraining
from orchestration.drift import Found
from orchestration.retraining import Thresholds
from orchestration.versions import ARCHIVED, Decision, Request, Version
from orchestration.warehouse import MONITORING_TABLES, Warehouse

MODEL: Any = SimpleNamespace(NAME="m", TARGET="units", PREDICTED="mean_units", LOSS="absolute")
BARS = Thresholds(least_rows=10)
# A Wednesday.
AS_OF = date(2026, 7, 1)


def version(trained: date = date(2026, 6, 1), number: int = 1) -> Version:
    decided = (Decision(trained, f"{trained}T06:00:00", ARCHIVED, "the promotion rule", "for a reason"),)
    return Version("m", number, "v1", trained, trained - timedelta(days=30), "i", "r", {}, decisions=decided)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A hold-out in which each day of 10 units was missed by 2, and each Sunday of 10 units by 6."""
    made = Warehouse(tmp_path / "warehouse.duckdb")
    with made.connect() as connection:
        for schema in ("predictions", "monitoring"):
            connection.execute(f"create schema {schema}")
        for name, columns in MONITORING_TABLES.items():
            connection.execute(f"create table {name} ({columns})")
        connection.execute(
            """
            create table predictions.m_backtest as
            select as_of_date, cast(target_date as date) as target_date, 10 as units,
                10 + case when isodow(target_date) = 7 then 6 else 2 end as mean_units, 'v1' as model_version,
                cast(target_date as date) - horizon as origin_date
            from (values (date '2026-06-01')) as dates (as_of_date),
                range(date '2026-05-04', date '2026-06-01', interval 1 day) as days (target_date),
                (values (1), (30)) as horizons (horizon)
            """
        )
        # What lies 30 days ahead is missed by far more, and the next run's backtest by less.
        connection.execute("update predictions.m_backtest set mean_units = 99 where target_date - origin_date = 30")
        connection.execute(
            "insert into predictions.m_backtest select date '2026-06-02', target_date, 10, 10, 'v1', origin_date "
            "from predictions.m_backtest"
        )
    return made


def miss(warehouse: Warehouse, days: Sequence[date], by: float, *, model_version: str = "v1", horizon: int = 1) -> None:
    """Twenty entities of 10 units on each day, each of them missed by as many."""
    with warehouse.connect() as connection:
        for target in days:
            connection.execute(
                """
                insert into monitoring.outcomes
                select $day, 'm', $version, $day - cast($horizon as integer), $day, $horizon, 'e' || entity, 'none',
                    'absolute', 10, 10 + $by, null, null, $by
                from range(20) as numbers (entity)
                """,
                {"day": target, "version": model_version, "horizon": horizon, "by": by},
            )


def back(*days: int) -> list[date]:
    return [AS_OF - timedelta(days=number) for number in days]


def why(warehouse: Warehouse, drift: Found | None = None, known: Sequence[Version] = (version(),)) -> list[str]:
    return retraining.why(warehouse, MODEL, known, AS_OF, drift, BARS)


def test_two_periods_above_the_threshold_ask_for_a_training_and_one_does_not(warehouse: Warehouse) -> None:
    miss(warehouse, back(0, 1, 2), by=3)
    # The Sunday is missed by 6 in the hold-out, too: 2 + 2 + 6 of 30 are usual, and 12 of 30 are allowed.
    miss(warehouse, back(3, 4, 5), by=3)
    periods = retraining.errors(warehouse, MODEL, version(), AS_OF, BARS)
    assert [(period.first, period.last, period.is_worse) for period in periods] == [
        (date(2026, 6, 26), date(2026, 6, 28), False),
        (date(2026, 6, 29), AS_OF, True),
    ]
    assert [period.error for period in periods] == [pytest.approx(0.3), pytest.approx(0.3)]
    assert [period.expected for period in periods] == [pytest.approx(10 / 30), pytest.approx(0.2)]
    assert why(warehouse) == []
    miss(warehouse, back(3, 4, 5), by=7)
    [reason] = why(warehouse)
    assert reason.startswith("its error is 50% above that of its hold-out for two periods in a row (0.500 from")


def test_predictions_far_ahead_and_those_of_other_versions_do_not_count(warehouse: Warehouse) -> None:
    miss(warehouse, back(0, 1, 2, 3, 4, 5), by=2)
    miss(warehouse, back(0, 1, 2, 3, 4, 5), by=50, horizon=8)
    miss(warehouse, back(0, 1, 2, 3, 4, 5), by=50, model_version="v0")
    assert [period.error for period in retraining.errors(warehouse, MODEL, version(), AS_OF, BARS)] == [
        pytest.approx(0.2),
        pytest.approx(0.2),
    ]


def test_a_model_that_only_looks_far_ahead_is_judged_by_that(warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute("delete from predictions.m_backtest where target_date - origin_date = 1")
    miss(warehouse, back(0, 1, 2, 3, 4, 5), by=89, horizon=30)
    assert [period.ratio for period in retraining.errors(warehouse, MODEL, version(), AS_OF, BARS)] == [
        pytest.approx(1),
        pytest.approx(1),
    ]


def test_an_error_that_may_be_chance_asks_for_nothing(warehouse: Warehouse) -> None:
    miss(warehouse, back(0, 1, 2, 3, 4, 5), by=0)
    with warehouse.connect() as connection:
        # One of twenty entities is far off: the mean is 0.5, and its standard error as large as that.
        connection.execute("update monitoring.outcomes set loss = 100 where entity = 'e7'")
    periods = retraining.errors(warehouse, MODEL, version(), AS_OF, BARS)
    assert [period.error for period in periods] == [pytest.approx(0.5), pytest.approx(0.5)]
    assert not any(period.is_worse for period in periods)


def test_drift_and_age_are_reasons_too(warehouse: Warehouse, tmp_path: Path) -> None:
    drifted = Drift("price", "feature", 0.5, 0.2, 0.3, 0.0, 100, 300, is_drifted=True)
    steady = Drift("level", "feature", 0.1, 0.2, 0.1, 0.0, 100, 300, is_drifted=False)
    found = Found(version(), [steady, drifted], tmp_path / "page.html")
    [reason] = why(warehouse, found)
    assert reason == "what it meets is unlike what it was trained on: price (PSI 0.50, 0.20 allowed)"
    assert why(warehouse, None, [version(AS_OF - timedelta(days=30))]) == []
    assert why(warehouse, None, [version(AS_OF - timedelta(days=31))]) == [
        "the last training is 31 days old; 30 are allowed"
    ]


def test_nothing_is_asked_for_twice_nor_right_after_a_training() -> None:
    asked = Request(AS_OF + timedelta(days=1), "2026-07-02T06:00:00", retraining.BY, "for a reason")
    by_hand = Request(AS_OF, "2026-07-01T06:00:00", "ada", "for a reason")
    old = [version()]
    assert not retraining.is_waiting(old, AS_OF, None, BARS)
    assert not retraining.is_waiting(old, AS_OF, by_hand, BARS)
    assert retraining.is_waiting(old, AS_OF, asked, BARS)
    # Two days after a training there is no period yet that the new version has predicted.
    assert retraining.is_waiting([version(AS_OF - timedelta(days=2))], AS_OF, None, BARS)
    assert not retraining.is_waiting([version(AS_OF - timedelta(days=3))], AS_OF, None, BARS)
