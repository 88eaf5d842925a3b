"""The environment of Terraform and checkov, whose dependencies contradict the project's, and how tests run the two."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

from orchestration.settings import REPOSITORY

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ENVIRONMENT = REPOSITORY / ".venv-terraform"

_BIN = ENVIRONMENT / "bin"
_SCHEMA = ENVIRONMENT / "schema.json"
_SECONDS = 600


def make() -> None:
    """Makes the environment where it is absent or the lock has changed.

    Raises:
        OSError: It cannot be made; the message is what uv says.
    """
    synced = ENVIRONMENT / "requirements.txt"
    # Two processes that run tests may come here at once.
    with REQUIREMENTS.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if synced.exists() and synced.read_bytes() == REQUIREMENTS.read_bytes():
            return
        uv = shutil.which("uv") or str(REPOSITORY / ".uv" / "bin" / "uv")
        _make([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)])
        install = [uv, "pip", "sync", "--quiet", "--no-build", "--require-hashes", "--python", str(_BIN / "python")]
        _make([*install, str(REQUIREMENTS)])
        _make([str(_BIN / "python"), str(REQUIREMENTS.with_name("schema.py")), str(_SCHEMA)])
        shutil.copyfile(REQUIREMENTS, synced)


def terraform(folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    """Runs commands such as `"init -backend=false"` in a folder, and stops at the first that fails."""
    run = [str(_BIN / "python"), str(REQUIREMENTS.with_name("run.py")), str(_SCHEMA), str(folder)]
    return _run([*run, *(f"{command} -no-color" for command in commands)])


def checkov(folder: Path) -> subprocess.CompletedProcess[str]:
    """Checks a folder of Terraform's files against the policies that checkov brings; its answer is JSON."""
    only = ["--framework", "terraform", "--skip-download", "--compact", "--output", "json"]
    return _run([str(_BIN / "python"), "-m", "checkov.main", "--directory", str(folder), *only])


def _make(command: list[str]) -> None:
    done = _run(command)
    if done.returncode:
        raise OSError(f"{' '.join(command[:3])} failed: {done.stderr[-2000:]}")


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
