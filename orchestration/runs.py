"""The ledger of runs: which as-of date the warehouse stands at, and that only one run works on it at a time."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, date, datetime, timedelta
from typing import IO

from orchestration.connections import Store
from orchestration.errors import CatalystError
from orchestration.settings import Settings

_held: list[IO[str]] = []


def default_as_of() -> date:
    """Returns the last day that is over everywhere that counts, in UTC: yesterday."""
    return datetime.now(UTC).date() - timedelta(days=1)


def parse_as_of(text: str) -> date:
    """Reads an as-of date; an empty text means the default.

    Raises:
        CatalystError: The text is not a date, or lies in the future.
    """
    if not text:
        return default_as_of()
    try:
        as_of = date.fromisoformat(text)
    except ValueError as error:
        raise CatalystError(f"{text!r} is not a date: write it as YYYY-MM-DD, such as 2026-06-30.") from error
    if as_of > datetime.now(UTC).date():
        raise CatalystError(f"The as-of date {as_of} lies in the future: choose today or an earlier day.")
    return as_of


def hold_lock(settings: Settings) -> None:
    """Makes this process the only run on its CATALYST_HOME until it ends, however it ends.

    Raises:
        CatalystError: Another process is running.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    path = settings.home / "run.lock"
    if any(file.name == str(path) for file in _held):
        return
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise CatalystError(
            f"Another run (process {owner}) is at work in {settings.home}: wait until it ends, or stop it."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    _held.append(file)


def running(settings: Settings) -> str | None:
    """Returns the number of the process that is at work on a CATALYST_HOME, or None."""
    path = settings.home / "run.lock"
    if not path.exists():
        return None
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().strip()
    return None


def begin(warehouse: Store, run_id: str, as_of: date) -> list[str]:
    """Records that a run works on the warehouse, and returns the runs before it that never said how they ended.

    Those have failed. One that is still at work, on another machine, stops at its next step: the latest run counts, so
    that what was killed can be started again at once.
    """
    with warehouse.transaction() as connection:
        found = connection.execute(
            "select run_id from quality.runs where status = 'running' and run_id != ? order by started_at", [run_id]
        ).fetchall()
        connection.execute("update quality.runs set status = 'failed' where status = 'running'")
        connection.execute("delete from quality.runs where run_id = ?", [run_id])
        connection.execute("insert into quality.runs values (?, ?, ?, null, 'running')", [run_id, as_of, _now()])
    return [row[0] for row in found]


def require_current(warehouse: Store, run_id: str) -> None:
    """Makes sure that a run may go on writing.

    Raises:
        CatalystError: A later run has begun, on another machine: the lock of this one does not keep it out of BigQuery.
    """
    with warehouse.connect() as connection:
        found = connection.execute("select status from quality.runs where run_id = ?", [run_id]).fetchall()
    if found and found[0][0] == "failed":
        raise CatalystError(
            f"Run {run_id[:8]} ends here, as a later run has begun on the same warehouse: look at that one with "
            "`catalyst status`. What it writes counts."
        )


def finish(warehouse: Store, run_id: str, status: str) -> None:
    """Records how a run ended: `succeeded` or `failed`."""
    with warehouse.transaction() as connection:
        connection.execute(
            "update quality.runs set status = ?, finished_at = ? where run_id = ?", [status, _now(), run_id]
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
