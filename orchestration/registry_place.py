"""MLflow writes down where artifacts are as absolute paths; a home that is moved or copied takes its models along."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def follow(file: Path) -> None:
    """Lets a registry that was moved or copied with its home find its own artifacts, not those of the old place."""
    if not file.exists():
        return
    here = f"{file.parent.as_uri()}/artifacts/"
    with closing(sqlite3.connect(file)) as connection, connection:
        found = connection.execute("select name, artifact_location from experiments where name <> 'Default'")
        moved = {there: here + name for name, there in found.fetchall() if there != here + name}
        for there, now in moved.items():
            connection.execute("update experiments set artifact_location = ? where artifact_location = ?", [now, there])
            connection.execute(
                "update runs set artifact_uri = ? || substr(artifact_uri, ?) where artifact_uri like ? || '/%'",
                [now, len(there) + 1, there],
            )
