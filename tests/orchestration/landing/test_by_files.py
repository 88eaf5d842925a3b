"""What the way into BigQuery does on this machine, and what it says where Google refuses."""

from __future__ import annotations

import fcntl
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.bigquery import BigQuery
from orchestration.errors import CatalystError
from orchestration.landing import parquet
from orchestration.landing.by_files import ByFiles
from orchestration.landing.parquet import ParquetFiles
from tests.orchestration.conftest import MakeFeed, column

KINDS = {"number": "INTEGER", "price": "NUMERIC", "at": "TIMESTAMP", "day": "DATE"}


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ByFiles:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    return ByFiles(BigQuery("shop", landing_bucket="shop-landing", home=tmp_path))


def _batch(first: int, rows: int, **more: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {
            "number": pa.array(range(first, first + rows), pa.int32()),
            "price": pa.array([Decimal("1.5")] * rows, pa.decimal128(18, 3)),
            "at": pa.array([datetime(2026, 6, 30)] * rows, pa.timestamp("ms")),  # noqa: DTZ001 - what DuckDB has
            **more,
        }
    )


def test_rows_are_written_with_the_types_of_the_table(tmp_path: Path) -> None:
    files = ParquetFiles(tmp_path / "out", KINDS)
    assert list(files.write([_batch(0, 2), _batch(2, 0), _batch(2, 1)])) == []
    (path,) = files.close()
    # A time that says no zone would become a DATETIME.
    assert pq.read_schema(path).types == [pa.int64(), pa.decimal128(38, 9), pa.timestamp("us", "UTC")]
    assert pq.read_table(path).column("number").to_pylist() == [0, 1, 2]
    assert files.rows == 3
    assert list(files.close()) == []


def test_a_file_ends_where_it_is_full_and_where_the_columns_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ParquetFiles(tmp_path / "out", KINDS)
    written = [*files.write([_batch(0, 2), _batch(2, 2, shelf=["a", "b"])]), *files.close()]
    assert [pq.read_metadata(path).num_rows for path in written] == [2, 2]
    monkeypatch.setattr(parquet, "_FILE_BYTES", 10)
    written = [*files.write([_batch(0, 2), _batch(2, 3)]), *files.close()]
    assert [pq.read_metadata(path).num_rows for path in written] == [2, 3]


def test_no_batch_is_no_file(tmp_path: Path) -> None:
    files = ParquetFiles(tmp_path / "out", KINDS)
    assert [*files.write([]), *files.close()] == []


def test_a_feed_that_another_process_lands_is_left_to_it(target: ByFiles, make_feed: MakeFeed) -> None:
    feed = make_feed("sales", {"type": "local", "path": "in/*", "format": "csv"}, [column("id")])
    with target.open(feed):
        pass
    with (target.folder / ".raw_shop.sales.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CatalystError, match="raw_shop.sales is being landed by another process"), target.open(feed):
            raise AssertionError


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "Permission 'storage.objects.create' denied on resource (or it may not exist)., 403",
            "roles/storage.objectAdmin",
        ),
        (
            "403 Access Denied: Table shop:raw_shop.sales: Permission bigquery.tables.updateData denied on it.",
            "roles/bigquery.dataEditor on the dataset shop.raw_shop",
        ),
        (
            "403 Access Denied: Project shop: User does not have bigquery.jobs.create permission in project shop.",
            "roles/bigquery.jobUser on the project shop",
        ),
        ("The specified bucket does not exist., 404", "set CATALYST_LANDING_BUCKET"),
        ("x@y does not have storage.buckets.create access, 403", "roles/storage.legacyBucketReader"),
    ],
)
def test_a_refusal_names_the_role_to_grant(said: str, remedy: str, target: ByFiles, make_feed: MakeFeed) -> None:
    feed = make_feed("sales", {"type": "local", "path": "in/*", "format": "csv"}, [column("id")])
    failure = target.failure(feed, [RuntimeError("Pipeline execution failed"), OSError(said)])
    assert "Feed raw_shop.sales could not be landed in the project shop by way of gs://shop-landing" in str(failure)
    assert remedy in str(failure)


def test_what_is_no_refusal_is_left_to_others(target: ByFiles, make_feed: MakeFeed) -> None:
    feed = make_feed("sales", {"type": "local", "path": "in/*", "format": "csv"}, [column("id")])
    assert target.failure(feed, [RuntimeError("Pipeline execution failed"), ValueError("no such column")]) is None
