"""Marked rows are grouped by rule, shown one by one, and exported whole."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.errors import CatalystError
from orchestration.quarantine import Marks
from orchestration.warehouse import Warehouse

# Feed, load, row, rules, reasons, payload.
MARKS = [
    ("raw_shop.orders", "1.5", 0, "id:required,price:range", "id is missing. price is 0, but must be above 0.", "{}"),
    ("raw_shop.orders", "1.5", 7, "price:range", "price is -1, but must be above 0.", '{"id":"a","price":-1}'),
    ("raw_shop.orders", "2.5", 3, "price:range", "price is -2, but must be above 0.", '{"note":"é, \\"quoted\\""}'),
    ("raw_web.clicks", "3.5", 1, "_malformed:syntax", "The line is not a JSON object: <html>.", "no JSON at all"),
]
LOADS = [
    ("raw_shop.orders", "1.5", "2026-06-01 08:00:00", 30, 28, 2),
    ("raw_shop.orders", "2.5", "2026-06-02 08:00:00", 10, 9, 1),
    ("raw_web.clicks", "3.5", "2026-06-03 08:00:00", 4, 3, 1),
]


@pytest.fixture
def connection(warehouse: Warehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with the marks above."""
    warehouse.prepare([])
    with warehouse.connect() as connection:
        for mark in MARKS:
            connection.execute(
                "insert into quality.quarantine (feed, load_id, row_number, rules, reasons, payload, quarantined_at) "
                "values (?, ?, ?, ?, ?, ?, timestamp '2026-06-30 00:00:00')",
                mark,
            )
        for load in LOADS:
            connection.execute(
                "insert into quality.loads (feed, load_id, landed_at, rows_landed, rows_accepted, rows_quarantined, "
                "gated_at, status) values (?, ?, ?, ?, ?, ?, timestamp '2026-06-30 00:00:00', 'passed')",
                load,
            )
        yield connection


def test_a_row_counts_for_each_rule_that_it_breaks(connection: duckdb.DuckDBPyConnection) -> None:
    groups = Marks(connection).by_rule()
    assert [(group["feed"], group["rule"], group["rows"], group["share"]) for group in groups] == [
        ("raw_shop.orders", "price:range", 3, 0.075),
        ("raw_shop.orders", "id:required", 1, 0.025),
        ("raw_web.clicks", "_malformed:syntax", 1, 0.25),
    ]
    assert Marks(connection).count() == 4


def test_the_example_of_a_rule_breaks_no_other_where_there_is_one(connection: duckdb.DuckDBPyConnection) -> None:
    examples = {group["rule"]: group["example"] for group in Marks(connection, "raw_shop.orders").by_rule()}
    assert examples == {
        "price:range": "price is -1, but must be above 0.",
        "id:required": "id is missing. price is 0, but must be above 0.",
    }


def test_a_rule_is_told_with_its_first_and_last_load(connection: duckdb.DuckDBPyConnection) -> None:
    [group] = Marks(connection, rule="price:range").by_rule()
    assert (group["first_load_at"], group["last_load_at"]) == ("2026-06-01T08:00:00Z", "2026-06-02T08:00:00Z")


@pytest.mark.parametrize(
    ("feed", "rule", "rows"),
    [
        ("raw_shop.orders", None, [0, 7, 3]),
        ("raw_shop.orders", "price:range", [0, 7, 3]),
        ("raw_shop.orders", "id:required", [0]),
        # Part of the name of a rule is not the rule.
        ("raw_shop.orders", "price", []),
        (None, "_malformed:syntax", [1]),
        ("raw_shop.orders' or true --", None, []),
    ],
)
def test_marks_are_chosen_by_feed_and_by_the_whole_name_of_a_rule(
    connection: duckdb.DuckDBPyConnection, feed: str | None, rule: str | None, rows: list[int]
) -> None:
    marks = Marks(connection, feed, rule)
    assert [row["row_number"] for row in marks.rows(10)] == rows
    assert marks.count() == len(rows)


def test_no_more_rows_are_shown_than_asked_for(connection: duckdb.DuckDBPyConnection) -> None:
    assert [row["row_number"] for row in Marks(connection).rows(2)] == [0, 7]


def test_the_rows_that_stopped_a_load_come_before_those_that_it_took_along(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    connection.execute(
        "insert into quality.quarantine (feed, load_id, row_number, rules, reasons, payload, quarantined_at) "
        "values ('raw_shop.orders', '0.5', 0, '_load:stopped', 'The load was stopped.', '{}', timestamp '2026-06-30')"
    )
    assert [row["load_id"] for row in Marks(connection, "raw_shop.orders").rows(10)] == ["1.5", "1.5", "2.5", "0.5"]


def test_an_export_to_csv_holds_the_payload_as_it_is(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "marks.csv"
    assert Marks(connection, "raw_shop.orders").export(path) == 3
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["payload"] for row in rows] == [mark[5] for mark in MARKS[:3]]
    assert rows[1] | {"quarantined_at": ""} == {
        "feed": "raw_shop.orders",
        "load_id": "1.5",
        "row_number": "7",
        "rules": "price:range",
        "reasons": "price is -1, but must be above 0.",
        "quarantined_at": "",
        "payload": '{"id":"a","price":-1}',
    }


def test_an_export_to_parquet_holds_every_mark(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert Marks(connection).export(tmp_path / "marks.parquet") == 4
    table = pq.read_table(tmp_path / "marks.parquet")
    assert table.column("payload").to_pylist() == [mark[5] for mark in MARKS]


def test_an_export_to_json_lines_nests_the_row_and_keeps_what_is_no_json_as_text(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    Marks(connection).export(tmp_path / "marks.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "marks.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["payload"] for line in lines] == [
        {},
        {"id": "a", "price": -1},
        {"note": 'é, "quoted"'},
        "no JSON at all",
    ]


def test_an_export_replaces_the_one_before_and_leaves_nothing_else(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    folder = tmp_path / "it's here"
    folder.mkdir()
    for rule in ("price:range", "id:required"):
        Marks(connection, rule=rule).export(folder / "marks.csv")
    assert len((folder / "marks.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert [path.name for path in folder.iterdir()] == ["marks.csv"]


@pytest.mark.parametrize(("name", "said"), [("marks.xlsx", "ends in .csv, .parquet, .jsonl"), ("no/a.csv", "another")])
def test_a_file_that_cannot_be_written_is_told(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, said: str
) -> None:
    with pytest.raises(CatalystError, match=said):
        Marks(connection).export(tmp_path / name)
    assert list(tmp_path.glob("**/*.part")) == []
