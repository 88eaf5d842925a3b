"""What recurring revenue costs beside its bare SQL: 1 million subscriptions over 60 months, and then one month more.

The bare SQL is what dbt compiled, run statement by statement in this process on a copy of the same raw tables. For the
new month it is also a query written by hand, which works the movements of that one month out of the same stretches.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.landing import timed
from orchestration import settings, transform
from orchestration.contracts import load_feeds
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse

SUBSCRIPTIONS = 1_000_000
MONTHS = 60
BAR = 2.0
FIRST_DAY = date(2020, 1, 1)
LAST_DAY, NEXT_MONTH, NEXT_DAY = date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 31)
CHOSEN = ("mrr_kpis", "cohort_retention", "mrr_restatements", "plan_recurring_revenue")
BY_MONTH = (
    "monthly_recurring_revenue",
    "plan_recurring_revenue",
    "mrr_movements",
    "mrr_sums",
    "mrr_retained_years",
    "mrr_closed_months",
    "mrr_restatements",
    "mrr_segment_sums",
    "mrr_kpis",
    "cohort_retention",
)
MOVED = ("monthly_recurring_revenue", "mrr_movements", "mrr_closed_months")


@dataclass(frozen=True)
class Built:
    """A build by dbt, two models at a time: seconds in all, of each model, and until each was there."""

    seconds: float
    models: dict[str, float]
    until: dict[str, float]

    @property
    def by_month(self) -> float:
        """Seconds after the stretches of time and the months were there: all that is kept by month."""
        return self.seconds - self.until["int_mrr_months"]


def main() -> None:
    """Prints the seconds of dbt and of the bare SQL by model, and those of a new month."""
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder, _home(Path(folder) / "home") as chosen:
        Warehouse(chosen.warehouse).prepare(load_feeds(chosen.feeds))
        seconds = timed(lambda: _land(chosen, FIRST_DAY, LAST_DAY))
        print(
            f"{SUBSCRIPTIONS:,} subscriptions over {MONTHS} months, written to raw tables in {seconds:.0f} s",
            flush=True,
        )
        bare = Path(folder) / "bare" / chosen.warehouse.name
        bare.parent.mkdir()
        shutil.copy(chosen.warehouse, bare)
        transform.manifest(chosen)
        whole = _build(chosen, LAST_DAY)
        statements = _run_bare(chosen, bare, list(whole.models))
        _print_models(whole, statements)
        _must_agree(chosen.warehouse, bare)
        bare.unlink()
        _print_new_month(chosen, whole)


@contextmanager
def _home(home: Path) -> Iterator[Settings]:
    before = os.environ.get("CATALYST_HOME")
    os.environ["CATALYST_HOME"] = str(home)
    try:
        home.mkdir()
        yield settings.load()
    finally:
        os.environ.pop("CATALYST_HOME")
        if before is not None:
            os.environ["CATALYST_HOME"] = before


def _land(chosen: Settings, first: date, last: date) -> None:
    """Writes the states that begin between two days, as a gated landing leaves them.

    Starts are spread over the time; subscriptions last for 18 months on average, and a third is upgraded halfway.
    """
    load = [str(last)]
    with Warehouse(chosen.warehouse).connect() as connection:
        connection.execute(
            f"""
            insert into raw_billing.subscriptions by name
            with drawn as (
                select
                    i as number,
                    'C' || lpad(cast(hash(i) % {9 * SUBSCRIPTIONS // 10} as varchar), 7, '0') as customer_id,
                    case when i < {SUBSCRIPTIONS}
                        then date '{FIRST_DAY}'
                            + cast(hash(i, 'start') % {(LAST_DAY - FIRST_DAY).days + 1} as integer)
                        else date '{LAST_DAY}' + 1 + cast(hash(i, 'start') % {(NEXT_DAY - LAST_DAY).days} as integer)
                    end as started_on,
                    2 + cast(floor(-540 * ln((1 + hash(i, 'life') % 100000) / 100001.0)) as integer) as days,
                    (5 + hash(i, 'amount') % 95) + 0.99 as amount,
                    case hash(i, 'currency') % 10 when 0 then 'GBP' when 1 then 'USD' when 2 then 'USD' else 'EUR' end
                        as currency,
                    case when hash(i, 'interval') % 5 = 0 then 'year' else 'month' end as billing_interval
                from range({SUBSCRIPTIONS + SUBSCRIPTIONS // MONTHS}) as numbers (i)
            ),
            states as (
                select *, 'active' as status, amount as unit_amount, started_on as updated_on from drawn
                union all
                select *, 'active', amount + 10, started_on + days // 2 from drawn where number % 3 = 0
                union all
                select *, 'canceled', amount, started_on + days from drawn
            )
            select
                'SUB' || number as subscription_id, customer_id, 'plan-' || billing_interval as plan_id, status,
                billing_interval as "interval", '1' as interval_count, '1' as quantity, currency,
                cast(unit_amount as varchar) as unit_amount, started_on || 'T08:00:00Z' as started_at,
                case when status = 'canceled' then updated_on || 'T08:00:00Z' end as ended_at,
                updated_on || 'T08:00:00Z' as updated_at, ? as _dlt_load_id, row_number() over () as _row
            from states where updated_on between date '{first}' and date '{last}'
            """,
            load,
        )
        connection.execute(
            f"""
            insert into raw_treasury.exchange_rates by name
            select day as rate_date, currency, day || ' 15:00:00' as published_at, ? as _dlt_load_id,
                cast(0.8 + hash(day, currency) % 50 / 100.0 as varchar) as eur_rate, row_number() over () as _row
            from (select cast(date '{first}' + cast(i as integer) as varchar) as day
                  from range({(last - first).days + 1}) as days (i))
            cross join (select unnest(['GBP', 'USD']) as currency)
            """,
            load,
        )
        connection.execute(
            """
            insert into quality.loads by name
            select unnest(['raw_billing.subscriptions', 'raw_treasury.exchange_rates']) as feed, ? as load_id,
                'passed' as status, 0 as rows_landed, 0 as rows_accepted, 0 as rows_quarantined,
                timestamp '2025-02-01' as landed_at, timestamp '2025-02-01' as gated_at
            """,
            load,
        )


def _build(chosen: Settings, as_of: date) -> Built:
    select = ["--select", *(f"+{name}" for name in CHOSEN), "--resource-type", "model", "--resource-type", "seed"]
    models: dict[str, float] = {}
    until: dict[str, float] = {}

    def on_result(result: dict[str, Any]) -> None:
        name = result["data"]["node_info"]["node_name"]
        models[name] = float(result["data"]["execution_time"])
        until[name] = time.perf_counter() - started

    as_vars = ["--vars", json.dumps({"as_of": str(as_of)}), "--quiet"]
    started = time.perf_counter()
    transform.build(chosen, [*select, *as_vars], on_result)
    return Built(time.perf_counter() - started, models, until)


def _run_bare(chosen: Settings, bare: Path, order: list[str]) -> dict[str, float]:
    """Runs what dbt compiled, in its order, as one writes it: `create table x as ...`; returns the seconds of each."""
    nodes = json.loads((chosen.dbt_target / "manifest.json").read_text(encoding="utf-8"))["nodes"]
    by_name = {node["name"]: node for node in nodes.values() if node["resource_type"] in {"model", "seed"}}
    seconds = {}
    with duckdb.connect(str(bare)) as connection:
        connection.execute("set enable_progress_bar = false")
        for name in order:
            node = by_name[name]
            if node["resource_type"] == "seed":
                sql = f"select * from read_csv('{chosen.project / node['original_file_path']}')"
            else:
                path = chosen.dbt_target / "compiled" / node["package_name"] / node["original_file_path"]
                sql = path.read_text(encoding="utf-8")
            kind = "view" if node["config"]["materialized"] == "view" else "table"
            connection.execute(f"create schema if not exists {node['schema']}")
            statement = f"create {kind} {node['schema']}.{name} as {sql}"
            seconds[name] = timed(lambda statement=statement: connection.execute(statement))  # type: ignore[misc]
    return seconds


def _print_models(whole: Built, bare: dict[str, float]) -> None:
    print(f"{'from nothing':<34}{'dbt s':>9}{'bare SQL s':>12}{'ratio':>8}{'bar':>6}")
    for name, seconds in whole.models.items():
        if bare[name] >= 0.5:
            print(f"{name:<34}{seconds:>9.1f}{bare[name]:>12.1f}")
    for name, ours, theirs in (
        ("revenue, movements, key figures", whole.by_month, sum(bare[name] for name in BY_MONTH)),
        ("all, from start to end", whole.seconds, sum(bare.values())),
    ):
        print(f"{name:<34}{ours:>9.1f}{theirs:>12.1f}{ours / theirs:>8.2f}{BAR:>6}", flush=True)


def _must_agree(warehouse: Path, bare: Path) -> None:
    """Both ways gave the same rows."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute(f"attach '{bare}' as bare (read_only)")
        for name in MOVED:
            sums = (
                f"select count(*) as rows, sum(amount) as amount, sum(amount_eur) as eur from %s.core_analytics.{name}"
            )
            [ours] = connection.execute(sums % "warehouse").fetchall()
            [theirs] = connection.execute(sums % "bare").fetchall()
            if ours != theirs or not ours[0]:
                raise RuntimeError(f"dbt and its bare SQL differ in {name}: {ours} and {theirs}.")
            print(f"{name}: {ours[0]:,} rows, the same both ways", flush=True)


def _print_new_month(chosen: Settings, whole: Built) -> None:
    """Adds a month, and measures its models beside those of all months and beside a query for that month alone."""
    _land(chosen, NEXT_MONTH, NEXT_DAY)
    added = _build(chosen, NEXT_DAY)
    with duckdb.connect(str(chosen.warehouse)) as connection:
        by_hand = timed(lambda: _by_hand(connection))
        [rows] = connection.execute(
            f"""
            select count(*), count(ours.month), count(hand.currency), count_if(ours.amount = hand.amount)
            from (
                select * from core_analytics.mrr_movements
                where month = date '{NEXT_MONTH}' and movement != 'fx'
            ) as ours
            full join hand using (customer_id, currency, movement)
            """
        ).fetchall()
        [[revenue]] = connection.execute(
            f"select count(*) from core_analytics.monthly_recurring_revenue where month = date '{NEXT_MONTH}'"
        ).fetchall()
    if len(set(rows)) != 1:
        raise RuntimeError(f"The month by dbt and by hand differ: {rows} movements.")
    print(f"one month more: {revenue:,} rows of revenue and {rows[0]:,} movements, the same by hand")
    print(f"{'':<34}{'month s':>9}{'all months s':>14}{'share':>8}")
    for name in BY_MONTH:
        print(f"{name:<34}{added.models[name]:>9.1f}{whole.models[name]:>14.1f}")
    for name, month, months in (
        ("revenue, movements, key figures", added.by_month, whole.by_month),
        ("all, from start to end", added.seconds, whole.seconds),
    ):
        print(f"{name:<34}{month:>9.1f}{months:>14.1f}{month / months:>8.0%}")
    print(f"{'movements of the month by hand':<34}{by_hand:>9.1f}   by dbt {added.by_month / by_hand:.1f} times that")


def _by_hand(connection: duckdb.DuckDBPyConnection) -> None:
    """Movements of the one month, as one would write them for it: two looks at the stretches of time."""
    paid = """
        select customer_id, currency, sum(monthly_amount) as amount, min(cohort_month) as cohort_month
        from intermediate.int_recurring_amounts where valid_from <= date '{0}' and valid_until > date '{0}'
        group by customer_id, currency
    """
    connection.execute(
        f"""
        create temp table hand as
        with before as ({paid.format(LAST_DAY)}),
        after as ({paid.format(NEXT_DAY)}),
        joined as (
            select customer_id, currency, coalesce(after.amount, 0) as closing, coalesce(before.amount, 0) as opening,
                coalesce(after.cohort_month, before.cohort_month) as cohort_month,
                sum(coalesce(after.amount, 0)) over (partition by customer_id) as all_closing,
                sum(coalesce(before.amount, 0)) over (partition by customer_id) as all_opening
            from before full join after using (customer_id, currency)
        )
        select customer_id, currency, closing - opening as amount,
            case when all_opening = 0 and cohort_month = date '{NEXT_MONTH}' then 'new'
                when all_opening = 0 then 'reactivation'
                when all_closing = 0 then 'churn'
                when closing > opening then 'expansion' else 'contraction' end as movement
        from joined where closing != opening
        """
    )
