"""What lands in BigQuery, by way of a bucket, is what lands in DuckDB, whatever the feed and whatever befell it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import gcsfs  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.bigquery import BigQuery
from orchestration.connections import Store
from orchestration.contracts import Feed, Kind, load_feeds
from orchestration.demo import api
from orchestration.demo.systems import advance
from orchestration.errors import CatalystError
from orchestration.landing import Landing, land
from orchestration.landing.drift import SchemaDrift
from orchestration.settings import REPOSITORY
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column
from tests.parts.kafka import Broker
from tests.parts.postgres import Postgres

COLUMNS = [column("id", required=True), column("price")]


@pytest.fixture(scope="module")
def cloud(_bigquery_server: str, _gcs_server: str, tmp_path_factory: pytest.TempPathFactory) -> BigQuery:
    """One for all tests of the module, each with a table of its own, as to make it whole takes a while."""
    filesystem = gcsfs.GCSFileSystem(endpoint_url=_gcs_server, token="anon", skip_instance_cache=True)
    filesystem.mkdir("landing")
    return BigQuery("landing", landing_bucket="landing", home=tmp_path_factory.mktemp("home"))


def _rows(feed: Feed, store: Store) -> list[dict[str, Any]]:
    """All rows in the order in which they landed, with the number of their load in place of its id."""
    rows = store.query(f"select * from {feed.id} order by _dlt_load_id, _row").to_pylist()
    loads = sorted({row["_dlt_load_id"] for row in rows})
    return [row | {"_dlt_load_id": loads.index(row["_dlt_load_id"])} for row in rows]


@dataclass
class Twins:
    """The same feed landed in a DuckDB file and in BigQuery."""

    duck: Warehouse
    cloud: BigQuery

    def land(self, feed: Feed) -> Landing:
        """Lands in both, and holds what came of it against each other."""
        ours, theirs = land(feed, self.duck), land(feed, self.cloud)
        assert replace(theirs, load_id=None) == replace(ours, load_id=None)
        assert (theirs.load_id is None) == (ours.load_id is None)
        assert _rows(feed, self.cloud) == _rows(feed, self.duck)
        return theirs

    def prepare(self, feed: Feed) -> Feed:
        self.duck.prepare([feed])
        self.cloud.prepare([feed])
        return feed


@pytest.fixture
def twins(warehouse: Warehouse, cloud: BigQuery) -> Twins:
    return Twins(warehouse, cloud)


def _files_of(make_feed: MakeFeed, table: str, folder: Path, form: str = "csv", **more: Any) -> Feed:
    folder.mkdir(exist_ok=True)
    return make_feed(table, {"type": "local", "path": f"{folder}/*", "format": form}, more.get("columns", COLUMNS))


def test_what_an_api_sends_lands_as_the_same_rows_and_leaves_nothing_in_the_bucket(
    twins: Twins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # All feeds of the company are in tests/e2e/on_bigquery.py.
    monkeypatch.setenv("CATALYST_HOME", str(tmp_path))
    feeds = [feed for feed in load_feeds(REPOSITORY / "orchestration" / "feeds") if feed.kind is Kind.REST]
    assert feeds
    advance(tmp_path, date(2026, 6, 30), 0.05, opened=date(2026, 6, 20))
    twins.duck.prepare(feeds)
    twins.cloud.prepare(feeds)
    with api.serve(tmp_path) as url:
        monkeypatch.setenv("CATALYST_DEMO_API", url)
        for feed in feeds:
            assert twins.land(feed).rows > 0
        assert [feed.id for feed in feeds if land(feed, twins.cloud).load_id] == []
    # What was staged has gone, but for the mark by which dlt knows a folder of its own.
    staged = gcsfs.GCSFileSystem(token="anon", skip_instance_cache=True).find(twins.cloud.landing_bucket)
    assert {path.rpartition("/")[2] for path in staged} == {"init"}


def test_files_that_change_grow_columns_or_repeat_each_other_land_as_in_duckdb(
    twins: Twins, make_feed: MakeFeed, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    feed = twins.prepare(_files_of(make_feed, "changing", folder))
    (folder / "1.csv").write_text("id,price\na,1.50\nb\n")
    (folder / "2.csv").write_text("id,price\nc,3\n")
    assert twins.land(feed).rows == 3
    # A copy is noted and does not land; what changed lands as a whole; a column more is told.
    (folder / "3.csv").write_text("id,price\nc,3\n")
    (copied,) = twins.land(feed).notes
    assert "has the same content as 2.csv" in copied
    (folder / "2.csv").write_text("id,price,Shelf\nc,4,x\n")
    changed = twins.land(feed)
    # The third holds now what the second no longer does.
    assert (changed.rows, changed.new_columns) == (2, ("shelf",))
    assert twins.land(feed) == Landing(feed.id, None, 0)
    (folder / "4.csv").write_text("name,price\nd,4\n")
    for store in (twins.duck, twins.cloud):
        with pytest.raises(SchemaDrift, match="id"):
            land(feed, store)
    assert _rows(feed, twins.cloud) == _rows(feed, twins.duck)


TYPED = [
    column("id", "integer", physicalType="integer"),
    column("at", "timestamp", physicalType="timestamp"),
    column("day", "date", physicalType="date"),
    column("price", "number", physicalType="decimal(18,3)"),
    column("weight", "number", physicalType="double"),
    column("is_new", "boolean", physicalType="boolean"),
    column("name"),
]


def test_typed_parquet_lands_with_its_types_and_a_broken_file_is_left_out(
    twins: Twins, make_feed: MakeFeed, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    feed = twins.prepare(_files_of(make_feed, "typed", folder, "parquet", columns=TYPED))
    rows = pa.table(
        {
            "id": pa.array([1, 2], pa.int32()),
            "at": pa.array([1_700_000_000_000_001, None], pa.timestamp("us", "Europe/Berlin")),
            "day": pa.array([date(2026, 2, 28), date(9999, 12, 31)]),
            "price": pa.array(["1.125", "-0.500"]).cast(pa.decimal128(18, 3)),
            "weight": [0.1, 1e300],
            "is_new": [True, None],
            "name": ["é", ""],
            "Seen At": pa.array([0, 1], pa.timestamp("ms")),
        }
    )
    pq.write_table(rows, folder / "1.parquet")
    whole = (folder / "1.parquet").read_bytes()
    middle = len(whole) // 4
    (folder / "2.parquet").write_bytes(whole[:8] + bytes(middle) + whole[8 + middle :])
    landing = twins.land(feed)
    assert (landing.rows, landing.new_columns) == (2, ("seen_at",))
    assert [problem.file for problem in landing.problems] == ["2.parquet"]


@pytest.fixture
def table(make_feed: MakeFeed, postgres: Postgres) -> Feed:
    postgres.execute(
        "create table sales (number bigint primary key, price numeric(12, 2), at timestamptz, day date)",
        "insert into sales select i, i / 8.0, '2026-06-01 12:00+02'::timestamptz + i * interval '1 minute', "
        "date '2026-01-01' + i::int from generate_series(1, 300) as t (i)",
        "insert into sales values (301, null, 'infinity', '-infinity')",
    )
    properties = [{"property": "url", "value": postgres.url}, {"property": "table", "value": "sales"}]
    columns = [
        column("number", "integer", physicalType="bigint"),
        column("price", "number"),
        column("at", "timestamp"),
        column("day", "date"),
    ]
    return make_feed("sales", {"type": "custom", "customProperties": properties}, columns, cursor="number", late="10")


def test_a_table_read_again_behind_its_cursor_lands_each_row_once(
    twins: Twins, table: Feed, postgres: Postgres
) -> None:
    twins.prepare(table)
    assert twins.land(table).rows == 301
    assert twins.land(table).rows == 0
    # Within the stretch that is read again: one changed, one came late.
    postgres.execute("update sales set price = 7 where number = 300", "insert into sales values (302, 1, null, null)")
    assert twins.land(table).rows == 2


def test_days_that_bigquery_has_not_land_as_text_for_the_gate(
    cloud: BigQuery, make_feed: MakeFeed, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    feed = _files_of(
        make_feed, "days", folder, "parquet", columns=[column("id"), column("day", "date", physicalType="date")]
    )
    cloud.prepare([feed])
    far = pa.array([0, 4_000_000], pa.int32()).cast(pa.date32())
    pq.write_table(pa.table({"id": ["a", "b"], "day": far}), folder / "1.parquet")
    assert land(feed, cloud).rows == 2
    assert [(row["day"], row["_malformed"]) for row in _rows(feed, cloud)] == [
        (date(1970, 1, 1), None),
        (None, '{"id":"b","day":"12921-08-18"}'),
    ]


def test_messages_land_with_their_place_in_the_topic(twins: Twins, make_feed: MakeFeed, broker: Broker) -> None:
    topic = broker.topic(partitions=1)
    properties = {"topic": topic, "idleSeconds": "5"}
    server = {
        "type": "kafka",
        "host": broker.host,
        "format": "json",
        "customProperties": [{"property": name, "value": value} for name, value in properties.items()],
    }
    feed = twins.prepare(make_feed("clicks", server, [column("id", required=True), column("page")]))
    broker.produce(topic, *({"id": str(n), "page": None, "_partitiontime": n} for n in range(40)))
    landing = twins.land(feed)
    assert landing.rows == 40
    assert "source_partitiontime" in _rows(feed, twins.cloud)[0]
    broker.produce(topic, {"id": "40"})
    assert twins.land(feed).rows == 1


LANDING = """
import os, signal, sys
from pathlib import Path
from dlt.load.load import Load
from orchestration.bigquery import BigQuery
from orchestration.contracts import load_feeds
from orchestration.landing import land

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

project, bucket, home, feeds, moment = sys.argv[1:]
setattr(Load, moment, die)
land(load_feeds(Path(feeds))[0], BigQuery(project, landing_bucket=bucket, home=Path(home)))
"""


@pytest.mark.parametrize(
    # With files in the bucket and none loaded; with all rows loaded and the load not complete.
    "moment",
    ["create_followup_jobs", "complete_package"],
)
def test_a_landing_that_is_killed_is_simply_done_again(
    moment: str, cloud: BigQuery, make_feed: MakeFeed, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    feed = _files_of(make_feed, moment, folder)
    cloud.prepare([feed])
    (folder / "1.csv").write_text("id,price\na,1\nb,2\n")
    assert land(feed, cloud).rows == 2
    (folder / "2.csv").write_text("id,price\nc,3\n")
    child = subprocess.run(
        [sys.executable, "-c", LANDING, cloud.project, cloud.landing_bucket, cloud.home, feed.path.parent, moment],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    left = {"create_followup_jobs": 2, "complete_package": 3}[moment]
    assert len(_rows(feed, cloud)) == left
    assert land(feed, cloud).rows == 1
    assert [row["id"] for row in _rows(feed, cloud)] == ["a", "b", "c"]
    assert land(feed, cloud) == Landing(feed.id, None, 0)


def test_a_bucket_that_is_not_there_is_a_sentence_and_mends(
    cloud: BigQuery, make_feed: MakeFeed, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    feed = _files_of(make_feed, "bucketless", folder)
    cloud.prepare([feed])
    (folder / "1.csv").write_text("id,price\na,1\n")
    with pytest.raises(CatalystError) as told:
        land(feed, replace(cloud, landing_bucket="nowhere"))
    assert "by way of gs://nowhere" in str(told.value)
    assert "set CATALYST_LANDING_BUCKET" in str(told.value)
    assert land(feed, cloud).rows == 1
    assert [row["id"] for row in _rows(feed, cloud)] == ["a"]
