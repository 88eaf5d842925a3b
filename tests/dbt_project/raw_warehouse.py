"""Builds the raw side of a small warehouse and runs dbt on it, so that marts can be checked against figures by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

PROJECT_DIR = Path(__file__).resolve().parents[2] / "dbt_project"

TEXT_FEEDS: Mapping[str, str] = {
    "raw_erp.products": (
        "exported_at product_id product_name category list_price unit_cost currency introduced_on _file"
    ),
    "raw_erp.supplier_offers": (
        "exported_at supplier_id supplier_name product_id unit_cost currency minimum_order_quantity pack_size"
        " lead_time_days lead_time_sd_days _file"
    ),
    "raw_erp.locations": "exported_at location_id location_name kind warehouse_id city _file",
    "raw_wms.inventory": "snapshot_date warehouse_id product_id on_hand on_order recorded_at",
    "raw_billing.subscriptions": (
        "subscription_id customer_id plan_id status interval interval_count quantity unit_amount currency"
        " started_at ended_at updated_at _file"
    ),
    "raw_billing.invoices": (
        "invoice_id subscription_id customer_id issued_at period_start period_end amount currency status _file"
    ),
    "raw_marketing.promotions": (
        "published_at promotion_id promotion_name category product_id starts_on ends_on discount_rate _file"
    ),
}

# Columns of each table as landing creates them; files of text and REST land every column as text.
TABLES: Mapping[str, str] = {
    "raw_pos.sales": (
        "entry_id bigint, sale_line_id varchar, receipt_id varchar, store_id varchar, sold_at timestamp,"
        " product_id varchar, customer_id varchar, quantity bigint, unit_price double, currency varchar,"
        " promotion_id varchar, recorded_at timestamp"
    ),
    "raw_pos.customers": (
        "entry_id bigint, customer_id varchar, full_name varchar, email varchar, city varchar, country varchar,"
        " birth_year bigint, signed_up_at timestamp, updated_at timestamp"
    ),
    "raw_web.orders": (
        "order_line_id varchar, order_id varchar, ordered_at timestamp, product_id varchar, category varchar,"
        " customer_id varchar, quantity bigint, unit_price double, currency varchar, promotion_id varchar,"
        " shipping_country varchar, recorded_at timestamp, device varchar, _file varchar"
    ),
    **{feed: ", ".join(f'"{name}" varchar' for name in names.split()) for feed, names in TEXT_FEEDS.items()},
}

QUALITY: Mapping[str, str] = {
    "quality.quarantine": (
        "feed varchar, load_id varchar, row_number bigint, rules varchar, reasons varchar, payload varchar,"
        " quarantined_at timestamp"
    ),
    "quality.loads": (
        "feed varchar, load_id varchar, landed_at timestamp, rows_landed bigint, rows_accepted bigint,"
        " rows_quarantined bigint, gated_at timestamp"
    ),
    "quality.runs": "run_id varchar, as_of_date date, started_at timestamp, finished_at timestamp, status varchar",
}

PREDICTIONS: Mapping[str, str] = {
    "predictions.demand_forecast": (
        "as_of_date date, store_id varchar, product_id varchar, target_date date, horizon bigint, mean_units double,"
        " p10 double, p50 double, p90 double, model_name varchar, model_version varchar, run_id varchar,"
        " predicted_at timestamp"
    ),
    "predictions.demand_forecast_backtest": (
        "as_of_date date, origin_date date, store_id varchar, product_id varchar, target_date date, horizon bigint,"
        " units double, mean_units double, p10 double, p50 double, p90 double, seasonal_naive double,"
        " model_name varchar, model_version varchar, run_id varchar, predicted_at timestamp"
    ),
}


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Creates every table that landing, the gate and the model write, all of them empty."""
    landed = {feed: f"{columns}, _dlt_load_id varchar, _row bigint" for feed, columns in TABLES.items()}
    for table, columns in {**landed, **QUALITY, **PREDICTIONS}.items():
        connection.execute(f"create schema if not exists {table.split('.')[0]}")
        connection.execute(f"create table {table} ({columns})")


def insert(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Inserts rows given by column name; columns that a row leaves out are null."""
    for row in rows:
        names = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def land(
    connection: duckdb.DuckDBPyConnection, feed: str, rows: Sequence[Mapping[str, object]], load_id: str = "load-1"
) -> None:
    """Lands rows of a feed as one gated load with nothing rejected."""
    insert(connection, feed, [{**row, "_dlt_load_id": load_id, "_row": number} for number, row in enumerate(rows)])
    insert(connection, "quality.loads", [{"feed": feed, "load_id": load_id}])


def run_dbt(command: Sequence[str], home: Path, project_dir: Path = PROJECT_DIR) -> subprocess.CompletedProcess[str]:
    """Runs dbt as an analyst does, but with its scratch files under the given home; returns what it printed."""
    environment = {
        **os.environ,
        "CATALYST_HOME": str(home),
        "DBT_TARGET_PATH": str(home / "target"),
        "DBT_LOG_PATH": str(home / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_PROFILES_DIR": str(PROJECT_DIR),
        "NO_COLOR": "1",
    }
    dbt = Path(sys.executable).parent / "dbt"
    return subprocess.run(
        [str(dbt), "--no-use-colors", *command],
        cwd=project_dir,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
