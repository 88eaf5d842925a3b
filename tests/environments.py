"""Environments for tools whose dependencies contradict the project's, from versions locked with their hashes."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from orchestration.settings import REPOSITORY

SECONDS = 600


def make(
    environment: Path,
    requirements: Path,
    *,
    python: Callable[[], str] = lambda: sys.executable,
    finish: Callable[[Path], object] = lambda interpreter: None,  # noqa: ARG005 - there is nothing more to do
) -> Path:
    """Returns an environment's interpreter; the environment is made where it is absent or the lock has changed.

    Args:
        environment: Its folder.
        requirements: The lock.
        python: Returns the Python to make it with.
        finish: What else belongs to making it, given its interpreter.

    Raises:
        OSError: It cannot be made, for lack of a Python or of packages.
    """
    interpreter = environment / "bin" / "python"
    synced = environment / requirements.name
    # Two processes that run tests may come here at once.
    with requirements.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if synced.exists() and synced.read_bytes() == lock.read():
            return interpreter
        uv = shutil.which("uv") or str(REPOSITORY / ".uv" / "bin" / "uv")
        run([uv, "venv", "--quiet", "--clear", "--python", python(), str(environment)])
        install = [uv, "pip", "sync", "--quiet", "--no-build", "--require-hashes", "--python", str(interpreter)]
        run([*install, str(requirements)])
        finish(interpreter)
        shutil.copyfile(requirements, synced)
    return interpreter


def run(command: list[str], variables: Mapping[str, str] | None = None) -> str:
    """Returns what a command prints, run with some variables more.

    Raises:
        OSError: It fails; the message is the end of what it says.
    """
    done = subprocess.run(
        command, env=os.environ | (variables or {}), capture_output=True, text=True, check=False, timeout=SECONDS
    )
    if done.returncode:
        raise OSError(f"{' '.join(command[:3])} failed: {done.stderr[-2000:]}")
    return done.stdout
