"""Looks at the first rows of a table of a database, and at what the database itself says of its columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy
from sqlalchemy import exc

from orchestration.contracts import Kind
from orchestration.errors import CatalystError
from orchestration.samples.sample import PLACEHOLDER, SAMPLE_ROWS, Sample, landed, shown


def look(location: str, address: str, source: str, table: str | None) -> Sample:
    """Reads the first rows of a table, with the types and the key that the database declares.

    Raises:
        CatalystError: No table is named, or it cannot be read.
    """
    if table is None:
        raise CatalystError(f"{shown(address)} is a database: say which table with --table.")
    try:
        url = sqlalchemy.make_url(address)
        if url.get_backend_name() == "sqlite" and url.database and not PLACEHOLDER.search(location):
            url = url.set(database=str(Path(url.database).absolute()))
            location = str(url)
        engine = sqlalchemy.create_engine(url)
        try:
            schema, _, name = table.rpartition(".")
            found = sqlalchemy.Table(name, sqlalchemy.MetaData(), schema=schema or None, autoload_with=engine)
            with engine.connect() as connection:
                values = connection.execute(sqlalchemy.select(found).limit(SAMPLE_ROWS)).fetchall()
        finally:
            engine.dispose()
    except exc.NoSuchTableError as error:
        raise CatalystError(f"The database {shown(address)} has no table {table!r}: check --table.") from error
    except (exc.SQLAlchemyError, ImportError) as error:
        raise CatalystError(
            f"The database {shown(address)} cannot be read ({type(error).__name__}: "
            f"{shown(str(error).splitlines()[0])}): check the URL, and that it is up."
        ) from error
    columns = list(found.columns)
    rows, spellings = landed(
        pa.table({column.name: _array(column.type, [row[n] for row in values]) for n, column in enumerate(columns)})
    )
    key = tuple(name for name, spelling in spellings.items() if found.columns[spelling].primary_key)
    notes = []
    if url.password and not PLACEHOLDER.search(location):
        variable = f"{source.upper()}_URL"
        notes.append(
            f"The URL holds a password, so the contract says ${{{variable}}} in its place. Add this line to "
            f"secrets.env in CATALYST_HOME: {variable}={url.render_as_string()} with the password for ***."
        )
        location = f"${{{variable}}}"
    return Sample(Kind.DATABASE, {"type": "custom"}, {"url": location, "table": table}, rows, spellings, key, notes)


def _array(kind: Any, values: list[Any]) -> pa.Array:
    types: list[tuple[Any, pa.DataType]] = [
        (sqlalchemy.Boolean, pa.bool_()),
        (sqlalchemy.Integer, pa.int64()),
        (sqlalchemy.Numeric, pa.float64()),
        (sqlalchemy.Float, pa.float64()),
        (sqlalchemy.DateTime, pa.timestamp("us")),
        (sqlalchemy.Date, pa.date32()),
    ]
    wanted = next((arrow for declared, arrow in types if isinstance(kind, declared)), pa.string())
    if pa.types.is_floating(wanted):
        values = [None if value is None else float(value) for value in values]
    try:
        return pa.array(values, wanted)
    except (pa.ArrowException, TypeError, ValueError):
        # SQLite takes text into a column of numbers, and a database has types that Arrow lacks.
        return pa.array([None if value is None else str(value) for value in values], pa.string())
