"""Tables of Postgres, which hands over Arrow by its binary COPY: many times as fast as row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from orchestration.contracts import Feed
from orchestration.landing.tables import SourceError, arrow_type, compiled, pages, unreadable

# COPY gives infinity, and years that Arrow has no room for, as numbers that overflow to before the first day that
# Postgres knows, in the year 4714 before Christ.
_FIRST_DAY = -2_440_589
_LATEST = "200000-01-01"
# Types that arrive as Arrow's own; all others are asked for as text.
_NATIVE = (sa.Boolean, sa.Integer, sa.Float, sa.Numeric, sa.Date, sa.DateTime, sa.Time, sa.LargeBinary, sa.Text)


class PostgresTable:
    """A table of Postgres, read by ADBC."""

    def __init__(self, feed: Feed, engine: sa.Engine, table: sa.Table) -> None:
        import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]

        self._feed, self._table, self._error = feed, table, adbc_driver_postgresql.dbapi.Error
        # Without parameters nothing doubles the percent signs of names and values.
        self._dialect: sa.Dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
        self.columns = {column.name: arrow_type(column.type, self._dialect) for column in table.columns}
        self._query = sa.select(*map(_asked, table.columns))
        uri = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        engine.dispose()
        try:
            self._connection = adbc_driver_postgresql.dbapi.connect(uri, autocommit=True)
        except self._error as error:
            raise SourceError(unreadable(feed, error)) from error

    def pages(self, cursor: str, low: Any, rows: int) -> Iterator[tuple[pa.Table, Any]]:
        """See SourceTable."""
        column = self._table.c[cursor]
        return pages(self._fetch, self._query.where(_placed(column)), column, low, rows)

    def unplaced(self, cursor: str) -> pa.Table | None:
        """See SourceTable."""
        column = self._table.c[cursor]
        if not column.nullable and not _is_date(column):
            return None
        return self._fetch(self._query.where(sa.not_(sa.func.coalesce(_placed(column), sa.false()))))

    def close(self) -> None:
        """See SourceTable."""
        self._connection.close()

    def _fetch(self, query: sa.Select[Any]) -> pa.Table:
        fetched = self._run(query)
        if any(_is_odd(column) for column in fetched.columns):
            # Once more, with all dates as text.
            asked = [_date_as_text(c) if _is_date(c) else _asked(c) for c in self._table.columns]
            fetched = self._run(query.with_only_columns(*asked, maintain_column_froms=True))
        columns = [_plain(column) for column in fetched.columns]
        return pa.table(columns, names=list(self.columns))

    def _run(self, query: sa.Select[Any]) -> pa.Table:
        try:
            with self._connection.cursor() as database:
                database.execute(compiled(query, self._dialect))
                return database.fetch_arrow_table()
        except self._error as error:
            raise SourceError(unreadable(self._feed, error)) from error


def _asked(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    native = isinstance(column.type, _NATIVE) or type(column.type) in (sa.VARCHAR, sa.CHAR)
    return column if native else sa.cast(column, sa.Text)


def _date_as_text(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    zoned = getattr(column.type, "timezone", False)
    text = sa.cast(sa.func.timezone("UTC", column) if zoned else column, sa.Text)
    # As DuckDB writes it.
    return sa.func.regexp_replace(text, r"^(\S+)(.*) BC$", r"\1 (BC)\2")


def _is_odd(values: pa.ChunkedArray) -> bool:
    if pa.types.is_date(values.type):
        least = pc.min(values.cast(pa.int32())).as_py()
        return least is not None and least < _FIRST_DAY
    if pa.types.is_timestamp(values.type):
        least = pc.min(values.cast(pa.int64())).as_py()
        return least is not None and least < _FIRST_DAY * 86_400_000_000
    return False


def _placed(column: sa.Column[Any]) -> sa.ColumnElement[bool]:
    if not _is_date(column):
        return column.is_not(None)
    return sa.and_(sa.func.isfinite(column), column < sa.literal(_LATEST, sa.String()))


def _is_date(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Date | sa.DateTime)


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numerics as the text that they come as, times without their zone, which is UTC."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in values.chunks], kind.storage_type)
    return values.cast(pa.timestamp("us")) if pa.types.is_timestamp(kind) and kind.tz else values
