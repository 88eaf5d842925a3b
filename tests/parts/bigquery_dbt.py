"""The dbt project on the BigQuery of this machine: its raw tables, dbt's commands, and what became of them."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt_project.raw_warehouse import PROJECT_DIR, run_dbt
from tests.parts.bigquery import Project

Rows = list[tuple[Any, ...]]
# Sums of doubles depend on the order of their rows, which no engine promises.
_PRECISION = 1e-9


def build(
    project: Project, home: Path, *arguments: str, project_dir: Path = PROJECT_DIR
) -> subprocess.CompletedProcess[str]:
    """Runs a command of dbt, such as `build`, in a project on BigQuery; returns what it printed.

    What dbt makes of the project lies in a folder of the home: one that builds on DuckDB too is parsed again by each.
    """
    parsed = home / "bigquery"
    parsed.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(project).items():
            patch.setenv(name, value)
        return run_dbt(arguments, parsed, project_dir)


def environment(project: Project) -> Mapping[str, str]:
    """The variables by which everything runs on BigQuery instead of DuckDB."""
    return {
        "BIGQUERY_EMULATOR_HOST": project.endpoint,
        "CATALYST_TARGET": "prod",
        "CATALYST_GCP_PROJECT": project.id,
    }


def copy_tables(warehouse: duckdb.DuckDBPyConnection, project: Project, tables: Iterable[str]) -> None:
    """Puts the rows of tables of DuckDB in place of those on BigQuery."""
    project.load_all({table: warehouse.execute(f"select * from {table}").to_arrow_table() for table in tables})


def rows_in_duckdb(warehouse: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> dict[str, Rows]:
    """Returns the ordered rows of each table and view of some schemas, the names of the columns first."""
    named = warehouse.execute(
        "select table_schema, table_name from information_schema.tables where list_contains(?, table_schema)",
        [list(schemas)],
    ).fetchall()
    found = {}
    for schema, table in named:
        relation = warehouse.execute(f"select * from {schema}.{table}")
        names = [column[0] for column in relation.description]
        found[f"{schema}.{table}"] = _ordered(names, relation.fetchall())
    return found


def rows_in_bigquery(project: Project, schemas: Sequence[str]) -> dict[str, Rows]:
    """Returns the same of BigQuery; times are in UTC and carry no zone, as on DuckDB."""
    with project.client() as client:
        found = {}
        for schema in schemas:
            for table in client.list_tables(schema):
                rows = client.query_and_wait(f"select * from `{schema}`.`{table.table_id}`")
                names = [column.name for column in rows.schema]
                found[f"{schema}.{table.table_id}"] = _ordered(names, [row.values() for row in rows])
        return found


def differences(one: Mapping[str, Rows], other: Mapping[str, Rows]) -> dict[str, Any]:
    """Returns the tables that are not the same on both, each with the first rows that differ."""
    found: dict[str, Any] = dict.fromkeys(one.keys() ^ other.keys(), "on one engine only")
    for name in one.keys() & other.keys():
        if len(one[name]) != len(other[name]):
            found[name] = f"{len(one[name]) - 1} and {len(other[name]) - 1} rows"
            continue
        pairs = [pair for pair in zip(one[name], other[name], strict=True) if not _same(*pair)]
        if pairs:
            found[name] = [
                [cell for cell in zip(one[name][0], *pair, strict=True) if cell[1] != cell[2]] for pair in pairs[:3]
            ]
    return found


def _ordered(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Rows:
    by_name = sorted(range(len(names)), key=lambda position: names[position])
    plain = [tuple(_plain(row[position]) for position in by_name) for row in rows]
    return [tuple(sorted(names)), *sorted(plain, key=lambda row: [_key(value) for value in row])]


def _plain(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _key(value: Any) -> tuple[bool, str]:
    # Numbers by nine digits, so that the last ones of a double do not decide on the order.
    return value is None, f"{value:+026.9f}" if isinstance(value, int | float | Decimal) else str(value)


def _same(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return len(one) == len(other) and all(
        math.isclose(mine, yours, rel_tol=_PRECISION, abs_tol=_PRECISION)
        if isinstance(mine, float) and isinstance(yours, float)
        else mine == yours and isinstance(mine, bool) == isinstance(yours, bool)
        for mine, yours in zip(one, other, strict=True)
    )
