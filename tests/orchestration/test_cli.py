"""The command line explains itself, and a problem that the user can mend is one sentence without a stack trace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from orchestration.cli import main

CATALYST = Path(sys.executable).with_name("catalyst")


def _catalyst(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CATALYST), *arguments],
        env=os.environ | {"CATALYST_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["run", "status", "report"])
def test_every_command_has_a_help_of_its_own(command: str) -> None:
    overview = CliRunner().invoke(main, ["--help"])
    assert command in overview.output
    told = CliRunner().invoke(main, [command, "--help"])
    assert told.exit_code == 0
    assert "Usage: main " + command in told.output


def test_the_help_needs_no_heavy_library() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from orchestration.cli import main; "
        "CliRunner().invoke(main, ['run', '--help']); "
        "print(sorted({'dagster', 'dlt', 'dbt', 'pandas', 'sklearn', 'altair'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--as-of", "yesterday"], "'yesterday' is not a date: write it as YYYY-MM-DD"),
        (["run", "--as-of", "9999-12-31"], "lies in the future"),
        (["status"], "run `catalyst run` first"),
        (["report"], "run `catalyst run` first"),
    ],
)
def test_a_mistake_of_the_user_is_answered_by_a_sentence(tmp_path: Path, arguments: list[str], said: str) -> None:
    done = _catalyst(tmp_path, *arguments)
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_project_without_contracts_is_answered_by_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "company").mkdir()
    done = subprocess.run(
        [str(CATALYST), "run", "--as-of", "2026-06-30"],
        env=os.environ | {"CATALYST_PROJECT": str(tmp_path / "company"), "CATALYST_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "There are no feeds" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_a_run_whose_end_cannot_be_written_down_still_says_why_it_failed(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema quality")
        connection.execute("create view quality.runs as select 1 as run_id")
    done = _catalyst(tmp_path, "run", "--as-of", "2026-06-30")
    assert done.returncode == 1
    assert "Step quality__runs failed" in done.stdout
    assert "Traceback" not in done.stderr
