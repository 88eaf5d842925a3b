"""The way into DuckDB: the file that is the warehouse reads what was staged itself.

Rows that DuckDB can read go to dlt as one SELECT, so that they are read and written once. As Arrow batches they would
be written twice on the way (dlt extracts to Parquet, then loads that); measured on Parquet files, the SELECT lands two
to three times as many rows a second. It stands in a view, because dlt parses the statement that it loads, and one over
hundreds of files is long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import dlt
import pyarrow as pa
from dlt.common.destination.client import SqlModel

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing.destination import WarehouseDestination
from orchestration.landing.inserting import Insertion
from orchestration.landing.loading import as_landed, hints_of
from orchestration.landing.target import FILES_TABLE
from orchestration.sql import quoted
from orchestration.warehouse import Warehouse

if TYPE_CHECKING:
    import duckdb

_VIEW_PREFIX = "_incoming_"


@dataclass(frozen=True)
class InPlace:
    """The DuckDB file of a warehouse; see `orchestration.landing.target.Target`."""

    store: Warehouse

    @property
    def folder(self) -> Path:
        """Beside the warehouse."""
        return self.store.path.with_name("landing")

    @property
    def file_format(self) -> Literal["model", "parquet"]:
        """See Target."""
        return "model"

    def open(self, feed: Feed) -> AbstractContextManager[object]:  # noqa: ARG002 - the file is locked as a whole
        """Held open, DuckDB writes its log into the file once at the end, and not after each of a dozen statements."""
        return self.store.connect()

    def columns(self, feed: Feed) -> dict[str, str]:
        """See Target."""
        with self.store.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(f"describe {feed.id}").fetchall()}

    def names(self, table: str) -> set[str]:
        """See Target."""
        schema, name = table.split(".")
        with self.store.connect() as connection:
            found = connection.execute(
                "select column_name from information_schema.columns where table_schema = ? and table_name = ?",
                [schema, name],
            ).fetchall()
        return {row[0] for row in found}

    def remove_unfinished(self, feed: Feed) -> None:
        """See Target."""
        with self.store.transaction() as connection:
            self._drop_view(feed, connection)
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

    def select(self, feed: Feed, load_id: str, select: str, schema: pa.Schema, work: Path) -> Iterator[Any]:
        """See Target."""
        raw = self.columns(feed)
        view = _view(feed)
        with self.store.connect() as connection:
            connection.execute(f"create or replace view {view} as {as_landed(select, schema, raw, load_id)}")
            columns = {row[0]: row[1] for row in connection.execute(f"describe {view}").fetchall()}
        yield _model_of(f"select * from {view}", columns, work)

    def insert(
        self,
        feed: Feed,
        load_id: str,
        batches: Iterator[pa.Table],
        unless_landed: Callable[[], str | None],
        work: Path,
    ) -> Iterator[Any]:
        """See Target."""
        with self.store.connect() as connection:
            rows = Insertion(feed, load_id, connection, self.columns(feed), unless_landed).run(batches)
        # A load without rows would look like an empty delivery.
        if rows:
            yield _model_of(f"select * from {feed.id} where false", self.columns(feed), work)

    def pipeline(self) -> dict[str, Any]:
        """See Target."""
        return {"destination": WarehouseDestination.of(self.store)}

    def complete(self, feed: Feed, load_id: str | None) -> int:
        """See Target."""
        with self.store.connect() as connection:
            self._drop_view(feed, connection)
            # Not what dlt counted: it knows nothing of the rows that the warehouse found to have landed before.
            counted = connection.execute(f"select count(*) from {feed.id} where _dlt_load_id = ?", [load_id]).fetchall()
        return int(counted[0][0])

    def failure(self, feed: Feed, chain: list[BaseException]) -> CatalystError | None:
        """See Target."""

    def _drop_view(self, feed: Feed, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"drop view if exists {_view(feed)}")


def _view(feed: Feed) -> str:
    return f"{feed.schema}.{_VIEW_PREFIX}{feed.table}"


def _model_of(select: str, columns: Mapping[str, str], work: Path) -> Any:
    """Returns what a resource yields for dlt to load a SELECT, whose columns come with their types in the warehouse."""
    names = ", ".join(f"{quoted(name)} as {quoted(name)}" for name in columns)
    model = work / "rows.model"
    model.write_text(str(SqlModel(f"select {names} from ({select}) as found", "duckdb")), "utf-8")
    return dlt.mark.with_file_import(str(model), "model", hints=hints_of(columns))
