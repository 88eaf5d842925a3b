"""What the gate asks of a warehouse, whichever engine it runs on. Its SQL is DuckDB's; other engines translate it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Answer(Protocol):
    """The rows that a statement returns; times are in UTC and carry no zone."""

    @property
    def description(self) -> Sequence[Sequence[Any]]:
        """The columns, each with its name first."""

    def fetchall(self) -> list[Any]:
        """Returns all rows as tuples."""

    def to_arrow_reader(self) -> pa.RecordBatchReader:
        """Returns all rows batch by batch."""


class Connection(Protocol):
    """Where statements are executed, one after the other."""

    def execute(self, query: str, parameters: Any = ..., /) -> Answer:
        """Executes a statement of DuckDB's SQL, with values for each `?` in a list or for each `$name` in a dict."""


class Store(Protocol):
    """A warehouse."""

    def connect(self) -> AbstractContextManager[Connection]:
        """Opens it for reading."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Opens it for changes that come all together or, after an error, not at all."""
