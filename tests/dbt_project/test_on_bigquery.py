"""The whole dbt project on BigQuery gives the rows that it gives on DuckDB, at first and when more has landed.

The first build is as of 20 June. Then what became known later lands, and corrects and restates what was built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt_project.conftest import PAST
from tests.dbt_project.raw_warehouse import FEEDS, LANDED_AT, insert, run_dbt
from tests.dbt_project.small_company import AS_OF, KNOWN_AT, build_raw
from tests.parts import bigquery_dbt
from tests.parts.bigquery import Project

SCHEMAS = ("staging", "intermediate", "core_analytics", "feature_store", "decisions", "monitoring", "seeds")
WRITTEN = ("quality", "identities", "predictions")
LATER = "later"
# The data tests run there in `tests/e2e/on_bigquery.py`, as in every run.
MODELS_AND_SEEDS = ("--resource-type", "model", "--resource-type", "seed")
POLICY_TAG = "projects/parity/locations/us/taxonomies/1/policyTags/2"
PERSONAL = ("full_name", "email", "birth_year")
ENGINES = ("duckdb", "bigquery")
# What each engine has built from what, told by checksums of its own texts of times and doubles; nobody else reads it.
LEDGER = {"intermediate.built_periods", "intermediate.int_sale_days_landed"}
# What compares with the year before, and what is made of empty shelves and of what models have foretold, which the
# small company has not; a whole run on both engines has the latter (`python -m benchmarks engines`).
EMPTY = {
    "core_analytics.mrr_retained_years",
    "decisions.retention_tasks",
    "feature_store.demand_forecast_empty_days",
    "feature_store.demand_forecast_empty_weekdays",
    "feature_store.demand_forecast_years",
    "monitoring.drift",
    "monitoring.model_performance",
    "monitoring.outcomes",
}

# What the small company has none of: a subscription of April that was entered in June, when April and May were closed,
# one with a coupon in dollars, a bill of a quarter in yen with its half given back, and a customer who became another.
MORE: Mapping[str, tuple[str, Sequence[Mapping[str, object]]]] = {
    "raw_billing.subscriptions": (
        "updated_at",
        [
            {"subscription_id": subscription, "customer_id": customer, "plan_id": plan, "status": status}
            | {
                "interval": "month",
                "interval_count": "1",
                "quantity": "3",
                "unit_amount": "33.33",
                "currency": currency,
            }
            | {"started_at": f"{started}T08:00:00+02:00", "updated_at": updated, "discount_percent": discount}
            for subscription, customer, plan, status, currency, started, updated, discount in [
                ("SUB4", "C000004", "club", "active", "EUR", "2024-04-15", "2024-06-25T00:30:00+02:00", None),
                ("SUB5", "C000002", "team", "active", "USD", "2024-03-31", "2024-03-31T08:00:00Z", "12.5"),
                ("SUB5", "C000002", "team", "past_due", "USD", "2024-03-31", "2024-05-20 08:00:00.25", "12.5"),
                ("SUB6", "C000005", "team", "active", "EUR", "2024-02-29", "2024-02-29T08:00:00Z", None),
                ("SUB6", "C000005", "team", "canceled", "EUR", "2024-02-29", "2024-05-15T08:00:00Z", None),
            ]
        ],
    ),
    "raw_billing.invoices": (
        "issued_at",
        [
            {"invoice_id": f"I{number}", "customer_id": customer, "currency": currency, "amount": amount}
            | {"issued_at": f"{start} 10:00:00", "period_start": start, "period_end": end, "status": "paid"}
            for number, (customer, currency, amount, start, end) in enumerate(
                [
                    ("C000001", "JPY", "1000", "2024-01-31", "2024-04-29"),
                    ("C000002", "EUR", "100.00", "2024-06-01", "2024-06-30"),
                    ("C000002", "EUR", "0.05", "2024-06-21", "2024-07-20"),
                ]
            )
        ],
    ),
    "raw_billing.credit_notes": (
        "issued_at",
        [
            {"credit_note_id": "N1", "customer_id": "C000001", "currency": "JPY", "amount": "501", "reason": "refund"}
            | {"issued_at": "2024-06-22 10:00:00", "period_start": "2024-03-01", "period_end": "2024-04-29"}
        ],
    ),
    "raw_crm.contacts": (
        "updated_at",
        [
            {"entry_id": entry, "contact_id": f"K{entry}", "given_name": given, "family_name": family, "email": email}
            | {"birth_date": born, "city": "Rome", "created_at": updated, "updated_at": updated}
            for entry, given, family, email, born, updated in [
                ("1", "Ada", " Love ", "ADA@example.com", "1980-1-2", "2024-06-01T08:00:00Z"),
                ("2", "Bob", None, None, None, "2024-06-25T08:00:00Z"),
            ]
        ],
    ),
}
IDENTITIES = [
    {"as_of_date": day, "record_id": f"pos:{source}", "source_name": "pos", "source_customer_id": source}
    | {"is_register": True, "customer_id": customer}
    for day, source, customer in [
        (date(2024, 6, 1), "C000002", "C000002"),
        (date(2024, 6, 28), "C000003", "C000001"),
    ]
]
IDENTITIES += [
    {"as_of_date": date(2024, 6, 1), "record_id": "crm:K000001", "source_name": "crm"}
    | {"source_customer_id": "K000001", "is_register": False, "customer_id": "C000001"}
]


def _raw() -> duckdb.DuckDBPyConnection:
    """All raw tables; what became known after the first build is of a load of its own."""
    raw = duckdb.connect()
    build_raw(raw)
    for feed, (_, rows) in MORE.items():
        insert(raw, feed, [{**row, "_dlt_load_id": "more", "_row": number} for number, row in enumerate(rows)])
        insert(raw, "quality.loads", [{"feed": feed, "load_id": "more", "landed_at": LANDED_AT}])
    insert(raw, "identities.customers", IDENTITIES)
    limit = datetime(PAST.year, PAST.month, PAST.day) + timedelta(days=1)  # noqa: DTZ001
    for feed, column in KNOWN_AT.items() | {feed: column for feed, (column, _) in MORE.items()}.items():
        raw.execute(
            f"update {feed} set _dlt_load_id = '{LATER}' where cast({column} as timestamp) >= ?"
            " and _dlt_load_id in ('load-1', 'more')",
            [limit],
        )
        insert(raw, "quality.loads", [{"feed": feed, "load_id": LATER, "landed_at": LANDED_AT}])
    raw.execute(f"update quality.quarantine set load_id = '{LATER}'")
    return raw


def _land(raw: duckdb.DuckDBPyConnection, warehouse: Path, as_of: date) -> list[str]:
    """Puts into the warehouse what had landed when it was built as of a day; returns the tables."""
    is_later = as_of == AS_OF
    chosen = {feed.id: "_dlt_load_id" for feed in FEEDS} | {"quality.loads": "load_id", "quality.quarantine": "load_id"}
    tables = [
        f"{schema}.{table}"
        for schema, table in raw.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    ]
    with duckdb.connect(str(warehouse)) as connection:
        for table in tables:
            connection.execute(f"create schema if not exists {table.split('.')[0]}")
            rows = f"select * from {table}"
            if table in chosen:
                rows += f" where {is_later} or {chosen[table]} != '{LATER}'"
            if table.startswith("predictions."):
                rows += f" where {is_later}"
            landed = raw.execute(rows).to_arrow_table()
            connection.register("landed", landed)
            connection.execute(f"create or replace table {table} as select * from landed")
        connection.execute("delete from quality.runs")
        run = {"run_id": str(as_of), "as_of_date": as_of, "started_at": f"{as_of} 23:00:00", "status": "running"}
        insert(connection, "quality.runs", [run])
    return tables


@pytest.fixture(scope="module")
def project(_bigquery_server: str) -> Project:
    return Project("parity", _bigquery_server)


@pytest.fixture(scope="module")
def found(project: Project, home: Path) -> Mapping[date, Mapping[str, Any]]:
    """What each build gave on the one engine and on the other."""
    warehouse, raw = home / "warehouse.duckdb", _raw()
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CATALYST_PII_POLICY_TAG", POLICY_TAG)
        for as_of in (PAST, AS_OF):
            tables = _land(raw, warehouse, as_of)
            done = run_dbt(["build", *MODELS_AND_SEEDS], home)
            assert done.returncode == 0, done.stdout + done.stderr
            with duckdb.connect(str(warehouse), read_only=True) as connection:
                bigquery_dbt.copy_tables(connection, project, tables)
                mine = bigquery_dbt.rows_in_duckdb(connection, SCHEMAS)
            done = bigquery_dbt.build(project, home, "build", *MODELS_AND_SEEDS)
            assert done.returncode == 0, done.stdout + done.stderr
            found[as_of] = {"duckdb": mine, "bigquery": bigquery_dbt.rows_in_bigquery(project, SCHEMAS)}
    raw.close()
    (home / "on_bigquery").mkdir()
    warehouse.rename(home / "on_bigquery" / warehouse.name)
    return found


@pytest.mark.parametrize("as_of", [PAST, AS_OF], ids=["first", "second"])
def test_every_table_and_view_has_the_same_rows_on_both_engines(
    as_of: date, found: Mapping[date, Mapping[str, Any]]
) -> None:
    mine, yours = (
        {name: rows for name, rows in found[as_of][engine].items() if name not in LEDGER} for engine in ENGINES
    )
    assert bigquery_dbt.differences(mine, yours) == {}


def test_few_tables_are_empty(found: Mapping[date, Mapping[str, Any]]) -> None:
    """Which would be the same on both engines without saying anything."""
    assert {name for name, rows in found[AS_OF]["duckdb"].items() if len(rows) == 1} == EMPTY


@pytest.mark.usefixtures("found")
def test_tables_on_bigquery_are_partitioned_labelled_and_tagged(project: Project) -> None:
    with project.client() as client:
        customers, sales = (client.get_table(f"core_analytics.{name}") for name in ("customers", "sales"))
    tags = {column.name: column.policy_tags.names for column in customers.schema if column.policy_tags}
    assert {name: names for name, names in tags.items() if names} == dict.fromkeys(PERSONAL, (POLICY_TAG,))
    assert (sales.time_partitioning.field, sales.clustering_fields) == ("sold_date", ["store_id", "product_id"])
    assert sales.labels == {"app": "catalyst", "layer": "core_analytics"}
    assert sales.description == "Every sale line of every channel, classified and valued in EUR."
    assert sales.expires is None
