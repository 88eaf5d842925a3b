"""The way into BigQuery: rows are written as Parquet here, and dlt loads the files by way of a bucket.

A DuckDB in memory makes the rows of what the source sent, as it does for a warehouse that is a DuckDB file: the same
source lands as the same rows on both. A load is a load job a file, which costs nothing and counts as a whole.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import dlt
import duckdb
import pyarrow as pa
from dlt.common.configuration.specs import GcpServiceAccountCredentials
from dlt.common.configuration.specs.gcp_credentials import GcpDefaultCredentials

from orchestration.bigquery import BigQuery
from orchestration.bigquery_refusals import remedy
from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing import pipeline_name
from orchestration.landing.extraction import numbered
from orchestration.landing.loading import BATCH, as_landed, hints_of, new_type, without_landed
from orchestration.landing.parquet import ParquetFiles
from orchestration.landing.target import FILES_TABLE
from orchestration.sql import literal
from orchestration.warehouse import declared_columns, definitions

# The types of DuckDB whose values a type of BigQuery holds; a column that no contract names has the first.
_HELD = {
    "STRING": ("VARCHAR",),
    "INTEGER": ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UINTEGER", "USMALLINT", "UTINYINT"),
    "FLOAT": ("DOUBLE", "FLOAT"),
    "BOOLEAN": ("BOOLEAN",),
    "DATE": ("DATE",),
    "TIMESTAMP": ("TIMESTAMP",),
    "TIME": ("TIME",),
    "BYTES": ("BLOB",),
    "NUMERIC": ("DECIMAL",),
    "BIGNUMERIC": ("DECIMAL", "HUGEINT"),
}
# Days that DuckDB has and BigQuery has not, as the gate has it for both.
_BOUNDS = {
    "DATE": "{value} between date '0001-01-01' and date '9999-12-31'",
    "TIMESTAMP": "{value} between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'",
}


@dataclass(frozen=True)
class ByFiles:
    """The datasets of a project and a bucket; see `orchestration.landing.target.Target`."""

    store: BigQuery
    _landed: dict[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """In the home."""
        return self.store.home / "landing"

    @property
    def file_format(self) -> Literal["model", "parquet"]:
        """See Target."""
        return "parquet"

    @contextmanager
    def open(self, feed: Feed) -> Iterator[None]:
        """Holds a lock for as long as the feed lands: two landings would take each other's rows for unfinished ones.

        Raises:
            CatalystError: Another process of this home lands the feed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{feed.id}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CatalystError(
                    f"Feed {feed.id} is being landed by another process: wait for it or stop it, then run again."
                ) from error
            yield

    def columns(self, feed: Feed) -> dict[str, str]:
        """See Target; a contract tells more of a type than BigQuery, such as how many bits an integer may have."""
        return _as_declared(feed, self._kinds(feed.id))

    def names(self, table: str) -> set[str]:
        """See Target."""
        return set(self._kinds(table))

    def remove_unfinished(self, feed: Feed) -> None:
        """See Target.

        An unfinished load began after the last one that completed, so no more than the partitions of its day and of
        those after it are looked into. The day before allows for clocks that differ.
        """
        with self.store.connect() as session:
            tables = session.tables(feed.schema)
            loads = f"{feed.schema}._dlt_loads"
            if "_dlt_loads" not in tables:
                statements = [f"delete from {feed.id} where true"]
            else:
                completed = f"_dlt_load_id not in (select load_id from {loads} where status = 0)"
                statements = [
                    f"""
                    declare since timestamp default (
                        select timestamp_sub(timestamp_trunc(max(inserted_at), day), interval 1 day) from {loads}
                        where schema_name = {literal(pipeline_name(feed))} and status = 0
                    )
                    """,
                    f"""
                    delete from {feed.id}
                    where _partitiontime >= ifnull(since, timestamp '1970-01-01') and {completed}
                    """,
                ]
                if FILES_TABLE in tables:
                    ours = f"feed = {literal(feed.id)}"
                    statements.append(f"delete from {feed.schema}.{FILES_TABLE} where {ours} and {completed}")
            session.run(";".join(statements))

    def select(self, feed: Feed, load_id: str, select: str, schema: pa.Schema, work: Path) -> Iterator[Any]:
        """See Target."""
        raw, files = self._begin(feed, load_id, work)
        raw |= _gained(schema, raw)
        with _scratch(work) as scratch:
            rows = as_landed(select, schema, raw, load_id, bounds=_BOUNDS)
            for file in files.write(scratch.execute(rows).to_arrow_reader(files.GROUP)):
                yield _imported(file, raw)
        yield from (_imported(file, raw) for file in files.close())
        self._landed[load_id] = files.rows

    def insert(
        self,
        feed: Feed,
        load_id: str,
        batches: Iterator[pa.Table],
        unless_landed: Callable[[], str | None],
        work: Path,
    ) -> Iterator[Any]:
        """See Target."""
        raw, files = self._begin(feed, load_id, work)
        again: str | None = None
        read = 0
        with _scratch(work) as scratch:
            for number, batch in enumerate(batches):
                raw |= _gained(batch.schema, raw)
                scratch.register("batch", numbered(batch, read))
                rows = as_landed(BATCH, batch.schema, raw, load_id, bounds=_BOUNDS)
                if number == 0 and (again := unless_landed()):
                    self._fetch_landed(feed, again, raw, scratch)
                if again:
                    rows = without_landed(rows, again, feed, load_id)
                read += batch.num_rows
                for file in files.write(scratch.execute(rows).to_arrow_reader(files.GROUP)):
                    yield _imported(file, raw)
                scratch.unregister("batch")
        yield from (_imported(file, raw) for file in files.close())
        self._landed[load_id] = files.rows

    def pipeline(self) -> dict[str, Any]:
        """See Target."""
        credentials = GcpServiceAccountCredentials()
        credentials.project_id = self.store.project
        GcpDefaultCredentials.parse_native_representation(credentials, self.store.credentials)
        return {
            "destination": dlt.destinations.bigquery(
                credentials=credentials,
                project_id=self.store.project,
                location=self.store.location,
                truncate_tables_on_staging_destination_before_load=False,
            ),
            "staging": dlt.destinations.filesystem(
                bucket_url=f"gs://{self.store.landing_bucket}",
                credentials=credentials,
                kwargs={"token": _bucket_token(self.store)},
            ),
        }

    def complete(self, feed: Feed, load_id: str | None) -> int:
        """See Target; what a killed landing leaves in the bucket goes by the bucket's own lifecycle."""
        if load_id is None:
            return 0
        bucket = self._bucket()
        staged = bucket.glob(f"{self.store.landing_bucket}/{feed.schema}/*/{load_id}.*")
        if staged:
            bucket.rm(staged)
        return self._landed.pop(load_id, 0)

    def failure(self, feed: Feed, chain: list[BaseException]) -> CatalystError | None:
        """See Target."""
        said = next((line for link in reversed(chain) for line in str(link).splitlines() if line.strip()), "")
        bucket = self.store.landing_bucket
        what_to_do = remedy(" ".join(map(str, chain)), self.store.project, self.store.account)
        # Google's file system asks for the bucket itself, and tries to make one that it cannot see.
        unseen = ("bucket does not exist", "storage.buckets.")
        missing = (str(link) for link in chain if isinstance(link, FileNotFoundError))
        if any(bucket in path for path in missing) or any(sign in str(link) for sign in unseen for link in chain):
            what_to_do = (
                f"Make the bucket {bucket} with infra/terraform, which grants roles/storage.objectAdmin and "
                "roles/storage.legacyBucketReader on it, or set CATALYST_LANDING_BUCKET to one that is there."
            )
        if not what_to_do:
            return None
        return CatalystError(
            f"Feed {feed.id} could not be landed in the project {self.store.project} by way of gs://{bucket} "
            f"({said[:300].rstrip('.')}). Nothing of this load counts. {what_to_do}"
        )

    def _bucket(self) -> Any:
        import fsspec  # type: ignore[import-untyped]

        return fsspec.filesystem("gs", token=_bucket_token(self.store), use_listings_cache=False)

    def _begin(self, feed: Feed, load_id: str, work: Path) -> tuple[dict[str, str], ParquetFiles]:
        """The columns of the raw table, and files of their types: BigQuery is asked once for the two."""
        kinds = self._kinds(feed.id)
        return _as_declared(feed, kinds), ParquetFiles(work / f"{load_id}.landed", kinds)

    def _kinds(self, table: str) -> dict[str, str]:
        with self.store.connect() as session:
            return dict(session.columns(table))

    def _fetch_landed(self, feed: Feed, again: str, raw: Mapping[str, str], scratch: duckdb.DuckDBPyConnection) -> None:
        """Brings here the rows among which some that were read again may be."""
        names = [*(column.name for column in feed.columns), "_malformed", "_dlt_load_id"]
        columns = ", ".join(f'"{name}"' for name in names)
        landed = self.store.query(f"select {columns} from {feed.id} where {again}")
        casts = ", ".join(f'cast("{name}" as {raw[name]}) as "{name}"' for name in names)
        scratch.register("landed_before", landed)
        scratch.execute(f"create schema {feed.schema}")
        scratch.execute(f"create table {feed.id} as select {casts} from landed_before")
        scratch.unregister("landed_before")


def _as_declared(feed: Feed, kinds: Mapping[str, str]) -> dict[str, str]:
    """Returns the type in DuckDB of each column: that of the contract where BigQuery's holds it."""
    with duckdb.connect() as scratch:
        scratch.execute(f"create table declared ({definitions(declared_columns(feed))})")
        declared = {row[0]: row[1] for row in scratch.execute("describe declared").fetchall()}
    columns = {}
    for name, kind in kinds.items():
        held = _HELD.get(kind, _HELD["STRING"])
        said = declared.get(name, "")
        columns[name] = said if said.partition("(")[0] in held else held[0]
    return columns


@contextmanager
def _scratch(work: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"set temp_directory = {literal(work / 'spilled')}")
        yield connection


def _bucket_token(store: BigQuery) -> Any:
    # Google's own name for where an emulator of its buckets listens.
    return "anon" if "STORAGE_EMULATOR_HOST" in os.environ else store.credentials


def _gained(schema: pa.Schema, raw: Mapping[str, str]) -> dict[str, str]:
    """The columns that the raw table gains, with their types."""
    return {part.name: new_type(part.type) for part in schema if part.name not in raw}


def _imported(file: Path, columns: Mapping[str, str]) -> Any:
    return dlt.mark.with_file_import(str(file), "parquet", hints=hints_of(columns))
