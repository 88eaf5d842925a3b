"""Files land once by their content, whatever their format, place and number, and again as a whole once it changes."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.landing.drift import SchemaDrift
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column
from tests.parts.gcs import Bucket

COLUMNS = [column("id", required=True), column("price", "number")]
TYPED = [column("id", required=True), column("price", "number", physicalType="double")]


def _rows(warehouse: Warehouse, feed: Feed, columns: str = "id, price, _row") -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f"select {columns} from {feed.id} order by _dlt_load_id, _row").fetchall()


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


class _Shop:
    """A feed of files below a folder, and its warehouse."""

    def __init__(self, make_feed: MakeFeed, warehouse: Warehouse, folder: Path) -> None:
        self.make_feed, self.warehouse, self.folder = make_feed, warehouse, folder

    def feed(self, form: str, pattern: str = "*", columns: list[dict[str, Any]] = COLUMNS, **server: str) -> Feed:
        settings = [{"property": name, "value": value} for name, value in server.items()]
        feed = self.make_feed(
            "files",
            {"type": "local", "path": f"{self.folder}/{pattern}", "format": form, "customProperties": settings},
            columns,
        )
        self.warehouse.prepare([feed])
        return feed


@pytest.fixture
def shop(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> _Shop:
    return _Shop(make_feed, warehouse, tmp_path / "in")


def test_csv_lands_as_text_with_its_file_and_row_number(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", 'id,price\na,1.50\n"b, c",n/a\n')
    feed = shop.feed("csv")
    assert land(feed, shop.warehouse).rows == 2
    assert _rows(shop.warehouse, feed, "id, price, _file, _row") == [
        ("a", "1.50", "1.csv", 0),
        ("b, c", "n/a", "1.csv", 1),
    ]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_columns_may_be_called_as_the_statement_that_lands_them_calls_its_own(shop: _Shop, form: str) -> None:
    shop.folder.mkdir()
    rows = pa.table({"id": ["a"], "name": ["b"], "path": ["c"], "first": ["d"]})
    if form == "csv":
        _write(shop.folder / "1.csv", "id,name,path,first\na,b,c,d\n")
    else:
        pq.write_table(rows, shop.folder / "1.parquet")
    feed = shop.feed(form, columns=[column(name) for name in rows.column_names])
    assert land(feed, shop.warehouse).rows == 1
    assert _rows(shop.warehouse, feed, "id, name, path, first, _row") == [("a", "b", "c", "d", 0)]


def test_a_ledger_from_before_its_entries_bore_a_number_goes_on_in_its_order(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "id,price\na,1\n")
    feed = shop.feed("csv")
    land(feed, shop.warehouse)
    _write(shop.folder / "1.csv", "id,price\na,22\n")
    land(feed, shop.warehouse)
    _write(shop.folder / "2.csv", "id,price\na,22\n")
    land(feed, shop.warehouse)
    with shop.warehouse.connect() as connection:
        connection.execute("alter table raw_shop._files drop column position")
    shop.warehouse.prepare([feed])
    assert land(feed, shop.warehouse).rows == 0
    _write(shop.folder / "1.csv", "id,price\nb,3\n")
    # The copy lands now that what it was a copy of has changed.
    assert land(feed, shop.warehouse).rows == 2
    assert gate(feed, shop.warehouse).accepted == 2
    with shop.warehouse.connect() as connection:
        found = connection.execute("select path, position from raw_shop._files order by position").fetchall()
    assert found == [("1.csv", 0), ("1.csv", 1), ("2.csv", 2), ("1.csv", 3), ("2.csv", 4)]


def test_landing_again_adds_nothing_and_a_new_file_adds_its_own_rows(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "id,price\na,1\n")
    feed = shop.feed("csv")
    land(feed, shop.warehouse)
    again = land(feed, shop.warehouse)
    assert (again.rows, again.load_id) == (0, None)
    _write(shop.folder / "2.csv", "id,price\nb,2\n")
    assert land(feed, shop.warehouse).rows == 1
    assert _rows(shop.warehouse, feed) == [("a", "1", 0), ("b", "2", 0)]


def test_a_file_touched_but_not_changed_is_not_landed_again(shop: _Shop) -> None:
    path = shop.folder / "1.csv"
    _write(path, "id,price\na,1\n")
    feed = shop.feed("csv")
    land(feed, shop.warehouse)
    _write(path, "id,price\na,1\n")
    assert land(feed, shop.warehouse).rows == 0
    _write(path, "id,price\na,1\nb,2\n")
    assert land(feed, shop.warehouse).rows == 2


def test_a_copy_under_another_name_is_noted_and_not_landed(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "id,price\na,1\n")
    _write(shop.folder / "copy.csv", "id,price\na,1\n")
    feed = shop.feed("csv")
    landing = land(feed, shop.warehouse)
    assert landing.rows == 1
    assert landing.notes == ("copy.csv has the same content as 1.csv, which has landed, and did not land.",)
    _write(shop.folder / "later.csv", "id,price\na,1\n")
    assert land(feed, shop.warehouse).notes == (
        "later.csv has the same content as 1.csv, which has landed, and did not land.",
    )
    assert land(feed, shop.warehouse).notes == ()


def test_a_copy_lands_once_the_file_that_it_copied_says_something_else(shop: _Shop) -> None:
    _write(shop.folder / "1_newest.csv", "id,price\na,1\n")
    _write(shop.folder / "2_monday.csv", "id,price\na,1\n")
    feed = shop.feed("csv")
    land(feed, shop.warehouse)
    _write(shop.folder / "1_newest.csv", "id,price\nb,2\n")
    assert land(feed, shop.warehouse).rows == 2
    gate(feed, shop.warehouse)
    check_balance(feed, shop.warehouse)
    with shop.warehouse.connect() as connection:
        accepted = connection.execute(
            """
            select id, _file from raw_shop.files as raw where not exists (
                select 1 from quality.quarantine as mark
                where mark.load_id = raw._dlt_load_id and mark.row_number = raw._row
            ) order by id
            """
        ).fetchall()
    assert accepted == [("a", "2_monday.csv"), ("b", "1_newest.csv")]


def test_files_of_many_days_land_in_the_order_of_their_names_with_rows_counted_on(shop: _Shop) -> None:
    for day in (2, 1):
        _write(shop.folder / f"date=2026-01-0{day}/sales.csv", f"id,price\na{day},1\nb{day},2\n")
    feed = shop.feed("csv", "**/*.csv")
    assert land(feed, shop.warehouse).rows == 4
    assert _rows(shop.warehouse, feed, "_row, id, _file") == [
        (0, "a1", "date=2026-01-01/sales.csv"),
        (1, "b1", "date=2026-01-01/sales.csv"),
        (2, "a2", "date=2026-01-02/sales.csv"),
        (3, "b2", "date=2026-01-02/sales.csv"),
    ]


def test_compressed_files_land_like_plain_ones(shop: _Shop) -> None:
    _write(shop.folder / "1.csv.gz", gzip.compress(b"id,price\na,1\n"))
    _write(shop.folder / "2.csv.zst", pa.compress(b"id,price\nb,2\n", codec="zstd", asbytes=True))
    _write(shop.folder / "3.csv", "id,price\nc,3\n")
    feed = shop.feed("csv")
    assert land(feed, shop.warehouse).rows == 3
    assert _rows(shop.warehouse, feed, "id, _file") == [("a", "1.csv.gz"), ("b", "2.csv.zst"), ("c", "3.csv")]


def test_an_upload_in_progress_is_left_alone(shop: _Shop) -> None:
    for name in (".1.csv", "_1.csv", "1.csv.tmp", "2.csv.part", "_temporary/3.csv"):
        _write(shop.folder / name, "id,price\nx,1\n")
    _write(shop.folder / "1.csv", "id,price\na,1\n")
    feed = shop.feed("csv", "**/*")
    assert land(feed, shop.warehouse).rows == 1


def test_a_half_written_file_is_a_problem_that_names_itself_and_lands_once_it_is_whole(shop: _Shop) -> None:
    whole = gzip.compress(b"id,price\n" + b"".join(b"x%d,%d\n" % (n, n * 7919) for n in range(5000)))
    _write(shop.folder / "1.csv.gz", gzip.compress(b"id,price\na,1\n"))
    _write(shop.folder / "2.csv.gz", whole[:-8])
    feed = shop.feed("csv")
    landing = land(feed, shop.warehouse)
    assert landing.rows == 1
    assert [problem.file for problem in landing.problems] == ["2.csv.gz"]
    assert "2.csv.gz cannot be read" in landing.problems[0].message
    assert len(land(feed, shop.warehouse).problems) == 1
    _write(shop.folder / "2.csv.gz", whole)
    assert land(feed, shop.warehouse).rows == 5000


def test_lines_of_csv_with_other_numbers_of_values_keep_their_text(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", 'id,price\na,1\nb\nc,3,x\n"d"d,4\n"e, 5\nf,6\ng\xff,7\n"h\nh",8\n'.encode("latin-1"))
    _write(shop.folder / "2.csv", "id,price\nz,26\n")
    feed = shop.feed("csv")
    assert land(feed, shop.warehouse).rows == 9
    assert _rows(shop.warehouse, feed, "id, price, _malformed") == [
        ("a", "1", None),
        (None, None, "b"),
        (None, None, "c,3,x"),
        (None, None, '"d"d,4'),
        (None, None, '"e, 5'),
        ("f", "6", None),
        (None, None, "g\\xff,7"),
        ("h\nh", "8", None),
        ("z", "26", None),
    ]
    assert gate(feed, shop.warehouse).quarantined == 5


def test_the_contract_says_how_csv_is_written(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "caf\xe9;'1;5'\n".encode("latin-1"))
    feed = shop.feed("csv", delimiter=";", quote="'", encoding="latin-1", header="false")
    land(feed, shop.warehouse)
    assert _rows(shop.warehouse, feed, "id, price") == [("café", "1;5")]


def test_utf_16_is_read_by_its_byte_order_mark(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "id,price\ncafé,1\n".encode("utf-16"))
    feed = shop.feed("csv")
    land(feed, shop.warehouse)
    assert _rows(shop.warehouse, feed, "id, price") == [("café", "1")]


def test_old_line_ends_land_whole(shop: _Shop) -> None:
    _write(shop.folder / "mac.csv", "id,price\ra,1\rb,2\r")
    _write(shop.folder / "mixed.csv", "id,price\nc,3\r\nd,4\ne,5\r")
    feed = shop.feed("csv")
    land(feed, shop.warehouse)
    assert sorted(_rows(shop.warehouse, feed, "id, price, _malformed")) == [
        (name, str(n), None) for n, name in enumerate("abcde", 1)
    ]


def test_an_error_page_instead_of_csv_is_a_problem(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "<!DOCTYPE html>\n<html></html>\n")
    _write(shop.folder / "2.csv", "id,price\na,1\n")
    landing = land(shop.feed("csv"), shop.warehouse)
    assert landing.rows == 1
    assert "first line of 1.csv names no column of the contract: '<!DOCTYPE html>'" in landing.problems[0].message


def test_empty_files_and_bare_headers_land_nothing_and_are_no_problem(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "")
    _write(shop.folder / "2.csv", "id,price\n")
    feed = shop.feed("csv")
    landing = land(feed, shop.warehouse)
    assert (landing.rows, landing.load_id, landing.problems) == (0, None, ())
    _write(shop.folder / "3.csv", "id,price\na,1\n")
    assert land(feed, shop.warehouse).rows == 1
    assert gate(feed, shop.warehouse).loads == 1


def test_columns_that_the_contract_does_not_name_land_and_are_reported(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "id,price\na,1\n")
    feed = shop.feed("csv")
    assert land(feed, shop.warehouse).new_columns == ()
    _write(shop.folder / "2.csv", "id,price,Colour Code\nb,2,red\n")
    assert land(feed, shop.warehouse).new_columns == ("colour_code",)
    assert _rows(shop.warehouse, feed, "id, colour_code") == [("a", None), ("b", "red")]


def test_columns_of_the_same_name_and_of_ours_stay_apart(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "id,price,Price,_row,,id\na,1,2,3,4,5\n")
    feed = shop.feed("csv")
    new = land(feed, shop.warehouse).new_columns
    assert _rows(shop.warehouse, feed) == [("a", "1", 0)]
    assert sorted(_rows(shop.warehouse, feed, ", ".join(new))[0]) == ["2", "3", "4", "5"]


def test_a_csv_without_a_required_column_stops_the_feed_with_the_difference(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "price,ident\n1,a\n")
    with pytest.raises(SchemaDrift) as caught:
        land(shop.feed("csv"), shop.warehouse)
    assert str(caught.value).splitlines()[1:4] == [
        "  column | contract says     | source has",
        "  id     | varchar, required | no such column",
        "  ident  | nothing           | string",
    ]


def test_an_optional_column_that_was_there_before_may_not_go_away(shop: _Shop) -> None:
    _write(shop.folder / "2026-01-01.csv", "id\na\n")
    _write(shop.folder / "2026-01-02.csv", "id,price\nb,2\n")
    feed = shop.feed("csv")
    assert land(feed, shop.warehouse).rows == 2
    # The first file never had it, and may be restated without.
    _write(shop.folder / "2026-01-01.csv", "id\na\nc\n")
    assert land(feed, shop.warehouse).rows == 2
    _write(shop.folder / "2026-01-03.csv", "id\nd\n")
    with pytest.raises(SchemaDrift, match=r"2026-01-03\.csv(?s:.*)price .*no such column"):
        land(feed, shop.warehouse)


def test_a_parquet_column_of_another_type_stops_the_feed(shop: _Shop) -> None:
    shop.folder.mkdir()
    feed = shop.feed("parquet", columns=TYPED)
    pq.write_table(pa.table({"id": ["a"], "price": pa.array([1], pa.int32())}), shop.folder / "1.parquet")
    assert land(feed, shop.warehouse).rows == 1
    pq.write_table(pa.table({"id": ["b"], "price": ["2 EUR"]}), shop.folder / "2.parquet")
    with pytest.raises(SchemaDrift, match=r"price\s+\| double\s+\| string"):
        land(feed, shop.warehouse)
    assert _rows(shop.warehouse, feed) == [("a", 1.0, 0)]


def test_a_column_that_the_contract_does_not_name_keeps_its_type_too(shop: _Shop) -> None:
    shop.folder.mkdir()
    feed = shop.feed("parquet", columns=TYPED)
    pq.write_table(pa.table({"id": ["a"], "price": [1.0], "clicks": [1]}), shop.folder / "1.parquet")
    land(feed, shop.warehouse)
    pq.write_table(pa.table({"id": ["b"], "price": [1.0], "clicks": ["many"]}), shop.folder / "2.parquet")
    with pytest.raises(SchemaDrift, match=r"clicks\s+\| nothing; the raw table has bigint \| string"):
        land(feed, shop.warehouse)


def test_a_parquet_column_that_appears_later_lands_beside_the_old_rows(shop: _Shop) -> None:
    shop.folder.mkdir()
    feed = shop.feed("parquet", columns=TYPED)
    pq.write_table(pa.table({"id": ["a"], "price": [1.0]}), shop.folder / "1.parquet")
    land(feed, shop.warehouse)
    pq.write_table(
        pa.table({"id": ["b"], "price": [2.0], "device": ["phone"], "tags": [["x", "y"]]}), shop.folder / "2.parquet"
    )
    assert land(feed, shop.warehouse).new_columns == ("device", "tags")
    assert _rows(shop.warehouse, feed, "id, price, device, tags") == [
        ("a", 1.0, None, None),
        ("b", 2.0, "phone", '["x","y"]'),
    ]


def test_times_with_a_zone_land_in_utc(shop: _Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    shop.folder.mkdir()
    columns = [column("id", required=True), column("sold_at", "timestamp", physicalType="timestamp")]
    # 1,767,225,600 seconds after 1970 began 2026, UTC.
    at = pa.array([1_767_225_600_000_000], pa.timestamp("us", tz="Europe/Berlin"))
    pq.write_table(pa.table({"id": ["a"], "sold_at": at}), shop.folder / "1.parquet")
    feed = shop.feed("parquet", columns=columns)
    land(feed, shop.warehouse)
    assert _rows(shop.warehouse, feed, "cast(sold_at as varchar)") == [("2026-01-01 00:00:00",)]


def test_a_parquet_file_damaged_inside_is_a_problem_and_the_others_land(shop: _Shop) -> None:
    shop.folder.mkdir()
    feed = shop.feed("parquet", columns=TYPED)
    table = pa.table({"id": [f"id{n * 7919}" for n in range(20_000)], "price": [n / 7 for n in range(20_000)]})
    for name in ("1", "2", "3"):
        pq.write_table(table.append_column("of", pa.array([name] * 20_000)), shop.folder / f"{name}.parquet")
    damaged = bytearray((shop.folder / "2.parquet").read_bytes())
    damaged[1000:3000] = bytes(2000)
    (shop.folder / "2.parquet").write_bytes(damaged)
    landing = land(feed, shop.warehouse)
    assert landing.rows == 40_000
    assert [problem.file for problem in landing.problems] == ["2.parquet"]
    assert land(feed, shop.warehouse).rows == 0


def test_a_broken_json_line_becomes_a_row_that_keeps_its_text(shop: _Shop) -> None:
    _write(shop.folder / "1.jsonl", '{"id":"a","price":1.5}\n{"id":"b",\n\n[1]\n{"id":"c","price":"x","new":true}\n')
    feed = shop.feed("jsonl")
    assert land(feed, shop.warehouse).rows == 4
    assert _rows(shop.warehouse, feed, "id, price, new, _malformed") == [
        ("a", "1.5", None, None),
        (None, None, None, '{"id":"b",'),
        (None, None, None, "[1]"),
        ("c", "x", "true", None),
    ]


def test_json_keys_of_any_spelling_land(shop: _Shop) -> None:
    odd = {"id": "a", "a.b": 1, 'c"d': 2, "e/f": 3, "~": 4, "": 5, "Größe": 6, "Grösse": 7, "x": {"y": [1, None]}}
    _write(shop.folder / "1.jsonl", json.dumps(odd) + "\n")
    feed = shop.feed("jsonl")
    new = land(feed, shop.warehouse).new_columns
    assert sorted(_rows(shop.warehouse, feed, ", ".join(new))[0]) == [*"1234567", '{"y":[1,null]}']


def test_json_lines_with_bytes_that_are_no_text_keep_them_as_escapes(shop: _Shop) -> None:
    _write(shop.folder / "1.jsonl", b'{"id":"a"}\n{"id":"\xff"}\n{"id":"c"}\n')
    feed = shop.feed("jsonl")
    land(feed, shop.warehouse)
    assert _rows(shop.warehouse, feed, "id, _malformed") == [("a", None), (None, '{"id":"\\xff"}'), ("c", None)]


def test_json_without_a_required_column_in_any_object_stops_the_feed(shop: _Shop) -> None:
    _write(shop.folder / "1.jsonl", '{"price":1}\n{"price":2}\n')
    with pytest.raises(SchemaDrift, match=r"id\s+\| varchar, required \| no such column"):
        land(shop.feed("jsonl"), shop.warehouse)


def test_text_formats_land_as_text_and_a_contract_that_wants_more_is_told(shop: _Shop) -> None:
    _write(shop.folder / "1.csv", "id,price\na,1\n")
    with pytest.raises(SchemaDrift, match=r"price\s+\| double\s+\| string"):
        land(shop.feed("csv", columns=TYPED), shop.warehouse)


def test_a_path_without_files_says_so(shop: _Shop) -> None:
    with pytest.raises(CatalystError, match=r"raw_shop.files has no file at .*\*\.csv"):
        land(shop.feed("csv", "*.csv"), shop.warehouse)


def _in_bucket(
    make_feed: MakeFeed, warehouse: Warehouse, bucket: Bucket, form: str, *, anonymous: bool = False
) -> Feed:
    server = {
        "type": "custom",
        "customProperties": [
            {"property": "location", "value": f"{bucket.url}/in/date=*/*"},
            {"property": "format", "value": form},
            {"property": "endpointUrl", "value": bucket.endpoint},
            {"property": "anonymous", "value": str(anonymous or bucket.scheme == "gs").lower()},
        ],
    }
    feed = make_feed("bucket", server, COLUMNS)
    warehouse.prepare([feed])
    return feed


@pytest.fixture(params=["bucket", "s3_bucket"], ids=["gs", "s3"])
def store(request: pytest.FixtureRequest) -> Bucket:
    found: Bucket = request.getfixturevalue(request.param)
    return found


def test_files_in_a_bucket_land_once_and_again_when_they_change(
    make_feed: MakeFeed, warehouse: Warehouse, store: Bucket
) -> None:
    feed = _in_bucket(make_feed, warehouse, store, "csv")
    store.write("in/date=2026-01-01/a.csv", b"id,price\na,1\n")
    store.write("in/date=2026-01-02/a.csv.gz", gzip.compress(b"id,price\nb,2\n"))
    store.write("in/date=2026-01-02/half.csv.gz", gzip.compress(b"id,price\nb,2\n")[:-4])
    store.write("in/date=2026-01-02/_SUCCESS", b"")
    landing = land(feed, warehouse)
    assert (landing.rows, [problem.file for problem in landing.problems]) == (2, ["date=2026-01-02/half.csv.gz"])
    store.remove("in/date=2026-01-02/half.csv.gz")
    assert _rows(warehouse, feed, "id, price, _file") == [
        ("a", "1", "date=2026-01-01/a.csv"),
        ("b", "2", "date=2026-01-02/a.csv.gz"),
    ]
    # The same content written again has another generation and the same hash.
    store.write("in/date=2026-01-01/a.csv", b"id,price\na,1\n")
    assert land(feed, warehouse).rows == 0
    store.write("in/date=2026-01-01/a.csv", b"id,price\na,9\n")
    assert land(feed, warehouse).rows == 1


def test_a_file_that_may_not_be_read_is_told_with_the_remedy(
    make_feed: MakeFeed, warehouse: Warehouse, s3_bucket: Bucket
) -> None:
    s3_bucket.write("in/date=2026-01-01/a.csv", b"id,price\na,1\n")
    (problem,) = land(_in_bucket(make_feed, warehouse, s3_bucket, "csv", anonymous=True), warehouse).problems
    assert "a.csv cannot be read (Forbidden): grant the account that lands it leave to read it." in problem.message


def test_a_bucket_that_is_not_there_is_told_with_the_remedy(
    make_feed: MakeFeed, warehouse: Warehouse, store: Bucket
) -> None:
    feed = _in_bucket(make_feed, warehouse, replace(store, name="nowhere"), "csv")
    with pytest.raises(
        CatalystError, match=r"(//nowhere/in.* cannot be listed|has no file at s3://nowhere/in).*[Cc]heck the"
    ):
        land(feed, warehouse)
