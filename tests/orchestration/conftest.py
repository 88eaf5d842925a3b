"""Feeds and warehouses for the tests of landing and the gate, made as a user would make them: by a contract file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.contracts import Feed, load_feeds
from orchestration.warehouse import Warehouse
from tests.parts.bigquery import _bigquery_server, bigquery_project
from tests.parts.mlflow import mlflow_server
from tests.parts.redis import _redis_server, redis_url

__all__ = ["_bigquery_server", "_redis_server", "bigquery_project", "mlflow_server", "redis_url"]

MakeFeed = Callable[..., Feed]


def column(name: str, logical_type: str = "string", **more: Any) -> dict[str, Any]:
    """One property of a contract, landed as text unless told otherwise."""
    return {"name": name, "logicalType": logical_type, "physicalType": "varchar"} | more


def contract(table: str, server: dict[str, Any], columns: Sequence[dict[str, Any]], **custom: str) -> dict[str, Any]:
    """A contract document for raw_shop.<table>."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"raw_shop.{table}",
        "name": table,
        "version": "1.0.0",
        "status": "active",
        "servers": [{"server": "shop"} | server],
        "schema": [
            {
                "name": table,
                "physicalName": f"raw_shop.{table}",
                "logicalType": "object",
                "properties": list(columns),
            }
        ],
        "customProperties": [{"property": name, "value": value} for name, value in custom.items()],
    }


@pytest.fixture
def make_feed(tmp_path: Path) -> MakeFeed:
    """Writes a contract into a folder of the test's own and reads it back as the feed."""

    def make(table: str, server: dict[str, Any], columns: Sequence[dict[str, Any]], **custom: str) -> Feed:
        folder = tmp_path / "feeds" / table
        folder.mkdir(parents=True, exist_ok=True)
        document = contract(table, server, columns, **custom)
        (folder / f"{table}.odcs.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        return load_feeds(folder)[0]

    return make


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """An empty warehouse."""
    return Warehouse(tmp_path / "warehouse.duckdb")
