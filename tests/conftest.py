"""What every test shares: no telemetry, and one rule for parts and data that a machine may lack."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.settings import REPOSITORY, TELEMETRY_OFF

# Before any library is imported: some of them read it only then.
os.environ.update(TELEMETRY_OFF)

Requires = Callable[[object, str], None]


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
