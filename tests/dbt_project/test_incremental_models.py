"""Staging and sales are built by days, and still always are what a full rebuild gives.

The ledger of built periods tells which days a build took anew. As of 4 June 2024, landings of three days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from orchestration import runs
from orchestration.warehouse import Warehouse
from tests.dbt_project.conftest import WITHOUT_TESTS
from tests.dbt_project.raw_warehouse import create_tables, insert, run_dbt

MODELS = {
    "stg_pos__sales": "staging",
    "stg_web__orders": "staging",
    "int_sale_days_landed": "intermediate",
    "int_sale_lines_near_duplicates": "intermediate",
    "int_sale_lines_united": "intermediate",
    "daily_product_sales": "core_analytics",
}
# What the incremental models read and a day may change.
READ = ("stg_treasury__exchange_rates", "int_currency_rates_dated", "sales")
FIRST, SECOND, THIRD, FOURTH, FIFTH = (date(2024, 6, day) for day in range(1, 6))

Rows = list[tuple[Any, ...]]


def _till(line: str, sold: str, quantity: int = 1, **columns: object) -> dict[str, object]:
    return {
        "sale_line_id": line,
        "receipt_id": line,
        "store_id": "S01",
        "sold_at": sold,
        "product_id": "P1",
        "quantity": quantity,
        "unit_price": 10.0,
        "currency": "EUR",
        "recorded_at": sold,
        **columns,
    }


WEB = {
    "order_line_id": "W1",
    "order_id": "O1",
    "ordered_at": "2024-06-02 23:50:00",
    "product_id": "P1",
    "customer_id": "C1",
    "quantity": 1,
    "unit_price": 10.0,
    "currency": "EUR",
    "recorded_at": "2024-06-02 23:50:00",
}


class Company:
    """A warehouse that is built again and again."""

    def __init__(self, home: Path, *more: str) -> None:
        self.home = home
        self._more = more
        self.path = home / "warehouse.duckdb"
        self.printed = ""
        self._whole: dict[str, str] = {}
        self._number = 0

    def land(self, feed: str, landed_on: date, rows: Sequence[Mapping[str, object]]) -> str:
        """Lands and gates one load at 5 in the morning of a day."""
        self._number += 1
        load_id = f"load-{self._number}"
        morning = f"{landed_on} 05:00:00"
        with duckdb.connect(str(self.path)) as connection:
            insert(
                connection,
                feed,
                [{**row, "_dlt_load_id": load_id, "_row": number} for number, row in enumerate(rows)],
            )
            load = {"feed": feed, "load_id": load_id, "landed_at": morning, "gated_at": morning}
            insert(connection, "quality.loads", [{**load, "rows_landed": len(rows), "rows_accepted": len(rows)}])
        return load_id

    def build(self, as_of: date, *arguments: str) -> dict[str, set[date]]:
        """Builds the models and returns which periods of each were built."""
        before = self._latest()
        selected = [*MODELS, *READ] if self._whole else ["+daily_product_sales"]
        # Not as a var: another one has the whole project parsed again.
        runs.begin(Warehouse(self.path), "run", as_of)
        done = run_dbt(["build", *WITHOUT_TESTS, "--select", *selected, *self._more, *arguments], self.home)
        assert done.returncode == 0, done.stdout + done.stderr
        self.printed = done.stdout
        if not self._whole:
            self._whole = {model: self.compiled(model) for model in MODELS}
            self._as_of = as_of
        built: dict[str, set[date]] = {}
        for (model, period), (number, is_there) in self._latest().items():
            if is_there and number != before.get((model, period), (0, False))[0]:
                built.setdefault(model, set()).add(period)
        return built

    def compiled(self, model: str) -> str:
        """Returns the SQL of a model as the latest build ran it."""
        found = (self.home / "target" / "compiled").rglob(f"{model}.sql")
        # Below the names of YAML files lie the inputs of unit tests.
        return next(path for path in found if not any(part.endswith(".yml") for part in path.parts)).read_text()

    def query(self, sql: str) -> Rows:
        """Runs SQL on the warehouse."""
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def rows(self) -> dict[str, Rows]:
        """Returns the rows of every model."""
        return {model: self.query(f"select * from {schema}.{model} order by all") for model, schema in MODELS.items()}

    def rebuilt(self, as_of: date) -> dict[str, Rows]:
        """Returns what the first build's SQL, which left no day out, gives on today's input."""
        return {
            model: self.query(f"select * from ({sql.replace(str(self._as_of), str(as_of))}) order by all")
            for model, sql in self._whole.items()
        }

    def _latest(self) -> dict[tuple[str, date], tuple[int, bool]]:
        with duckdb.connect(str(self.path)) as connection:
            known = "select 1 from duckdb_tables() where table_name = 'built_periods'"
            if not connection.execute(known).fetchall():
                return {}
            rows = connection.execute(
                "select model_name, period, max(number), arg_max(coalesce(checksum, ''), number) != ''"
                " from intermediate.built_periods group by all"
            ).fetchall()
        return {(model, period): (number, is_there) for model, period, number, is_there in rows}


@pytest.fixture(scope="module")
def company(home: Path) -> Iterator[Company]:
    company = Company(home)
    with duckdb.connect(str(company.path)) as connection:
        create_tables(connection)
    company.land("raw_pos.sales", THIRD, [_till("T1", "2024-06-02 12:00:00", 2)])
    company.land("raw_web.orders", THIRD, [WEB])
    # The till rings up W1 after midnight. T4 breaks a rule.
    last = company.land(
        "raw_pos.sales",
        FOURTH,
        [
            _till("T2", "2024-06-03 00:10:00", customer_id="C1"),
            _till("T3", "2024-06-03 12:00:00", 3),
            _till("T4", "2024-06-03 13:00:00", 400),
        ],
    )
    company.query(
        "insert into quality.quarantine (feed, load_id, row_number, quarantined_at)"
        f" values ('raw_pos.sales', '{last}', 2, '2024-06-04 05:00:01')"
    )
    company.build(FOURTH)
    yield company
    (home / "incremental_models").mkdir()
    company.path.rename(home / "incremental_models" / company.path.name)


def _units(company: Company) -> Rows:
    return company.query(
        "select day(sold_date), store_id, units_sold from core_analytics.daily_product_sales order by all"
    )


def test_a_rerun_builds_what_was_forgotten_and_nothing_else(company: Company) -> None:
    before = company.rows()
    assert _units(company) == [(2, "S01", 2), (2, "WEB", 1), (3, "S01", 3)]
    # As a build leaves it that was killed: 3 June is forgotten, and half of it deleted or inserted.
    company.query(
        "insert into intermediate.built_periods select model_name, period, null, source_rows, number + 1"
        " from intermediate.built_periods where checksum is not null and"
        " (model_name, period) in (('int_sale_lines_united', date '2024-06-03'), ('stg_pos__sales', date '2024-06-04'))"
    )
    company.query("delete from intermediate.int_sale_lines_united where sale_line_id = 'T3'")
    company.query("delete from staging.stg_pos__sales where sale_line_id = 'T2'")
    built = company.build(FOURTH)
    assert built == {"stg_pos__sales": {FOURTH}, "int_sale_lines_united": {THIRD}}
    assert company.rows() == before
    assert "and false" in " ".join(company.compiled("int_sale_lines_near_duplicates").split())


def test_a_new_day_builds_its_own_landing_and_the_days_that_it_tells_of(company: Company) -> None:
    company.land("raw_pos.sales", FIFTH, [_till("T5", "2024-06-04 12:00:00"), _till("late", "2024-06-01 12:00:00", 5)])
    built = company.build(FIFTH)
    assert company.rows() == company.rebuilt(FIFTH)
    assert built["stg_pos__sales"] == built["int_sale_days_landed"] == {FIFTH}
    # 2 June could hold near-duplicates of 1 June, which is told late; its lines turn out to be the same.
    assert built["int_sale_lines_united"] == {FIRST, SECOND, FOURTH}
    sql = " ".join(company.compiled("int_sale_lines_united").split())
    assert "cast(sold_at as date) in (date '2024-06-01', date '2024-06-02', date '2024-06-04')" in sql
    assert "landed_on in (date '2024-06-03', date '2024-06-05')" in sql


def test_a_freed_row_a_superseded_one_and_a_restated_rate_are_followed(company: Company) -> None:
    # T4 goes on after all. W1 is taken back, so that T2 is no near-duplicate any more.
    company.query("delete from quality.quarantine")
    company.query("update quality.loads set gated_at = '2024-06-05 09:00:00' where load_id = 'load-3'")
    company.query(
        "insert into quality.quarantine (feed, load_id, row_number, quarantined_at)"
        " values ('raw_web.orders', 'load-2', 0, '2024-06-05 09:00:00')"
    )
    company.land(
        "raw_treasury.exchange_rates",
        FIFTH,
        [{"rate_date": "2024-06-04", "currency": "USD", "eur_rate": "0.5", "published_at": "2024-06-04 15:00:00"}],
    )
    built = company.build(FIFTH)
    assert company.rows() == company.rebuilt(FIFTH)
    assert (built["stg_pos__sales"], built["stg_web__orders"]) == ({FOURTH}, {THIRD})
    # 2 June is new by its lines, 3 June too, and the neighbour of 3 June; 4 June has another rate besides.
    assert built["daily_product_sales"] == {SECOND, THIRD, FOURTH}
    assert _units(company) == [(1, "S01", 5), (2, "S01", 2), (3, "S01", 404), (4, "S01", 1)]


def test_an_earlier_day_knows_less_and_the_way_leads_back(company: Company) -> None:
    later = company.rows()
    company.build(SECOND)
    assert company.rows() == company.rebuilt(SECOND)
    # What was sold by then; all of it landed afterwards.
    assert _units(company) == [(1, "S01", 5), (2, "S01", 2)]
    company.build(FIFTH)
    assert company.rows() == later


def test_what_raw_no_longer_holds_stays_as_it_was_staged(company: Company) -> None:
    before = company.rows()
    company.query("delete from raw_pos.sales where _dlt_load_id = 'load-1'")
    company.query("delete from raw_web.orders")
    # A load that was gated anew after its rows had expired.
    company.query("update quality.loads set rows_landed = 0, gated_at = '2024-09-30 09:00:00' where load_id = 'load-1'")
    built = company.build(FIFTH, "--full-refresh")
    assert company.rows() == before
    assert "stg_pos__sales keeps the rows that landed on 2024-06-03 as they were staged" in company.printed
    assert built["int_sale_lines_united"] == {FIRST, SECOND, THIRD, FOURTH}
    company.query("drop table intermediate.built_periods")
    company.build(FIFTH + timedelta(days=1))
    assert company.rows() == before


def _grow(home: Path, weeks: int) -> dict[str, list[int]]:
    """Builds so many weeks of history and one more day; returns how many partitions each scan of that day names."""
    company = Company(home, "+mrr_sums")
    company.path.unlink(missing_ok=True)
    days = [FIRST - timedelta(weeks=week) for week in range(weeks)][::-1]
    with duckdb.connect(str(company.path)) as connection:
        create_tables(connection)
    for day in days:
        _land_day(company, day)
    company.land(
        "raw_billing.subscriptions",
        days[0] + timedelta(days=1),
        [
            {"subscription_id": "SUB1", "customer_id": "C1", "plan_id": "club", "status": "active", "interval": "month"}
            | {"interval_count": "1", "quantity": "1", "unit_amount": "10", "currency": "EUR"}
            | {"started_at": f"{days[0]}T08:00:00Z", "updated_at": f"{days[0]}T08:00:00Z"}
        ],
    )
    company.build(FIRST)
    _land_day(company, SECOND)
    company.build(SECOND)
    scans = {}
    for model in (*MODELS, "monthly_recurring_revenue", "mrr_movements", "mrr_sums"):
        sql = company.compiled(model)
        assert '"is_whole": false' in sql
        inner = sqlglot.parse_one(sql, dialect="duckdb")
        scans[model] = [len(found.expressions) for found in inner.find_all(exp.In) if found.expressions]
    return scans


def _land_day(company: Company, day: date) -> None:
    company.land("raw_pos.sales", day + timedelta(days=1), [_till(f"T {day}", f"{day} 12:00:00")])
    line = {"order_line_id": f"W {day}", "ordered_at": f"{day} 12:00:00", "recorded_at": f"{day} 12:00:00"}
    company.land("raw_web.orders", day + timedelta(days=1), [WEB | line])


def test_a_day_at_ten_times_the_history_names_no_more_partitions(home: Path) -> None:
    short, long = _grow(home, 6), _grow(home, 60)
    assert short == long
    assert short["stg_pos__sales"] == [2]
    # Yesterday's landing, which the as-of date has passed since, and today's.
    assert max(number for numbers in short.values() for number in numbers) <= 4
