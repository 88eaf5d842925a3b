"""The environment of the BigQuery that tests run against, which needs a newer Python and a DuckDB of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestration.settings import REPOSITORY
from tests import environments

ENVIRONMENT = REPOSITORY / ".venv-bigquery"

# From the wheels beside it to where DuckDB looks for extensions; else the first start would download them.
_EXTENSIONS = """
from duckdb_extensions import import_extension
for name in ("ducklake", "httpfs", "icu", "spatial"):
    import_extension(name)
"""


def python() -> Path:
    """Returns the environment's interpreter; the environment is made where it is absent or the lock has changed.

    Raises:
        OSError: It cannot be made, for lack of a Python or of packages.
    """
    return environments.make(
        ENVIRONMENT,
        Path(__file__).with_name("requirements.txt"),
        python=_newer_python,
        finish=lambda interpreter: environments.run([str(interpreter), "-c", _EXTENSIONS], home()),
    )


def home() -> dict[str, str]:
    """Returns the variables by which its DuckDB keeps to its own extensions."""
    return {"HOME": str(ENVIRONMENT)}


def _newer_python() -> str:
    for candidate in _candidates():
        asked = subprocess.run(
            [candidate, "-c", "import sys; print(sys.version_info >= (3, 13))"],
            capture_output=True,
            text=True,
            check=False,
            timeout=environments.SECONDS,
        )
        if asked.stdout.strip() == "True":
            return candidate
    raise FileNotFoundError("there is no Python 3.13 or newer on the PATH or in pyenv")


def _candidates() -> Iterator[str]:
    yield sys.executable
    yield from filter(None, map(shutil.which, ("python3.13", "python3.14")))
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from map(str, sorted(versions.glob("3.1[3-9]*/bin/python")))
