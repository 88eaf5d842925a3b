from __future__ import annotations

import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.demo.mess import Batch, FeedShape
from orchestration.demo.sources.formats import csv_bytes, json_lines, json_lines_gz, parquet_bytes

BATCH = Batch(
    FeedShape("raw_x.y", ("id", "at", "n"), ("id",), ()), [("a, b", "2024-05-01 10:00:00", 1), (None, None, 2)]
)


def test_a_batch_is_written_as_csv_with_empty_nulls() -> None:
    assert csv_bytes(BATCH) == b'id,at,n\n"a, b",2024-05-01 10:00:00,1\n,,2\n'


def test_a_batch_is_written_as_json_lines_with_the_same_bytes_whenever_it_is_compressed() -> None:
    written = json_lines(BATCH)
    assert written.splitlines()[1] == b'{"id": null, "at": null, "n": 2}'
    assert gzip.decompress(json_lines_gz(BATCH)) == written
    # Bytes 4 to 7 of a gzip file are the time of its making.
    assert json_lines_gz(BATCH)[4:8] == bytes(4)


def test_a_batch_is_written_as_parquet_with_the_first_columns_only() -> None:
    table = pq.read_table(io.BytesIO(parquet_bytes(BATCH, ("id", "at"), {"at": pa.timestamp("us")})))
    assert table.column_names == ["id", "at"]
    assert table["at"].cast(pa.string()).to_pylist() == ["2024-05-01 10:00:00.000000", None]
