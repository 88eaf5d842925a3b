"""What dbt asks of BigQuery: the statements of a first build and of a day, as it sends them to local-bigquery."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.cost.reading import Partition, Scan
from orchestration.contracts import Feed
from orchestration.settings import REPOSITORY
from tests.bigquery import environment
from tests.parts.bigquery import Project
from tests.parts.ports import free_ports, listens

_PROJECT = "catalyst-bench"
_DBT = str(Path(sys.executable).with_name("dbt"))
# Where no row of a feed says when it became known.
_LONG_AGO = "2024-01-01"
# For local-bigquery to start.
_SECONDS = 60
# What dbt does not build, and models read.
_GIVEN = """
    schema_name like 'raw\\_%' escape '\\' and table_name not like '\\_%' escape '\\'
    or schema_name in ('quality', 'identities', 'predictions')
"""


@dataclass(frozen=True)
class Asked:
    """A statement, and which model, seed or hook it is of."""

    node: str
    sql: str


@contextmanager
def local_bigquery(folder: Path) -> Iterator[Project]:
    """Starts local-bigquery with its data in a folder, for this process and those that it starts."""
    port, grpc_port = free_ports(2)
    serve = str(Path(environment.__file__).with_name("serve.py"))
    address = f"--host 127.0.0.1 --port {port} --grpc-port {grpc_port} --project {_PROJECT}".split()
    command = [str(environment.python()), serve, *address, "--data-dir", str(folder / "bigquery")]
    with (folder / "bigquery.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=os.environ | environment.home(), stdin=subprocess.PIPE, stdout=log, stderr=log
        )
    try:
        if not listens(port, process, _SECONDS):
            raise RuntimeError(f"local-bigquery does not start: {(folder / 'bigquery.log').read_text()[-500:]}")
        os.environ["BIGQUERY_EMULATOR_HOST"] = f"http://127.0.0.1:{port}"
        yield Project(_PROJECT, os.environ["BIGQUERY_EMULATOR_HOST"])
    finally:
        process.kill()
        process.communicate()
        os.environ.pop("BIGQUERY_EMULATOR_HOST", None)


def split_by_day(warehouse: Path, feeds: Sequence[Feed]) -> None:
    """Rewrites what one run has landed as if every morning had landed what had become known on the day before."""
    with duckdb.connect(str(warehouse)) as connection:
        for feed in feeds:
            known = f"try_cast(left({feed.known_at}::varchar, 10) as date)" if feed.known_at else "null::date"
            connection.execute(
                f"""
                create table moved as
                select _dlt_load_id as load_id, _row as row_number, _dlt_load_id || '-' || day as new_load_id, day
                from (
                    select _dlt_load_id, _row, coalesce({known}, min({known}) over (), '{_LONG_AGO}') + 1 as day
                    from {feed.id}
                );
                update {feed.id} as landed set _dlt_load_id = new_load_id
                from moved where landed._dlt_load_id = moved.load_id and landed._row = moved.row_number;
                update quality.quarantine as marks set load_id = new_load_id
                from moved
                where marks.feed = '{feed.id}' and marks.load_id = moved.load_id
                    and marks.row_number = moved.row_number;
                insert into quality.loads by name
                select '{feed.id}' as feed, new_load_id as load_id, day + interval 5 hours as landed_at,
                    count(*) as rows_landed, count(*) - count(marks.load_id) as rows_accepted,
                    count(marks.load_id) as rows_quarantined, day + interval 5 hours as gated_at, 'passed' as status
                from moved
                left join (select distinct load_id, row_number from quality.quarantine) as marks
                    on moved.new_load_id = marks.load_id and moved.row_number = marks.row_number
                group by new_load_id, day;
                delete from quality.loads where feed = '{feed.id}' and load_id in (select load_id from moved);
                drop table moved
                """
            )
        # Who is who was known before the last day, which would else change every customer.
        for table in ("customers", "matches", "merges", "models", "resolutions"):
            connection.execute(f"update identities.{table} set as_of_date = as_of_date - 1")


def load(project: Project, warehouse: Path, feeds: Sequence[Feed], as_of: date) -> None:
    """Puts what landing, the gate and the models had written by the morning after a date where BigQuery has it."""
    loads = f"select load_id from quality.loads where landed_at < timestamp '{as_of}' + interval 2 days"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            f"select schema_name || '.' || table_name from duckdb_tables() where {_GIVEN} order by all"
        ).fetchall()
        only = {feed.id: f"where _dlt_load_id in ({loads})" for feed in feeds}
        only |= dict.fromkeys(("quality.loads", "quality.quarantine"), f"where load_id in ({loads})")
        project.load_all(
            {
                table: connection.execute(f"select * from {table} {only.get(table, '')}").to_arrow_table()
                for (table,) in tables
            }
        )


def build(folder: Path, as_of: date) -> list[Asked]:
    """Builds every seed and model, and returns the statements in their order."""
    arguments = ["--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    _dbt("build", folder, as_of, *arguments)
    asked = []
    for line in (folder / "dbt.log").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["info"]["name"] == "SQLQuery":
            asked.append(Asked(event["data"]["conn_name"].rpartition(".")[2], event["data"]["sql"]))
    return asked


def tests(folder: Path, as_of: date) -> list[Asked]:
    """Returns the statement of every data test."""
    _dbt("compile", folder, as_of, "--select", "resource_type:test")
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    return [Asked("data tests", result["compiled_code"]) for result in results if result.get("compiled_code")]


def share(project: Project, scan: Scan, partition: Partition) -> float:
    """Returns the share of a table's rows that the partitions hold which a scan reads, as the table is now."""
    column, unit = partition.column, partition.unit
    kept = " or ".join(sorted(scan.kept or {"true"}))
    if unit != "day":
        truncated = f"date_trunc({column}, {unit})"
        kept = f"{truncated} in (select distinct {truncated} from {scan.table} where {kept})"
    with project.client() as client:
        [(matching, rows)] = client.query_and_wait(f"select countif({kept}), count(*) from {scan.table}")
    return float(matching / rows) if rows else 0.0


def _dbt(command: str, folder: Path, as_of: date, *arguments: str) -> None:
    where = [f"--project-dir={REPOSITORY / 'dbt_project'}", f"--profiles-dir={REPOSITORY / 'dbt_project'}"]
    where += [f"--target-path={folder / 'target'}", f"--log-path={folder}", "--target=prod"]
    (folder / "dbt.log").unlink(missing_ok=True)
    logged = ["--log-format-file=json", "--log-level-file=debug", "--log-file-max-bytes=0", "--quiet"]
    chosen = {"CATALYST_TARGET": "prod", "CATALYST_GCP_PROJECT": _PROJECT}
    done = subprocess.run(
        [_DBT, *logged, command, *arguments, *where, "--vars", json.dumps({"as_of": as_of.isoformat()})],
        env=os.environ | chosen,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"dbt {command} has failed: {done.stdout[-2000:]}")
