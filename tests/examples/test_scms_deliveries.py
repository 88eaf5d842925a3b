"""Messy real data, brought in by a contract and SQL: each oddity is counted in the file and found behind the gate."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.settings import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "scms_deliveries"
FEED = "raw_scms.delivery_lines"
QUOTED, ORDERED = "PQ First Sent to Client Date", "PO Sent to Vendor Date"
SCHEDULED, DELIVERED, RECORDED = "Scheduled Delivery Date", "Delivered to Client Date", "Delivery Recorded Date"
WEIGHT, FREIGHT = "Weight (Kilograms)", "Freight Cost (USD)"
ALL_DATES = (QUOTED, ORDERED, SCHEDULED, DELIVERED, RECORDED)


def day(text: str) -> date | None:
    """A date in either of the file's formats; None for the words that stand in place of one."""
    for form in ("%m/%d/%y", "%d-%b-%y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    return None


@dataclass(frozen=True)
class Line:
    """A line of the file, read without Catalyst."""

    text: dict[str, str]

    @property
    def broken(self) -> set[str]:
        """The rules of the contract that it breaks so that it may not go on."""
        quoted, ordered, delivered, recorded = (day(self.text[name]) for name in (QUOTED, ORDERED, DELIVERED, RECORDED))
        assert delivered is not None
        assert recorded is not None
        weight = self.text[WEIGHT]
        found = {
            "delivered_after_ordered": ordered is not None and delivered < ordered,
            "delivered_after_quoted": quoted is not None and delivered < quoted,
            "recorded_after_delivered": recorded < delivered,
            "weight_kilogramsx:range": weight.isdecimal() and not 1 <= int(weight) <= 150_000,
        }
        return {rule for rule, is_broken in found.items() if is_broken}

    @property
    def is_ordered_before_quoted(self) -> bool:
        quoted, ordered = day(self.text[QUOTED]), day(self.text[ORDERED])
        return quoted is not None and ordered is not None and ordered < quoted


@dataclass(frozen=True)
class Example:
    """The example after the commands of its README."""

    home: Path
    printed: str

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.home / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def counts(self, column: str) -> dict[str, int]:
        return dict(self.query(f"select {column}, count(*) from core_analytics.deliveries group by all"))


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    found = shared_data / "scms_delivery_history"
    if not found.is_dir():
        pytest.skip(f"{found} is absent; CATALYST_SHARED_DATA names the folder of the optional data sets.")
    return found


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[Line]:
    with (folder / "scms_delivery_history.csv").open(encoding="utf-8", newline="") as file:
        return [Line(row) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def good(lines: list[Line]) -> list[Line]:
    return [line for line in lines if not line.broken]


@pytest.fixture(scope="module")
def example(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Example:
    home = tmp_path_factory.mktemp("scms")
    own = {"CATALYST_PROJECT": str(EXAMPLE), "CATALYST_HOME": str(home), "SCMS_DIR": str(folder)}
    printed = ""
    for command in (
        ["catalyst", "land", FEED],
        ["catalyst", "land", FEED],
        ["dbt", "deps"],
        ["dbt", "build", "--target-path", str(home / "dbt"), "--log-path", str(home / "logs")],
    ):
        done = subprocess.run(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            env=os.environ | own,
            cwd=EXAMPLE,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        printed += done.stdout + done.stderr
    return Example(home, printed)


def test_every_line_lands_and_the_broken_ones_bear_every_rule_that_they_break(
    example: Example, lines: list[Line]
) -> None:
    marks = example.query(
        f"select raw.id, marks.rules from quality.quarantine as marks inner join {FEED} as raw "
        "on raw._dlt_load_id = marks.load_id and raw._row = marks.row_number"
    )
    assert example.query(f"select count(*) from {FEED}") == [(10_324,)]
    assert {number: set(rules.split(",")) for number, rules in marks} == {
        line.text["ID"]: line.broken for line in lines if line.broken
    }
    assert len(marks) == 22
    assert Counter(rule for _, rules in marks for rule in rules.split(",")) == {
        "delivered_after_ordered": 5,
        "delivered_after_quoted": 10,
        "recorded_after_delivered": 3,
        "weight_kilogramsx:range": 5,
    }


def test_a_negative_lead_time_has_a_reason_that_shows_both_dates(example: Example) -> None:
    [[reasons]] = example.query("select reasons from quality.quarantine where payload like '%\"4190\"%'")
    assert "24-Jan-07" in reasons
    assert "11/12/07" in reasons


def test_orders_before_their_quote_go_on_and_are_reported(
    example: Example, lines: list[Line], good: list[Line]
) -> None:
    early = [line.text["ID"] for line in lines if line.is_ordered_before_quoted]
    assert len(early) == 5
    assert example.query("select rule, severity, rows_broken from quality.findings") == [
        ("ordered_after_quoted", "warning", 5)
    ]
    assert {line.text["ID"] for line in good} >= set(early)
    assert len(example.query("select 1 from core_analytics.deliveries where ordered_on < quoted_on")) == 5


def test_the_dates_of_both_formats_are_those_of_the_file(example: Example, lines: list[Line], good: list[Line]) -> None:
    texts = [line.text[name] for line in lines for name in ALL_DATES]
    assert Counter("/" in text if day(text) else None for text in texts) == {True: 12_235, False: 30_972, None: 8_413}
    found = example.query(
        """
        select delivery_line_id, quoted_on, ordered_on, scheduled_on, delivered_on, recorded_on
        from core_analytics.deliveries order by delivery_line_id
        """
    )
    expected = sorted((int(line.text["ID"]), *(day(line.text[name]) for name in ALL_DATES)) for line in good)
    assert found == expected
    assert len(found) == 10_302


def test_words_in_place_of_a_date_are_a_status(example: Example, good: list[Line]) -> None:
    words = {"Pre-PQ Process": "before_quotes", "N/A - From RDC": "from_stock", "Date Not Captured": "not_captured"}
    for column, name in (("quote_date_status", QUOTED), ("order_date_status", ORDERED)):
        assert example.counts(column) == Counter(words.get(line.text[name], "known") for line in good)
    assert example.counts("order_date_status")["from_stock"] > 5_000


def test_words_in_place_of_a_number_are_a_status_and_the_numbers_are_exact(
    example: Example, lines: list[Line], good: list[Line]
) -> None:
    words = {
        "Weight Captured Separately": "captured_separately",
        "Freight Included in Commodity Cost": "included_in_price",
        "Invoiced Separately": "invoiced_separately",
    }

    def status(text: str) -> str:
        return "at_shared_line" if text.startswith("See ") else words.get(text, "known")

    weights, freights = (Counter(status(line.text[name]) for line in lines) for name in (WEIGHT, FREIGHT))
    assert weights == {"known": 6_372, "captured_separately": 1_507, "at_shared_line": 2_445}
    assert freights == {
        "known": 6_198,
        "included_in_price": 1_442,
        "invoiced_separately": 239,
        "at_shared_line": 2_445,
    }
    assert example.counts("weight_status") == Counter(status(line.text[WEIGHT]) for line in good)
    assert example.counts("freight_status") == Counter(status(line.text[FREIGHT]) for line in good)
    [[weight, freight, value]] = example.query(
        "select sum(weight_kg), sum(freight_usd), sum(value_usd) from core_analytics.deliveries"
    )
    known = {
        name: [line.text[name] for line in good if status(line.text[name]) == "known"] for name in (WEIGHT, FREIGHT)
    }
    assert weight == sum(map(int, known[WEIGHT]))
    assert freight == sum(map(Decimal, known[FREIGHT]))
    assert value == sum(Decimal(line.text["Line Item Value"]) for line in good)


def test_a_line_that_shares_its_weight_names_the_line_that_holds_it(example: Example, good: list[Line]) -> None:
    expected = {
        int(line.text["ID"]): int(found[1]) for line in good if (found := re.search(r"ID#:(\d+)", line.text[WEIGHT]))
    }
    shared = dict(
        example.query("select delivery_line_id, shared_line_id from core_analytics.deliveries where shared_line_id > 0")
    )
    assert shared == expected
    assert len(shared) > 2_400


def test_no_value_of_a_line_lies_beyond_the_rounding_of_its_price(lines: list[Line]) -> None:
    off = [
        (abs(Decimal(line.text["Line Item Value"]) - packs * Decimal(line.text["Pack Price"])), packs)
        for line in lines
        for packs in [int(line.text["Line Item Quantity"])]
    ]
    assert sum(difference > 0 for difference, _ in off) == 719
    half_a_cent = Decimal("0.005")
    assert all(difference <= half_a_cent * packs + half_a_cent for difference, packs in off)


def test_lateness_and_lead_times_are_those_of_the_file(example: Example, good: list[Line]) -> None:
    late, lead = [], []
    for line in good:
        due, arrived, ordered = (day(line.text[name]) for name in (SCHEDULED, DELIVERED, ORDERED))
        assert due is not None
        assert arrived is not None
        late.append((arrived - due).days)
        lead += [(arrived - ordered).days] if ordered else []
    [found] = example.query(
        """
        select count_if(is_late), sum(days_late), count(lead_time_days), sum(lead_time_days), min(lead_time_days)
        from core_analytics.deliveries
        """
    )
    assert found == (sum(days > 0 for days in late), sum(late), len(lead), sum(lead), 0)
    assert 0.11 < found[0] / len(good) < 0.12


def test_empty_text_is_null(example: Example, lines: list[Line], good: list[Line]) -> None:
    columns = {"shipment_mode": "Shipment Mode", "dosage": "Dosage", "insurance_usd": "Line Item Insurance (USD)"}
    counted = [sum(not line.text[name] for line in lines) for name in columns.values()]
    assert counted == [360, 1_736, 287]
    nulls = ", ".join(f"count_if({column} is null)" for column in columns)
    [found] = example.query(f"select {nulls} from core_analytics.deliveries")
    assert list(found) == [sum(not line.text[name] for line in good) for name in columns.values()]


def test_lines_that_differ_in_their_number_alone_stay(example: Example, lines: list[Line]) -> None:
    numbers: dict[tuple[str, ...], list[int]] = {}
    for line in lines:
        number, *content = line.text.values()
        numbers.setdefault(tuple(content), []).append(int(number))
    repeated = [number for same in numbers.values() if len(same) > 1 for number in same]
    assert len(repeated) == 8
    found = example.query("select delivery_line_id from core_analytics.deliveries")
    assert {number for (number,) in found} >= set(repeated)


def test_every_test_of_the_project_passes(example: Example) -> None:
    assert re.search(r"PASS=1\d WARN=0 ERROR=0 SKIP=0", example.printed)


def test_the_same_file_is_not_landed_again(example: Example) -> None:
    assert example.query(f"select count(*), sum(rows_landed) from quality.loads where feed = '{FEED}'") == [(1, 10_324)]
