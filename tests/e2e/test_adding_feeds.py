"""A feed of each kind is added by a contract and a staging model, which `catalyst feeds new` writes and nobody edits.

The commands are those of docs/feeds.md, run in a project of one's own; only the addresses are those of this machine.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from sqlalchemy import make_url

from orchestration.contracts import read_feed
from orchestration.settings import REPOSITORY
from tests.commands import catalyst
from tests.conftest import Requires
from tests.datacontract import linter
from tests.parts.gcs import Bucket
from tests.parts.kafka import Broker
from tests.parts.postgres import Postgres

GUIDE = REPOSITORY / "docs" / "feeds.md"
COMMANDS = {
    shlex.split(line)[3]: shlex.split(line)[1:]
    for line in re.findall(r"^catalyst feeds new .+$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE)
}

# 60 rows of a shop that names its columns as shops do; the amounts add up to 60 * 61 / 2 + 60 / 2 = 1,860.
ROWS = [
    {
        "Order ID": f"A{n:03d}",
        "customerEmail": f"p{n}@example.org",
        "amount": n + 1.5,
        "status": "open" if n % 2 else "paid",
        "group": n % 3,
        "isGift": n % 5 == 0,
        "createdAt": f"2026-06-{n % 28 + 1:02d} 10:00:{n:02d}",
    }
    for n in range(60)
]
PROFILE = REPOSITORY / "examples" / "online_retail" / "profiles.yml"
PROJECT = {
    "name": "company",
    "version": "1.0.0",
    "config-version": 2,
    "profile": "catalyst",
    "models": {"company": {"staging": {"+schema": "staging", "+materialized": "view"}}},
}


@dataclass
class Company:
    """A dbt project that uses Catalyst's as a package, and brings feeds of its own."""

    folder: Path
    added: set[str] = field(default_factory=set)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        return {"CATALYST_PROJECT": str(self.project), "CATALYST_HOME": str(self.folder / "home")}

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def catalyst(self, *arguments: str) -> str:
        return catalyst(*arguments, folder=self.folder, environment=self.environment).stdout

    def dbt(self, *arguments: str) -> None:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), *arguments],
            env=os.environ | self.environment,
            cwd=self.project,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-3000:]

    def add(self, name: str, address: Callable[[str], str]) -> str:
        """Runs the guide's command for a feed, at another address, and lands the feed; returns what was said."""
        command = COMMANDS[name]
        said = self.catalyst(*command[:3], address(command[3]), *command[4:])
        assert f"run `catalyst land raw_{name}`" in " ".join(said.split())
        assert "60 new rows, 0 quarantined (60 in all)" in self.catalyst("land", f"raw_{name}")
        self.added.add(name)
        return said

    def add_files(self, name: str) -> None:
        self.add(name, lambda address: address.replace("/data/", f"{self.data}/"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "home" / "warehouse.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    company = Company(tmp_path_factory.mktemp("company"))
    project = company.project
    project.mkdir()
    (project / "dbt_project.yml").write_text(yaml.safe_dump(PROJECT), encoding="utf-8")
    packages = {"packages": [{"local": str(REPOSITORY / "dbt_project")}]}
    (project / "packages.yml").write_text(yaml.safe_dump(packages), encoding="utf-8")
    shutil.copy(PROFILE, project)
    shutil.copytree(PROFILE.parent / "macros", project / "macros")
    return company


def _csv(rows: list[dict[str, Any]]) -> bytes:
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    return "".join(f"{line}\n" for line in lines).encode()


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_csv_files_packed_and_by_date(company: Company) -> None:
    for day, rows in (("2026-06-01", ROWS[:20]), ("2026-06-02", ROWS[20:])):
        _put(company.data / "shop" / "orders" / f"date={day}" / "orders.csv.gz", gzip.compress(_csv(rows)))
    company.add_files("shop.orders")


def test_json_lines(company: Company) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    _put(company.data / "shop" / "returns" / "1.jsonl", lines.encode())
    company.add_files("shop.returns")


def test_parquet_files(company: Company) -> None:
    (company.data / "shop" / "prices").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(ROWS), company.data / "shop" / "prices" / "1.parquet")
    company.add_files("shop.prices")


def test_files_in_a_bucket(company: Company, bucket: Bucket) -> None:
    bucket.write("orders/1.csv", _csv(ROWS))
    company.add("archive.orders", lambda address: address.replace("gs://shop-archive", bucket.url))


def test_a_table_of_postgres_whose_password_stays_out_of_the_contract(
    company: Company, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgres.execute(
        'create table suppliers ("Order ID" text primary key, "customerEmail" text, amount numeric(9, 2), '
        'status text, "group" integer, "isGift" boolean, "createdAt" timestamp)'
    )
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.cursor().executemany(
            "insert into suppliers values (%s, %s, %s, %s, %s, %s, %s)", [tuple(row.values()) for row in ROWS]
        )
    # The server trusts whoever reaches its socket, so any password will do.
    url = make_url(postgres.url).set(drivername="postgresql+psycopg", password="verysecret")
    full = url.render_as_string(hide_password=False)
    monkeypatch.setenv("ERP_URL", full)
    said = company.add("erp.suppliers", lambda _: full)
    assert "ERP_URL=postgresql+psycopg://postgres:***@" in said
    written = [path.read_text(encoding="utf-8") for path in company.project.rglob("*suppliers*") if path.is_file()]
    assert len(written) == 2
    assert "verysecret" not in said + "".join(written)


def test_a_table_of_sqlite(company: Company) -> None:
    path = company.data / "club" / "members.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            'create table members (entry integer primary key, "Order ID" text, customerEmail text, amount numeric, '
            'status text, "group" integer, isGift boolean, createdAt datetime)'
        )
        connection.executemany(
            "insert into members values (?, ?, ?, ?, ?, ?, ?, ?)",
            [(n, *(row | {"createdAt": f"{row['createdAt']}.000000"}).values()) for n, row in enumerate(ROWS)],
        )
    company.add_files("club.members")


@contextmanager
def _api() -> Iterator[str]:
    """Answers with 20 rows a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = re.search(r"[?&]cursor=(\d+)", self.path)
            start = int(found[1]) if found else 0
            following = str(start + 20) if start + 20 < len(ROWS) else None
            body = json.dumps({"data": ROWS[start : start + 20], "next": following}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_a_rest_api(company: Company) -> None:
    with _api() as url:
        company.add("wms.stock", lambda address: address.replace("https://wms.example.org", url))


def test_a_stream(company: Company, broker: Broker) -> None:
    broker.create("clicks", 2)
    broker.produce("clicks", *ROWS)
    company.add("app.clicks", lambda address: address.replace("broker.example.org:9092", broker.host))


def test_their_staging_models_build_as_they_were_written(company: Company) -> None:
    """Runs after the others of this module: dbt takes as long for one model as for all."""
    assert company.added
    models = [f"stg_{name.replace('.', '__')}" for name in sorted(company.added)]
    company.dbt("deps")
    company.dbt("build", "--select", *models, "--vars", "as_of: 2026-06-30")
    found = {
        model: company.query(
            f"""
            select count(*), count(distinct order_id), sum(amount), sum(group_value), count(*) filter (where is_gift),
                count(distinct status), min(created_at)::varchar, max(created_at)::varchar
            from staging.{model}
            """
        )[0]
        for model in models
    }
    expected = (60, 60, 1860.0, 60, 12, 2, "2026-06-01 10:00:00", "2026-06-28 10:00:55")
    assert found == dict.fromkeys(models, expected)
    listed = json.loads(company.catalyst("feeds", "--json"))
    state = {feed["name"]: (feed["accepted"], feed["fresh"]) for feed in listed}
    assert {name: state[f"raw_{name}"] for name in company.added} == dict.fromkeys(company.added, (60, True))


def test_the_standards_own_tool_accepts_their_contracts(company: Company, requires: Requires) -> None:
    try:
        interpreter = linter.python()
    except (OSError, subprocess.TimeoutExpired) as error:
        requires(None, f"The environment of datacontract-cli cannot be made: {error}")
        raise
    contracts = sorted(company.project.glob("feeds/*/*.odcs.yaml"))
    assert len(contracts) >= len(company.added)
    found = linter.problems(contracts, interpreter)
    assert {path: said for path, said in found.items() if said} == {}


def test_the_contract_in_the_guide_is_one(tmp_path: Path) -> None:
    [contract] = re.findall(r"^```yaml\n(apiVersion.+?)^```", GUIDE.read_text(), flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "orders.odcs.yaml").write_text(contract, encoding="utf-8")
    feed = read_feed(tmp_path / "orders.odcs.yaml")
    assert (feed.id, feed.key, feed.known_at, feed.stop_above) == ("raw_shop.orders", ("order_id",), "ordered_at", 0.05)
    assert [rule.name for rule in feed.expectations] == ["shipped_after_it_was_ordered"]
