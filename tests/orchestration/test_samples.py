"""The first rows of a source of each kind are found, with the settings by which a contract says where it is."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.contracts import Kind
from orchestration.errors import CatalystError
from orchestration.samples import look
from orchestration.samples.sample import shown


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_columns_of_a_csv_are_named_as_they_land(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", 'Order No,customerId,"Notes, all"\n1,2,"a, b"\n')
    sample = look(str(path), "shop")
    assert sample.rows.to_pylist() == [{"order_no": "1", "customer_id": "2", "notes_all": "a, b"}]
    assert sample.spellings == {"order_no": "Order No", "customer_id": "customerId", "notes_all": "Notes, all"}
    assert sample.server == {"type": "local", "path": str(path), "format": "csv"}
    assert sample.custom == {}


def test_a_csv_with_another_delimiter_says_so(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", "id;price\n1;2,50\n2;3,00\n")
    sample = look(str(path), "shop")
    assert sample.custom == {"delimiter": ";"}
    assert sample.rows.to_pylist()[0] == {"id": "1", "price": "2,50"}


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_a_packed_csv_is_read_by_its_name(tmp_path: Path, packed: str) -> None:
    path = tmp_path / f"a.csv.{'gz' if packed == 'gzip' else 'zst'}"
    with pa.output_stream(str(path), compression=packed) as file:
        file.write(b"id\n1\n")
    sample = look(str(path), "shop")
    assert sample.rows.to_pylist() == [{"id": "1"}]
    assert sample.server["format"] == "csv"


@pytest.mark.parametrize(
    ("encoding", "custom"),
    [("utf-8-sig", {}), ("utf-16", {}), ("cp1252", {"encoding": "cp1252"})],
)
def test_a_csv_that_is_no_plain_utf_8_is_read_all_the_same(
    tmp_path: Path, encoding: str, custom: dict[str, str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("id,city\n1,Köln\n".encode(encoding))
    sample = look(str(path), "shop")
    assert sample.rows.to_pylist() == [{"id": "1", "city": "Köln"}]
    assert sample.custom == custom
    assert ("encoding cp1252" in " ".join(sample.notes)) is bool(custom)


def test_of_two_columns_that_land_under_one_name_the_one_spelled_so_is_described(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", "Price,price!,id,price\n1,2,3,4\n")
    sample = look(str(path), "shop")
    assert sample.spellings["price"] == "price"
    assert sample.rows.column("price").to_pylist() == ["4"]


def test_uploads_under_way_are_passed_over(tmp_path: Path) -> None:
    _write(tmp_path / "a.csv", "id\n1\n")
    _write(tmp_path / "_b.csv", "other\n1\n")
    assert look(str(tmp_path / "*.csv"), "shop").rows.column_names == ["id"]


def test_packed_json_lines_are_read_and_broken_lines_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    lines = ['{"orderId": 1, "tags": ["a"], "paid": true}', "{broken", '"text"', '{"orderId": 2.50, "note": "é"}']
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    sample = look(str(path), "shop")
    assert sample.server["format"] == "jsonl"
    assert sample.rows.to_pylist() == [
        {"order_id": "1", "tags": '["a"]', "paid": "true", "note": None},
        {"order_id": "2.5", "tags": None, "paid": None, "note": "é"},
    ]


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    rows = pa.table({"Id": [1], "price": [Decimal("1.50")], "day": [date(2026, 1, 1)]})
    pq.write_table(rows, tmp_path / "a.parquet")
    sample = look(str(tmp_path / "*.parquet"), "shop")
    assert [str(item.type) for item in sample.rows.schema] == ["int64", "decimal128(3, 2)", "date32[day]"]
    assert sample.rows.column_names == ["id", "price", "day"]


def test_a_column_that_only_some_files_have_is_found(tmp_path: Path) -> None:
    for number in range(20):
        _write(tmp_path / "in" / f"{number:02d}.csv", "id,device\n1,phone\n" if number == 19 else "id\n1\n")
    sample = look(str(tmp_path / "in" / "*.csv"), "shop")
    assert sample.rows.column_names == ["id", "device"]
    assert not sample.notes


def test_a_single_file_is_taken_for_itself_and_said_to_be(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.csv", "id\n1\n")
    [note] = look(str(path), "shop").notes
    assert "put a * into the contract's path" in note


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nothing.csv", None, "are not there"),
        ("empty.csv", b"", "are empty"),
        ("header.csv", b"id,price\n", "holds no row"),
        ("orders.xlsx", b"PK", "say --format"),
        ("orders.jsonl", b"<html>\n</html>\n", "is a JSON object"),
        ("orders.parquet", b"PAR1 but not really", "cannot be looked at"),
        ("orders.csv.gz", b"not packed at all", "cannot be looked at"),
        ("orders.jsonl.gz", gzip.compress(b'{"id": 1}\n' * 1000, mtime=0)[:30], "cannot be looked at"),
    ],
)
def test_a_file_that_is_not_what_it_seems_is_told(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CatalystError, match=said):
        look(str(tmp_path / name), "shop")


def test_a_database_says_its_types_and_its_key(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection, connection:
        connection.execute(
            "create table lines (orderId integer, line integer, price numeric(9, 2), placed_at datetime, note text,"
            " primary key (orderId, line))"
        )
        connection.execute("insert into lines values (1, 1, 2.5, '2026-01-02 03:04:05.000000', null)")
    sample = look(f"sqlite:///{tmp_path}/shop.db", "shop", table="lines")
    assert (sample.kind, sample.key) == (Kind.DATABASE, ("order_id", "line"))
    assert sample.custom == {"url": f"sqlite:///{tmp_path}/shop.db", "table": "lines"}
    assert [str(item.type) for item in sample.rows.schema] == ["int64", "int64", "double", "timestamp[us]", "string"]
    assert sample.rows.to_pylist()[0]["placed_at"] == datetime.fromisoformat("2026-01-02 03:04:05")


@pytest.mark.parametrize(
    ("url", "table", "said"),
    [
        ("sqlite:///{}/shop.db", None, "say which table with --table"),
        ("sqlite:///{}/shop.db", "nothing", "has no table 'nothing'"),
        ("nosuchdatabase://u:verysecret@host/db", "t", "cannot be read"),
        ("postgresql+psycopg://u:verysecret@127.0.0.1:1/db", "t", "cannot be read"),
        ("${CATALYST_TEST_UNSET}", "t", "CATALYST_TEST_UNSET is not set"),
    ],
)
def test_a_database_that_cannot_be_read_is_told_without_its_password(
    tmp_path: Path, url: str, table: str | None, said: str
) -> None:
    with pytest.raises(CatalystError, match=said) as problem:
        look(url.format(tmp_path) if "{}" in url else url, "shop", table=table)
    assert "verysecret" not in str(problem.value)


@contextmanager
def _api(answer: Callable[[BaseHTTPRequestHandler], tuple[int, dict[str, str], Any]]) -> Iterator[str]:
    """Serves whatever `answer` returns for a request: status, headers and a body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answer(self)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/orders"
        finally:
            server.shutdown()
            thread.join()


ROWS = [{"orderId": 1, "total": 2.5}, {"orderId": 2, "total": 3}]


@pytest.mark.parametrize(
    ("headers", "body", "settings"),
    [
        ({}, ROWS, {"paging": "none"}),
        ({"Link": '</orders?page=2>; rel="next"'}, ROWS, {"paging": "link"}),
        (
            {},
            {"data": ROWS, "next": "abc"},
            {"dataPath": "data", "paging": "cursor", "nextPath": "next", "cursorParam": "cursor"},
        ),
        (
            {},
            {"meta": {"next_page_token": None}, "result": {"items": ROWS}},
            {
                "dataPath": "result.items",
                "paging": "cursor",
                "nextPath": "meta.next_page_token",
                "cursorParam": "page_token",
            },
        ),
        (
            {},
            {"results": ROWS, "next": "https://example.org/orders?page=2"},
            {"dataPath": "results", "paging": "link", "nextPath": "next"},
        ),
        (
            {},
            {"rows": ROWS, "page": {"offset": 0, "limit": 2, "total": 9}},
            {"dataPath": "rows", "paging": "offset", "totalPath": "page.total"},
        ),
    ],
)
def test_an_api_is_read_for_its_rows_and_its_way_of_paging(
    headers: dict[str, str], body: Any, settings: dict[str, str]
) -> None:
    with _api(lambda _: (200, headers, body)) as url:
        sample = look(url, "shop")
    assert (sample.kind, sample.server) == (Kind.REST, {"type": "api", "location": url})
    assert sample.custom == settings
    assert sample.rows.to_pylist() == [{"order_id": "1", "total": "2.5"}, {"order_id": "2", "total": "3"}]


def test_a_key_in_an_address_becomes_a_placeholder() -> None:
    asked: list[str] = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], Any]:
        asked.append(request.path)
        return 200, {}, ROWS

    with _api(answer) as url:
        sample = look(f"{url}?shop=7&api_key=verysecret", "shop")
    assert asked == ["/orders?shop=7&api_key=verysecret"]
    assert sample.server["location"] == f"{url}?shop=7"
    assert sample.custom == {
        "auth": "api_key",
        "apiKeyName": "api_key",
        "apiKeyIn": "query",
        "apiKey": "${SHOP_API_KEY}",
        "paging": "none",
    }
    assert "SHOP_API_KEY" in sample.notes[0]
    assert "verysecret" not in " ".join(sample.notes)


def test_an_api_that_asks_for_a_token_gets_the_one_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], Any]:
        known = request.headers.get("Authorization") == "Bearer verysecret"
        return (200, {}, ROWS) if known else (401, {}, {})

    with _api(answer) as url:
        with pytest.raises(CatalystError, match=r"put its bearer token as SHOP_TOKEN=\.\.\. into secrets\.env"):
            look(url, "shop")
        monkeypatch.setenv("SHOP_TOKEN", "verysecret")
        sample = look(url, "shop")
    assert sample.custom == {"auth": "bearer", "token": "${SHOP_TOKEN}", "paging": "none"}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, {}, "answers with status 404"),
        (200, b"<html></html>", "does not answer with JSON"),
        (200, {"orders": 7}, "without a list of JSON objects"),
        (200, [], "without a list of JSON objects"),
    ],
)
def test_an_api_that_does_not_answer_with_rows_is_told(status: int, body: Any, said: str) -> None:
    with _api(lambda _: (status, {}, body)) as url, pytest.raises(CatalystError, match=said):
        look(url, "shop")


def test_an_api_that_is_down_is_told() -> None:
    with pytest.raises(CatalystError, match="does not answer"):
        look("http://127.0.0.1:1/orders", "shop")


@pytest.mark.parametrize("address", ["kafka://127.0.0.1:1", "kafka://127.0.0.1:1/"])
def test_a_stream_without_a_topic_is_told(address: str) -> None:
    with pytest.raises(CatalystError, match="write kafka://host:port/topic"):
        look(address, "shop")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://u:p@host/db", "postgresql://u:***@host/db"),
        ("postgresql://u:p@s/s:@host/db", "postgresql://u:***@host/db"),
        ("gs://bucket/a@b/*.csv", "gs://bucket/a@b/*.csv"),
        ("/in/*.csv", "/in/*.csv"),
    ],
)
def test_a_password_is_never_shown(address: str, told: str) -> None:
    assert shown(address) == told
