"""Run again, killed, or fed with a broken source: nothing is lost or comes twice, and readers see whole results."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Finished, Home


def test_a_second_run_lands_nothing_and_changes_no_published_row(undisturbed: Finished, tmp_path: Path) -> None:
    home = undisturbed.home.copy(tmp_path / "again")
    said = home.run()
    assert said.count("no new rows") == said.count("land and gate")
    assert home.fingerprints() == undisturbed.fingerprints


# What the run has said last, and how long it then goes on, before it is killed.
KILLS = [
    ("open the run", 1.0),
    ("land and gate raw_pos.customers", 0.4),
    ("land and gate raw_pos.sales", 0.2),
    ("land and gate raw_wms.inventory", 8.0),
    ("dbt build decisions", 0.1),
]


def _kill(process: subprocess.Popen[str], after: str, seconds: float) -> None:
    assert process.stdout
    for line in process.stdout:
        if after in line:
            # Not to wait for something, but to hit the next step in its middle.
            time.sleep(seconds)
            break
    else:
        pytest.fail(f"The run ended before it said {after!r}.")
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_run_killed_again_and_again_ends_like_an_undisturbed_one(undisturbed: Finished, tmp_path: Path) -> None:
    home = Home(tmp_path / "killed")
    home.found()
    for after, seconds in KILLS:
        _kill(home.start(), after, seconds)
    home.run()
    assert home.fingerprints() == undisturbed.fingerprints


def test_a_failed_run_says_why_and_leaves_what_was_published(undisturbed: Finished, tmp_path: Path) -> None:
    home = undisturbed.home.copy(tmp_path / "failed")
    shutil.rmtree(home.path / "demo" / "web" / "orders")
    process = home.start()
    said, _ = process.communicate()
    assert process.returncode == 1
    assert "error: Feed raw_web.orders has no file at" in said
    assert "Traceback" not in said
    assert home.fingerprints() == undisturbed.fingerprints
