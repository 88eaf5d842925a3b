"""Every contract of the repository is one that the standard's own tool, datacontract-cli, accepts."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from orchestration.settings import REPOSITORY
from tests.conftest import Requires
from tests.datacontract import linter

CONTRACTS = [
    *sorted((REPOSITORY / "orchestration" / "feeds").rglob("*.odcs.yaml")),
    *sorted((REPOSITORY / "examples").glob("*/feeds/**/*.odcs.yaml")),
]


@pytest.fixture(scope="module")
def interpreter(requires: Requires) -> Path:
    """The linter's interpreter; a machine that can't reach the package registry may lack it."""
    try:
        return linter.python()
    except (OSError, subprocess.TimeoutExpired) as error:
        requires(None, f"The environment of datacontract-cli cannot be made: {error}")
        raise


def test_every_contract_of_the_feeds_and_the_examples_is_accepted(interpreter: Path) -> None:
    found = linter.problems(CONTRACTS, interpreter)
    assert len(found) == len(CONTRACTS) >= 2
    assert {path: said for path, said in found.items() if said} == {}


def test_every_contract_shown_in_the_documentation_is_accepted(interpreter: Path, tmp_path: Path) -> None:
    shown = []
    for page in sorted(REPOSITORY.glob("docs/**/*.md")):
        for position, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)):
            if "kind: DataContract" in block:
                shown.append(tmp_path / f"{page.stem}_{position}.odcs.yaml")
                shown[-1].write_text(block, encoding="utf-8")
    if shown:
        assert {path: said for path, said in linter.problems(shown, interpreter).items() if said} == {}


def test_the_linter_refuses_what_the_standard_does_not_have(interpreter: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.odcs.yaml"
    bad.write_text(CONTRACTS[0].read_text("utf-8").replace("logicalType: string", "logicalType: text"), "utf-8")
    [said] = linter.problems([bad], interpreter).values()
    assert "text" in " ".join(said)
