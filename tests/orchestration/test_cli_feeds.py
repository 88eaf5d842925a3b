"""The commands for feeds tell people and programs the same, and what to run next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from orchestration.cli import main
from orchestration.publish import publish
from tests.commands import Said, catalyst
from tests.orchestration.conftest import column, contract

HEADER = "id,price\n"
COLUMNS = [
    column("id", primaryKey=True),
    column("price", "number", logicalTypeOptions={"minimum": 0, "maximum": 100}),
]
# Holds the warehouse as a run does, and says when it has it.
HOLD = """
import sys
from pathlib import Path
from orchestration import runs
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse
home = Path(sys.argv[1])
runs.hold_lock(Settings(home=home))
with Warehouse(home / "warehouse.duckdb").connect():
    print("held", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Company:
    """A project with one feed of files, and its home."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def catalyst(self, *arguments: str, expect: int = 0) -> Said:
        environment = {"CATALYST_PROJECT": str(self.folder), "CATALYST_HOME": str(self.home)}
        return catalyst(*arguments, folder=self.folder, environment=environment, expect=expect)

    def listed(self) -> dict[str, Any]:
        [feed] = json.loads(self.catalyst("feeds", "--json").stdout)
        assert isinstance(feed, dict)
        return feed

    def write_contract(self, columns: Sequence[dict[str, Any]], **custom: str) -> None:
        server = {"type": "local", "path": f"{self.folder}/in/*.csv", "format": "csv"}
        document = contract("orders", server, columns, **custom)
        path = self.folder / "feeds" / "shop" / "orders.odcs.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document), encoding="utf-8")

    def send(self, name: str, *lines: str) -> None:
        (self.folder / "in").mkdir(exist_ok=True)
        (self.folder / "in" / name).write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def company(tmp_path: Path) -> Company:
    company = Company(tmp_path)
    company.write_contract(COLUMNS)
    return company


@pytest.mark.parametrize("command", [["feeds"], ["feeds", "new"], ["land"], ["quarantine"], ["redrive"]])
def test_every_command_has_a_help_of_its_own(command: list[str]) -> None:
    told = CliRunner().invoke(main, [*command, "--help"])
    assert told.exit_code == 0
    assert f"Usage: main {' '.join(command)}" in told.output


def test_the_list_of_feeds_needs_no_heavy_library() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from orchestration.cli import main; "
        "CliRunner().invoke(main, ['feeds', '--json']); "
        "print(sorted({'dagster', 'dlt', 'dbt', 'pandas', 'great_expectations', 'confluent_kafka'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_before_anything_has_landed_the_list_is_there_and_says_what_to_run(company: Company) -> None:
    feed = company.listed()
    assert {
        name: feed[name] for name in ("name", "kind", "rows", "accepted", "quarantined", "last_load_at", "fresh")
    } == {
        "name": "raw_shop.orders",
        "kind": "files",
        "rows": 0,
        "accepted": 0,
        "quarantined": 0,
        "last_load_at": None,
        "fresh": False,
    }
    assert not (company.home / "warehouse.duckdb").exists()
    assert "`catalyst land raw_shop.orders`" in company.catalyst("feeds").stdout
    assert company.catalyst("quarantine").stdout == "No row is marked.\n"


def test_a_feed_is_landed_looked_at_mended_and_redriven(company: Company) -> None:
    company.send("1.csv", "a,1", "b,200", "c,free", "d,4")
    said = company.catalyst("land", "raw_shop.orders").stdout
    assert "4 new rows, 2 quarantined (4 in all)" in said
    assert "`catalyst quarantine raw_shop.orders`" in said
    feed = company.listed()
    assert (feed["rows"], feed["accepted"], feed["quarantined"], feed["fresh"]) == (4, 2, 2, True)
    age = datetime.now(UTC) - datetime.fromisoformat(feed["last_load_at"])
    assert timedelta() <= age < timedelta(minutes=5)

    by_rule = company.catalyst("quarantine").stdout
    assert "price is 200, but must be at least 0 and at most 100." in by_rule
    assert "25.00%" in by_rule
    groups = json.loads(company.catalyst("quarantine", "--json").stdout)
    assert {(group["rule"], group["rows"]) for group in groups} == {("price:range", 1), ("price:type", 1)}

    shown = company.catalyst("quarantine", "raw_shop.orders", "--rule", "price:range").stdout
    assert "price is 200" in shown
    assert "free" not in shown
    assert "`catalyst redrive raw_shop.orders --rule price:range`" in shown
    told = company.catalyst("quarantine", "raw_shop.orders", "--export", "marks.csv").stdout
    assert told == "2 rows written to marks.csv.\n"
    assert len((company.folder / "marks.csv").read_text(encoding="utf-8").splitlines()) == 3

    company.write_contract([COLUMNS[0], column("price", "number", logicalTypeOptions={"minimum": 0, "maximum": 1000})])
    said = company.catalyst("redrive", "raw_shop.orders", "--rule", "price:range").stdout
    assert "1 row gated again" in said
    assert "1 accepted now, 0 still quarantined." in said
    assert "`catalyst run`" in said
    feed = company.listed()
    assert (feed["rows"], feed["accepted"], feed["quarantined"]) == (4, 3, 1)
    said = company.catalyst("redrive", "raw_shop.orders", "--rule", "price:range").stdout
    assert "No row of raw_shop.orders is marked for the rule price:range." in said


def test_a_feed_that_stops_ends_with_an_error_and_is_pointed_at(company: Company) -> None:
    company.write_contract(COLUMNS, stopAbove="0.5")
    company.send("1.csv", "a,1", "b,200", "c,free")
    said = company.catalyst("land", "raw_shop.orders", expect=1).stdout
    assert "Feed raw_shop.orders has stopped" in said
    assert "`catalyst redrive raw_shop.orders`" in said
    feed = company.listed()
    assert (feed["rows"], feed["accepted"], feed["held_back"]) == (3, 0, 3)
    assert "3 rows are held back" in company.catalyst("feeds").stdout


def test_while_a_run_has_the_warehouse_the_published_copy_answers(company: Company) -> None:
    company.send("1.csv", "a,1", "b,200")
    company.catalyst("land", "raw_shop.orders")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(company.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        nothing = company.catalyst("feeds", "--json", expect=1)
        assert nothing.stdout == ""
        assert f"Process {holder.pid} has the warehouse" in nothing.stderr
        assert "nothing has been published yet" in company.catalyst("quarantine", expect=1).stdout
        busy = company.catalyst("land", "raw_shop.orders", expect=1).stdout
        assert f"Another run (process {holder.pid}) is at work" in busy
        holder.communicate()
    publish(
        company.home / "warehouse.duckdb",
        company.home / "published",
        ("quality",),
        as_of=date(2026, 6, 30),
        run_id="1",
        required=(),
    )
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(company.home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        listed = company.catalyst("feeds", "--json")
        assert json.loads(listed.stdout)[0]["rows"] == 2
        assert "this is what was published before it" in listed.stderr
        assert "price is 200" in company.catalyst("quarantine", "raw_shop.orders").stdout
        holder.communicate()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["land", "raw_shop.order"], "There is no feed 'raw_shop.order'. Choose one of: raw_shop.orders."),
        (["quarantine", "raw_shop.order"], "There is no feed 'raw_shop.order'"),
        (["redrive", "raw_shop.order"], "There is no feed 'raw_shop.order'"),
        (["land", "raw_shop.orders"], "has no file at"),
        (["feeds", "new", "orders", "a.csv"], "write <source>.<table>"),
        (["feeds", "new", "shop.more", "nothing.csv"], "are not there"),
    ],
)
def test_a_mistake_is_answered_by_a_sentence(company: Company, arguments: list[str], said: str) -> None:
    assert said in company.catalyst(*arguments, expect=1).stdout


def test_a_feed_of_the_simulated_company_needs_the_company(tmp_path: Path) -> None:
    # Without what other tests of this process have set.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CATALYST_")}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("catalyst")), "land", "raw_pos.sales"],
        env=environment | {"CATALYST_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "There is no simulated company" in done.stdout
    assert "`catalyst run`" in done.stdout
    assert done.stderr == ""


def test_a_new_feed_is_written_and_says_what_comes_next(company: Company) -> None:
    (company.folder / "returns.csv").write_text("Return No,Reason\nR1,broken\nR2,late\n", encoding="utf-8")
    said = company.catalyst("feeds", "new", "shop.returns", "returns.csv").stdout
    for path in (
        "feeds/shop/returns.odcs.yaml",
        "models/staging/shop/stg_shop__returns.sql",
        "models/staging/shop/_shop.yml",
    ):
        assert f"wrote {company.folder / path}" in said
    assert "`catalyst land raw_shop.returns`" in said
    elsewhere = company.catalyst("feeds", "new", "shop.returns", "returns.csv", "--folder", "draft").stdout
    assert "draft/feeds/shop/returns.odcs.yaml" in elsewhere
    assert "is there already" in company.catalyst("feeds", "new", "shop.returns", "returns.csv", expect=1).stdout


def test_the_name_of_a_rule_is_never_cut(company: Company) -> None:
    names = [f"a_rather_long_name_for_a_column_{n}" for n in range(3)]
    company.write_contract([column(name, primaryKey=True, primaryKeyPosition=n) for n, name in enumerate(names, 1)])
    (company.folder / "in").mkdir()
    (company.folder / "in" / "1.csv").write_text(f"{','.join(names)}\n1,1,1\n1,1,1\n", encoding="utf-8")
    company.catalyst("land", "raw_shop.orders")
    assert f" {'+'.join(names)}:unique " in company.catalyst("quarantine").stdout
