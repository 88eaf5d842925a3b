"""Whatever ends a landing early, the next one gives what an undisturbed one would have given."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column
from tests.parts.postgres import Postgres

ROWS = 300_000
LAND = """
import resource, sys
from pathlib import Path
from orchestration.contracts import load_feeds
from orchestration.errors import CatalystError
from orchestration.landing import files, land
from orchestration.warehouse import Warehouse
feed, warehouse = load_feeds(Path(sys.argv[1]))[0], Warehouse(Path(sys.argv[2]))
if sys.argv[3] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
print("ready", flush=True)
try:
    print(land(feed, warehouse).rows)
except CatalystError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def feed(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> Feed:
    (tmp_path / "in").mkdir()
    rows = f"select 'x' || i * 7919 as id, hash(i) as price from range({ROWS}) as t (i)"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({rows}) to '{tmp_path}/in/1.csv'")
    server = {"type": "local", "path": f"{tmp_path}/in/*.csv", "format": "csv"}
    feed = make_feed("sales", server, [column("id", required=True), column("price")])
    warehouse.prepare([feed])
    return feed


def _start(feed: Feed, warehouse: Warehouse, largest_file: int = 0) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", LAND, str(feed.path.parent), str(warehouse.path), str(largest_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _check_whole(feed: Feed, warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        counts = connection.execute(
            f"select count(*), count(distinct id), count(distinct _row) from {feed.id}"
        ).fetchall()
        views = connection.execute(
            "select table_name from information_schema.views where table_schema = 'raw_shop'"
        ).fetchall()
    assert counts == [(ROWS, ROWS, ROWS)]
    assert views == []
    assert not any(warehouse.path.with_name("landing").iterdir())
    gate(feed, warehouse)
    check_balance(feed, warehouse)


@pytest.fixture
def table_feed(make_feed: MakeFeed, warehouse: Warehouse, postgres: Postgres) -> Feed:
    postgres.execute(
        "create table sales (number bigint primary key, id text, price text)",
        f"insert into sales select i, 'x' || i, md5(i::text) from generate_series(0, {ROWS - 1}) as t (i)",
    )
    server = {
        "type": "custom",
        "customProperties": [
            {"property": "url", "value": postgres.url},
            {"property": "table", "value": "sales"},
        ],
    }
    columns = [column("number", required=True), column("id", required=True), column("price")]
    feed = make_feed("sales", server, columns, cursor="number")
    warehouse.prepare([feed])
    return feed


@pytest.mark.parametrize("source", ["feed", "table_feed"])
def test_a_landing_killed_at_any_moment_is_done_again_as_if_nothing_had_happened(
    source: str, request: pytest.FixtureRequest, warehouse: Warehouse
) -> None:
    feed: Feed = request.getfixturevalue(source)
    seconds, ended = 0.1, False
    while not ended:
        with _start(feed, warehouse) as process:
            try:
                ended = process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        seconds *= 2
    assert land(feed, warehouse).rows == 0
    _check_whole(feed, warehouse)


@pytest.mark.parametrize("largest_file", [1_000_000, 4_000_000])
def test_a_full_disk_is_told_and_room_mends_it(largest_file: int, feed: Feed, warehouse: Warehouse) -> None:
    with _start(feed, warehouse, largest_file) as process:
        _, error = process.communicate()
    assert process.returncode == 1
    assert "Feed raw_shop.sales could not be landed" in error
    assert "no room left on the disk" in error
    assert "Traceback" not in error
    assert land(feed, warehouse).rows == ROWS
    _check_whole(feed, warehouse)


def test_an_unfinished_load_is_removed_and_landed_again(feed: Feed, warehouse: Warehouse) -> None:
    """The state that a kill between writing rows and completing the load leaves behind."""
    first = land(feed, warehouse)
    with warehouse.connect() as connection:
        connection.execute("delete from raw_shop._dlt_loads where load_id = ?", [first.load_id])
        connection.execute("create view raw_shop._incoming_sales as select 1 as id")
    assert land(feed, warehouse).rows == ROWS
    _check_whole(feed, warehouse)


def test_a_source_that_is_gone_leaves_what_has_landed(feed: Feed, warehouse: Warehouse, tmp_path: Path) -> None:
    land(feed, warehouse)
    (tmp_path / "in/1.csv").unlink()
    with pytest.raises(CatalystError, match="has no file"):
        land(feed, warehouse)
    _check_whole(feed, warehouse)
