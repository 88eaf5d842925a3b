"""The published copy: what BI tools, the API and reports read, so that no run blocks them or shows half-built marts.

    published/versions/<version>/catalyst.duckdb    written once, never changed
    published/catalyst.duckdb                       a symbolic link to the current one, switched by an atomic rename

On BigQuery readers block no run, and dbt puts each table in place as a whole: nothing is copied there.

DuckDB shares one instance per process and resolved path. A process that still holds a connection to the old version
therefore gets the new data when it connects through the link again; after renaming one file over another it would get
the old data. A version is a folder, not a file name, because DuckDB names the catalog after the file: it has to be
`catalyst` in every version, or the table names that BI tools have saved (`catalyst.core_analytics`) break at each run.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from sqlalchemy import URL

from orchestration import published_copy
from orchestration.connections import Connection, Store
from orchestration.documented import Documented
from orchestration.errors import CatalystError
from orchestration.settings import Settings
from orchestration.sql import literal, quoted
from orchestration.warehouse import warehouse_of

PUBLISHED_SCHEMAS = ("core_analytics", "predictions", "decisions", "monitoring", "quality")

# A copy without rows in these is the sign of a broken run, however green its checks were.
REQUIRED_TABLES = ("core_analytics.products", "core_analytics.sales", "core_analytics.daily_product_sales")

POINTER = "catalyst.duckdb"

# What two runs over the same data differ in: ids and clock times.
_OF_THE_RUN = re.compile(
    r"(run|load|_dlt_load)_id|(predicted|started|finished|landed|gated|quarantined|validated|found)_at"
)

# Adding zero turns -0.0 into 0.0. The payload of a rejected row bears the id of its load.
_COMPARABLE: dict[object, str] = dict.fromkeys(("DOUBLE", "FLOAT"), "round({}, 6) + 0.0") | {
    ("payload", "VARCHAR"): """regexp_replace({}, '"_dlt_load_id":"[^"]*"', '')"""
}


@dataclass(frozen=True)
class PublishResult:
    """What was published: a version (the name is never used again), its file (it never changes), rows by table."""

    version: str
    path: Path
    tables: dict[str, int]
    seconds: float


def publish(
    warehouse: Path,
    published_dir: Path,
    schemas: Sequence[str] = PUBLISHED_SCHEMAS,
    *,
    as_of: date,
    run_id: str,
    required: Sequence[str] = REQUIRED_TABLES,
    documentation: Mapping[str, Documented] | None = None,
) -> PublishResult:
    """Copies the published schemas to a new version and makes that the current one in a single step.

    Whatever happens before the switch, the version before stays current. The current and the previous version are kept.

    Args:
        warehouse: The DuckDB file to copy from; nothing may have it open for writing.
        published_dir: The folder that holds the versions and the link to the current one.
        schemas: What to copy; views become tables, comments are carried over.
        as_of: The last day in the data, which the version is named after.
        run_id: The run that asks for it, likewise.
        required: Tables (`schema.table`) that must have rows.
        documentation: Keys to declare, and comments for what has none in the warehouse, by `schema.table`.

    Raises:
        CatalystError: The warehouse lacks a schema or a required row, cannot be read, a key does not hold, or the copy
            cannot be written.
    """
    started = time.perf_counter()
    if not warehouse.is_file():
        raise CatalystError(f"There is no warehouse at {warehouse} to publish: run `catalyst run` first.")
    versions, pointer = published_dir / "versions", published_dir / POINTER
    versions.mkdir(parents=True, exist_ok=True)
    with _only_publisher(published_dir):
        for leftover in versions.glob(".building-*"):
            shutil.rmtree(leftover)
        previous = pointer.readlink().parent.name if pointer.is_symlink() else None
        version = _new_version(versions, as_of, run_id)
        building = versions / f".building-{version}"
        try:
            building.mkdir()
            tables = published_copy.copy(warehouse, building / POINTER, schemas, required, documentation or {})
            _sync(building / POINTER)
            _sync(building)
            building.rename(versions / version)
            _sync(versions)
            _switch(pointer, version)
        except (duckdb.Error, OSError) as error:
            raise CatalystError(
                f"The warehouse {warehouse} could not be published to {published_dir} "
                f"({str(error).splitlines()[0]}): the version before stays current; mend the cause and run again."
            ) from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
        for old in versions.iterdir():
            if old.name not in {version, previous}:
                shutil.rmtree(old, ignore_errors=True)  # the next run tries again
    return PublishResult(version, versions / version / POINTER, tables, time.perf_counter() - started)


def check(warehouse: Store) -> dict[str, int]:
    """Returns the rows of each table of the published schemas where readers have the warehouse itself.

    Raises:
        CatalystError: A table lacks that must have rows, or its rows do.
    """
    counts = warehouse.row_counts()
    tables = {f"{schema}.{table}": rows for (schema, table), rows in counts.items() if schema in PUBLISHED_SCHEMAS}
    empty = [table for table in REQUIRED_TABLES if not tables.get(table)]
    if empty:
        raise CatalystError(
            f"{', '.join(empty)} has no row: see quality.loads for what the feeds delivered and quality.quarantine for "
            "what was rejected. Readers see the tables as they are; mend the cause and run again."
        )
    return tables


def published_of(settings: Settings) -> Path | Store:
    """Returns what readers open: the folder of the copies, or BigQuery."""
    return settings.published if settings.target == "local" else warehouse_of(settings)


def url_of(settings: Settings) -> str:
    """Returns the SQLAlchemy URL for BI tools."""
    return published_url(settings.published) if settings.target == "local" else f"bigquery://{settings.gcp_project}"


def published_url(published_dir: Path) -> str:
    """Returns the SQLAlchemy URL for BI tools: read-only, without a pool, so each checkout sees the newest data."""
    query = {"access_mode": "read_only", "pool": "null"}
    return str(URL.create("duckdb", database=str(published_dir.resolve() / POINTER), query=query))


@contextmanager
def open_published(published: Path | Store) -> Iterator[Connection]:
    """Opens the version that is current now, read-only, and stays on it whatever is published meanwhile.

    Args:
        published: The published folder, a DuckDB file, or a warehouse that readers open themselves.

    Raises:
        CatalystError: Nothing has been published, or it cannot be read.
    """
    if not isinstance(published, Path):
        with published.connect() as opened:
            yield opened
        return
    with tempfile.TemporaryDirectory(prefix="catalyst-") as spill, duckdb.connect() as connection:
        connection.execute(f"set temp_directory = {literal(spill)}")
        connection.execute("set enable_progress_bar = false")
        _attach_current(connection, published)
        connection.execute("use catalyst")
        yield connection


def fingerprint(published: Path) -> dict[str, str]:
    """Hashes the content of each table (`schema.table`) but for what tells runs apart: their ids and the clock.

    The order of rows does not matter; how often a row occurs does. Floating-point numbers count to six decimals, as
    parallel sums differ in their last bits from run to run. Columns, their order and their types are part of the hash.
    The log of runs is left out. Compare the results of one DuckDB version only: its hash function may change.

    Args:
        published: The published folder, or a DuckDB file.
    """
    hashes = {}
    with open_published(published) as connection:
        tables = connection.execute(
            "select schema_name, table_name, list([column_name, data_type] order by column_index) "
            "from duckdb_columns() where database_name = 'catalyst' and not internal "
            "and (schema_name, table_name) <> ('quality', 'runs') group by all order by all"
        ).fetchall()
        for schema, table, columns in tables:
            kept = [(name, data_type) for name, data_type in columns if not _OF_THE_RUN.fullmatch(name)]
            values = [
                _COMPARABLE.get((name, kind), _COMPARABLE.get(kind, "{}")).format(quoted(name)) for name, kind in kept
            ]
            # A sum, not an exclusive or, which two equal rows would cancel out of.
            [content] = connection.execute(
                f"select count(*), sum(hash({', '.join(values) or '0'})::hugeint) from {quoted(schema, table)}"
            ).fetchall()
            hashes[f"{schema}.{table}"] = hashlib.sha256(repr((kept, content)).encode()).hexdigest()[:32]
    return hashes


@contextmanager
def _only_publisher(published_dir: Path) -> Iterator[None]:
    # The lock goes with the process, so a killed run leaves none behind.
    with (published_dir / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CatalystError(f"Another run is publishing to {published_dir}: wait, then run again.") from error
        yield


def _new_version(versions: Path, as_of: date, run_id: str) -> str:
    # A name is never used again, not even after its folder is gone: a process that has the old file open under it would
    # go on reading that. The current version is always there, so counting up from what exists is enough.
    name = f"{as_of.isoformat()}-{re.sub(r'[^A-Za-z0-9-]+', '-', run_id)}".rstrip("-")
    attempts = [re.fullmatch(re.escape(name) + r"(?:\.(\d+))?", folder.name) for folder in versions.iterdir()]
    taken = [int(attempt[1] or 1) for attempt in attempts if attempt]
    return f"{name}.{max(taken) + 1}" if taken else name


def _switch(pointer: Path, version: str) -> None:
    following = pointer.with_name(f".{POINTER}.next")
    following.unlink(missing_ok=True)
    # Relative, so that the folder can be moved or mounted elsewhere.
    following.symlink_to(Path("versions") / version / POINTER)
    following.replace(pointer)
    _sync(pointer.parent)


def _attach_current(connection: duckdb.DuckDBPyConnection, published: Path) -> None:
    pointer = published / POINTER if published.is_dir() else published
    while True:
        if not pointer.exists():
            raise CatalystError(f"Nothing is published at {pointer} yet: run `catalyst run` first.")
        file = pointer.resolve()
        try:
            # Attached, not connected to: DuckDB refuses a second connection of the same process with other settings
            # than the first, which may be SQLAlchemy's.
            connection.execute(f"attach {literal(file)} as catalyst (read_only)")
            return
        except duckdb.Error as error:
            if pointer.resolve() == file:  # else two runs have published between resolving and opening
                raise CatalystError(
                    f"The published file {file} cannot be read ({str(error).splitlines()[0]})."
                ) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
