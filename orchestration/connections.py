"""What is asked of a warehouse, whichever engine it runs on. The SQL is DuckDB's; other engines translate it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import date

    import pyarrow as pa

    from orchestration.contracts import Feed


class Answer(Protocol):
    """The rows that a statement returns; times are in UTC and carry no zone."""

    @property
    def description(self) -> Sequence[Sequence[Any]]:
        """The columns, each with its name first."""

    def fetchall(self) -> list[Any]:
        """Returns all rows as tuples."""

    def to_arrow_table(self) -> pa.Table:
        """Returns all rows as an Arrow table."""

    def to_arrow_reader(self) -> pa.RecordBatchReader:
        """Returns all rows batch by batch."""


class Connection(Protocol):
    """Where statements are executed, one after the other."""

    def execute(self, query: str, parameters: Any = ..., /) -> Answer:
        """Executes a statement of DuckDB's SQL, with values for each `?` in a list or for each `$name` in a dict."""

    def register(self, view_name: str, python_object: object) -> object:
        """Makes an Arrow table known to the statements that follow, by a name without a schema."""


class Store(Protocol):
    """A warehouse."""

    @property
    def raw_kept_days(self) -> int | None:
        """After so many days raw rows are gone; None where they stay."""

    def connect(self) -> AbstractContextManager[Connection]:
        """Opens it for single statements."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Opens it for changes that come all together or, after an error, not at all."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Returns the rows of a query as an Arrow table."""

    def prepare(self, feeds: Sequence[Feed]) -> None:
        """Creates what every model may read, and the columns that contracts have gained since."""

    def replace_partition(self, table: str, as_of: date, rows: pa.Table) -> int:
        """Writes the rows of one as-of date in place of those that a table holds for it; returns their number."""

    def row_counts(self) -> Mapping[tuple[str, str], int]:
        """Returns the rows of every table by its schema and name; they may be estimates, and raw tables may lack."""
