"""dbt, run in this process: a process of its own spends 6 s on imports and parsing before its first statement.

The only module that imports dbt. It leaves no connection behind: DuckDB locks a file for the process that has it open.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.bigquery_refusals import remedy
from orchestration.errors import CatalystError
from orchestration.settings import REPOSITORY, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_RESULTS = {"LogSeedResult", "LogModelResult", "LogSnapshotResult", "LogTestResult"}


def manifest(settings: Settings) -> Path:
    """Returns the path of the project's manifest, parsing the project first where it has changed since.

    Raises:
        CatalystError: The project does not parse; the message holds what dbt says.
    """
    path = settings.dbt_target / "manifest.json"
    # Not by which is newer: another version of the project may come with older files, as in an image.
    parsed_from = path.with_name("parsed_from.txt")
    files = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in _sources(settings)]
    current = hashlib.sha256(repr(sorted(files)).encode()).hexdigest()
    if not path.exists() or not parsed_from.exists() or parsed_from.read_text(encoding="utf-8") != current:
        _parsed(settings)
        parsed_from.write_text(current, encoding="utf-8")
    return path


def build(settings: Settings, arguments: Sequence[str], on_result: Callable[[dict[str, Any]], None]) -> None:
    """Runs `dbt build`.

    Args:
        settings: Whose project and warehouse.
        arguments: Selection and vars, as on dbt's command line.
        on_result: Called with dbt's structured log event for each model, seed and test that has ended.

    Raises:
        CatalystError: A model could not be built or a test failed; the message names them.
    """
    from dbt_common.events.functions import msg_to_dict

    def on_event(event: Any) -> None:
        if event.info.name in _RESULTS:
            on_result(msg_to_dict(event))

    done = _invoke(settings, ["build", *arguments], _parsed(settings), on_event)
    if done.success:
        return
    bad = [result for result in getattr(done.result, "results", []) if result.status in ("error", "fail")]
    lines = [f"{result.node.name}: {' '.join((result.message or '').split())}" for result in bad[:5]]
    more = f", and {len(bad) - 5} more" if len(bad) > 5 else ""
    raise CatalystError(
        f"dbt build failed: {'; '.join(lines) or done.exception}{more}. Look at them with `dbt build --select "
        f"{' '.join(sorted({result.node.name for result in bad[:5]}))}` in {settings.project}, mend the data or the "
        f"model, and run again. {_meanwhile(settings, lines)}"
    )


def _meanwhile(settings: Settings, said: Sequence[str]) -> str:
    if settings.target == "local":
        return "The published tables are as they were."
    return remedy(" ".join(said), settings.gcp_project) or "Tables that were not reached are as they were."


def docs(settings: Settings) -> str:
    """Returns dbt's documentation of the project and of the warehouse as one page of HTML that loads nothing.

    Raises:
        CatalystError: dbt could not make it.
    """
    # Compiling every model again would take 4 s, and what was built in this process bears its SQL already.
    done = _invoke(settings, ["docs", "generate", "--static", "--no-compile"], _parsed(settings))
    _checked(settings, done, "docs generate")
    page = (settings.dbt_target / "static_index.html").read_text(encoding="utf-8")
    # The page carries a tracker, asleep as the project has dbt's telemetry off; the browser is told to let nothing out.
    policy = "default-src 'unsafe-inline' 'unsafe-eval' data: blob:"
    return page.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">', 1)


@cache
def _parsed(settings: Settings) -> Manifest:
    if (settings.project / "packages.yml").exists() and not (settings.project / "dbt_packages").exists():
        _checked(settings, _invoke(settings, ["deps"]), "deps")
    done = _invoke(settings, ["parse"])
    _checked(settings, done, "parse")
    result: Manifest = done.result
    return result


def _checked(settings: Settings, done: Any, command: str) -> None:
    if not done.success:
        said = remedy(str(done.exception), settings.gcp_project) if settings.target == "prod" else ""
        raise CatalystError(
            f"The dbt project in {settings.project} does not pass `dbt {command}`: {done.exception} {said}".rstrip()
        )


def _invoke(
    settings: Settings,
    arguments: Sequence[str],
    parsed: Manifest | None = None,
    on_event: Callable[[Any], None] | None = None,
) -> Any:
    from dbt.cli.main import dbtRunner

    settings.dbt_target.mkdir(parents=True, exist_ok=True)
    os.environ.update(settings.child_environment)
    where = ["--project-dir", str(settings.project), "--profiles-dir", str(settings.project)]
    if arguments[0] != "deps":
        where += ["--target-path", str(settings.dbt_target)]
    runner = dbtRunner(manifest=parsed, callbacks=[on_event] if on_event else [])
    # Relative paths in a profile are relative to the project, as they are for an analyst who works there.
    with chdir(settings.project):
        try:
            # A run keeps what dbt prints; dbt never closes a log file of its own.
            return runner.invoke(["--no-use-colors", "--log-level-file", "none", *arguments, *where])
        finally:
            if settings.target == "local":
                from dbt.adapters.duckdb.connections import DuckDBConnectionManager

                DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


def _sources(settings: Settings) -> Iterable[Path]:
    for project in {settings.project, REPOSITORY / "dbt_project"}:
        for pattern in ("*.yml", "models/**/*", "macros/**/*", "seeds/**/*", "tests/**/*", "snapshots/**/*"):
            yield from project.glob(pattern)
