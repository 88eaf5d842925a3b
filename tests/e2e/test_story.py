"""Ninety days of a company whose demand turns on day 45, and nobody who touches anything.

Real are its demand, the models, the registry, promotion, outcomes, drift and retraining, each as `catalyst run` calls
them, on DuckDB and MLflow. Left out, as so many whole runs take an hour, are the feeds, dbt and Dagster's run: the rows
of feature_store.demand_forecast_features come from the pandas twin of its SQL, for two stores, and from day 30 on every
third day is run. The weekly training is off, so that whatever is trained, the loop has asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml import catalogue
from orchestration import drift, learning, outcomes, retraining, versions
from orchestration.defs.retraining import retraining_asked
from orchestration.demo import demand
from orchestration.demo.catalogue import CATEGORY_OF, LOCATION_IDS, PRODUCT_IDS, PRODUCTS, WEB
from orchestration.demo.categories import NAMES
from orchestration.demo.company import Company, Regime
from orchestration.demo.promotions import discounts
from orchestration.registry import Registry
from orchestration.settings import Settings
from orchestration.versions import Version
from orchestration.warehouse import Warehouse
from tests.ml.simulation import Panel, feature_frame

NAME = "demand_forecast"
FIRST, HISTORY, CHANGE, DAYS = date(2026, 7, 1), 200, 45, 90
SABOTAGE = 36
TURN = {"Toys": 3.0, "Sports": 3.0, "Books": 2.5, "Garden": 0.3, "Electronics": 0.3, "Home": 0.4}
STORES = (0, WEB)
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def simulated() -> Panel:
    """The sales of two stores, and what is planned for the month after the story."""
    regime = Regime(day(CHANGE), tuple(sorted(TURN.items())))
    company = Company(opened=day(-HISTORY), scale=10.0, regime=regime)
    units, price, discount = [], [], []
    for number in range(-HISTORY, DAYS + 31):
        units.append(demand.units(company, day(number))[list(STORES)].ravel())
        price.append(np.tile(demand.charged_prices(company, day(number)), len(STORES)))
        discount.append(np.tile(np.broadcast_to(discounts(company, day(number))[0], PRODUCTS), len(STORES)))
    return Panel(
        dates=pd.date_range(day(-HISTORY), periods=len(units)),
        store_id=[LOCATION_IDS[store] for store in STORES for _ in PRODUCT_IDS],
        product_id=[product for _ in STORES for product in PRODUCT_IDS],
        category=[NAMES[category] for _ in STORES for category in CATEGORY_OF],
        units=np.array(units, dtype=np.float64),
        price=np.array(price),
        discount=np.array(discount),
    )


@dataclass
class Story:
    """A home in which the days pass, and what happened on them."""

    home: Path
    panel: Panel = field(default_factory=simulated)
    asked: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = Settings(home=self.home)
        self.warehouse = Warehouse(self.settings.warehouse)
        self.warehouse.prepare([])
        self.registry = Registry(self.settings.mlflow_uri)
        self.rows = cache(self._rows)

    def run(self, number: int, *, sabotaged: bool = False) -> None:
        """What a run does for a day, from the features on."""
        as_of, model = day(number), catalogue.model(NAME)
        self._put(number, sabotaged=sabotaged)
        learning.refresh(self.warehouse, self.settings, NAME, as_of)
        if sabotaged:
            self._put(number)
        for purpose, table, without in (("predict", NAME, ["origin_date"]), ("backtest", f"{NAME}_backtest", [])):
            found = learning.predict(self.warehouse, self.settings, NAME, as_of, purpose)
            rows = found.rows.drop(columns=without).assign(
                as_of_date=as_of,
                model_name=NAME,
                model_version=found.version.fingerprint,
                run_id="story",
                predicted_at=pd.Timestamp(as_of),
            )
            table_rows = pa.Table.from_pandas(rows, preserve_index=False)
            self.warehouse.replace_partition(f"predictions.{table}", as_of, table_rows)
        outcomes.score(self.warehouse, model, as_of)
        compared = drift.compare(self.warehouse, self.settings, model, as_of)
        assert compared
        drift.write(self.warehouse, as_of, [compared])
        asked = retraining.watch(self.warehouse, self.settings, model, as_of, compared)
        if asked:
            self.asked[number] = asked.reason

    def error(self, first: int, last: int, version: str = "%") -> float:
        """WAPE of the predictions for the next seven days, over those that became due in some days."""
        sql = """
            select sum(loss) / sum(actual) as error from monitoring.outcomes
            where horizon <= 7 and target_date between ? and ? and model_version like ?
        """
        return float(self.warehouse.query(sql, [day(first), day(last), version]).to_pylist()[0]["error"])

    def versions(self) -> list[Version]:
        return self.registry.versions(NAME)

    def _put(self, number: int, *, sabotaged: bool = False) -> None:
        origins = {
            "train": [number - 30 - 17 * step for step in range(1, 21)],
            "backtest": [number - 30 + 7 * step for step in range(4)],
            "predict": [number],
        }
        parts = []
        for purpose, days in origins.items():
            for step, origin in enumerate(days, 1):
                if origin < -HISTORY + 28:
                    continue
                rows = self.rows(origin)
                if purpose == "train":
                    rows = rows[(rows["horizon"] + step) % 3 == 0]
                parts.append(rows.assign(purpose=purpose))
        frame = pd.concat(parts, ignore_index=True)
        known = frame["target_date"] <= pd.Timestamp(day(number))
        frame = frame[known | (frame["purpose"] == "predict")]
        frame["units"] = frame["units"].where(frame["purpose"] != "predict")
        if sabotaged:
            learned = (frame["target_date"] <= pd.Timestamp(day(number - 9))).to_numpy()
            units = frame["units"].to_numpy(copy=True)
            units[learned] = np.random.default_rng(0).permutation(units[learned])
            frame["units"] = units
        dates = {name: frame[name].dt.date for name in ("origin_date", "target_date")}
        rows = pa.Table.from_pandas(frame.assign(**dates), preserve_index=False)
        with self.warehouse.transaction() as connection:
            connection.register("incoming", rows)
            connection.execute("create schema if not exists feature_store")
            connection.execute(f"create or replace table feature_store.{NAME}_features as from incoming")

    def _rows(self, origin: int) -> pd.DataFrame:
        first = origin + HISTORY
        return feature_frame(self.panel, [first], first + 30)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ml.models.demand_forecast.RETRAIN_AFTER_DAYS", 1000)
        story = Story(tmp_path_factory.mktemp("story"))
        for number in (0, 30, 33):
            story.run(number)
        story.registry.ask(NAME, "a training on labels that somebody has shuffled", day(SABOTAGE), "the saboteur")
        story.run(SABOTAGE, sabotaged=True)
        for number in range(SABOTAGE + 3, DAYS + 1, 3):
            story.run(number)
        yield story


def test_before_the_change_only_age_is_a_reason(told: Story) -> None:
    assert [reason for number, reason in told.asked.items() if number < CHANGE] == [
        "the last training is 33 days old; 30 are allowed"
    ]


def test_a_sabotaged_challenger_is_archived_with_the_reason(told: Story) -> None:
    [sabotaged] = [one for one in told.versions() if one.as_of == day(SABOTAGE)]
    assert sabotaged.last_decision is not None
    assert sabotaged.last_decision.outcome == versions.ARCHIVED
    assert sabotaged.last_decision.reason


def test_the_change_is_noticed_within_seven_days_by_the_error_and_by_drift(told: Story) -> None:
    noticed = [reason for number, reason in told.asked.items() if CHANGE <= number < CHANGE + 7]
    assert any("above that of its hold-out for two periods in a row" in reason for reason in noticed)
    drifted = "select min(as_of_date) as first from monitoring.drift where is_drifted and as_of_date >= ?"
    first = told.warehouse.query(drifted, [day(CHANGE)]).to_pylist()[0]["first"]
    assert first is not None
    assert first < day(CHANGE + 7)


def test_a_better_version_is_promoted_and_brings_the_error_back(told: Story) -> None:
    promoted = [version for decision, version in versions.promotions(told.versions()) if decision.as_of >= day(CHANGE)]
    assert promoted
    before, worst = told.error(31, CHANGE - 1), told.error(CHANGE, CHANGE + 6)
    assert worst > 1.5 * before
    assert told.error(DAYS - 5, DAYS, promoted[-1].fingerprint) <= 1.1 * before
    assert told.error(CHANGE + 30, DAYS) <= 1.1 * before


def test_dagster_runs_the_day_of_a_request_once_where_the_schedule_does_not(
    told: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CATALYST_HOME", str(told.home))
    told.registry.ask(NAME, "its error has risen", day(DAYS + 1), retraining.BY)
    with dg.DagsterInstance.ephemeral() as instance, dg.build_sensor_context(instance=instance) as context:
        [request] = retraining_asked.evaluate_tick(context).run_requests or []
    assert request.run_key == f"retraining/{day(DAYS + 1)}/{NAME}"
    assert request.run_config == {"resources": {"run": {"config": {"as_of": str(day(DAYS + 1))}}}}
    # The files of a day come in the night after it, and the schedule has two hours for it.
    due = datetime.combine(day(DAYS + 2), time(8), UTC)
    assert retraining.waiting(told.settings, due - timedelta(seconds=1)) == {}
    assert retraining.waiting(told.settings, due) == {day(DAYS + 1): [NAME]}


def test_whoever_watches_is_alerted(told: Story) -> None:
    alerts = [path.read_text() for path in sorted((told.home / "alerts").iterdir())]
    assert len(alerts) == len(told.asked)
    assert all(alert.startswith(f"# The model {NAME} is to be trained again") for alert in alerts)
