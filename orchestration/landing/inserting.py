"""Inserts batches into DuckDB's raw table while the next ones are fetched, and leaves it to dlt to complete the load.

The rows bear the id of the load that dlt has begun. They count, like those of any other load, once dlt has completed
it together with where the source is to be read on; if that never happens, the next landing removes them. Postgres hands
its rows out of one process one by one: staged as Parquet and loaded from there, each would wait for the last one.
`python -m benchmarks landing` tells the speed beside that of COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.landing.extraction import numbered
from orchestration.landing.loading import BATCH, as_landed, without_landed
from orchestration.sql import quoted

if TYPE_CHECKING:
    import duckdb

# The rows of a row group of DuckDB's tables. It takes a full one as it is, puts others together and writes them again.
_GROUP = 122_880


class Insertion:
    """The rows of one load on their way into the warehouse."""

    def __init__(
        self,
        feed: Feed,
        load_id: str,
        connection: duckdb.DuckDBPyConnection,
        raw: dict[str, str],
        unless_landed: Callable[[], str | None],
    ) -> None:
        self._feed, self._load_id, self._connection, self._raw = feed, load_id, connection, raw
        self._unless_landed = unless_landed
        self._numbered = 0

    def run(self, batches: Iterator[pa.Table]) -> int:
        """Inserts all batches and returns how many rows were new."""
        inserted = 0
        inserting: Future[int] | None = None
        with ThreadPoolExecutor(max_workers=1) as worker:
            for rows in _in_groups(batches):
                if inserting is not None:
                    inserted += inserting.result()
                inserting = worker.submit(self._insert, rows)
            return inserted + (inserting.result() if inserting is not None else 0)

    def _insert(self, rows: pa.Table) -> int:
        # As many rows in each batch of Arrow as in a group.
        whole = numbered(rows, self._numbered).combine_chunks()
        self._numbered += rows.num_rows
        batch = pa.Table.from_batches(whole.to_batches(_GROUP), whole.schema)
        select = as_landed(BATCH, rows.schema, self._raw, self._load_id)
        again = self._unless_landed()
        if again is not None:
            select = without_landed(select, again, self._feed, self._load_id)
        self._connection.register("batch", batch)
        if new := [name for name in rows.column_names if name not in self._raw]:
            kinds = {row[0]: row[1] for row in self._connection.execute(f"describe {select}").fetchall()}
            for name in new:
                self._connection.execute(f"alter table {self._feed.id} add column {quoted(name)} {kinds[name]}")
                self._raw[name] = kinds[name]
        counted = self._connection.execute(f"insert into {self._feed.id} by name {select}").fetchall()
        self._connection.unregister("batch")
        return int(counted[0][0])


def _in_groups(batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yields the rows of all batches in whole row groups, and what remains last or before the columns change."""
    waiting: pa.Table | None = None
    for batch in batches:
        if waiting is not None and waiting.schema != batch.schema:
            yield waiting
            waiting = None
        waiting = batch if waiting is None else pa.concat_tables([waiting, batch])
        full = waiting.num_rows // _GROUP * _GROUP
        if full:
            yield waiting.slice(0, full)
            waiting = waiting.slice(full)
    if waiting is not None and waiting.num_rows:
        yield waiting
