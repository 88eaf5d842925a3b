"""How Great Expectations comes to the warehouse: over the gate's own connection, quietly, and without its own files."""

from __future__ import annotations

import logging
import sys
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol, cast

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.validator.validator import Validator

from orchestration.connections import Connection

# What it would log, the gate says itself: rules that are broken, and rules that cannot be evaluated.
logging.getLogger("great_expectations").setLevel(logging.CRITICAL)

# Great Expectations imports the dialect of BigQuery where that is installed, which puts a function of its own in the
# place of SQLAlchemy's `unnest`. Reading the tables of a Postgres calls it, and would warn that it is not cached.
if dialect := sys.modules.get("sqlalchemy_bigquery.base"):
    dialect.unnest.inherit_cache = True

BATCH = "catalyst_batch"

_TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "bigint": sa.BigInteger(),
    "double": sa.Float(),
    "date": sa.Date(),
    "timestamp": sa.DateTime(),
    "boolean": sa.Boolean(),
}


class HasEngine(Protocol):
    """A connection of an engine that speaks SQLAlchemy by itself."""

    @property
    def sqlalchemy(self) -> sa.Engine:
        """The same session."""


class _Borrowed(ConnectionWrapper):
    """The gate's own connection as SQLAlchemy sees it; its transaction is begun and ended by the gate alone."""

    def begin(self) -> None:
        """Leaves the transaction as it is."""

    def commit(self) -> None:
        """Leaves the transaction as it is."""

    def rollback(self) -> None:
        """Leaves the transaction as it is."""

    def close(self) -> None:
        """Leaves the connection open."""


class _Described(SqlAlchemyExecutionEngine):
    """An engine that is told the columns of `BATCH`, as BigQuery describes no temporary table."""

    def __init__(self, engine: sa.Engine, columns: Mapping[str, str]) -> None:
        super().__init__(engine=engine, create_temp_table=False)
        self._columns = [{"name": name, "type": _TYPES.get(kind, sa.String())} for name, kind in columns.items()]

    def get_inspector(self) -> Any:
        """Returns what is asked for columns and keys."""
        return types.SimpleNamespace(
            dialect=self.engine.dialect,
            get_columns=lambda **_: self._columns,
            get_pk_constraint=lambda **_: {},
        )


@cache
def _context() -> Any:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context


def validator_on(connection: Connection, columns: Mapping[str, str]) -> Validator:
    """Returns what evaluates expectations over `BATCH` of a connection, in its transaction.

    Args:
        connection: The connection.
        columns: The columns of `BATCH` with their types.
    """
    engine = (
        _duckdb(connection)
        if isinstance(connection, duckdb.DuckDBPyConnection)
        else _Described(cast("HasEngine", connection).sqlalchemy, columns)
    )
    engine.load_batch_data(BATCH, SqlAlchemyBatchData(engine, table_name=BATCH))
    return Validator(engine, data_context=_context())


def _duckdb(connection: duckdb.DuckDBPyConnection) -> SqlAlchemyExecutionEngine:
    borrowed = _Borrowed(connection)
    pool = sa.create_engine("duckdb://", creator=lambda: borrowed, poolclass=sa.pool.StaticPool)
    # Columns have the names that their sources give them; the dialect knows only the words that Postgres reserves.
    words = connection.execute("select keyword_name from duckdb_keywords() where keyword_category != 'unreserved'")
    pool.dialect.identifier_preparer.reserved_words = {row[0] for row in words.fetchall()}
    engine = SqlAlchemyExecutionEngine(engine=pool, create_temp_table=False)
    # Great Expectations does not know DuckDB. Of the engines for whose regular expressions and LIKE it has SQL, Dremio
    # writes them as DuckDB does; the mark by which it knows one is the name of the dialect's class.
    engine.dialect_module = types.SimpleNamespace(DremioDialect=None)  # type: ignore[assignment]
    return engine
