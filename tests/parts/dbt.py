"""dbt's command line, in a fork of a process that has imported it: a new process spends 4 s on that at each command."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# It forks before dbt has run anything, so that each command finds what a new process would find.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["dbt.cli.main", "dbt.adapters.duckdb.impl", "dbt.adapters.bigquery.impl"])


def run(command: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a command as the program `dbt` does, with these variables and no others; returns what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("stdout", "stderr")]
        process = _SERVER.Process(target=_main, args=(list(command), cwd, dict(environment), *said))
        process.start()
        process.join()
        code = process.exitcode
        process.close()
        assert code is not None
        return subprocess.CompletedProcess(["dbt", *command], code, *(path.read_text("utf-8") for path in said))


def _main(command: list[str], cwd: Path, environment: dict[str, str], stdout: Path, stderr: Path) -> None:
    for stream, path in ((sys.stdout, stdout), (sys.stderr, stderr)):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["dbt", *command]
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import cli

    try:
        cli()
    finally:
        # At the end of a program its adapter does so, by a hook that a forked process never comes to.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
