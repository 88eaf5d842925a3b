"""What counts as a value is decided by how a text is written, and not by what an engine's cast takes for one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from orchestration.contracts import Column
from orchestration.values import value_of

# Of each logical type texts that are values, and texts that some engine takes for one.
VALUES: dict[str, dict[str, Any]] = {
    "integer": {" 12 ": 12, "+1": 1, "007": 7, "1.0": 1, "1e3": 1000, "9223372036854775807.0": 2**63 - 1},
    "number": {"12": 12.0, "\t1e-3\n": 0.001, ".5": 0.5, "5.": 5.0, "+1": 1.0},
    "date": {
        "2026-1-2": date(2026, 1, 2),
        " 2026-01-02 ": date(2026, 1, 2),
        "2026-01-02T23:59:59+02:00": date(2026, 1, 2),
    },
    "timestamp": {
        "2026-01-02": datetime(2026, 1, 2),  # noqa: DTZ001  # the warehouse's are UTC, naive
        "2026-01-02 3:04": datetime(2026, 1, 2, 3, 4),  # noqa: DTZ001
        "2026-01-02T03:04:05Z": datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001
        "2026-01-02T03:04:05+02:00": datetime(2026, 1, 2, 1, 4, 5),  # noqa: DTZ001
        "2026-01-02 03:04:05.25-0230": datetime(2026, 1, 2, 5, 34, 5, 250_000),  # noqa: DTZ001
        "2026-01-02 03:04:05+02": datetime(2026, 1, 2, 1, 4, 5),  # noqa: DTZ001
        " 2026-01-02 03:04:05.123456789 UTC": datetime(2026, 1, 2, 3, 4, 5, 123_456),  # noqa: DTZ001
    },
    "boolean": {"true": True, "T": True, "1": True, "yes": True, "No": False, "0": False},
}
NO_VALUES = {
    "integer": ("0x1A", "0b11", "1_000", "1.5", "1e-1", "9223372036854775808", "1e30", "12abc", "nan", "", "1 2"),
    "number": ("nan", "inf", "1e400", "1_000", "+-1", "1,5", "0x1A", "12 kg", "1e", ""),
    "date": (
        *("2026-01-02 foo", "2026-01-02foo", "2026/01/02", "20260102", "2026-02-30", "0000-01-01", "epoch", "infinity"),
        *("12026-01-02", "26-01-02", "-2026-01-02", "0044-03-15 (BC)", "2026-01-02 25:00:00"),
    ),
    "timestamp": (
        *("2026-01-02 24:00:00", "2026-01-02 23:59:60", "2026-01-02T03:04:05+15:00", "2026-01-02t03:04:05z", "epoch"),
        *("2026-01-02 03:04:05 Europe/Berlin", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"),
        *("2026-01-02T03:04:05 foo", "2026-01-02 03", "2026/01/02 03:04:05"),
    ),
    "boolean": ("on", "2", " true ", "truefalse", ""),
}


def read(column: Column, text: str) -> Any:
    with duckdb.connect() as connection:
        return connection.execute(f"select {value_of(column, 'x')} from (select ? as x)", [text]).fetchall()[0][0]


@pytest.mark.parametrize("kind", VALUES)
def test_a_text_that_is_a_value_is_read(kind: str) -> None:
    column = Column("x", kind, "varchar", False, {})
    assert {text: read(column, text) for text in VALUES[kind]} == VALUES[kind]


@pytest.mark.parametrize("kind", NO_VALUES)
def test_a_text_that_only_looks_like_a_value_is_none(kind: str) -> None:
    column = Column("x", kind, "varchar", False, {})
    assert {text: found for text in NO_VALUES[kind] if (found := read(column, text)) is not None} == {}


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("d-MMM-yy", "2-JUN-06", date(2006, 6, 2)),
        ("d-MMM-yy", " 02-jun-06 ", date(2006, 6, 2)),
        ("d-MMM-yy", "2-June-06", None),
        ("d-MMM-yy", "31-Feb-06", None),
        ("dd.MM.yyyy", "2.6.2006", date(2006, 6, 2)),
        ("dd.MM.yyyy", "2.6.206", None),
        ("dd.MM.yyyy", "2. 6.2006", None),
        ("dd.MM.yyyy", "02x06x2006", None),
        ("d MMMM yyyy", "2 june 2006", date(2006, 6, 2)),
        ("yyyy%MM%dd", "2006%06%02", date(2006, 6, 2)),
    ],
)
def test_a_date_is_written_as_its_format_says(form: str, text: str, day: date | None) -> None:
    assert read(Column("x", "date", "varchar", False, {"format": form}), text) == day


@pytest.mark.parametrize(
    ("landed_as", "landed", "kind", "value"),
    [
        ("double", "5.0", "integer", 5),
        ("double", "5.5", "integer", None),
        ("double", "'nan'", "number", None),
        ("bigint", "5", "number", 5.0),
        ("timestamp", "'2026-01-02 03:04:05'", "date", date(2026, 1, 2)),
        ("date", "'10000-01-01'", "date", None),
    ],
)
def test_a_value_that_landed_in_another_type_is_read_by_what_it_says(
    landed_as: str, landed: str, kind: str, value: Any
) -> None:
    expression = value_of(Column("x", kind, landed_as, False, {}), "x")
    with duckdb.connect() as connection:
        found = connection.execute(f"select {expression} from (select cast({landed} as {landed_as}) as x)").fetchall()
    assert found == [(value,)]
