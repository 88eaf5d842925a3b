"""What every test shares: no telemetry, and one rule for parts and data that a machine may lack."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestration.settings import REPOSITORY, TELEMETRY_OFF

# Before any library is imported: some of them read it only then.
os.environ.update(TELEMETRY_OFF)

if TYPE_CHECKING:
    from xdist.remote import Producer  # type: ignore[import-untyped]
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

Requires = Callable[[object, str], None]
# Whose files share builds and runs that take a minute each: on several processes, each would make its own.
_TOGETHER = ("tests/dbt_project/", "tests/e2e/")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Gives a process whole files, and of some folders all of them."""
    from xdist.scheduler import LoadFileScheduling

    class ByBuilds(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in _TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    return ByBuilds(config, log)


def _requires(present: object, reason: str) -> None:
    if present:
        return
    if os.environ.get("CATALYST_REQUIRE_ALL") == "1":
        pytest.fail(f"{reason} (a skip elsewhere, a failure because CATALYST_REQUIRE_ALL=1)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def requires() -> Requires:
    """`requires(shutil.which("chromium"), "chromium is missing")` skips where a part is absent; CI fails instead."""
    return _requires


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of optional real data sets; they are no part of the project, so even CI may lack them."""
    folder = Path(os.environ.get("CATALYST_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"No optional data sets in {folder}; CATALYST_SHARED_DATA names another folder.")
    return folder
