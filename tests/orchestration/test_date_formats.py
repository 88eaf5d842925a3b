"""A contract says how the dates of a source are written, and which words may stand in place of a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration.contracts import Column
from orchestration.date_formats import strptime_format
from orchestration.errors import CatalystError
from orchestration.gate import gate
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column


def _date(form: str) -> Column:
    return Column("day", "date", "varchar", False, {"format": form})


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("yyyy-MM-dd", "%Y-%m-%d"),
        ("d-MMM-yy", "%d-%b-%y"),
        ("M/d/yy", "%m/%d/%y"),
        ("dd.MM.yyyy HH:mm:ss", "%d.%m.%Y %H:%M:%S"),
        ("yyyy-MM-dd'T'HH:mm", "%Y-%m-%dT%H:%M"),
        ("yyyy%MM", "%Y%%%m"),
    ],
)
def test_the_letters_of_the_standard_become_those_of_the_warehouse(form: str, expected: str) -> None:
    assert strptime_format(_date(form)) == expected


@pytest.mark.parametrize(("form", "unknown"), [("YYYY-MM-dd", "YYYY"), ("dd-MM-yyyyy", "yyyyy"), ("d'th' MM", "'th'")])
def test_a_part_that_is_not_known_is_named(form: str, unknown: str) -> None:
    with pytest.raises(CatalystError, match=f"in which {unknown} is not known"):
        strptime_format(_date(form))


def _marks(make_feed: MakeFeed, warehouse: Warehouse, folder: Path, kind: dict[str, Any], *values: str) -> list[Any]:
    """The rules that each of the values breaks, in their order."""
    (folder / "in").mkdir()
    (folder / "in/1.csv").write_text("n,value\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values)))
    server = {"type": "local", "path": f"{folder}/in/*.csv", "format": "csv"}
    feed = make_feed("things", server, [column("n"), kind])
    warehouse.prepare([feed])
    land(feed, warehouse)
    gate(feed, warehouse)
    with warehouse.connect() as connection:
        marks = dict(connection.execute("select row_number, rules from quality.quarantine").fetchall())
    return [marks.get(n) for n in range(len(values))]


def test_dates_are_read_by_the_format_of_the_contract_and_by_no_other(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    options = {"format": "d-MMM-yy", "minimum": "2000-01-01"}
    kind = column("value", "date", logicalTypeOptions=options)
    found = _marks(make_feed, warehouse, tmp_path, kind, "2-Jun-06", "31-Dec-99", "2006-06-02", "31-Feb-06", "")
    assert found == [None, "value:range", "value:type", "value:type", None]


def test_a_word_in_place_of_a_number_is_neither_unreadable_nor_missing(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    kind = column(
        "value",
        "integer",
        required=True,
        logicalTypeOptions={"minimum": 1},
        customProperties=[{"property": "statuses", "value": "not weighed|see line [0-9]+"}],
    )
    sent = ("7", "not weighed", "see line 12", "see line x", "weighed", "not weighed at all", "0", "")
    found = _marks(make_feed, warehouse, tmp_path, kind, *sent)
    unreadable = "value:type"
    assert found == [None, None, None, unreadable, unreadable, unreadable, "value:range", "value:required"]


def test_statuses_that_are_no_pattern_are_told_with_their_line(make_feed: MakeFeed, tmp_path: Path) -> None:
    kind = column("value", "integer", customProperties=[{"property": "statuses", "value": "("}])
    with pytest.raises(CatalystError, match=r"things\.odcs\.yaml, line \d+: the statuses '\(' of column value"):
        make_feed("things", {"type": "local", "path": f"{tmp_path}/*.csv", "format": "csv"}, [kind])
