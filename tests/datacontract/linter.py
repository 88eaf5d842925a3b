"""Runs `datacontract lint` in an environment of its own, because its dependencies contradict the project's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from orchestration.settings import REPOSITORY, TELEMETRY_OFF
from tests import environments

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
    return environments.make(ENVIRONMENT, Path(__file__).with_name("requirements.txt"))


def problems(contracts: Iterable[Path], interpreter: Path) -> dict[str, list[str]]:
    """Returns what the linter says against each contract, by its path; nothing where it accepts it."""
    # Proxies that lead nowhere: the schema is the one that the linter brings, and a download of another would fail.
    offline = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:1")
    printed = environments.run([str(interpreter), "-c", _LINT, *map(str, contracts)], TELEMETRY_OFF | offline)
    found: dict[str, list[str]] = json.loads(printed.splitlines()[-1])
    return found
