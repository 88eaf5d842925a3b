"""Stages batches of rows as Parquet, for the warehouse to read at one go.

Handed over one by one, each would be written twice, and would pay the price of a hand-over to dlt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.contracts import Feed
from orchestration.landing.extraction import Extraction, Problem, numbered, workspace
from orchestration.landing.loading import select_resource
from orchestration.landing.target import Target
from orchestration.sql import literal, quoted

_OURS = ("_file", "_malformed", "_row")


def extraction_of(
    feed: Feed,
    target: Target,
    batches: Callable[[], Iterator[pa.Table]],
    *,
    problems: list[Problem],
    completed: Callable[[], None] = lambda: None,
    more: Callable[[], bool] = lambda: False,
) -> Extraction:
    """Returns the extraction of batches with a `_malformed` column, whose other columns may differ.

    Args:
        feed: The feed.
        target: Where it lands.
        batches: Called while dlt extracts, with its state at hand.
        problems: As of the extraction.
        completed: As of the extraction.
        more: As of the extraction.
    """
    folder = workspace(feed, target)
    work = Path(folder.name)

    def relation() -> tuple[str, pa.Schema] | None:
        schemas, rows = [], 0
        for number, batch in enumerate(batches()):
            pq.write_table(numbered(batch, rows), work / f"{number:06}.parquet", compression="snappy")
            schemas.append(batch.schema)
            rows += batch.num_rows
        if not schemas:
            return None
        schema = pa.unify_schemas(schemas)
        own = pa.schema([found for found in schema if found.name not in _OURS])
        columns = ", ".join(quoted(name) for name in [*own.names, "_malformed", "_row"])
        files = literal(f"{work}/*.parquet")
        select = f"select {columns}, cast(null as varchar) as _file from read_parquet({files}, union_by_name = true)"
        return select, own

    return Extraction(
        [select_resource(feed, target, work, relation)],
        completed=completed,
        discard=folder.cleanup,
        problems=problems,
        more=more,
    )
