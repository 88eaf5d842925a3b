"""Where a landing writes, by what it needs of it: the readers of every kind of feed know nothing more of an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from orchestration.warehouse import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.connections import Store
    from orchestration.contracts import Feed
    from orchestration.errors import CatalystError

# The ledger of files, beside the raw tables that they land in.
FILES_TABLE = "_files"


class Target(Protocol):
    """A warehouse as landing writes it."""

    @property
    def store(self) -> Store:
        """The warehouse, to be asked."""

    @property
    def folder(self) -> Path:
        """Where what is staged may stand: there the user has made room."""

    @property
    def file_format(self) -> Literal["model", "parquet"]:
        """What dlt loads rows from: a SELECT, or files."""

    def open(self, feed: Feed) -> AbstractContextManager[object]:
        """Keeps others from landing the feed meanwhile."""

    def columns(self, feed: Feed) -> dict[str, str]:
        """Returns the columns of a feed's raw table with their types, as DuckDB calls them."""

    def names(self, table: str) -> set[str]:
        """Returns the columns of any table; none where it does not exist."""

    def remove_unfinished(self, feed: Feed) -> None:
        """Removes the rows of loads that never completed."""

    def select(self, feed: Feed, load_id: str, select: str, schema: pa.Schema, work: Path) -> Iterator[Any]:
        """Yields to dlt the rows of a SELECT, with the types of the raw table.

        Args:
            feed: The feed.
            load_id: The load that dlt has begun.
            select: The source's columns as DuckDB reads them, beside `_row`, `_file` and `_malformed`.
            schema: The source's columns alone.
            work: A folder that outlives the load.
        """

    def insert(
        self,
        feed: Feed,
        load_id: str,
        batches: Iterator[pa.Table],
        unless_landed: Callable[[], str | None],
        work: Path,
    ) -> Iterator[Any]:
        """Yields to dlt the rows of batches, with the types of the raw table.

        Args:
            feed: The feed.
            load_id: The load that dlt has begun.
            batches: The source's columns, named as they land.
            unless_landed: As of `orchestration.landing.loading.insert_resource`.
            work: A folder that outlives the load.
        """

    def pipeline(self) -> dict[str, Any]:
        """Returns what a dlt pipeline is told of where it loads to."""

    def complete(self, feed: Feed, load_id: str | None) -> int:
        """Tidies up behind a load that dlt has completed, and returns how many rows it brought."""

    def failure(self, feed: Feed, chain: list[BaseException]) -> CatalystError | None:
        """Returns what an error of the warehouse, and what has led to it, means to the user; None where it is none."""


def target_of(store: Store) -> Target:
    """Returns the way into a warehouse."""
    if isinstance(store, Warehouse):
        from orchestration.landing.in_place import InPlace

        return InPlace(store)
    from orchestration.bigquery import BigQuery
    from orchestration.landing.by_files import ByFiles

    assert isinstance(store, BigQuery), "There are two kinds of warehouses."  # noqa: S101
    return ByFiles(store)
