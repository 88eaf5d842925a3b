from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from benchmarks.cost import DAY, FIRST, TESTS, Measured, Read, report, sizes
from benchmarks.cost.sizes import Size
from orchestration.settings import REPOSITORY

# A thousand sale lines: 8 bytes of a number and 12 of a text each.
TABLES = {
    "core_analytics.sales": Size(1_000, {"amount": 8.0, "store_id": 12.0}, power=1.0),
    "raw_pos.sales": Size(1_000, {"amount": 8.0}, power=1.0),
    "core_analytics.holidays": Size(10, {"day": 8.0}),
    "feature_store.demand_forecast_features": Size(100, {"units": 8.0}, power=0.75, limit=5.0),
    "identities.customers": Size(100, {"record_id": 8.0}, power=1.0),
}


def _measured(phase: str, *reads: Read) -> Measured:
    return Measured(TABLES, {FIRST: {}, DAY: {}, TESTS: {}} | {phase: {"model": [list(reads)]}})


def _bytes(phase: str, read: Read, sales: int = 100_000_000) -> float:
    return _measured(phase, read).bytes_read(phase, "model", sales)


def test_a_statement_is_billed_for_its_columns_and_the_share_of_rows_that_it_reads() -> None:
    assert _bytes(FIRST, Read("core_analytics.sales", frozenset({"amount"}), 1.0)) == 800_000_000
    assert _bytes(DAY, Read("core_analytics.sales", frozenset({"amount", "store_id"}), 0.01)) == 20_000_000


def test_what_is_read_of_a_table_is_billed_as_10_mib_at_least_and_nothing_as_nothing() -> None:
    assert _bytes(DAY, Read("core_analytics.holidays", frozenset({"day"}), 1.0)) == 10 * 2**20
    assert _bytes(DAY, Read("core_analytics.holidays", frozenset(), 1.0)) == 0
    assert _bytes(DAY, Read("core_analytics.sales", frozenset({"amount"}), 0.0)) == 0


def test_raw_holds_all_at_first_and_90_days_of_731_later() -> None:
    read = Read("raw_pos.sales", frozenset({"amount"}), 1.0)
    assert _bytes(FIRST, read) == 800_000_000
    assert _bytes(DAY, read) == pytest.approx(800_000_000 * 90 / 731)
    assert _measured(DAY).stored("raw_pos.sales", 100_000_000) == pytest.approx(800_000_000 * 90 / 731)


def test_a_forecast_grows_with_products_up_to_the_number_that_is_forecast() -> None:
    size = TABLES["feature_store.demand_forecast_features"]
    # 16 times the sales: 4 times the products, twice the stores. 10,000 times: 5 times, the most, and 10 times.
    assert size.rows_at(16) == pytest.approx(100 * 4 * 2)
    assert size.rows_at(10_000) == pytest.approx(100 * 5 * 10)


def test_widths_are_those_of_bigquery_and_growth_is_measured_but_never_below_what_products_and_stores_grow(
    tmp_path: Path,
) -> None:
    for name, times in (("small", 1), ("large", 4)):
        with duckdb.connect(str(tmp_path / name)) as connection:
            connection.execute(
                f"""
                create schema core_analytics;
                create table core_analytics.sales as
                select 1::bigint as id, 'é' as note, null::date as day, true as flag, 1.5::decimal(9, 2) as amount
                from range({10 * times});
                create table core_analytics.products as select 'P1' as product_id from range(100);
                create table core_analytics.customers as select 1 as customer_id from range({10 * times // 2});
                create table core_analytics.daily as select 'P' as product_id, 'S' as store_id;
                create table core_analytics.days as select 1 as day;
                create view core_analytics.seen as select * from core_analytics.days
                """
            )
    found = sizes.measured(tmp_path / "small", tmp_path / "large")
    assert found["core_analytics.sales"].widths == {"id": 8, "note": 4, "day": 0, "flag": 1, "amount": 16}
    assert {name.partition(".")[2]: size.power for name, size in found.items()} == {
        "sales": 1.0,
        "products": 0.5,
        "customers": 1.0,
        "daily": 0.75,
        "days": 0.0,
    }


def test_the_guide_shows_what_the_benchmark_prints() -> None:
    printed = [line for line in report(_measured(DAY)) if line]
    totals = [line[:36].strip() for line in printed[printed.index("In all:") + 1 :]]
    guide = (REPOSITORY / "docs" / "scale.md").read_text(encoding="utf-8")
    shown = [line[:36].strip() for line in guide.partition("In all:\n")[2].partition("```")[0].splitlines() if line]
    assert shown == totals
