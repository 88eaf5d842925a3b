"""Recurring revenue is built month by month, and still always is what a full rebuild gives.

Every row of the built tables is marked before a run: a month whose rows lost their mark was built again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import runs
from orchestration.warehouse import Warehouse
from tests.dbt_project.raw_warehouse import create_tables, insert, land, run_dbt

AS_OF = date(2024, 6, 30)
EARLIER = date(2024, 4, 15)
TABLES = ("monthly_recurring_revenue", "plan_recurring_revenue")
JANUARY, FEBRUARY, MARCH, APRIL, MAY, JUNE = (date(2024, month, 1) for month in range(1, 7))

Row = tuple[Any, ...]


def _states(
    subscription: str, customer: str, amount: int, currency: str, *states: tuple[str, str]
) -> list[dict[str, str]]:
    return [
        {"subscription_id": subscription, "customer_id": customer, "plan_id": f"plan of {currency}", "status": status}
        | {"interval": "month", "interval_count": "1", "quantity": "1", "unit_amount": str(amount)}
        | {"currency": currency, "started_at": f"{states[0][1]}T08:00:00Z", "updated_at": f"{day}T08:00:00Z"}
        for status, day in states
    ]


SUBSCRIPTIONS = [
    *_states("SUB1", "C000001", 10, "EUR", ("active", "2024-01-10")),
    *_states("SUB2", "C000002", 20, "USD", ("active", "2024-01-20"), ("canceled", "2024-05-10")),
    *_states(
        "SUB3", "C000003", 30, "EUR", ("active", "2024-03-05"), ("past_due", "2024-05-20"), ("active", "2024-06-05")
    ),
    *_states("SUB6", "C000006", 7, "EUR", ("active", "2024-01-15"), ("canceled", "2024-02-05")),
]
# Lands after the first builds, and counts on the last day of February only.
LATE = _states("SUB5", "C000005", 50, "EUR", ("active", "2024-02-10"), ("canceled", "2024-03-02"))
# The seed has 0.92 all along.
RATES = [
    {"rate_date": day, "currency": "USD", "eur_rate": rate, "published_at": f"{day} 15:00:00"}
    for day, rate in [("2024-04-30", "0.5"), ("2024-05-01", "0.92")]
]
MERGED = {"record_id": "pos:C000006", "source_name": "pos", "source_customer_id": "C000006", "is_register": True} | {
    "customer_id": "C000001",
    "as_of_date": "2024-06-01",
}


class Company:
    """A warehouse that is built again and again."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.path = home / "warehouse.duckdb"
        self._sql: dict[str, str] = {}

    def build(self, as_of: date = AS_OF, *arguments: str, **policies: object) -> None:
        """Builds both tables with everything that they are made of."""
        kinds = ["--resource-type", "model", *([] if self._sql else ["--resource-type", "seed"])]
        selected = ["--select", "+monthly_recurring_revenue", "+plan_recurring_revenue"]
        # Not as a var: each other one has the whole project parsed again.
        runs.begin(Warehouse(self.path), "run", as_of)
        settings = ["--vars", str(policies)] if policies else []
        done = run_dbt(["build", *kinds, *selected, *settings, *arguments], self._home)
        assert done.returncode == 0, done.stdout + done.stderr
        if not self._sql:
            compiled = self._home / "target" / "compiled" / "catalyst" / "models" / "core_analytics"
            self._sql = {table: (compiled / f"{table}.sql").read_text() for table in TABLES}

    def query(self, sql: str) -> list[Row]:
        """Runs SQL on the warehouse."""
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def rows(self, table: str) -> list[Row]:
        """Returns the rows of a built table."""
        return self.query(f"select * from core_analytics.{table} order by all")

    def rebuilt(self, table: str, as_of: date = AS_OF) -> list[Row]:
        """Returns what the first build's SQL, which knew no table yet, gives on today's input."""
        return self.query(f"select * from ({self._sql[table].replace(str(AS_OF), str(as_of))}) order by all")

    def mark(self) -> None:
        """Marks every row that is there."""
        self.query("update core_analytics.monthly_recurring_revenue set segment = 'marked'")
        self.query("update core_analytics.plan_recurring_revenue set plan_id = 'marked ' || plan_id")

    def unmark(self) -> set[date]:
        """Takes the marks off again and returns the months that had none, the same in both tables."""
        customers = self.query(
            "select distinct month from core_analytics.monthly_recurring_revenue where segment != 'marked'"
        )
        plans = self.query(
            "select distinct month from core_analytics.plan_recurring_revenue where plan_id not like 'marked %'"
        )
        assert sorted(customers) == sorted(plans)
        self.query("update core_analytics.monthly_recurring_revenue set segment = 'Unknown'")
        self.query("update core_analytics.plan_recurring_revenue set plan_id = replace(plan_id, 'marked ', '')")
        return {month for (month,) in customers}


@pytest.fixture(scope="module")
def company(home: Path) -> Iterator[Company]:
    company = Company(home)
    with duckdb.connect(str(company.path)) as connection:
        create_tables(connection)
        land(connection, "raw_billing.subscriptions", SUBSCRIPTIONS)
    company.build()
    yield company
    (home / "recurring_revenue").mkdir()
    company.path.rename(home / "recurring_revenue" / company.path.name)


def _assert_as_rebuilt(company: Company, as_of: date = AS_OF) -> None:
    for table in TABLES:
        assert company.rows(table) == company.rebuilt(table, as_of)


def test_the_first_build_has_every_month(company: Company) -> None:
    assert company.query(
        "select month, sum(amount), sum(amount_eur) from core_analytics.monthly_recurring_revenue"
        " group by month order by month"
    ) == [
        # 20 USD x 0.92 = 18.40 EUR
        (JANUARY, Decimal(37), Decimal("35.4")),
        (FEBRUARY, Decimal(30), Decimal("28.4")),
        (MARCH, Decimal(60), Decimal("58.4")),
        (APRIL, Decimal(60), Decimal("58.4")),
        (MAY, Decimal(40), Decimal(40)),
        (JUNE, Decimal(40), Decimal(40)),
    ]


def test_a_rerun_builds_no_month_again_and_a_forgotten_month_only(company: Company) -> None:
    before = {table: company.rows(table) for table in TABLES}
    company.mark()
    company.build()
    assert company.unmark() == set()
    # As a build leaves it that ended between two of its statements.
    company.query(
        "insert into intermediate.built_periods"
        " select distinct model_name, period, null, source_rows, number + 1 from intermediate.built_periods"
        f" where period = '2024-03-01' and checksum is not null and model_name in {TABLES}"
    )
    company.query("delete from core_analytics.plan_recurring_revenue where month = '2024-03-01'")
    company.mark()
    company.build()
    assert company.unmark() == {MARCH}
    assert {table: company.rows(table) for table in TABLES} == before


def test_what_becomes_known_late_restates_the_months_it_is_about_and_no_others(company: Company) -> None:
    company.mark()
    with duckdb.connect(str(company.path)) as connection:
        land(connection, "raw_billing.subscriptions", LATE, "load-2")
        land(connection, "raw_treasury.exchange_rates", RATES)
        insert(connection, "identities.customers", [MERGED])
    company.build()
    # C000006 turned out to be C000001 and paid in January; LATE is of February, the new rate of 30 April.
    assert company.unmark() == {JANUARY, FEBRUARY, APRIL}
    _assert_as_rebuilt(company)
    assert company.query(
        "select month, customer_id, amount, subscriptions, amount_eur from core_analytics.monthly_recurring_revenue"
        " where (month(month), customer_id) in ((1, 'C000001'), (2, 'C000005'), (4, 'C000002'))"
        " order by month"
    ) == [
        (JANUARY, "C000001", Decimal(17), 2, Decimal(17)),
        (FEBRUARY, "C000005", Decimal(50), 1, Decimal(50)),
        (APRIL, "C000002", Decimal(20), 1, Decimal(10)),
    ]


def test_another_policy_restates_the_months_that_it_changes(company: Company) -> None:
    company.mark()
    company.build(mrr_past_due_grace_days=0)
    # SUB3 is past due on 31 May.
    assert company.unmark() == {MAY}
    _assert_as_rebuilt(company)
    assert company.query(
        "select sum(amount) from core_analytics.monthly_recurring_revenue where month = '2024-05-01'"
    ) == [(Decimal(10),)]


def test_a_build_for_an_earlier_day_gives_what_that_day_gave_and_leads_back(company: Company) -> None:
    company.mark()
    company.build(EARLIER)
    # Nobody knew then that C000006 is C000001, and April was judged on the 15th, with the rate of the seed.
    assert company.unmark() == {JANUARY, APRIL}
    _assert_as_rebuilt(company, EARLIER)
    assert company.query(
        "select month, customer_id, amount_eur from core_analytics.monthly_recurring_revenue"
        " where customer_id in ('C000002', 'C000006') order by all desc limit 2"
    ) == [(APRIL, "C000002", Decimal("18.4")), (MARCH, "C000002", Decimal("18.4"))]
    company.build()
    later = {table: company.rows(table) for table in TABLES}
    company.build(AS_OF, "--full-refresh")
    assert {table: company.rows(table) for table in TABLES} == later


def test_a_table_of_an_earlier_version_is_built_anew(company: Company) -> None:
    before = company.rows("monthly_recurring_revenue")
    company.query("alter table core_analytics.monthly_recurring_revenue add column relic integer")
    company.query("update core_analytics.monthly_recurring_revenue set month = '2011-01-01' where month = '2024-03-01'")
    company.query("delete from intermediate.built_periods where model_name = 'monthly_recurring_revenue'")
    company.build()
    assert company.rows("monthly_recurring_revenue") == before
