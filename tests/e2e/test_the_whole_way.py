"""One run from raw feeds to a purchase order: what it lands, marks, publishes and says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from orchestration.publish import published_url
from orchestration.settings import REPOSITORY
from tests.e2e.conftest import AS_OF, Finished

FEEDS = 18


def test_every_step_is_told_with_rows_and_time_and_the_summary_follows(undisturbed: Finished) -> None:
    steps = re.findall(r"^✓ (.{44}).*\d+\.\d s$", undisturbed.said, flags=re.MULTILINE)
    names = [name.strip() for name in steps]
    assert names[0] == "read the definitions"
    assert names[-3:] == ["publish", "dbt docs", "report"]
    assert sum(name.startswith("land and gate") for name in names) == FEEDS
    for word in ("rows ", "MRR ", "forecast ", "orders ", "look at "):
        assert f"\n  {word}" in undisturbed.said
    assert "Traceback" not in undisturbed.said


def test_in_every_feed_the_rows_landed_are_accepted_or_quarantined(undisturbed: Finished) -> None:
    loads = undisturbed.home.published(
        "select feed, sum(rows_landed), sum(rows_accepted), sum(rows_quarantined) from quality.loads group by feed"
    )
    marks = dict(undisturbed.home.published("select feed, count(*) from quality.quarantine group by feed"))
    assert len(loads) == FEEDS
    with duckdb.connect(str(undisturbed.home.path / "warehouse.duckdb"), read_only=True) as warehouse:
        for feed, landed, accepted, quarantined in loads:
            assert warehouse.execute(f"select count(*) from {feed}").fetchall() == [(landed,)]
            assert landed == accepted + quarantined
            assert accepted > 0
            assert quarantined == marks.get(feed, 0)


def test_the_bad_rows_that_were_planted_are_quarantined_for_their_reasons_and_no_others(undisturbed: Finished) -> None:
    truth = undisturbed.home.path / "demo" / "truth" / "bad_rows.parquet"
    # The warehouses' API keeps 30 days of snapshots, so older ones never land.
    planted = duckdb.sql(
        f"select feed, key, rules from read_parquet('{truth}') "
        f"where feed != 'raw_wms.inventory' or day > date '{AS_OF - timedelta(days=30)}'"
    ).fetchall()
    expected = sorted((feed, sorted(json.loads(key).items()), rules) for feed, key, rules in planted)
    columns = {(feed, tuple(json.loads(key))) for feed, key, _ in planted}
    names = dict(columns)
    found = sorted(
        (feed, sorted((name, json.loads(payload)[name]) for name in names.get(feed, ())), rules)
        for feed, payload, rules in undisturbed.home.published("select feed, payload, rules from quality.quarantine")
    )
    assert len(expected) > FEEDS
    assert _comparable(found) == _comparable(expected)


def _comparable(rows: list[tuple[str, list[tuple[str, object]], str]]) -> list[tuple[str, str, str]]:
    """Times are written with or without a T and fractions, depending on the source."""
    return sorted((feed, re.sub(r"T| 00:00:00|\.0+\b", " ", str(key)).strip(), rules) for feed, key, rules in rows)


def test_the_recurring_revenue_is_the_companys_true_one_to_the_cent(undisturbed: Finished) -> None:
    truth = json.loads((undisturbed.home.path / "demo" / "truth" / "truth.json").read_text())["monthly_mrr"]
    expected = {
        (month, currency): Decimal(amount)
        for month, told in truth.items()
        for currency, amount in told["by_currency"].items()
        if Decimal(amount)
    }
    found = {
        (str(month), currency): amount
        for month, currency, amount in undisturbed.home.published(
            "select month, currency, sum(amount) from core_analytics.monthly_recurring_revenue group by month, currency"
        )
    }
    assert len(expected) >= 8
    assert {currency for _, currency in expected} == {"EUR", "USD", "JPY"}
    assert found == expected


def test_the_movements_of_recurring_revenue_are_the_companys_true_ones_to_the_cent(undisturbed: Finished) -> None:
    truth = json.loads((undisturbed.home.path / "demo" / "truth" / "truth.json").read_text())["movements"]
    expected = {
        (month, currency, movement): Decimal(amount)
        for month, currencies in truth.items()
        for currency, movements in currencies.items()
        for movement, amount in movements.items()
    }
    # Two customers of the register who are held for one would trade a new one for an expansion.
    with duckdb.connect(str(undisturbed.home.path / "warehouse.duckdb"), read_only=True) as warehouse:
        [(records, customers)] = warehouse.execute(
            "select count(*), count(distinct customer_id) from intermediate.int_customer_ids where is_register"
        ).fetchall()
    assert records == customers
    found = {
        (str(month), currency, movement): amount
        for month, currency, movement, amount in undisturbed.home.published(
            """
            select month, currency, movement, sum(amount) from core_analytics.mrr_movements
            where movement != 'fx' group by month, currency, movement
            """
        )
    }
    assert {movement for _, _, movement in expected} >= {"new", "expansion", "contraction", "churn"}
    assert found == expected


def test_the_forecast_beats_the_seasonal_naive_on_days_it_had_not_seen(undisturbed: Finished) -> None:
    [(wape, naive, rows)] = undisturbed.home.published(
        "select wape, naive_wape, rows from monitoring.forecast_accuracy where scope = 'all'"
    )
    assert isinstance(wape, float)
    assert isinstance(naive, float)
    assert isinstance(rows, int)
    assert rows > 10_000
    assert 0 < wape < naive


def test_every_purchase_order_says_what_where_when_and_why(undisturbed: Finished) -> None:
    orders = undisturbed.home.published(
        """
        select product_id, warehouse_id, quantity, minimum_order_quantity, pack_size, order_by_date, position,
            reorder_point, supplier_id, expected_cost_eur, unit_cost_eur, reason
        from decisions.purchase_recommendations
        """
    )
    assert orders
    assert len({(order[0], order[1]) for order in orders}) == len(orders)
    for _, _, quantity, minimum, pack, order_by, position, point, supplier, cost, unit, reason in orders:
        assert quantity >= minimum
        assert quantity % pack == 0
        assert order_by > AS_OF
        assert position < point
        assert supplier
        assert float(cost) == pytest.approx(float(quantity) * float(unit), abs=0.01)
        assert str(reason).endswith(".")


def test_an_analyst_builds_the_project_on_the_same_warehouse_with_no_further_setting(
    undisturbed: Finished, tmp_path: Path
) -> None:
    home = undisturbed.home.copy(tmp_path / "analyst")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), "build", "--target-path", str(tmp_path / "target")],
        cwd=REPOSITORY / "dbt_project",
        env=os.environ | {"CATALYST_HOME": str(home.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "ERROR=0" in done.stdout


def test_a_bi_tool_reads_the_published_tables_with_their_comments(undisturbed: Finished) -> None:
    engine = sqlalchemy.create_engine(published_url(undisturbed.home.path / "published"))
    inspector = sqlalchemy.inspect(engine)
    tables = inspector.get_table_names(schema="core_analytics")
    assert {"sales", "daily_product_sales", "monthly_recurring_revenue"} <= set(tables)
    assert inspector.get_table_comment("sales", schema="core_analytics")["text"]
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select count(*) from core_analytics.sales")).scalar_one() > 0
    engine.dispose()


def test_the_report_is_a_page_of_its_own(undisturbed: Finished) -> None:
    page = (undisturbed.home.path / "reports" / f"{AS_OF}.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_status_names_runs_feeds_and_what_is_published(undisturbed: Finished) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("catalyst")), "status"],
        env=os.environ | {"CATALYST_HOME": str(undisturbed.home.path), "COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "succeeded" in done.stdout
    assert "raw_pos.sales" in done.stdout
