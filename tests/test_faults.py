"""The page of faults names the tests that try them, and every one of these is there."""

import re

import pytest

from orchestration.settings import REPOSITORY

PAGE = (REPOSITORY / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| fault |")]
TESTS = {
    name
    for path in (REPOSITORY / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split(" | ")[0][2:])
def test_every_fault_is_tried_by_tests_that_exist(row: str) -> None:
    *_, tried_by, end = row.split("|")
    named = re.findall(r"`(test_\w+)`", tried_by)
    assert end == ""
    assert named, "The row names no test."
    assert [name for name in named if name not in TESTS] == []


@pytest.mark.parametrize(
    "fault",
    ["is down", "429", "half written", "broker is killed", "killed while it lands", "disk is full", "clocks are wrong",
     "column is missing", "more rows are broken", "batch is empty"],
)  # fmt: skip
def test_the_faults_that_happen_everywhere_are_on_the_page(fault: str) -> None:
    assert any(fault in row.split("|")[1] for row in ROWS)
