"""Runs `datacontract lint` in an environment of its own, because its dependencies contradict the project's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from orchestration.settings import REPOSITORY, TELEMETRY_OFF

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
ENVIRONMENT = REPOSITORY / ".venv-datacontract"

# One process for all contracts: the import takes longer than a hundred of them.
_LINT = """
import json, sys
from datacontract.data_contract import DataContract
found = {}
for path in sys.argv[1:]:
    run = DataContract(data_contract_file=path).lint()
    found[path] = [f"{check.name}: {check.reason}" for check in run.checks if check.result != "passed"]
    if run.result != "passed" and not found[path]:
        found[path] = [f"the result is {run.result}"]
print(json.dumps(found))
"""


def python() -> Path:
    """Returns the interpreter of the linter's environment, which is made where it is absent or the lock has changed.

    Raises:
        OSError: It cannot be made; the message is what uv says.
    """
    interpreter = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    synced = ENVIRONMENT / "requirements.txt"
    if synced.exists() and synced.read_bytes() == REQUIREMENTS.read_bytes():
        return interpreter
    uv = shutil.which("uv") or str(REPOSITORY / ".uv" / "bin" / "uv")
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(ENVIRONMENT)])
    _run(
        [
            uv,
            "pip",
            "sync",
            "--quiet",
            "--no-build",
            "--require-hashes",
            "--python",
            str(interpreter),
            str(REQUIREMENTS),
        ]
    )
    shutil.copyfile(REQUIREMENTS, synced)
    return interpreter


def problems(contracts: Iterable[Path], interpreter: Path) -> dict[str, list[str]]:
    """Returns what the linter says against each contract, by its path; nothing where it accepts it."""
    # Proxies that lead nowhere: the schema is the one that the linter brings, and a download of another would fail.
    offline = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:1")
    printed = _run([str(interpreter), "-c", _LINT, *map(str, contracts)], TELEMETRY_OFF | offline)
    found: dict[str, list[str]] = json.loads(printed.splitlines()[-1])
    return found


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, env=os.environ | (environment or {}), capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode:
        raise OSError(f"{' '.join(command[:3])} failed: {done.stderr[-2000:]}")
    return done.stdout
