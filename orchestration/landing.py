"""Brings what the sources have gained into `raw_<source>`; the only module that imports dlt.

A landing keeps nothing outside the warehouse: where a feed stopped last time travels in the same load package as its
rows. dlt reads that state back at the start, so a landing that was killed anywhere is simply done again; the rows of
its unfinished package carry a load id that never completed, and are removed before the next one starts.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import duckdb
import numpy as np
import pyarrow as pa
import sqlalchemy
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator
from dlt.sources.sql_database import sql_table
from sqlalchemy import exc as sql_errors

from orchestration.contracts import Feed, Kind
from orchestration.errors import CatalystError
from orchestration.warehouse import Warehouse

if TYPE_CHECKING:
    from dlt.extract import DltResource

FILES_TABLE = "_files"
BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Landing:
    """What one landing brought in."""

    feed: str
    load_id: str | None
    rows: int


def land(feed: Feed, warehouse: Warehouse) -> Landing:
    """Appends the rows that a feed has gained since its last landing.

    Args:
        feed: The feed; `warehouse.prepare` has created its table.
        warehouse: Where to land.

    Returns:
        The load and its number of rows; no load where there was nothing new.

    Raises:
        CatalystError: The source cannot be reached or read.
    """
    _remove_unfinished(feed, warehouse)
    counter = _RowCounter()
    with tempfile.TemporaryDirectory(prefix="catalyst-landing-") as work:
        dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
        pipeline = dlt.pipeline(
            pipeline_name=pipeline_name(feed),
            pipelines_dir=work,
            destination=dlt.destinations.duckdb(str(warehouse.path)),
            dataset_name=feed.schema,
        )
        resources = _READERS[feed.kind](feed, warehouse, counter)
        if not resources:
            return Landing(feed.id, None, 0)
        try:
            info = pipeline.run(resources, write_disposition="append", loader_file_format="parquet")
            info.raise_on_failed_jobs()
        except PipelineStepFailed as error:
            cause = _root(error)
            raise CatalystError(
                f"Feed {feed.id} could not be landed: {type(cause).__name__}: {str(cause).splitlines()[0]}. Nothing of "
                f"this load counts; check the source named in {feed.path} and run again."
            ) from error
        # What the counter numbered is not yet what came: dlt drops rows at the cursor that it has landed before.
        normalized = pipeline.last_trace.last_normalize_info if pipeline.last_trace else None
        rows = normalized.row_counts.get(feed.table, 0) if normalized else 0
    return Landing(feed.id, info.loads_ids[0] if rows else None, rows)


def pipeline_name(feed: Feed) -> str:
    """The dlt pipeline of a feed, under which the warehouse remembers its state and its completed loads."""
    return f"land_{feed.schema}_{feed.table}"


@dataclass
class _RowCounter:
    rows: int = 0

    def number(self, batch: pa.Table) -> pa.Table:
        """Adds the ordinal by which, with the load, a raw row is known for good."""
        first, self.rows = self.rows, self.rows + batch.num_rows
        return batch.append_column("_row", pa.array(np.arange(first, self.rows), pa.int64()))


def _remove_unfinished(feed: Feed, warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        tables = {
            row[0]
            for row in connection.execute(
                "select table_name from information_schema.tables where table_schema = ?", [feed.schema]
            ).fetchall()
        }
        completed = "select '' where false"
        if "_dlt_loads" in tables:
            completed = f"select load_id from {feed.schema}._dlt_loads where status = 0"
        for table in sorted(tables & {feed.table, FILES_TABLE}):
            connection.execute(f"delete from {feed.schema}.{table} where _dlt_load_id not in ({completed})")


def _database(feed: Feed, _warehouse: Warehouse, counter: _RowCounter) -> list[DltResource]:
    cursor = feed.cursor
    if cursor is None:
        raise CatalystError(f"Feed {feed.id} reads a database and so needs a customProperty `cursor` in {feed.path}.")
    try:
        resource = sql_table(
            credentials=feed.setting("url"),
            table=feed.setting("table"),
            backend="pyarrow",
            chunk_size=BATCH_ROWS,
            # The last value is read again, as its other rows may have come since; dlt drops those that it has seen.
            incremental=dlt.sources.incremental(cursor, primary_key=list(feed.key) or cursor, row_order="asc"),
            type_adapter_callback=_known_to_dlt,
        )
    except sql_errors.SQLAlchemyError as error:
        raise CatalystError(
            f"Feed {feed.id}: table {feed.setting('table')!r} of its database cannot be read "
            f"({type(error).__name__}). Check the url and table in {feed.path}, and that the database is up."
        ) from error
    resource.add_map(counter.number)
    return [resource.with_name(feed.table)]


def _known_to_dlt(kind: sqlalchemy.types.TypeEngine[Any]) -> sqlalchemy.types.TypeEngine[Any]:
    # Since SQLAlchemy 2.1 a float is no Numeric, and dlt would guess at its type anew from every batch.
    return sqlalchemy.Numeric(asdecimal=False) if isinstance(kind, sqlalchemy.Float) else kind


def _rest(feed: Feed, _warehouse: Warehouse, counter: _RowCounter) -> list[DltResource]:
    cursor = feed.cursor
    if cursor is None:
        raise CatalystError(f"Feed {feed.id} reads an API and so needs a customProperty `cursor` in {feed.path}.")
    url, since, data = feed.setting("location"), feed.setting("since"), feed.setting("dataPath")
    paginator = JSONResponseCursorPaginator(cursor_path=feed.setting("nextPath"), cursor_param="cursor")

    def pages() -> Iterator[pa.Table]:
        state = dlt.current.resource_state()
        last = state.get("last")
        newest = last
        client = RESTClient(base_url=url)
        for page in client.paginate("", params={since: last} if last else {}, paginator=paginator, data_selector=data):
            # The API answers from `since` on, that day included; a day that was read whole is not read again.
            fresh = [row for row in page if last is None or str(row.get(cursor)) > last]
            if fresh:
                newest = max([newest or "", *(str(row[cursor]) for row in fresh if row.get(cursor))])
                yield counter.number(_as_text(fresh, feed))
        state["last"] = newest

    return [dlt.resource(pages, name=feed.table)]


def _as_text(rows: list[dict[str, Any]], feed: Feed) -> pa.Table:
    names = list(dict.fromkeys([*(c.name for c in feed.columns), *(name for row in rows for name in row)]))
    return pa.table(
        {
            name: pa.array([None if row.get(name) is None else str(row[name]) for row in rows], pa.string())
            for name in names
        }
    )


def _files(feed: Feed, warehouse: Warehouse, counter: _RowCounter) -> list[DltResource]:
    pattern = feed.setting("path")
    root = _fixed_part(pattern)
    paths = sorted(root.glob(Path(pattern).relative_to(root).as_posix()))
    if not paths:
        raise CatalystError(
            f"Feed {feed.id} has no file at {pattern}: check the path in {feed.path}, or that the files have arrived."
        )
    fresh = _changed(paths, root, feed, warehouse)
    if not fresh:
        return []

    def rows() -> Iterator[pa.Table]:
        with duckdb.connect() as reader:
            reader.execute("set enable_progress_bar = false")
            select = _SELECTS[feed.setting("format")]([str(path) for path, *_ in fresh], feed, reader)
            relative = f"select * replace (substr(_file, {len(str(root)) + 2}) as _file) from ({select})"
            for batch in reader.execute(relative).to_arrow_reader(BATCH_ROWS):
                yield counter.number(pa.Table.from_batches([batch]))

    def ledger() -> Iterator[pa.Table]:
        yield pa.table(
            {
                "feed": [feed.id] * len(fresh),
                "path": [path.relative_to(root).as_posix() for path, *_ in fresh],
                "bytes": pa.array([size for _, size, _, _ in fresh], pa.int64()),
                "modified_ns": pa.array([modified for _, _, modified, _ in fresh], pa.int64()),
                "sha256": [digest for *_, digest in fresh],
            }
        )

    return [dlt.resource(rows, name=feed.table), dlt.resource(ledger, name=FILES_TABLE)]


def _fixed_part(pattern: str) -> Path:
    parts = Path(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if has_magic(part)), len(parts) - 1)
    return Path(*parts[:fixed])


def _changed(paths: list[Path], root: Path, feed: Feed, warehouse: Warehouse) -> list[tuple[Path, int, int, str]]:
    """The files that have not been landed with their present content: path, bytes, time of change, hash."""
    landed: dict[str, tuple[int, int, str]] = {}
    with warehouse.connect() as connection:
        known = connection.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
            [feed.schema, FILES_TABLE],
        ).fetchone()
        if known:
            landed = {
                row[0]: row[1:]
                for row in connection.execute(
                    f"select path, bytes, modified_ns, sha256 from {feed.schema}.{FILES_TABLE} where feed = ? "
                    "order by _dlt_load_id",
                    [feed.id],
                ).fetchall()
            }
    changed = []
    for path in paths:
        facts = path.stat()
        before = landed.get(path.relative_to(root).as_posix())
        # The hash decides, but it is not worth reading a file again that has neither size nor time changed.
        if before and before[:2] == (facts.st_size, facts.st_mtime_ns):
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if before is None or before[2] != digest:
            changed.append((path, facts.st_size, facts.st_mtime_ns, digest))
    return changed


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _select_csv(paths: list[str], _feed: Feed, _reader: duckdb.DuckDBPyConnection) -> str:
    files = ", ".join(map(_literal, paths))
    return f"""
        select * rename (filename as _file) from read_csv(
            [{files}], header = true, all_varchar = true, union_by_name = true, filename = true,
            delim = ',', quote = '"', escape = '"', null_padding = true, strict_mode = false, normalize_names = false
        )"""


def _select_parquet(paths: list[str], _feed: Feed, _reader: duckdb.DuckDBPyConnection) -> str:
    files = ", ".join(map(_literal, paths))
    return f"""
        select * rename (filename as _file) from read_parquet(
            [{files}], union_by_name = true, filename = true, hive_partitioning = false
        )"""


def _select_jsonl(paths: list[str], feed: Feed, reader: duckdb.DuckDBPyConnection) -> str:
    # Lines are read as text: a broken one is then a row to quarantine, and not the end of the load.
    files = ", ".join(map(_literal, paths))
    lines = f"""
        select line, try_cast(line as json) as object, filename as _file from read_csv(
            [{files}], columns = {{'line': 'varchar'}}, header = false, filename = true, auto_detect = false,
            delim = '\\x01', quote = '', escape = '', strict_mode = false, max_line_size = 134217728
        ) where trim(line) != ''"""
    found = reader.execute(
        f"select distinct unnest(json_keys(object)) as name from ({lines}) "
        "where json_type(object) = 'OBJECT' order by name"
    ).fetchall()
    names = list(dict.fromkeys([*(column.name for column in feed.columns), *(row[0] for row in found)]))
    columns = ", ".join(
        f"json_extract_string(object, {_literal(f'$.{_quoted(name)}')}) as {_quoted(name)}" for name in names
    )
    malformed = "case when coalesce(json_type(object), '') != 'OBJECT' then line end"
    return f"select {columns}, {malformed} as _malformed, _file from ({lines})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _root(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error


_Reader = Callable[[Feed, Warehouse, _RowCounter], "list[DltResource]"]
_READERS: dict[Kind, _Reader] = {Kind.DATABASE: _database, Kind.FILES: _files, Kind.REST: _rest}
_SELECTS: dict[str, Callable[[list[str], Feed, duckdb.DuckDBPyConnection], str]] = {
    "csv": _select_csv,
    "parquet": _select_parquet,
    "jsonl": _select_jsonl,
}
