"""How the rows of a batch become a file: CSV, JSON lines or Parquet, the same bytes for the same rows."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring_ascii

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.demo.mess import Batch, Value


def csv_bytes(batch: Batch) -> bytes:
    """Returns a batch as a CSV file; nulls are empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(batch.shape.columns)
    writer.writerows(batch.rows)
    return text.getvalue().encode()


def json_lines(batch: Batch) -> bytes:
    """Returns a batch as a file of JSON lines."""
    # By a template it takes half the time of encoding an object for each row.
    line = "{" + ", ".join(f"{json.dumps(name)}: %s" for name in batch.shape.columns) + "}\n"
    return "".join([line % tuple(map(_json, row)) for row in batch.rows]).encode()


def json_lines_gz(batch: Batch) -> bytes:
    """Returns a batch as a compressed file of JSON lines, without the time of its making in it."""
    return gzip.compress(json_lines(batch), compresslevel=1, mtime=0)


def parquet_bytes(batch: Batch, names: Sequence[str], types: Mapping[str, pa.DataType]) -> bytes:
    """Returns the first columns of a batch as a Parquet file.

    Args:
        batch: The rows; times are text in them.
        names: The columns to write, the first ones of the batch.
        types: Their types; columns without one are text.
    """
    columns = list(zip(*batch.rows, strict=True)) or [()] * len(batch.shape.columns)
    arrays = []
    for name, values in zip(names, columns, strict=False):
        kind = types.get(name, pa.string())
        if pa.types.is_timestamp(kind):
            arrays.append(pa.array(values, pa.string()).cast(kind))
        else:
            arrays.append(pa.array(values, kind))
    buffer = io.BytesIO()
    # A day is small: dictionaries and statistics would take most of the time and none of the space.
    table = pa.Table.from_arrays(arrays, names=list(names))
    pq.write_table(table, buffer, compression="snappy", use_dictionary=False, write_statistics=False)
    return buffer.getvalue()


def _json(value: Value) -> str:
    if value is None:
        return "null"
    return encode_basestring_ascii(value) if isinstance(value, str) else json.dumps(value)
