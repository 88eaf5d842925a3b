"""The environment of the BigQuery that tests run against, which needs a newer Python and a DuckDB of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestration.settings import REPOSITORY

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ENVIRONMENT = REPOSITORY / ".venv-bigquery"

_SECONDS = 600
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
    interpreter = ENVIRONMENT / "bin" / "python"
    synced = ENVIRONMENT / "requirements.txt"
    # Two processes that run tests may come here at once.
    with REQUIREMENTS.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if synced.exists() and synced.read_bytes() == REQUIREMENTS.read_bytes():
            return interpreter
        uv = shutil.which("uv") or str(REPOSITORY / ".uv" / "bin" / "uv")
        _run([uv, "venv", "--quiet", "--clear", "--python", _newer_python(), str(ENVIRONMENT)])
        install = [uv, "pip", "sync", "--quiet", "--no-build", "--require-hashes", "--python", str(interpreter)]
        _run([*install, str(REQUIREMENTS)])
        _run([str(interpreter), "-c", _EXTENSIONS], home())
        shutil.copyfile(REQUIREMENTS, synced)
    return interpreter


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
            timeout=_SECONDS,
        )
        if asked.stdout.strip() == "True":
            return candidate
    raise FileNotFoundError("there is no Python 3.13 or newer on the PATH or in pyenv")


def _candidates() -> Iterator[str]:
    yield sys.executable
    yield from filter(None, map(shutil.which, ("python3.13", "python3.14")))
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from map(str, sorted(versions.glob("3.1[3-9]*/bin/python")))


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, env=os.environ | (environment or {}), capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    if done.returncode:
        raise OSError(f"{' '.join(command[:3])} failed: {done.stderr[-2000:]}")
