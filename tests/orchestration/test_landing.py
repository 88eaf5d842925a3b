"""Landing brings every row once, whatever the kind of source, and again nothing when run again."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column

COLUMNS = [column("id", required=True), column("price", "number")]


def _rows(warehouse: Warehouse, feed: Feed, columns: str = "id, price, _row") -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f"select {columns} from {feed.id} order by _dlt_load_id, _row").fetchall()


def _csv(make_feed: MakeFeed, tmp_path: Path) -> Feed:
    return make_feed("csv", {"type": "local", "path": f"{tmp_path}/in/*.csv", "format": "csv"}, COLUMNS)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_csv_lands_as_text_with_its_file_and_row_number(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    _write(tmp_path / "in/1.csv", 'id,price\na,1.50\n"b, c",n/a\n')
    feed = _csv(make_feed, tmp_path)
    warehouse.prepare([feed])
    assert land(feed, warehouse).rows == 2
    assert _rows(warehouse, feed, "id, price, _file, _row") == [("a", "1.50", "1.csv", 0), ("b, c", "n/a", "1.csv", 1)]


def test_landing_again_adds_nothing_and_a_new_file_adds_its_own_rows(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    _write(tmp_path / "in/1.csv", "id,price\na,1\n")
    feed = _csv(make_feed, tmp_path)
    warehouse.prepare([feed])
    land(feed, warehouse)
    again = land(feed, warehouse)
    assert (again.rows, again.load_id) == (0, None)
    _write(tmp_path / "in/2.csv", "id,price\nb,2\n")
    assert land(feed, warehouse).rows == 1
    assert _rows(warehouse, feed) == [("a", "1", 0), ("b", "2", 0)]


def test_a_file_touched_but_not_changed_is_not_landed_again(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "in/1.csv"
    _write(path, "id,price\na,1\n")
    feed = _csv(make_feed, tmp_path)
    warehouse.prepare([feed])
    land(feed, warehouse)
    _write(path, "id,price\na,1\n")
    assert land(feed, warehouse).rows == 0
    _write(path, "id,price\na,1\nb,2\n")
    assert land(feed, warehouse).rows == 2


def test_a_column_that_appears_later_lands_beside_the_old_rows(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    pq.write_table(pa.table({"id": ["a"], "price": [1.0]}), folder / "1.parquet")
    columns = [COLUMNS[0], column("price", "number", physicalType="double")]
    feed = make_feed("parquet", {"type": "local", "path": f"{folder}/*.parquet", "format": "parquet"}, columns)
    warehouse.prepare([feed])
    land(feed, warehouse)
    pq.write_table(pa.table({"id": ["b"], "price": [2.0], "device": ["phone"]}), folder / "2.parquet")
    land(feed, warehouse)
    assert _rows(warehouse, feed, "id, price, device") == [("a", 1.0, None), ("b", 2.0, "phone")]


def test_a_broken_json_line_becomes_a_row_that_keeps_its_text(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    _write(tmp_path / "in/1.jsonl", '{"id":"a","price":1.5}\n{"id":"b",\n\n[1]\n{"id":"c","price":"x","new":true}\n')
    feed = make_feed("jsonl", {"type": "local", "path": f"{tmp_path}/in/*.jsonl", "format": "jsonl"}, COLUMNS)
    warehouse.prepare([feed])
    assert land(feed, warehouse).rows == 4
    assert _rows(warehouse, feed, "id, price, new, _malformed") == [
        ("a", "1.5", None, None),
        (None, None, None, '{"id":"b",'),
        (None, None, None, "[1]"),
        ("c", "x", "true", None),
    ]


def test_a_path_without_files_says_so(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> None:
    feed = _csv(make_feed, tmp_path)
    warehouse.prepare([feed])
    with pytest.raises(CatalystError, match=r"raw_shop.csv has no file at .*\*\.csv"):
        land(feed, warehouse)


def _database(make_feed: MakeFeed, path: Path) -> Feed:
    server = {
        "type": "custom",
        "customProperties": [
            {"property": "url", "value": f"sqlite:///{path}"},
            {"property": "table", "value": "sales"},
        ],
    }
    columns = [
        column("entry_id", "integer", physicalType="bigint", unique=True),
        column("id", primaryKey=True),
        column("price", "number", physicalType="double"),
        column("sold_at", "timestamp", physicalType="timestamp"),
    ]
    return make_feed("sales", server, columns, cursor="entry_id")


def test_a_database_is_read_on_from_where_it_stopped(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "till.db"
    with sqlite3.connect(path) as database:
        database.execute("create table sales (entry_id integer primary key, id text, price real, sold_at datetime)")
        database.execute("insert into sales values (1, 'a', 1.5, '2026-01-01 10:00:00'), (2, 'b', null, null)")
    feed = _database(make_feed, path)
    warehouse.prepare([feed])
    assert land(feed, warehouse).rows == 2
    assert land(feed, warehouse).rows == 0
    with sqlite3.connect(path) as database:
        database.execute("insert into sales values (3, 'c', 2.5, '2026-01-02 10:00:00')")
    assert land(feed, warehouse).rows == 1
    found = _rows(warehouse, feed, "entry_id, price, cast(sold_at as varchar)")
    assert found == [(1, 1.5, "2026-01-01 10:00:00"), (2, None, None), (3, 2.5, "2026-01-02 10:00:00")]


def test_a_database_without_the_table_says_so(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "till.db").close()
    feed = _database(make_feed, tmp_path / "till.db")
    warehouse.prepare([feed])
    with pytest.raises(CatalystError, match=r"raw_shop\.sales.*Check|raw_shop\.sales.*check"):
        land(feed, warehouse)


class _Api(BaseHTTPRequestHandler):
    days = ["2026-01-01", "2026-01-02"]
    fails_once = False

    def do_GET(self) -> None:
        if type(self).fails_once:
            type(self).fails_once = False
            self.send_error(503)
            return
        query = {name: values[0] for name, values in parse_qs(urlparse(self.path).query).items()}
        rows = [{"day": day, "id": f"{day}/{n}"} for day in self.days for n in (1, 2) if day >= query.get("since", "")]
        at = int(query.get("cursor", "0"))
        after = str(at + 3) if at + 3 < len(rows) else None
        body = json.dumps({"data": rows[at : at + 3], "next": after}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Api)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/stock"
    server.shutdown()
    thread.join()
    server.server_close()


def _rest(make_feed: MakeFeed, url: str) -> Feed:
    server = {
        "type": "api",
        "location": url,
        "customProperties": [
            {"property": "since", "value": "since"},
            {"property": "dataPath", "value": "data"},
            {"property": "nextPath", "value": "next"},
        ],
    }
    return make_feed("stock", server, [column("day", "date"), column("id")], cursor="day")


def test_an_api_is_read_page_by_page_and_later_only_its_new_days(
    make_feed: MakeFeed, warehouse: Warehouse, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = _rest(make_feed, api)
    warehouse.prepare([feed])
    monkeypatch.setattr(_Api, "fails_once", True)
    assert land(feed, warehouse).rows == 4
    assert land(feed, warehouse).rows == 0
    monkeypatch.setattr(_Api, "days", ["2026-01-01", "2026-01-02", "2026-01-03"])
    assert land(feed, warehouse).rows == 2
    expected = [(f"2026-01-0{day}/{n}",) for day in (1, 2, 3) for n in (1, 2)]
    assert _rows(warehouse, feed, "id") == expected


def test_an_unfinished_load_is_removed_and_landed_again(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    """The state that a kill between writing rows and completing the load leaves behind."""
    _write(tmp_path / "in/1.csv", "id,price\na,1\n")
    feed = _csv(make_feed, tmp_path)
    warehouse.prepare([feed])
    first = land(feed, warehouse)
    with warehouse.connect() as connection:
        connection.execute("delete from raw_shop._dlt_loads where load_id = ?", [first.load_id])
    assert land(feed, warehouse).rows == 1
    assert _rows(warehouse, feed) == [("a", "1", 0)]
