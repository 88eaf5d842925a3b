"""Builds the raw side of a small warehouse and runs dbt on it, so that marts can be checked against figures by hand."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.contracts import load_feeds
from orchestration.warehouse import declared_columns, definitions, written_tables
from tests.parts import dbt

# After every as-of date of the tests, so that the day on which a row was recorded says whether it was known.
LANDED_AT = "2090-01-01 05:00:00"
PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"

FEEDS = load_feeds(PROJECT_DIR.parent / "orchestration" / "feeds")
# What dbt has parsed, by project and target.
_PARSED: dict[tuple[Path, str | None], bytes] = {}


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates every table that landing, the gate and the models in Python write, all of them empty.

    No column is required, so that a test names the columns that it is about and no others.
    """
    tables = {name: columns.replace("not null", "") for name, columns in written_tables().items()}
    for feed in FEEDS:
        tables[feed.id] = definitions(declared_columns(feed))
    for table, columns in tables.items():
        connection.execute(f"create schema if not exists {table.split('.')[0]}")
        connection.execute(f"create table {table} ({columns})")


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Inserts rows given by column name; columns that a row leaves out are null."""
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def land(
    connection: duckdb.DuckDBPyConnection, feed: str, rows: Sequence[Mapping[str, object]], load_id: str = "load-1"
) -> None:
    """Lands rows of a feed as one gated load with nothing rejected."""
    insert(connection, feed, [{**row, "_dlt_load_id": load_id, "_row": number} for number, row in enumerate(rows)])
    insert(connection, "quality.loads", [{"feed": feed, "load_id": load_id, "landed_at": LANDED_AT}])


def run_dbt(command: Sequence[str], home: Path, project_dir: Path = PROJECT_DIR) -> subprocess.CompletedProcess[str]:
    """Runs dbt as an analyst does, but with its scratch files under the given home; returns what it printed.

    A new home starts from what the first one has parsed, as it would cost it 9 s again: dbt takes it where the profile
    is the same, so that the path of the warehouse is relative.
    """
    environment = {
        **os.environ,
        "CATALYST_HOME": ".",
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "NO_COLOR": "1",
    }
    parsed, kind = home / "target" / "partial_parse.msgpack", (project_dir, environment.get("CATALYST_TARGET"))
    if not parsed.exists() and kind in _PARSED:
        parsed.parent.mkdir(parents=True, exist_ok=True)
        parsed.write_bytes(_PARSED[kind])
    done = dbt.run(["--no-use-colors", *command, "--project-dir", str(project_dir)], home, environment)
    if kind not in _PARSED and parsed.exists():
        _PARSED[kind] = parsed.read_bytes()
    return done
