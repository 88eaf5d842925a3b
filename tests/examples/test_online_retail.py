"""A stranger's data, brought in by a contract and SQL: the published totals are met, and days add up to one run."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import runs, transform
from orchestration.contracts import load_feeds
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.settings import REPOSITORY, Settings
from orchestration.warehouse import Warehouse
from tests.parts import dbt

EXAMPLE = REPOSITORY / "examples" / "online_retail"
LAST = date(2011, 12, 9)
BEFORE = LAST - timedelta(days=3)


@dataclass(frozen=True)
class Retailer:
    """A home of the example and the folder that its files arrive in."""

    home: Path
    files: Path

    @property
    def warehouse(self) -> Warehouse:
        return Warehouse(self.home / "warehouse.duckdb")

    def run(self, as_of: date, *kinds: str) -> None:
        """Lands and gates what has arrived, and builds the marts for a day, as a run does."""
        settings = Settings(home=self.home, project=EXAMPLE)
        [feed] = load_feeds(settings.feeds)
        self.warehouse.prepare([feed, *load_feeds(settings.built_in_feeds)])
        runs.begin(self.warehouse, f"run of {as_of}", as_of)
        land(feed, self.warehouse)
        gate(feed, self.warehouse)
        check_balance(feed, self.warehouse)
        of_kinds = (argument for kind in kinds for argument in ("--resource-type", kind))
        self.dbt("build", *of_kinds, "--select", "+config.schema:core_analytics")

    def dbt(self, command: str, *arguments: str) -> None:
        where = ["--project-dir", str(EXAMPLE), "--profiles-dir", str(EXAMPLE), "--target-path", str(self.home / "dbt")]
        done = dbt.run([command, *where, *arguments], EXAMPLE, os.environ | {"CATALYST_HOME": str(self.home)})
        assert done.returncode == 0, done.stdout[-3000:]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.warehouse.path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def marts(self) -> dict[str, tuple[Any, ...]]:
        """The number of rows of every mart, and a sum of their hashes, which no order of rows changes."""
        names = self.query("select table_name from duckdb_tables() where schema_name = 'core_analytics'")
        return {
            name: self.query(f"select count(*), sum(hash(mart)::hugeint) from core_analytics.{name} as mart")[0]
            for (name,) in names
        }


@pytest.fixture(scope="module")
def days(shared_data: Path) -> list[Path]:
    """The 305 daily files of the UCI data set."""
    folder = shared_data / "online_retail_uci" / "by-day"
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent; CATALYST_SHARED_DATA names the folder of the optional data sets.")
    return sorted(folder.glob("*.csv"))


@pytest.fixture(scope="module")
def at_once(days: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Retailer:
    """All days landed and built in one go."""
    home = tmp_path_factory.mktemp("at_once")
    retailer = Retailer(home, days[0].parent)
    transform.manifest(Settings(home=home, project=EXAMPLE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONLINE_RETAIL_DIR", str(retailer.files))
        retailer.run(LAST, "model", "seed", "test")
    return retailer


def test_the_totals_before_cleaning_are_the_published_ones(at_once: Retailer) -> None:
    [found] = at_once.query(
        """
        select count(*), count(distinct invoice_no), count(distinct stock_code), count(distinct customer_id),
            round(sum(cast(quantity as bigint) * cast(unit_price as decimal(18, 3))), 3)
        from raw_online_retail.invoice_lines
        """
    )
    assert [float(value) for value in found] == [541_909, 25_900, 4_070, 4_372, 9_747_747.934]


def test_only_the_two_bookings_of_bad_debt_below_nothing_are_quarantined(at_once: Retailer) -> None:
    marks = at_once.query("select rules, reasons from quality.quarantine")
    assert marks == [("unit_price:range", "unit_price is -11062.06, but must be at least 0 and below 100000.")] * 2


def test_credit_notes_are_returns_and_not_sales(at_once: Retailer) -> None:
    [[sold, returned]] = at_once.query("select sum(units_sold), sum(units_returned) from core_analytics.sales")
    goods = """
        from raw_online_retail.invoice_lines
        where cast(unit_price as double) > 0 and regexp_matches(stock_code, '^([0-9]{{5}}|DCG|PADS)')
            and cast(quantity as bigint) {} 0
    """
    counted = [
        at_once.query("select abs(sum(cast(quantity as bigint))) " + goods.format(sign))[0][0] for sign in (">", "<")
    ]
    assert [sold, returned] == counted
    [[mixed]] = at_once.query(
        """
        select count(*) from core_analytics.sales
        where line_type = 'product' and is_return != starts_with(order_id, 'C')
        """
    )
    assert mixed == 0


def test_what_is_no_goods_is_told_apart_and_every_code_is_explained(at_once: Retailer) -> None:
    lines = dict(at_once.query("select line_type, count(*) from core_analytics.sales group by line_type"))
    assert sum(lines.values()) == 541_907
    assert lines.keys() >= {
        "product",
        "postage",
        "fee",
        "discount",
        "sample",
        "voucher",
        "adjustment",
        "bad_debt",
        "test",
    }
    unexplained = at_once.query(
        """
        select distinct line_type from core_analytics.sales
        where line_type not in (select line_type from seeds.non_goods_codes where explanation is not null)
        """
    )
    assert sorted(row[0] for row in unexplained) == ["product", "test"]


def test_the_mapping_passes_its_own_unit_tests(at_once: Retailer) -> None:
    at_once.dbt("test", "--select", "package:online_retail,resource_type:unit_test")


def test_the_last_days_one_by_one_give_the_marts_of_one_run(
    at_once: Retailer, days: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retailer = Retailer(tmp_path / "home", tmp_path / "files")
    retailer.files.mkdir()
    monkeypatch.setenv("ONLINE_RETAIL_DIR", str(retailer.files))
    last = [path for path in days if date.fromisoformat(path.stem) > BEFORE]
    for path in days[: -len(last)]:
        shutil.copy(path, retailer.files)
    retailer.run(BEFORE, "model", "seed")
    before = retailer.marts()
    assert len(last) == 3
    for path in last:
        shutil.copy(path, retailer.files)
        retailer.run(date.fromisoformat(path.stem), "model", "seed")
    assert retailer.marts() == at_once.marts()
    assert before["sales"] != at_once.marts()["sales"]


def test_the_run_is_recorded_with_its_time(at_once: Retailer) -> None:
    [[as_of, started]] = at_once.query("select as_of_date, started_at from quality.runs")
    assert as_of == LAST
    assert started <= datetime.now(UTC).replace(tzinfo=None)
