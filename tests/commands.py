"""Runs a command of Catalyst in the test's own process, where the libraries that it needs are imported already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestration import runs
from orchestration.cli import main
from orchestration.progress import console


@dataclass(frozen=True)
class Said:
    """What a command wrote."""

    stdout: str
    stderr: str


def catalyst(*arguments: str, folder: Path, environment: Mapping[str, str], expect: int = 0) -> Said:
    """Runs a command in a folder, checks its exit code, and returns what it wrote."""
    with pytest.MonkeyPatch.context() as patch, console.capture() as captured:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        done = CliRunner().invoke(main, arguments)
        # A process that has ended holds no lock.
        while runs._held:
            runs._held.pop().close()
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    said = Said(captured.get() + done.stdout, done.stderr)
    assert done.exit_code == expect, said
    return said
