"""Databases are read on from where they were left, every row once, whatever its values."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing import database, land
from orchestration.landing.drift import SchemaDrift
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column
from tests.parts.postgres import Postgres

COLUMNS = [
    column("entry_id", "integer", physicalType="bigint", unique=True),
    column("id", primaryKey=True),
    column("price", "number", physicalType="double"),
    column("sold_at", "timestamp", physicalType="timestamp"),
]


def _rows(warehouse: Warehouse, feed: Feed, columns: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f"select {columns} from {feed.id} order by _dlt_load_id, _row").fetchall()


def _feed(
    make_feed: MakeFeed,
    warehouse: Warehouse,
    url: str,
    columns: list[dict[str, Any]] = COLUMNS,
    table: str = "sales",
    **custom: str,
) -> Feed:
    server = {
        "type": "custom",
        "customProperties": [{"property": "url", "value": url}, {"property": "table", "value": table}],
    }
    feed = make_feed("sales", server, columns, **({"cursor": "entry_id"} | custom))
    warehouse.prepare([feed])
    return feed


class _Till:
    """A till's database of SQLite."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.execute("create table sales (entry_id integer primary key, id text, price real, sold_at datetime)")

    def execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def till(tmp_path: Path) -> _Till:
    return _Till(tmp_path / "till.db")


def test_a_database_is_read_on_from_where_it_stopped(make_feed: MakeFeed, warehouse: Warehouse, till: _Till) -> None:
    till.execute("insert into sales values (1, 'a', 1.5, '2026-01-01 10:00:00'), (2, 'b', null, null)")
    feed = _feed(make_feed, warehouse, till.url)
    assert land(feed, warehouse).rows == 2
    again = land(feed, warehouse)
    assert (again.rows, again.load_id) == (0, None)
    till.execute("insert into sales values (3, 'c', 2.5, '2026-01-02 10:00:00')")
    assert land(feed, warehouse).rows == 1
    found = _rows(warehouse, feed, "entry_id, price, cast(sold_at as varchar)")
    assert found == [(1, 1.5, "2026-01-01 10:00:00"), (2, None, None), (3, 2.5, "2026-01-02 10:00:00")]
    with warehouse.connect() as connection:
        assert connection.execute("select count(*) from raw_shop._dlt_loads").fetchall() == [(2,)]


def test_a_table_of_many_pages_lands_whole_and_in_order(
    make_feed: MakeFeed, warehouse: Warehouse, till: _Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PAGE_ROWS", 3)
    monkeypatch.setattr(database, "LOAD_ROWS", 7)
    till.execute(
        "create table ticks (entry_id integer, id text, price real, sold_at datetime)",
        # 1, 1, 1, 1, 1, 2, 2, 3, 4, ... 20: more of the same than a page holds, and ends of pages within the same.
        *(
            f"insert into ticks values ({n}, 'x{i}', {i}, null)"
            for i, n in enumerate([1] * 5 + [2] * 2 + [*range(3, 21)])
        ),
    )
    feed = _feed(make_feed, warehouse, till.url, table="ticks")
    assert land(feed, warehouse).rows == 25
    assert _rows(warehouse, feed, "id") == [(f"x{i}",) for i in range(25)]
    with warehouse.connect() as connection:
        loads = connection.execute(f"select count(*) from {feed.id} group by _dlt_load_id").fetchall()
    # No more in a load than a page above the bound.
    assert len(loads) > 1
    assert max(rows for (rows,) in loads) <= 10


def test_rows_that_appear_behind_the_cursor_land_once_each(
    make_feed: MakeFeed, warehouse: Warehouse, till: _Till
) -> None:
    columns = [*COLUMNS[:3], column("sold_at", "timestamp", physicalType="timestamp")]
    feed = _feed(make_feed, warehouse, till.url, columns, cursor="sold_at", late="2 days")
    till.execute(
        "insert into sales values (1, 'a', 1, '2026-01-01 10:00:00'), (2, 'b', 2, '2026-01-05 10:00:00'),"
        "(3, 'c', null, '2026-01-05 10:00:00')"
    )
    assert land(feed, warehouse).rows == 3
    till.execute(
        # Too late, late, at the newest value, and one that says something else now.
        "insert into sales values (4, 'd', 4, '2026-01-02 10:00:00'), (5, 'e', 5, '2026-01-04 10:00:00'),"
        "(6, 'f', 6, '2026-01-05 10:00:00')",
        "update sales set price = 20 where id = 'b'",
    )
    assert land(feed, warehouse).rows == 3
    assert sorted(_rows(warehouse, feed, "id, price"), key=str) == [
        ("a", 1.0),
        ("b", 2.0),
        ("b", 20.0),
        ("c", None),
        ("e", 5.0),
        ("f", 6.0),
    ]
    assert land(feed, warehouse).rows == 0


def test_a_late_window_of_numbers_counts_back_from_the_last(
    make_feed: MakeFeed, warehouse: Warehouse, till: _Till
) -> None:
    till.execute("insert into sales values (100, 'a', 1, null)")
    feed = _feed(make_feed, warehouse, till.url, late="50")
    land(feed, warehouse)
    till.execute("insert into sales values (49, 'x', 1, null), (50, 'b', 1, null), (99, 'c', 1, null)")
    assert land(feed, warehouse).rows == 2


def test_a_window_that_does_not_fit_the_cursor_is_told(make_feed: MakeFeed, warehouse: Warehouse, till: _Till) -> None:
    till.execute("insert into sales values (100, 'a', 1, null)")
    feed = _feed(make_feed, warehouse, till.url, late="2 days")
    land(feed, warehouse)
    with pytest.raises(CatalystError, match=r"late: '2 days' for a cursor such as 100: write a number"):
        land(feed, warehouse)


def test_values_that_do_not_fit_their_column_keep_their_text(
    make_feed: MakeFeed, warehouse: Warehouse, till: _Till
) -> None:
    till.execute(
        "insert into sales values (1, 'a', 1.5, '2026-01-01'), (2, 'b', 'n/a', '2026-01-01'), (3, 'c', 2, 'soon'),"
        "(4, cast(x'ff61' as text), 3, null), (5, x'00', 4, null), (6, 'f', 5, '2026-01-01 10:00:00+02:00')"
    )
    feed = _feed(make_feed, warehouse, till.url)
    assert land(feed, warehouse).rows == 6
    assert _rows(warehouse, feed, "entry_id, id, price, cast(sold_at as varchar), _malformed") == [
        (1, "a", 1.5, "2026-01-01 00:00:00", None),
        (2, "b", None, "2026-01-01 00:00:00", '{"entry_id":"2","id":"b","price":"n/a","sold_at":"2026-01-01"}'),
        (3, "c", 2.0, None, '{"entry_id":"3","id":"c","price":"2.0","sold_at":"soon"}'),
        (4, "\\xffa", 3.0, None, None),
        (5, "\x00", 4.0, None, None),
        (6, "f", 5.0, "2026-01-01 08:00:00", None),
    ]


def test_rows_without_a_cursor_land_once_and_are_noted(make_feed: MakeFeed, warehouse: Warehouse, till: _Till) -> None:
    till.execute("insert into sales values (1, 'a', 1, null), (2, 'b', 2, '2026-01-01')")
    feed = _feed(make_feed, warehouse, till.url, cursor="sold_at")
    landing = land(feed, warehouse)
    assert landing.rows == 2
    assert landing.notes[0].startswith("1 rows of raw_shop.sales have no usable value in sold_at")
    assert land(feed, warehouse).rows == 0


def test_a_new_column_lands_and_a_lost_or_retyped_one_stops_the_feed(
    make_feed: MakeFeed, warehouse: Warehouse, till: _Till
) -> None:
    till.execute("insert into sales values (1, 'a', 1, null)")
    feed = _feed(make_feed, warehouse, till.url)
    land(feed, warehouse)
    till.execute("alter table sales add column note text", "insert into sales values (2, 'b', 2, null, 'new')")
    assert land(feed, warehouse).new_columns == ("note",)
    till.execute("alter table sales drop column sold_at")
    with pytest.raises(SchemaDrift, match=r"table sales(?s:.*)sold_at \| timestamp\s+\| no such column"):
        land(feed, warehouse)
    till.execute("alter table sales add column sold_at text")
    with pytest.raises(SchemaDrift, match=r"sold_at\s+\| timestamp\s+\| string"):
        land(feed, warehouse)


def test_a_database_without_the_table_says_so(make_feed: MakeFeed, warehouse: Warehouse, till: _Till) -> None:
    feed = _feed(make_feed, warehouse, till.url, table="sells")
    with pytest.raises(CatalystError, match=r"raw_shop\.sales: table 'sells'.* Check the url and table"):
        land(feed, warehouse)


def test_a_cursor_that_the_table_lacks_is_told(make_feed: MakeFeed, warehouse: Warehouse, till: _Till) -> None:
    columns = [*COLUMNS, column("changed_at", "timestamp", physicalType="timestamp")]
    feed = _feed(make_feed, warehouse, till.url, columns, cursor="changed_at")
    with pytest.raises(CatalystError, match="has no column changed_at, which is the cursor"):
        land(feed, warehouse)


def test_postgres_is_read_on_from_where_it_stopped(
    make_feed: MakeFeed, warehouse: Warehouse, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PAGE_ROWS", 4)
    postgres.execute(
        "create schema shop",
        "create table shop.sales (entry_id bigint primary key, id text, price numeric(12, 2), sold_at timestamptz)",
        "insert into shop.sales select n, 'x' || n, n * 1.25, '2026-01-01 10:00+02' from generate_series(1, 10) n",
    )
    feed = _feed(make_feed, warehouse, postgres.url, table="shop.sales")
    assert land(feed, warehouse).rows == 10
    assert land(feed, warehouse).rows == 0
    postgres.execute("insert into shop.sales values (11, 'it''s 100 %', null, null)")
    assert land(feed, warehouse).rows == 1
    found = _rows(warehouse, feed, "entry_id, id, price, cast(sold_at as varchar)")
    assert found[0] == (1, "x1", 1.25, "2026-01-01 08:00:00")
    assert found[9:] == [(10, "x10", 12.5, "2026-01-01 08:00:00"), (11, "it's 100 %", None, None)]


@pytest.mark.parametrize(
    ("kind", "values", "late"),
    [
        (
            "timestamptz",
            ["2026-01-01 00:00:00.000001+00", "2026-01-02 23:00:00-01", "2026-01-03 02:30:00+02"],
            "1 hour",
        ),
        ("timestamp", ["2026-01-01 00:00:00.5", "2026-01-02 00:00:00", "2026-01-02 12:00:00"], "1 day"),
        ("date", ["2026-01-01", "2026-01-02", "2026-01-03"], "1 day"),
        ("text", ["a'", "b%", "ü"], None),
        ("numeric", ["9", "10", "11.5"], None),
    ],
)
def test_a_cursor_may_be_of_any_type_that_grows(
    kind: str, values: list[str], late: str | None, make_feed: MakeFeed, warehouse: Warehouse, postgres: Postgres
) -> None:
    physical = {"timestamptz": "timestamp", "numeric": "double"}.get(kind, kind)
    logical = {"timestamp": "timestamp", "double": "number", "date": "date"}.get(physical, "string")
    columns = [column("at", logical, physicalType=physical), column("id", primaryKey=True)]
    quoted = [value.replace("'", "''") for value in values]
    postgres.execute(
        f"create table sales (at {kind}, id text)",
        f"insert into sales values ('{quoted[0]}', 'a'), ('{quoted[1]}', 'b'), (null, 'n')",
    )
    feed = _feed(make_feed, warehouse, postgres.url, columns, cursor="at", **({"late": late} if late else {}))
    assert land(feed, warehouse).rows == 3
    assert land(feed, warehouse).rows == 0
    postgres.execute(f"insert into sales values ('{quoted[1]}', 'b'), ('{quoted[1]}', 'c'), ('{quoted[2]}', 'd')")
    assert land(feed, warehouse).rows == 2
    assert land(feed, warehouse).rows == 0
    assert sorted(_rows(warehouse, feed, "id")) == [(name,) for name in "abcdn"]


def test_odd_values_of_postgres_land_as_they_are_or_as_text(
    make_feed: MakeFeed, warehouse: Warehouse, postgres: Postgres
) -> None:
    odd = {
        "n": ("numeric", "'NaN'", "nan"),
        "wide": ("numeric", "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
        "u": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        "j": ("jsonb", """'{"a": [1, null]}'""", '{"a": [1, null]}'),
        "b": ("bytea", r"'\x00ff41'", r"\x00\xFFA"),
        "i": ("interval", "'1 day 2 hours'", "1 day 02:00:00"),
        "a": ("int[]", "'{1,2}'", "{1,2}"),
        "net": ("inet", "'10.0.0.1'", "10.0.0.1/32"),
        "t": ("time", "'10:30'", "10:30:00"),
        "yes": ("boolean", "true", "true"),
        "f": ("real", "'Infinity'", "inf"),
        "c": ("char(3)", "'ab'", "ab "),
    }
    columns = [COLUMNS[0], *(column(name) for name in odd)]
    postgres.execute(
        f"create table sales (entry_id int, {', '.join(f'{name} {kind}' for name, (kind, *_) in odd.items())})",
        f"insert into sales values (1, {', '.join(value for _, value, _ in odd.values())})",
    )
    feed = _feed(make_feed, warehouse, postgres.url, columns)
    assert land(feed, warehouse).rows == 1
    landed = dict(zip(odd, _rows(warehouse, feed, ", ".join(odd))[0], strict=True))
    assert landed == {name: text for name, (*_, text) in odd.items()}


def test_dates_without_end_and_before_christ_lose_no_row(
    make_feed: MakeFeed, warehouse: Warehouse, postgres: Postgres
) -> None:
    columns = [COLUMNS[0], column("day", "date", physicalType="date"), COLUMNS[3]]
    postgres.execute(
        "create table sales (entry_id int, day date, sold_at timestamp)",
        "insert into sales values (1, '2026-01-01', '2026-01-01'), (2, 'infinity', '-infinity'),"
        "(3, '0044-03-15 BC', '294276-12-31'), (4, null, '0044-03-15 10:00 BC')",
    )
    feed = _feed(make_feed, warehouse, postgres.url, columns)
    assert land(feed, warehouse).rows == 4
    assert _rows(
        warehouse, feed, "entry_id, cast(day as varchar), cast(sold_at as varchar), _malformed is not null"
    ) == [
        (1, "2026-01-01", "2026-01-01 00:00:00", False),
        (2, "infinity", "-infinity", False),
        (3, "0044-03-15 (BC)", None, True),
        (4, None, "0044-03-15 (BC) 10:00:00", False),
    ]


def test_a_server_that_is_down_is_told_without_the_password(
    make_feed: MakeFeed, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "geheim")
    feed = _feed(make_feed, warehouse, "postgresql://me:${SHOP_PASSWORD}@127.0.0.1:1/shop")
    with pytest.raises(
        CatalystError, match=r"table 'sales' of its database cannot be read.*the database is up"
    ) as caught:
        land(feed, warehouse)
    assert "geheim" not in str(caught.value)


def test_a_connection_lost_on_the_way_keeps_what_came_and_goes_on_next_time(
    make_feed: MakeFeed, warehouse: Warehouse, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PAGE_ROWS", 3)
    postgres.execute(
        "create table numbers (entry_id int primary key, id text)",
        "insert into numbers select i, 'x' || i from generate_series(1, 10) i",
        # The server ends the connection of whoever reads the eighth row for the first time.
        "create sequence reads",
        """
        create function fuse(n int) returns boolean volatile language plpgsql as $$ begin
            if n = 8 and nextval('reads') = 1 then perform pg_terminate_backend(pg_backend_pid()); end if;
            return true;
        end $$
        """,
        "create view sales as select entry_id, id from numbers where fuse(entry_id)",
        # Row after row by the index, as in a large table.
        *(
            f"do $$ begin execute format('alter database %I set {way} = off', current_database()); end $$"
            for way in ("enable_seqscan", "enable_bitmapscan", "enable_sort")
        ),
    )
    columns = [COLUMNS[0], column("id", primaryKey=True)]
    feed = _feed(make_feed, warehouse, postgres.url, columns)
    landing = land(feed, warehouse)
    assert landing.rows == 6
    assert landing.problems[0].file == "sales"
    assert land(feed, warehouse).rows == 10 - landing.rows
    assert _rows(warehouse, feed, "entry_id") == [(n,) for n in range(1, 11)]
