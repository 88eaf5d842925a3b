"""Proposes what a contract says, from a sample: types, key, and candidate rules that somebody has yet to read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.contracts import Kind
from orchestration.samples import Sample

# A column of at most so many values, each of them seen often, is taken for a set of codes.
_CODES, _ROWS_PER_CODE = 12, 10
_MOSTLY = 0.9

_ID = re.compile(r"(^|_)(id|uuid|guid|key|no|nr|number|code|sku|ean|gtin)$")
_PERSON = re.compile(
    r"(^|_)(e?mails?|phone|telephone|mobile|fax|street|address|postal_code|postcode|zip|zip_code|birth|birth_?date|"
    r"birth_?day|birth_year|date_of_birth|dob|iban|ssn|passport|surname)($|_)"
    r"|(^|_)(first|last|given|family|full|middle|maiden|customer|contact|person|user|client)_?name$|^name$"
)
_CHANGED = re.compile(r"(updated|modified|changed)")
_KNOWN = ("recorded", "received", "ingested", "loaded", "inserted", "published", "updated", "modified", "created")
_DATE_FORMATS = {
    "%d/%m/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%m/%d/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "%d.%m.%Y": r"\d{1,2}\.\d{1,2}\.\d{4}",
    "%d-%m-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%m-%d-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "%Y/%m/%d": r"\d{4}/\d{1,2}/\d{1,2}",
    "%d-%b-%Y": r"\d{1,2}-[A-Za-z]{3}-\d{4}",
    "%d-%b-%y": r"\d{1,2}-[A-Za-z]{3}-\d{2}",
    "%d/%m/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "%m/%d/%y": r"\d{1,2}/\d{1,2}/\d{2}",
}
_INTEGER = r"-?(0|[1-9][0-9]*)"
_NUMBER = r"[+-]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_TIMESTAMP = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?"
# A type is taken for text if every value fits the pattern and the warehouse can read it.
_TEXT_TYPES = {
    "integer": (_INTEGER, "bigint"),
    "number": (_NUMBER, "double"),
    "boolean": ("(?i)true|false", "boolean"),
    "date": (r"\d{4}-\d{2}-\d{2}", "date"),
    "timestamp": (_TIMESTAMP, "timestamp"),
}


@dataclass(frozen=True)
class ProposedColumn:
    """What is proposed for a column.

    Attributes:
        note: What a person has to know of it; a comment in the contract.
        date_format: How its text is read as a date, where it is one in a notation other than ISO 8601.
        is_unique: Whether no value came twice and none was missing.
        low, high: The least and the greatest value of a number.
        values: All its values, where they are few.
    """

    name: str
    spelling: str
    logical_type: str
    physical_type: str
    required: bool
    is_personal: bool
    is_unique: bool
    note: str = ""
    date_format: str | None = None
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()

    @property
    def is_id(self) -> bool:
        """Whether it names things, rather than measures or tells about them."""
        return bool(_ID.search(self.name)) and self.logical_type in ("string", "integer")


@dataclass(frozen=True)
class ProposedRule:
    """A rule that held for the whole sample and reports what breaks it."""

    name: str
    description: str
    type: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Proposal:
    """What a contract could say of a source.

    Attributes:
        key: The columns that identify a row; empty where none surely do.
        key_candidates: Other columns of which no value came twice.
        cursor: The column by which a database or API is read on.
        known_at: The column that says when a row became known.
        is_versioned: Whether a change of a row comes as another row with the same id.
    """

    columns: tuple[ProposedColumn, ...]
    key: tuple[str, ...]
    key_candidates: tuple[str, ...]
    cursor: str | None
    known_at: str | None
    rules: tuple[ProposedRule, ...]
    is_versioned: bool


def propose(sample: Sample, table: str) -> Proposal:
    """Returns what the sample suggests for a table of that name."""
    with duckdb.connect() as connection:
        connection.register("sample", sample.rows)
        columns = tuple(
            _column(connection, item, sample.spellings[item.name], sample.rows.num_rows) for item in sample.rows.schema
        )
    key = sample.key or _key(columns, table)
    known_at = _known_at(columns)
    cursor, is_versioned = None, False
    if sample.kind in (Kind.DATABASE, Kind.REST):
        cursor, is_versioned = _cursor(columns, key)
    if is_versioned and cursor and key:
        key, known_at = tuple(dict.fromkeys((*key, cursor))), cursor
    return Proposal(
        columns,
        key,
        tuple(column.name for column in columns if column.is_unique and column.name not in key),
        cursor,
        known_at,
        tuple(_rules(columns, key)),
        is_versioned,
    )


def _column(connection: duckdb.DuckDBPyConnection, item: pa.Field, spelling: str, rows: int) -> ProposedColumn:
    column = '"' + item.name + '"'
    [[present, distinct]] = connection.execute(
        f"select count(*) filter (where trim(cast({column} as varchar)) != ''), count(distinct {column}) from sample"
    ).fetchall()
    logical, physical = _declared(item.type)
    note, date_format = "", None
    if logical == "string" and present:
        logical, note, date_format = _of_text(connection, column, present)
    elif not present:
        note = "Empty in the whole sample."
    low = high = None
    if logical in ("integer", "number") and present:
        [[low, high]] = connection.execute(
            f"select min(v), max(v) from (select try_cast({column} as double) as v from sample) where isfinite(v)"
        ).fetchall()
    values: tuple[str, ...] = ()
    if logical == "string" and present >= _ROWS_PER_CODE * distinct and distinct <= _CODES:
        found = connection.execute(f"select distinct {column} from sample where {column} is not null order by 1")
        values = tuple(row[0] for row in found.fetchall())
    return ProposedColumn(
        item.name,
        spelling,
        logical,
        physical,
        present == rows,
        bool(_PERSON.search(item.name)),
        distinct == rows == present,
        note,
        date_format,
        low,
        high,
        values,
    )


def _declared(kind: pa.DataType) -> tuple[str, str]:
    """The logical and the landed type of an Arrow type."""
    if pa.types.is_dictionary(kind):
        return _declared(kind.value_type)
    if pa.types.is_integer(kind):
        return "integer", "hugeint" if pa.types.is_uint64(kind) else "bigint"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number", "double"
    for is_it, name in (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp"),
    ):
        if is_it(kind):
            return name, name
    return "string", "varchar"


def _of_text(connection: duckdb.DuckDBPyConnection, column: str, present: int) -> tuple[str, str, str | None]:
    """The logical type of landed text, what is to be said of it, and its date format."""
    value = f"trim(cast({column} as varchar))"
    fitting = {
        name: f"regexp_full_match({value}, '{pattern}') and try_cast({value} as {kind}) is not null"
        for name, (pattern, kind) in _TEXT_TYPES.items()
    } | {
        text: f"regexp_full_match({value}, '{pattern}') and try_strptime({value}, '{text}') is not null"
        for text, pattern in _DATE_FORMATS.items()
    }
    counts = dict(
        zip(
            fitting,
            connection.execute(
                f"select {', '.join(f'count(*) filter (where {condition})' for condition in fitting.values())} "
                f"from sample where {value} != ''"
            ).fetchall()[0],
            strict=True,
        )
    )
    for name in _TEXT_TYPES:
        if counts[name] == present:
            return name, "", None
    formats = [text for text in _DATE_FORMATS if counts[text] == present]
    if len(formats) == 1:
        return "string", f"Dates in the notation {formats[0]}; the staging model reads them.", formats[0]
    if formats:
        return "string", f"Dates, but the sample fits several notations: {', '.join(formats)}.", None
    best = max(_TEXT_TYPES, key=lambda name: counts[name])
    if counts[best] >= _MOSTLY * present:
        [odd] = connection.execute(
            f"select {value} from sample where {value} != '' and not ({fitting[best]}) limit 1"
        ).fetchall()
        share = counts[best] / present
        return "string", f"{share:.1%} fit the type {best}, which would quarantine the rest, such as {odd[0]!r}.", None
    return "string", "", None


def _key(columns: Sequence[ProposedColumn], table: str) -> tuple[str, ...]:
    """The best named of the columns that are unique; without a telling name, chance is as good an explanation."""
    unique = [column.name for column in columns if column.is_unique and column.is_id]
    singular = re.sub(r"ies$", "y", table) if table.endswith("ies") else table.removesuffix("s")
    best = ["id", f"{singular}_id", f"{table}_id", "uuid", f"{singular}_no", f"{singular}_number"]
    return tuple(sorted(unique, key=lambda name: best.index(name) if name in best else len(best))[:1])


def _known_at(columns: Sequence[ProposedColumn]) -> str | None:
    times = [column for column in columns if column.required and column.logical_type in ("timestamp", "date")]
    named = [column.name for word in _KNOWN for column in times if word in column.name]
    if named:
        return named[0]
    exact = [column.name for column in times if column.logical_type == "timestamp"]
    if len(exact) == 1:
        return exact[0]
    return times[0].name if len(times) == 1 else None


def _cursor(columns: Sequence[ProposedColumn], key: Sequence[str]) -> tuple[str | None, bool]:
    """The column to read on by, and whether changed rows come again by it."""
    times = [column.name for column in columns if column.required and column.logical_type == "timestamp"]
    changed = [name for name in times if _CHANGED.search(name)]
    if changed:
        return changed[0], True
    growing = [column.name for column in columns if column.is_unique and column.logical_type == "integer"]
    named = [name for name in growing if [name] == list(key)] or [name for name in growing if _ID.search(name)]
    return next(iter([*named, *growing, *times, *_dates(columns)]), None), False


def _dates(columns: Sequence[ProposedColumn]) -> list[str]:
    return [column.name for column in columns if column.required and column.logical_type == "date"]


def _rules(columns: Sequence[ProposedColumn], key: Sequence[str]) -> Iterator[ProposedRule]:
    for column in columns:
        if column.values and column.name not in key and not column.is_personal:
            yield ProposedRule(
                f"{column.name}_is_known",
                "The sample held no other value.",
                "expect_column_values_to_be_in_set",
                {"column": column.name, "value_set": list(column.values)},
            )
        elif column.low is not None and column.high is not None and not column.is_id:
            whole = column.logical_type == "integer"
            low, high = (int(value) if whole else value for value in (column.low, column.high))
            yield ProposedRule(
                f"{column.name}_is_usual",
                f"The sample held {low} to {high}; twice as far is taken for usual.",
                "expect_column_values_to_be_between",
                {"column": column.name, "min_value": min(0, 2 * low), "max_value": max(0, 2 * high)},
            )
