"""Builds of the small company, shared by all tests of the dbt project: a build costs seconds, so there are three."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt_project.raw_warehouse import run_dbt
from tests.dbt_project.small_company import build_raw, forget_after
from tests.parts.bigquery import _bigquery_server, bigquery_project

__all__ = ["_bigquery_server", "bigquery_project"]

Rows = list[tuple[Any, ...]]
Query = Callable[[str], Rows]
Prepare = Callable[[duckdb.DuckDBPyConnection], None]
PAST = date(2024, 6, 20)
WITHOUT_TESTS = ("--resource-type", "model", "--resource-type", "seed")


def _build(home: Path, name: str, arguments: Sequence[str] = (), prepare: Prepare | None = None) -> Path:
    """Builds a raw warehouse in a home and moves it away, so that the next build finds the project parsed."""
    warehouse = home / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        build_raw(connection)
        if prepare:
            prepare(connection)
    done = run_dbt(["build", *arguments], home)
    assert done.returncode == 0, done.stdout + done.stderr
    (home / name).mkdir()
    return warehouse.rename(home / name / warehouse.name)


def _query(warehouse: Path) -> Iterator[Query]:
    connection = duckdb.connect(str(warehouse), read_only=True)

    def query(sql: str) -> Rows:
        return connection.execute(sql).fetchall()

    yield query
    connection.close()


def _start_run(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("insert into quality.runs values ('4', ?, '2024-07-20 05:00:00', null, 'running')", [PAST])


def _forget_and_start_run(connection: duckdb.DuckDBPyConnection) -> None:
    forget_after(connection, PAST)
    _start_run(connection)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all builds: the project is parsed again wherever the path of its warehouse changes."""
    return tmp_path_factory.mktemp("dbt_project")


@pytest.fixture(scope="session")
def built(home: Path) -> Path:
    """The warehouse as of 30 June, built by plain `dbt build` with all data tests and unit tests."""
    return _build(home, "today")


@pytest.fixture(scope="session")
def query(built: Path) -> Iterator[Query]:
    """Runs SQL on the warehouse as of 30 June."""
    yield from _query(built)


@pytest.fixture(scope="session")
def query_past(home: Path) -> Iterator[Query]:
    """Runs SQL on a warehouse that was built from the same raw tables for the past day 20 June."""
    yield from _query(_build(home, "past", WITHOUT_TESTS, _start_run))


@pytest.fixture(scope="session")
def query_then(home: Path) -> Iterator[Query]:
    """Runs SQL on a warehouse that was built for 20 June when nothing later existed."""
    yield from _query(_build(home, "then", WITHOUT_TESTS, _forget_and_start_run))
