"""Where the dbt project is, and its manifest kept up to date with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from orchestration.errors import CatalystError
from orchestration.settings import REPOSITORY, Settings

DBT = Path(sys.executable).with_name("dbt")


def manifest(settings: Settings) -> Path:
    """Returns the path of the project's manifest, parsing the project first where it has changed since.

    Raises:
        CatalystError: The project does not parse; the message holds what dbt says.
    """
    path = settings.dbt_target / "manifest.json"
    if (settings.project / "packages.yml").exists() and not (settings.project / "dbt_packages").exists():
        _dbt(settings, "deps")
    if not path.exists() or path.stat().st_mtime < max(file.stat().st_mtime for file in _sources(settings)):
        _dbt(settings, "parse")
    return path


def _sources(settings: Settings) -> Iterable[Path]:
    for project in {settings.project, REPOSITORY / "dbt_project"}:
        for pattern in ("*.yml", "models/**/*", "macros/**/*", "seeds/**/*", "tests/**/*", "snapshots/**/*"):
            yield from project.glob(pattern)


def _dbt(settings: Settings, command: str) -> None:
    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [str(DBT), "--quiet", command, "--project-dir", str(settings.project), "--profiles-dir", str(settings.project)]
        + (["--target-path", str(settings.dbt_target)] if command == "parse" else []),
        env=settings.child_environment,
        cwd=settings.project,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise CatalystError(f"The dbt project in {settings.project} does not pass `dbt {command}`:\n{said}")
