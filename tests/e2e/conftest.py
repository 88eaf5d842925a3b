"""A small simulated company and the command line, run whole, as a user would run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.demo import systems
from orchestration.publish import fingerprint
from tests.parts.gcs import _gcs_server, bucket
from tests.parts.kafka import broker
from tests.parts.postgres import _postgres_server, postgres

__all__ = ["_gcs_server", "_postgres_server", "broker", "bucket", "postgres"]

CATALYST = Path(sys.executable).with_name("catalyst")
AS_OF = date(2026, 6, 30)
# Enough for the forecast's origins, and a tenth of the default's customers.
HISTORY = timedelta(days=150)
SCALE = 0.1
# A user's, without what other tests of this process have set.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("CATALYST_")}


@dataclass(frozen=True)
class Home:
    """A CATALYST_HOME and what a user does with it."""

    path: Path

    def found(self) -> None:
        """Founds the company with less history than the default, so that a run takes seconds."""
        systems.advance(self.path, AS_OF - HISTORY, SCALE, opened=AS_OF - HISTORY)

    def start(self, as_of: date = AS_OF) -> subprocess.Popen[str]:
        """Starts `catalyst run`; its progress comes on stdout."""
        return subprocess.Popen(
            [str(CATALYST), "run", "--as-of", as_of.isoformat(), "--scale", str(SCALE)],
            env=_ENVIRONMENT | {"CATALYST_HOME": str(self.path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, as_of: date = AS_OF) -> str:
        """Runs to the end, which has to be a good one."""
        process = self.start(as_of)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said

    def copy(self, path: Path) -> Home:
        """Another home with the same content."""
        shutil.copytree(self.path, path, symlinks=True)
        return Home(path)

    def fingerprints(self) -> dict[str, str]:
        """A hash of the rows of every published table, run ids and clock times apart."""
        return {name: str(digest) for name, digest in fingerprint(self.path / "published").items()}

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the published copy."""
        with duckdb.connect(str(self.path / "published" / "catalyst.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@dataclass(frozen=True)
class Finished:
    """A home after one run, with what the run said and what it published."""

    home: Home
    said: str
    fingerprints: dict[str, str]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """One whole run that nothing interrupts."""
    home = Home(tmp_path_factory.mktemp("undisturbed"))
    home.found()
    said = home.run()
    return Finished(home, said, home.fingerprints())
