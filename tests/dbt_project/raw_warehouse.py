"""Builds the raw side of a small warehouse and runs dbt on it, so that marts can be checked against figures by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from orchestration.contracts import load_feeds
from orchestration.warehouse import WRITTEN_TABLES, declared_columns, definitions

# After every as-of date of the tests, so that the day on which a row was recorded says whether it was known.
LANDED_AT = "2090-01-01 05:00:00"
PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"

FEEDS = load_feeds(PROJECT_DIR.parent / "orchestration" / "feeds")


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates every table that landing, the gate and the models in Python write, all of them empty.

    No column is required, so that a test names the columns that it is about and no others.
    """
    tables = {name: columns.replace("not null", "") for name, columns in WRITTEN_TABLES.items()}
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
    """Runs dbt as an analyst does, but with its scratch files under the given home; returns what it printed."""
    environment = {
        **os.environ,
        "CATALYST_HOME": str(home),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "NO_COLOR": "1",
    }
    dbt = Path(sys.executable).parent / "dbt"
    return subprocess.run(
        [str(dbt), "--no-use-colors", *command],
        cwd=project_dir,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
