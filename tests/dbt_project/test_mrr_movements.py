"""Movements and the ledger of closed months from run to run: what is built again, what is restated, what is left alone.

As of 10 March 2024, with January and February closed. Everyone pays from 10 January on: steady 10 EUR a month, dollars
10 USD, merged 5 EUR, coupon 20 EUR less 50 %.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration import runs
from orchestration.warehouse import Warehouse
from tests.dbt_project.raw_warehouse import create_tables, insert, land, run_dbt

JANUARY, FEBRUARY, MARCH = (date(2024, month, 1) for month in (1, 2, 3))
STEADY, DOLLARS, MERGED, COUPON, LATE = (f"C00000{number}" for number in range(1, 6))
TABLES = (
    "core_analytics.mrr_sums",
    "core_analytics.monthly_recurring_revenue",
    "core_analytics.mrr_movements",
    "core_analytics.mrr_kpis",
    "core_analytics.cohort_retention",
    "core_analytics.mrr_closed_months",
    "core_analytics.mrr_restatements",
)
LEDGER = TABLES[-2:]

Tables = Mapping[str, Sequence[tuple[Any, ...]]]


def _subscription(customer: str, amount: str, currency: str = "EUR", **columns: str) -> dict[str, object]:
    return {
        "subscription_id": f"SUB-{customer}",
        "customer_id": customer,
        "plan_id": "plan",
        "status": "active",
        "interval": "month",
        "interval_count": "1",
        "quantity": "1",
        "unit_amount": amount,
        "currency": currency,
        "started_at": "2024-01-10T08:00:00Z",
        "updated_at": "2024-01-10T08:00:00Z",
        **columns,
    }


SUBSCRIPTIONS = [
    _subscription(STEADY, "10"),
    _subscription(DOLLARS, "10", "USD"),
    _subscription(MERGED, "5"),
    _subscription(COUPON, "20", discount_percent="50"),
]


@dataclass
class Company:
    """A warehouse that things happen to, from run to run."""

    home: Path
    runs: int = 0

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    def happens(self, table: str, *rows: Mapping[str, object]) -> None:
        with closing(duckdb.connect(str(self.warehouse))) as connection:
            if table.startswith("raw_"):
                land(connection, table, rows, f"load-{table}-{self.runs}")
            else:
                insert(connection, table, rows)

    def execute(self, sql: str) -> None:
        with closing(duckdb.connect(str(self.warehouse))) as connection:
            connection.execute(sql)

    def run(self, as_of: date, *arguments: str, tested: bool = False) -> Tables:
        """Builds as of a day, where asked with the tests of all invariants; returns what it gave."""
        self.runs += 1
        runs.begin(Warehouse(self.warehouse), "run", as_of)
        chosen = ["+mrr_kpis", "+cohort_retention", "+mrr_restatements"]
        left_out = ["--exclude-resource-type", "unit_test"] + ([] if tested else ["--exclude-resource-type", "test"])
        ways = ["--indirect-selection", "cautious", *left_out]
        done = run_dbt(["build", *ways, *arguments, "--select", *chosen], self.home)
        assert done.returncode == 0, done.stdout + done.stderr
        with closing(duckdb.connect(str(self.warehouse), read_only=True)) as connection:
            return {table: connection.execute(f"select * from {table} order by all").fetchall() for table in TABLES}

    def restatements(self) -> list[tuple[Any, ...]]:
        with closing(duckdb.connect(str(self.warehouse), read_only=True)) as connection:
            return connection.execute(
                """
                select restated_as_of, month, customer_id, old_amount, new_amount, cause
                from core_analytics.mrr_restatements order by all
                """
            ).fetchall()


@pytest.fixture(scope="module")
def story(home: Path) -> dict[str, Tables | list[tuple[Any, ...]]]:
    """One run after the other on one warehouse, as the names say; a run costs seconds, so the tests share them."""
    company = Company(home)
    with closing(duckdb.connect(str(company.warehouse))) as connection:
        create_tables(connection)
    company.happens("raw_billing.subscriptions", *SUBSCRIPTIONS)
    told: dict[str, Any] = {"first": company.run(date(2024, 3, 10))}
    # What a run builds again loses this mark.
    company.execute("update core_analytics.mrr_movements set segment = 'kept' where month = '2024-01-01'")
    told["again"] = company.run(date(2024, 3, 10))
    company.execute("update core_analytics.mrr_movements set segment = 'Unknown' where segment = 'kept'")
    # On 15 March a subscription of 20 January is entered, a customer found to be another, and a rate corrected.
    started, entered = "2024-01-20T08:00:00Z", "2024-03-12T08:00:00Z"
    company.happens("raw_billing.subscriptions", _subscription(LATE, "7", started_at=started, updated_at=entered))
    record = {"record_id": f"pos:{MERGED}", "source_customer_id": MERGED, "is_register": True}
    company.happens("identities.customers", record | {"as_of_date": date(2024, 3, 14), "customer_id": STEADY})
    rate = {"rate_date": "2024-02-29", "currency": "USD", "eur_rate": "0.95", "published_at": "2024-03-14 15:00:00"}
    company.happens("raw_treasury.exchange_rates", rate)
    told["changed"] = company.run(date(2024, 3, 15), tested=True)
    told["restatements"] = company.restatements()
    told["past"] = company.run(date(2024, 3, 10), tested=True)
    told["back"] = company.run(date(2024, 3, 15))
    told["rebuilt"] = company.run(date(2024, 3, 15), "--full-refresh")
    told["policy"] = company.run(date(2024, 3, 16), "--vars", json.dumps({"mrr_discounts": "ignore"}))
    told["policy restatements"] = company.restatements()
    (home / "movements").mkdir()
    company.warehouse.rename(home / "movements" / "warehouse.duckdb")
    return told


def _differing(one: Tables, other: Tables) -> set[str]:
    return {table for table in TABLES if one[table] != other[table]}


def test_a_run_again_changes_nothing_and_builds_no_closed_month_again(story: dict[str, Any]) -> None:
    assert _differing(story["first"], story["again"]) == {"core_analytics.mrr_movements"}
    marked = [row for row in story["again"]["core_analytics.mrr_movements"] if "kept" in row]
    assert [row[0] for row in marked] == [JANUARY] * 4


def test_what_comes_late_restates_closed_months_with_the_cause(story: dict[str, Any]) -> None:
    found = date(2024, 3, 15)
    zero, five, seven, ten, fifteen = (Decimal(amount) for amount in (0, 5, 7, 10, 15))
    assert story["restatements"] == [
        (found, JANUARY, STEADY, ten, fifteen, "customer_merge"),
        (found, JANUARY, MERGED, five, zero, "customer_merge"),
        (found, JANUARY, LATE, zero, seven, "late_or_corrected_record"),
        (found, FEBRUARY, STEADY, ten, fifteen, "customer_merge"),
        # The rate of 29 February; that of January stays.
        (found, FEBRUARY, DOLLARS, ten, ten, "exchange_rate"),
        (found, FEBRUARY, MERGED, five, zero, "customer_merge"),
        (found, FEBRUARY, LATE, zero, seven, "late_or_corrected_record"),
    ]


def test_customers_who_became_one_are_new_once(story: dict[str, Any]) -> None:
    new = [
        (row[1], row[6])
        for row in story["changed"]["core_analytics.mrr_movements"]
        if row[:2] == (JANUARY, STEADY) or row[1] == MERGED
    ]
    assert new == [(STEADY, Decimal(15))]


def test_a_look_into_the_past_gives_what_that_day_gave_and_leaves_the_ledger_alone(story: dict[str, Any]) -> None:
    assert _differing(story["past"], story["first"]) == set(LEDGER)
    assert _differing(story["past"], story["changed"]) == set(TABLES) - set(LEDGER)


def test_a_run_after_a_look_into_the_past_is_as_before_it(story: dict[str, Any]) -> None:
    assert _differing(story["back"], story["changed"]) == set()


def test_months_put_together_over_many_runs_are_those_of_a_full_rebuild(story: dict[str, Any]) -> None:
    assert _differing(story["rebuilt"], story["back"]) == set()


def test_another_policy_restates_closed_months_and_says_so(story: dict[str, Any]) -> None:
    assert story["policy restatements"][len(story["restatements"]) :] == [
        (date(2024, 3, 16), month, COUPON, Decimal(10), Decimal(20), "policy_change") for month in (JANUARY, FEBRUARY)
    ]
