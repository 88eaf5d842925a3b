"""The warehouse on BigQuery: how its tables are stored, how partitions are replaced, and what readers find there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from orchestration import publish, runs
from orchestration.bigquery import BigQuery
from orchestration.bigquery.session import SCRATCH
from orchestration.errors import CatalystError
from orchestration.feed_status import statuses
from orchestration.summary import details
from tests.orchestration.conftest import MakeFeed, column
from tests.orchestration.test_report import filled
from tests.parts.bigquery import Project, _bigquery_server

__all__ = ["_bigquery_server", "filled"]

DAY, NEXT = date(2026, 6, 30), date(2026, 7, 1)
TAG = "projects/shop/locations/us/taxonomies/1/policyTags/2"
FORECAST = "predictions.demand_forecast"


@pytest.fixture(scope="module")
def project(_bigquery_server: str) -> Project:
    return Project("warehouse", _bigquery_server)


@pytest.fixture(scope="module")
def cloud(project: Project) -> BigQuery:
    """One for all tests, as making its tables takes seconds; each test uses others of them."""
    made = BigQuery(project.id, pii_policy_tag=TAG)
    made.prepare([])
    return made


def _forecast(as_of: date, *units: float) -> pa.Table:
    rows = len(units)
    texts = {name: ["x"] * rows for name in ("store_id", "product_id", "model_name", "model_version", "run_id")}
    dates = {name: pa.array([as_of] * rows, pa.date32()) for name in ("as_of_date", "target_date")}
    numbers = {
        name: pa.array(units, pa.float64())
        for name in ("mean_units", "p10", "p50", "p90", "interval_low", "interval_high")
    }
    moments = pa.array([datetime(2026, 7, 1, 5, 0, 0, 1)] * rows, pa.timestamp("us"))  # noqa: DTZ001
    return pa.table(texts | dates | numbers | {"horizon": pa.array([1] * rows, pa.int64()), "predicted_at": moments})


def test_tables_are_stored_by_what_they_are_asked_for_and_an_older_one_gains_columns(
    cloud: BigQuery, project: Project, make_feed: MakeFeed
) -> None:
    server = {"type": "local", "path": "/nowhere/*.csv", "format": "csv"}
    cloud.prepare([make_feed("files", server, [column("id"), column("email", classification="pii")])])
    feed = make_feed("files", server, [column("id"), column("email", classification="pii"), column("day", "date")])
    cloud.prepare([feed])
    with project.client() as client:
        raw, forecast = client.get_table(feed.id), client.get_table(FORECAST)
    assert (raw.time_partitioning.field, raw.time_partitioning.expiration_ms) == (None, 90 * 24 * 60 * 60 * 1000)
    tagged = {item.name: item.policy_tags.names for item in raw.schema if item.policy_tags}
    assert tagged == {"email": (TAG,)}
    assert "day" in {item.name for item in raw.schema}
    assert (forecast.time_partitioning.field, forecast.time_partitioning.expiration_ms) == ("as_of_date", None)
    assert next(item for item in forecast.schema if item.name == "mean_units").mode == "REQUIRED"


def test_writing_a_partition_again_replaces_it_and_leaves_the_others(cloud: BigQuery) -> None:
    cloud.replace_partition(FORECAST, DAY, _forecast(DAY, 1.0, 2.0))
    cloud.replace_partition(FORECAST, NEXT, _forecast(NEXT, 3.0))
    assert cloud.replace_partition(FORECAST, DAY, _forecast(DAY, 4.0)) == 1
    found = cloud.query(f"select as_of_date, mean_units, predicted_at from {FORECAST} order by as_of_date").to_pylist()
    moment = datetime(2026, 7, 1, 5, 0, 0, 1)  # noqa: DTZ001
    assert [tuple(row.values()) for row in found] == [(DAY, 4.0, moment), (NEXT, 3.0, moment)]
    with pytest.raises(CatalystError, match="No row came"):
        cloud.replace_partition(FORECAST, DAY, _forecast(DAY))


def test_registered_rows_are_there_for_a_transaction_and_gone_after_it(cloud: BigQuery, project: Project) -> None:
    now = datetime(2026, 7, 1, 5)  # noqa: DTZ001

    def write(names: list[str], and_then: str) -> None:
        with cloud.transaction() as connection:
            connection.register("incoming", pa.table({"run_id": names}))
            connection.execute("insert into quality.runs select run_id, ?, ?, null, '' from incoming", [DAY, now])
            connection.execute(and_then)

    write(["a", "b"], "select 1")
    with pytest.raises(CatalystError, match="no_such_table"):
        write(["c"], "select * from quality.no_such_table")
    assert cloud.query("select run_id, started_at from quality.runs order by run_id").to_pylist() == [
        {"run_id": "a", "started_at": now},
        {"run_id": "b", "started_at": now},
    ]
    with project.client() as client:
        assert list(client.list_tables(SCRATCH)) == []


def test_a_run_that_a_later_one_has_overtaken_ends_and_one_that_was_killed_can_start_again_at_once(
    cloud: BigQuery,
) -> None:
    assert runs.begin(cloud, "first", DAY) == []
    runs.require_current(cloud, "first")
    assert runs.begin(cloud, "second", DAY) == ["first"]
    runs.require_current(cloud, "second")
    with pytest.raises(CatalystError, match="Run first ends here, as a later run has begun"):
        runs.require_current(cloud, "first")


def test_without_rows_in_the_tables_that_need_some_nothing_counts_as_published(cloud: BigQuery) -> None:
    with pytest.raises(CatalystError, match="core_analytics.products.* has no row"):
        publish.check(cloud)


def test_the_report_and_the_commands_read_the_same_as_from_duckdb(
    cloud: BigQuery, project: Project, filled: Path, make_feed: MakeFeed
) -> None:
    with duckdb.connect(str(filled), read_only=True) as connection:
        names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        project.load_all({name: connection.execute(f"select * from {name}").to_arrow_table() for (name,) in names})
    assert details(cloud) == details(filled)
    feed = make_feed("files", {"type": "local", "path": "/nowhere/*.csv", "format": "csv"}, [column("id")])
    with cloud.connect() as theirs, duckdb.connect(str(filled), read_only=True) as ours:
        now = datetime(2026, 7, 1, tzinfo=UTC)
        assert statuses([feed], theirs, now) == statuses([feed], ours, now)
