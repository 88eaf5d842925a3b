"""One run on BigQuery, from raw feeds to a purchase order, held against the same run on DuckDB.

`python -m benchmarks engines` runs it, as `make test` has no time for it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.bigquery import BigQuery
from orchestration.connections import Store
from orchestration.contracts import load_feeds
from orchestration.settings import REPOSITORY
from orchestration.warehouse import Warehouse
from tests.e2e.conftest import _ENVIRONMENT, AS_OF, CATALYST, SCALE, Finished, Home
from tests.parts.bigquery import Project, _bigquery_server
from tests.parts.bigquery_dbt import Rows, _ordered, differences, environment

__all__ = ["_bigquery_server"]

SCHEMAS = ("core_analytics", "predictions", "decisions", "monitoring", "identities")
# What landed and what the gate wrote of it, clock times and where the company's files lie apart.
RAW = {feed.id: "* exclude (_dlt_load_id, _file)" for feed in load_feeds(REPOSITORY / "orchestration" / "feeds")}
GATED = {
    "quality.quarantine": "feed, row_number, rules, reasons, payload",
    "quality.loads": "feed, rows_landed, rows_accepted, rows_quarantined, status",
    "quality.findings": "feed, rule, severity, rows_broken, share, message",
}
# What two runs over the same data differ in. A model's version is a hash of its training rows to the last bit, and
# engines agree on doubles to 1e-9; what it predicts is compared.
_OF_THE_RUN = re.compile(r"(run|load|_dlt_load)_id|(predicted|started|finished)_at|model_version")


@dataclass(frozen=True)
class Cloud:
    """A home whose warehouse is on BigQuery, and what a user does with it."""

    home: Path
    project: Project
    gcs: str

    @property
    def store(self) -> BigQuery:
        return BigQuery(self.project.id)

    def catalyst(self, *arguments: str) -> str:
        """Runs a command to its end, which has to be a good one; returns what it said."""
        done = subprocess.run(
            [str(CATALYST), *arguments],
            env={
                **_ENVIRONMENT,
                **environment(self.project),
                "CATALYST_HOME": str(self.home),
                "STORAGE_EMULATOR_HOST": self.gcs,
                "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, as_of: date) -> str:
        return self.catalyst("run", "--as-of", as_of.isoformat(), "--scale", str(SCALE))


@pytest.fixture(scope="module")
def cloud(
    undisturbed: Finished, _bigquery_server: str, _gcs_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Cloud:
    """The company of the run on DuckDB, whose feeds a run takes into an empty project."""
    import gcsfs  # type: ignore[import-untyped]

    project = Project("from-end-to-end", _bigquery_server)
    gcsfs.GCSFileSystem(endpoint_url=_gcs_server, token="anon").mkdir(f"{project.id}-catalyst-landing")
    home = tmp_path_factory.mktemp("cloud") / "home"
    shutil.copytree(undisturbed.home.path / "demo", home / "demo")
    found = Cloud(home, project, _gcs_server)
    found.run(AS_OF)
    return found


def _tables(store: Store) -> dict[str, Rows]:
    """The ordered rows of each table, without what tells runs apart."""
    counted = [f"{schema}.{table}" for schema, table in store.row_counts() if schema in SCHEMAS]
    return {name: _plain(store.query(f"select * from {name}").to_pylist()) for name in counted}


def _plain(rows: list[Mapping[str, Any]]) -> Rows:
    names = [name for name in (rows[0] if rows else ()) if not _OF_THE_RUN.fullmatch(name)]
    return _ordered(names, [[row[name] for name in names] for row in rows])


def _differences(home: Home, cloud: Cloud) -> dict[str, Any]:
    ours = _tables(Warehouse(home.path / "warehouse.duckdb"))
    assert {"predictions.demand_forecast", "decisions.purchase_recommendations", "core_analytics.sales"} <= ours.keys()
    return differences(ours, _tables(cloud.store))


def test_every_row_lands_and_is_gated_alike(undisturbed: Finished, cloud: Cloud) -> None:
    ours, theirs = Warehouse(undisturbed.home.path / "warehouse.duckdb"), cloud.store
    for table, columns in (RAW | GATED).items():
        one, other = (
            sorted((_loaded(row) for row in store.query(f"select {columns} from {table}").to_pylist()), key=str)
            for store in (ours, theirs)
        )
        assert other == one, table
        assert one or table == "quality.findings"


def _loaded(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its JSON as what it says, and without what counts files."""
    read = {name: json.loads(v) if isinstance(v, str) and v[:1] in "{[" else v for name, v in sorted(row.items())}
    for value in read.values():
        if isinstance(value, dict):
            value.pop("_file", None)
            value.pop("_dlt_load_id", None)
    return read


def test_marts_predictions_and_decisions_are_those_of_duckdb_row_for_row(undisturbed: Finished, cloud: Cloud) -> None:
    assert _differences(undisturbed.home, cloud) == {}


def test_the_commands_read_bigquery_and_gate_there_again(cloud: Cloud) -> None:
    status = cloud.catalyst("status")
    assert "succeeded" in status
    assert "raw_market.competitor_prices" in status
    assert f"bigquery://{cloud.project.id}" in status
    feeds = {feed["name"]: feed for feed in json.loads(cloud.catalyst("feeds", "--json"))}
    locations = feeds["raw_erp.locations"]
    assert locations["rows"] == locations["accepted"] + locations["quarantined"]
    marks = json.loads(cloud.catalyst("quarantine", "raw_erp.locations", "--json"))
    assert len(marks) == locations["quarantined"] > 0
    said = cloud.catalyst("redrive", "raw_erp.locations")
    assert f"0 accepted now, {len(marks)} still quarantined" in said
    cloud.catalyst("report")
    assert "<svg" in (cloud.home / "reports" / f"{AS_OF}.html").read_text(encoding="utf-8")
