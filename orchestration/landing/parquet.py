"""Parquet files as BigQuery takes them into a table that exists: with the types of its columns, and not too large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

# A load job takes larger ones, but one reader has each of them.
_FILE_BYTES = 512 << 20

# A time without a zone would load as a DATETIME, which no column is.
_ARROW = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "TIME": pa.time64("us"),
    "BYTES": pa.binary(),
    "NUMERIC": pa.decimal128(38, 9),
    "BIGNUMERIC": pa.decimal256(76, 38),
}


@dataclass
class ParquetFiles:
    """Files of one load, one after the other.

    Attributes:
        folder: Where they are made.
        kinds: The types of the table's columns in BigQuery; others keep theirs.
        rows: How many rows they hold.
    """

    GROUP: ClassVar[int] = 122_880

    folder: Path
    kinds: Mapping[str, str]
    rows: int = 0
    _number: int = 0
    _open: list[pq.ParquetWriter] = field(default_factory=list)

    def write(self, batches: Iterable[pa.RecordBatch]) -> Iterator[Path]:
        """Writes batches, and yields the files that are full."""
        for batch in batches:
            if not batch.num_rows:
                continue
            table = pa.Table.from_batches([batch])
            table = table.cast(pa.schema([(part.name, self._type(part)) for part in table.schema]))
            if self._open and self._open[0].schema != table.schema:
                yield from self.close()
            if not self._open:
                self.folder.mkdir(exist_ok=True)
                self._open.append(pq.ParquetWriter(self._path, table.schema, compression="snappy"))
            self._open[0].write_table(table)
            self.rows += table.num_rows
            if self._path.stat().st_size > _FILE_BYTES:
                yield from self.close()

    def close(self) -> Iterator[Path]:
        """Yields the last file."""
        if self._open:
            self._open.pop().close()
            path = self._path
            self._number += 1
            yield path

    @property
    def _path(self) -> Path:
        return self.folder / f"{self._number:06}.parquet"

    def _type(self, part: pa.Field) -> pa.DataType:
        kind = _ARROW.get(self.kinds.get(part.name, ""), part.type)
        return pa.timestamp("us", "UTC") if pa.types.is_timestamp(kind) else kind
