"""The environment of Terraform and checkov, whose dependencies contradict the project's, and how tests run the two."""

from __future__ import annotations

import subprocess
from pathlib import Path

from orchestration.settings import REPOSITORY
from tests import environments

ENVIRONMENT = REPOSITORY / ".venv-terraform"

_HERE = Path(__file__).parent
_PYTHON = str(ENVIRONMENT / "bin" / "python")
_SCHEMA = ENVIRONMENT / "schema.json"


def make() -> None:
    """Makes the environment where it is absent or the lock has changed.

    Raises:
        OSError: It cannot be made; the message is what uv says.
    """
    environments.make(
        ENVIRONMENT,
        _HERE / "requirements.txt",
        finish=lambda interpreter: environments.run([str(interpreter), str(_HERE / "schema.py"), str(_SCHEMA)]),
    )


def terraform(folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    """Runs commands such as `"init -backend=false"` in a folder, and stops at the first that fails."""
    run = [_PYTHON, str(_HERE / "run.py"), str(_SCHEMA), str(folder)]
    return _run([*run, *(f"{command} -no-color" for command in commands)])


def checkov(folder: Path) -> subprocess.CompletedProcess[str]:
    """Checks a folder of Terraform's files against the policies that checkov brings; its answer is JSON."""
    only = ["--framework", "terraform", "--skip-download", "--compact", "--output", "json"]
    return _run([_PYTHON, "-m", "checkov.main", "--directory", str(folder), *only])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=environments.SECONDS)
