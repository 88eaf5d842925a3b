"""The ledger says which date the warehouse stands at, and the lock that only one run works on it."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from orchestration import runs
from orchestration.errors import CatalystError
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse

HOLDER = """
import sys
from pathlib import Path
from orchestration import runs
from orchestration.settings import Settings
runs.hold_lock(Settings(home=Path(sys.argv[1])))
print("held", flush=True)
sys.stdin.read()
"""


def test_an_empty_as_of_means_yesterday() -> None:
    before = datetime.now(UTC).date()
    found = runs.parse_as_of("")
    assert before - timedelta(days=1) <= found <= datetime.now(UTC).date() - timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [("30.6.2026", "is not a date"), ("2026-02-30", "is not a date"), ("9999-01-01", "in the future")],
)
def test_what_is_no_past_day_is_refused(text: str, message: str) -> None:
    with pytest.raises(CatalystError, match=message):
        runs.parse_as_of(text)


def test_a_second_run_on_the_same_home_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        assert runs.running(settings) == str(holder.pid)
        with pytest.raises(CatalystError, match=rf"Another run \(process {holder.pid}\) is at work"):
            runs.hold_lock(settings)
        holder.kill()
        holder.wait()
    assert runs.running(settings) is None


def test_a_run_that_never_said_how_it_ended_has_failed(warehouse: Warehouse) -> None:
    warehouse.prepare([])
    runs.begin(warehouse, "killed", date(2026, 6, 29))
    runs.begin(warehouse, "next", date(2026, 6, 30))
    runs.finish(warehouse, "next", "succeeded")
    with warehouse.connect() as connection:
        found = connection.execute("select run_id, status from quality.runs order by run_id").fetchall()
    assert found == [("killed", "failed"), ("next", "succeeded")]


def test_the_lock_names_this_process_while_it_is_held(tmp_path: Path) -> None:
    runs.hold_lock(Settings(home=tmp_path / "one"))
    runs.hold_lock(Settings(home=tmp_path / "one"))
    assert (tmp_path / "one" / "run.lock").read_text() == str(os.getpid())
