"""The mess of the real world, planted on purpose and written down.

Bad rows come on top of good ones: a broken row is a first try that is followed by the right one, a repeated row comes
after the row that it repeats. So what a gate accepts adds up to exactly what happened in the company.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

import numpy as np

from orchestration.demo.categories import CATEGORIES, UNKNOWN
from orchestration.demo.company import Company

Value = str | int | float | None
Row = tuple[Value, ...]


@dataclass(frozen=True)
class Fault:
    """Something that a source gets wrong: the values that it writes, and the gate's rules that they break."""

    values: Mapping[str, Value]
    rules: tuple[str, ...]


@dataclass(frozen=True)
class FeedShape:
    """What a feed looks like, and how much of it is bad.

    Attributes:
        id: The contract's id, `raw_<source>.<table>`.
        retry_suffix: What a broken row's first key column has after the good row's; without one both have the same key.
        broken: Share of rows that a broken try comes before.
        repeated: Share of rows that are sent twice.
        resent: Share of rows that are sent again with the next batch.
    """

    id: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    faults: tuple[Fault, ...]
    retry_suffix: str = ""
    broken: float = 0.0020
    repeated: float = 0.0008
    resent: float = 0.0004


@dataclass(frozen=True)
class Batch:
    """The rows of a feed that appear on one day, in the order in which the source holds them.

    Attributes:
        bad: The rules that a row breaks, sorted and joined by comma, by the row's place; good rows have no entry.
    """

    shape: FeedShape
    rows: Sequence[Row]
    bad: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRow:
    """A planted bad row, as the truth lists it.

    Attributes:
        day: Day on which it appears in its source.
        key: The feed's key columns as JSON, values as text.
        rules: The gate's rules that it breaks, sorted and joined by comma.
        row: All columns as JSON, as the source sends them.
    """

    feed: str
    day: date
    key: str
    rules: str
    row: str


def one(column: str, rule: str, *values: Value) -> tuple[Fault, ...]:
    """Returns the faults of a column that break one rule, one for each value."""
    return tuple(Fault({column: value}, (f"{column}:{rule}",)) for value in values)


def promise(name: str, **values: Value) -> tuple[Fault, ...]:
    """Returns the fault that breaks a quality rule of the contract, which has a name of its own."""
    return (Fault(values, (name,)),)


def spoil(
    company: Company,
    shape: FeedShape,
    day: date,
    rows: Sequence[Row],
    previous: Sequence[Row] = (),
    restamp: Callable[[Row], Row] = lambda row: row,
    least_broken: int = 0,
) -> Batch:
    """Plants bad rows among the good ones of a day.

    Args:
        company: Whose rows they are.
        shape: The feed.
        day: The day of the batch.
        rows: The good rows, in order.
        previous: The good rows of the batch before, some of which are sent again.
        restamp: Turns a row of the batch before into its second sending.
        least_broken: How many rows have a broken try in any case.
    """
    draw = company.rng(f"mess {shape.id}", day.toordinal())
    luck = draw.random(len(rows))
    luck[:least_broken] = 0.0
    again = draw.random(len(previous)) < shape.resent
    unique = f"{'+'.join(shape.key)}:unique"
    out: list[Row] = []
    bad: dict[int, str] = {}
    start = 0
    for i in np.flatnonzero(luck < shape.broken + shape.repeated).tolist():
        out += rows[start:i]
        if luck[i] < shape.broken and shape.faults:
            fault = shape.faults[int(draw.integers(len(shape.faults)))]
            bad[len(out)] = ",".join(sorted(fault.rules))
            out += (_broken(shape, rows[i], fault), rows[i])
        else:
            bad[len(out) + 1] = unique
            out += (rows[i], rows[i])
        start = i + 1
    out += rows[start:]
    for i in np.flatnonzero(again).tolist():
        bad[len(out)] = unique
        out.append(restamp(previous[i]))
    return Batch(shape, out, bad)


def spoil_day(
    company: Company,
    shape: FeedShape,
    t: int,
    rows: Callable[[Company, int], Sequence[Row]],
    recorded_at: str | None = None,
) -> Batch:
    """Plants bad rows among those of a day number, some of the day before come again among them.

    Args:
        company: Whose rows they are.
        shape: The feed.
        t: The day number.
        rows: Returns the good rows of a day number, in order.
        recorded_at: When rows of the day before are recorded again; as they were, if not given.
    """

    def again(row: Row) -> Row:
        return row if recorded_at is None else replaced(shape, row, {"recorded_at": recorded_at})

    return spoil(company, shape, company.day(t), rows(company, t), rows(company, t - 1) if t else (), again)


def bad_rows(batch: Batch, day: date) -> list[BadRow]:
    """Returns the entries of the truth for a batch."""
    found = []
    for place, rules in sorted(batch.bad.items()):
        row = dict(zip(batch.shape.columns, batch.rows[place], strict=True))
        key = {name: None if row[name] is None else str(row[name]) for name in batch.shape.key}
        found.append(
            BadRow(batch.shape.id, day, json.dumps(key), rules, json.dumps(row, ensure_ascii=False, sort_keys=False))
        )
    return found


def replaced(shape: FeedShape, row: Row, values: Mapping[str, Value]) -> Row:
    """Returns a row with other values in some columns."""
    return tuple(values.get(name, value) for name, value in zip(shape.columns, row, strict=True))


@cache
def spelled(category: int, number: int) -> str:
    """Returns a category as people write it, by a number from 0 to 999; most write it right."""
    spellings = CATEGORIES[category].spellings
    if number < 280:
        return spellings[number % len(spellings)]
    return CATEGORIES[category].name


@cache
def spelled_or_unknown(category: int, number: int) -> str | None:
    """Returns a category as the web shop's free text has it: sometimes nobody knows, rarely it is left out."""
    if number >= 996:
        return None
    if number >= 990:
        return UNKNOWN[number % len(UNKNOWN)]
    return spelled(category, number)


def _broken(shape: FeedShape, row: Row, fault: Fault) -> Row:
    values = dict(fault.values)
    first = shape.key[0]
    if shape.retry_suffix and first not in values:
        values[first] = f"{row[shape.columns.index(first)]}{shape.retry_suffix}"
    return replaced(shape, row, values)
