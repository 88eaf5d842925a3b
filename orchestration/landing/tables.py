"""Tables of any database that SQLAlchemy knows, as pages of Arrow; Postgres has a faster way of its own."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, cast

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy import exc as sql_errors

from orchestration.contracts import Feed
from orchestration.errors import CatalystError

_FETCH_ROWS = 50_000


class SourceError(CatalystError):
    """The database did not answer, or not to the end."""


class SourceTable(Protocol):
    """A table of a source.

    Attributes:
        columns: The table's columns with the type of the Arrow column that holds their values.
    """

    columns: dict[str, pa.DataType]

    def pages(self, cursor: str, low: Any, rows: int) -> Iterator[tuple[pa.Table, Any]]:
        """Yields the rows from a cursor value on, in its order, each page with its last value."""

    def unplaced(self, cursor: str) -> pa.Table | None:
        """Returns the rows that have no place in the order of the cursor; None where there can be none."""

    def close(self) -> None:
        """Lets go of the database."""


def open_table(feed: Feed) -> SourceTable:
    """Returns the table that the contract of a feed names.

    Raises:
        CatalystError: The database or the table cannot be read.
    """
    url, name = feed.setting("url"), feed.setting("table")
    schema, _, plain = name.rpartition(".")
    try:
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        try:
            table = sa.Table(plain, sa.MetaData(), schema=schema or None, autoload_with=engine)
        except BaseException:
            engine.dispose()
            raise
    except (sql_errors.SQLAlchemyError, ImportError) as error:
        raise SourceError(unreadable(feed, error)) from error
    if engine.dialect.name == "postgresql":
        from orchestration.landing.postgres import PostgresTable

        return PostgresTable(feed, engine, table)
    return AnyTable(feed, engine, table)


class AnyTable:
    """A table read by the database's own Python driver, without a conversion of each value on the way."""

    def __init__(self, feed: Feed, engine: sa.Engine, table: sa.Table) -> None:
        self._feed, self._engine, self._table = feed, engine, table
        self.columns = {column.name: arrow_type(column.type, engine.dialect) for column in table.columns}

    def pages(self, cursor: str, low: Any, rows: int) -> Iterator[tuple[pa.Table, Any]]:
        """See SourceTable."""
        column = self._table.c[cursor]
        query = sa.select(self._table).where(column.is_not(None))
        return pages(self._fetch, query, column, low, rows)

    def unplaced(self, cursor: str) -> pa.Table | None:
        """See SourceTable."""
        column = self._table.c[cursor]
        return self._fetch(sa.select(self._table).where(column.is_(None))) if column.nullable else None

    def close(self) -> None:
        """See SourceTable."""
        self._engine.dispose()

    def _fetch(self, query: sa.Select[Any]) -> pa.Table:
        try:
            connection = self._engine.raw_connection()
            try:
                sql = compiled(query, self._engine.dialect)
                try:
                    return self._execute(connection, sql)
                except sqlite3.OperationalError as error:
                    if "decode" not in str(error):
                        raise
                    # Bytes that are not UTF-8 are shown as escapes, which costs a call for each value.
                    cast(sqlite3.Connection, connection.driver_connection).text_factory = _text
                    return self._execute(connection, sql)
            finally:
                connection.close()
        except Exception as error:
            if isinstance(error, self._engine.dialect.loaded_dbapi.Error | sql_errors.SQLAlchemyError):
                raise SourceError(unreadable(self._feed, error)) from error
            raise

    def _execute(self, connection: Any, sql: str) -> pa.Table:
        database = connection.cursor()
        tables = []
        # A million tuples of plain values set the collector of cycles off again and again, to find none: a third of the
        # time.
        collects = gc.isenabled()
        gc.disable()
        try:
            database.execute(sql)
            while fetched := database.fetchmany(_FETCH_ROWS):
                columns = zip(*fetched, strict=True)
                tables.append(
                    pa.table(
                        {name: _array(c, self.columns[name]) for name, c in zip(self.columns, columns, strict=True)}
                    )
                )
        finally:
            if collects:
                gc.enable()
            database.close()
        return _concatenated(tables, self.columns)


def pages(
    fetch: Callable[[sa.Select[Any]], pa.Table], query: sa.Select[Any], column: sa.Column[Any], low: Any, rows: int
) -> Iterator[tuple[pa.Table, Any]]:
    """Yields pages of a query in the order of a column.

    The last value of a full page may go on behind it, so its rows are left to the next page; where they fill a page of
    their own, they are read all at once.
    """
    reach = None if low is None else column >= bound(low, column)
    while True:
        page = fetch((query if reach is None else query.where(reach)).order_by(column).limit(rows))
        if page.num_rows < rows:
            if page.num_rows:
                yield page, _last(page, column)
            return
        values = page.column(column.name)
        last = _last(page, column)
        before = page.slice(0, page.num_rows - pc.sum(pc.equal(values, values[-1])).as_py())
        if before.num_rows:
            yield before, _last(before, column)
            reach = column >= bound(last, column)
        else:
            yield fetch(query.where(column == bound(last, column))), last
            reach = column > bound(last, column)


def bound(value: Any, column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    """Returns a cursor value as a literal to compare a column with."""
    if isinstance(value, str):
        # Text stands for dates and times too, as databases read it; a zone is told where the column has one.
        zoned = getattr(column.type, "timezone", False)
        return sa.literal(f"{value}+00" if zoned else value, sa.String())
    return sa.literal(value)


def compiled(query: sa.Select[Any], dialect: sa.Dialect) -> str:
    """Returns a query with its values in it, as a driver takes it that is given no parameters."""
    sql = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    # Drivers with such parameters are told of none, and so do not halve the signs again.
    return sql.replace("%%", "%") if dialect.paramstyle in ("format", "pyformat") else sql


def arrow_type(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> pa.DataType:
    """Returns the Arrow type of a column's values; text for what Arrow has no plain type for."""
    wide = dialect.name == "sqlite"
    kinds: tuple[tuple[type[sa.types.TypeEngine[Any]], pa.DataType], ...] = (
        (sa.Boolean, pa.bool_()),
        (sa.SmallInteger, pa.int64() if wide else pa.int16()),
        (sa.BigInteger, pa.int64()),
        (sa.Integer, pa.int64() if wide else pa.int32()),
        (sa.REAL, pa.float64() if wide else pa.float32()),
        (sa.Float, pa.float64()),
        (sa.Numeric, pa.decimal128(38, 9)),
        (sa.Date, pa.date32()),
        (sa.DateTime, pa.timestamp("us")),
        (sa.Time, pa.time64("us")),
        (sa.LargeBinary, pa.binary()),
    )
    return next((arrow for known, arrow in kinds if isinstance(kind, known)), pa.string())


def unreadable(feed: Feed, error: BaseException) -> str:
    """Returns the sentence that says that a table cannot be read, and why."""
    reason = next((line for line in str(getattr(error, "orig", None) or error).splitlines() if line.strip()), "")
    return (
        f"Feed {feed.id}: table {feed.setting('table')!r} of its database cannot be read ({type(error).__name__}: "
        f"{reason}). Check the url and table in {feed.path}, and that the database is up."
    )


def _last(page: pa.Table, column: sa.Column[Any]) -> Any:
    value = page.column(column.name)[-1]
    return value.as_py() if pa.types.is_integer(value.type) or pa.types.is_floating(value.type) else str(value)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column with its type, or, where a value does not fit it, as text: what it means is found out when it lands."""
    for attempt in (pa.string(),) if pa.types.is_decimal(kind) else (kind, pa.string()):
        try:
            return pa.array(values, attempt)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            continue
    return pa.array([None if value is None else _shown(value) for value in values], pa.string())


def _shown(value: Any) -> str:
    return _text(bytes(value)) if isinstance(value, bytes | bytearray | memoryview) else str(value)


def _concatenated(tables: Sequence[pa.Table], columns: dict[str, pa.DataType]) -> pa.Table:
    if not tables:
        return pa.table({name: pa.array([], pa.string()) for name in columns})
    arrays = []
    for name in columns:
        chunks = [table.column(name) for table in tables]
        if len({chunk.type for chunk in chunks}) > 1:
            chunks = [chunk.cast(pa.string()) for chunk in chunks]
        arrays.append(pa.chunked_array([c for chunk in chunks for c in chunk.chunks], chunks[0].type))
    return pa.table(arrays, names=list(columns))
