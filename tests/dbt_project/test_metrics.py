"""Every metric of the semantic layer gives what SQL written by hand gives, by the command that an analyst types."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from orchestration.publish import publish
from tests.dbt_project.conftest import WITHOUT_TESTS, Rows, _build
from tests.dbt_project.raw_warehouse import PROJECT_DIR, land
from tests.dbt_project.small_company import AS_OF

GUIDE = PROJECT_DIR.parent / "docs" / "metrics.md"


def _by_month(table: str, value: str, where: str = "true", day: str = "month") -> str:
    return (
        f"select date_trunc('month', {day})::date as month, {value} as value "
        f"from core_analytics.{table} where {where} group by 1"
    )


def _by(numerator: str, denominator: str) -> str:
    return f"select n.month, n.value / nullif(d.value, 0) from ({numerator}) n join ({denominator}) d using (month)"


def _growth(metric: str) -> str:
    return (
        f"select now.month, now.value / before.value - 1 from ({metric}) now join ({metric}) before "
        "on before.month = now.month - interval 1 month"
    )


def _sold(value: str, where: str = "line_type = 'product'") -> str:
    return _by_month("sales", value, where, "sold_date")


def _ordered(value: str, where: str = "is_order") -> str:
    return _by_month("orders", value, where, "ordered_date")


def _stock(value: str, where: str = "true") -> str:
    return _by_month("daily_stock", value, where, "stock_date")


def _visited(value: str, where: str = "true") -> str:
    return _by_month("web_sessions", value, where, "started_at")


def _mrr(value: str) -> str:
    return _by_month("monthly_recurring_revenue", value)


def _moved(where: str) -> str:
    return _by_month("mrr_movements", "sum(amount_eur)", where)


def _kpi(value: str) -> str:
    return f"select month, {value} from core_analytics.mrr_kpis where segment = 'all'"


def _cohort(value: str) -> str:
    return _by_month("cohort_retention", value)


def _up_to_the_last_day(first: str) -> str:
    return f"""
        select month, (
            select sum(net_sales_eur) from core_analytics.daily_product_sales
            where sold_date between {first} and day
        )
        from (
            select date_trunc('month', date_day)::date as month, max(date_day) as day
            from core_analytics.metricflow_time_spine group by 1
        )
        where month between date '2024-04-01' and date '2024-06-01'
    """


_RETURNED, _UNITS, _NET = _sold("sum(units_returned)"), _sold("sum(units_sold)"), _sold("sum(gross_amount_eur)")
_MARGIN = _by_month("daily_product_margins", "sum(gross_margin_eur)", day="sold_date")
_COSTED = _by_month("daily_product_margins", "sum(costed_net_sales_eur)", day="sold_date")
_ON_HAND = _stock(
    "sum(on_hand)",
    "(stock_date, warehouse_id) in (select max(stock_date), warehouse_id from core_analytics.daily_stock "
    "group by date_trunc('month', stock_date), warehouse_id)",
)
_BUYERS = _ordered("count(distinct customer_id)")
_REPEATERS = _ordered("count(distinct case when customer_order_number > 1 then customer_id end)")

# For each metric its value by month, straight from the marts.
BY_HAND = {
    "gross_sales": _sold("sum(gross_amount_eur)", "line_type = 'product' and quantity > 0"),
    "returned_sales": _sold("sum(case when quantity < 0 then -gross_amount_eur else 0 end)"),
    "net_sales": _NET,
    "units_sold": _UNITS,
    "units_returned": _RETURNED,
    "returns_rate": _by(_RETURNED, _UNITS),
    "net_sales_growth": _growth(_NET),
    "orders": _sold("count(distinct order_id)", "units_sold > 0"),
    "average_order_value": _ordered("sum(sales_eur) / count(*)"),
    "active_customers": _sold("count(distinct customer_id)", "units_sold > 0"),
    "repeat_customers": _REPEATERS,
    "repeat_rate": _by(_REPEATERS, _BUYERS),
    "gross_margin": _MARGIN,
    "costed_net_sales": _COSTED,
    "gross_margin_rate": _by(_MARGIN, _COSTED),
    "net_sales_last_28_days": _up_to_the_last_day("day - 27"),
    "net_sales_month_to_date": _up_to_the_last_day("month"),
    "stock_on_hand": _ON_HAND,
    "stock_counts": _stock("count(*)"),
    "stockouts": _stock("count(*)", "on_hand = 0"),
    "stockout_rate": _stock("avg((on_hand = 0)::int)"),
    "units_sold_from_stock": _stock("sum(units_sold)"),
    "sell_through": f"""
        select sold.month, sold.value / (sold.value + stock.value)
        from ({_stock("sum(units_sold)")}) sold join ({_ON_HAND}) stock using (month)
    """,
    "sessions": _visited("count(*)"),
    "converted_sessions": _visited("count(*)", "orders > 0"),
    "conversion_rate": _visited("avg((orders > 0)::int)"),
    "mrr": _mrr("sum(amount_eur)"),
    "mrr_at_constant_rates": _mrr("sum(amount_eur_constant)"),
    "arr": _mrr("12 * sum(amount_eur)"),
    "mrr_growth": _growth(_mrr("sum(amount_eur)")),
    "subscriptions": _mrr("sum(subscriptions)"),
    "subscribers": _mrr("count(distinct customer_id)"),
    "arpa": _mrr("sum(amount_eur) / count(distinct customer_id)"),
    "new_mrr": _moved("movement = 'new'"),
    "expansion_mrr": _moved("movement = 'expansion'"),
    "contraction_mrr": _moved("movement = 'contraction'"),
    "churned_mrr": _moved("movement = 'churn'"),
    "reactivation_mrr": _moved("movement = 'reactivation'"),
    "fx_mrr": _moved("movement = 'fx'"),
    "net_new_mrr": _moved("movement in ('new', 'expansion', 'contraction', 'churn', 'reactivation')"),
    "retainable_mrr": _kpi("opening_mrr_eur + fx_mrr_eur"),
    "retained_mrr": _kpi("opening_mrr_eur + fx_mrr_eur + expansion_mrr_eur + contraction_mrr_eur + churn_mrr_eur"),
    "lost_mrr": _kpi("-contraction_mrr_eur - churn_mrr_eur"),
    "gained_mrr": _kpi("new_mrr_eur + expansion_mrr_eur + reactivation_mrr_eur"),
    "opening_subscribers": _kpi("opening_customers"),
    "churned_subscribers": _kpi("churned_customers"),
    "nrr": _kpi("nrr"),
    "grr": _kpi("grr"),
    "revenue_churn_rate": _kpi("revenue_churn_rate"),
    "logo_churn_rate": _kpi("logo_churn_rate"),
    "quick_ratio": _kpi("quick_ratio"),
    "customer_lifetime_value": _kpi("ltv_eur"),
    "cohort_customers": _cohort("sum(customers)"),
    "cohort_active_customers": _cohort("sum(active_customers)"),
    "cohort_start_mrr": _cohort("sum(start_mrr_eur)"),
    "cohort_mrr": _cohort("sum(mrr_eur)"),
    "logo_retention": _cohort("sum(active_customers) / sum(customers)"),
    "revenue_retention": _cohort("sum(mrr_eur) / sum(start_mrr_eur)"),
    "invoiced_revenue": _by_month("invoiced_recurring_revenue", "sum(amount_eur)"),
}

# Every kind of movement, an invoice, a second order of a customer and an empty shelf, which the small company lacks.
_SUBSCRIPTION: dict[str, object] = {
    "plan_id": "club",
    "interval": "month",
    "interval_count": "1",
    "quantity": "1",
    "currency": "EUR",
}
MORE_SUBSCRIPTIONS: list[dict[str, object]] = [
    _SUBSCRIPTION
    | {"subscription_id": subscription, "customer_id": customer, "status": "active", "unit_amount": amount}
    | {"started_at": f"{started}T08:00:00Z", "ended_at": ended, "updated_at": f"{updated}T08:00:00Z"}
    for subscription, customer, amount, started, ended, updated in [
        ("SUB8", "C000008", "10", "2024-04-03", None, "2024-04-03"),
        ("SUB8", "C000008", "15", "2024-04-03", None, "2024-05-10"),
        ("SUB8", "C000008", "12", "2024-04-03", None, "2024-06-05"),
        ("SUB9", "C000009", "8", "2024-03-05", "2024-04-10T08:00:00Z", "2024-03-05"),
        ("SUB9b", "C000009", "9", "2024-06-02", None, "2024-06-02"),
    ]
]
INVOICE = {
    "invoice_id": "I1",
    "subscription_id": "SUB8",
    "customer_id": "C000008",
    "amount": "30",
    "currency": "EUR",
} | {
    "issued_at": "2024-04-03T08:00:00Z",
    "period_start": "2024-04-03",
    "period_end": "2024-07-03",
    "status": "paid",
}
SALE = {"entry_id": 901, "sale_line_id": "POS901", "receipt_id": "R901", "store_id": "S01", "product_id": "P0001"} | {
    "customer_id": "C000001",
    "quantity": 1,
    "unit_price": 10.0,
    "currency": "EUR",
    "sold_at": "2024-06-27 12:00:00",
    "recorded_at": "2024-06-27 12:05:00",
}
SHELF = {
    "snapshot_date": "2024-06-30",
    "warehouse_id": "W2",
    "product_id": "P0002",
    "on_hand": "0",
    "on_order": "2",
} | {"recorded_at": "2024-06-30T22:00:00Z"}


def _more(connection: duckdb.DuckDBPyConnection) -> None:
    land(connection, "raw_billing.subscriptions", MORE_SUBSCRIPTIONS, "load-9")
    land(connection, "raw_billing.invoices", [INVOICE], "load-9")
    land(connection, "raw_pos.sales", [SALE], "load-9")
    land(connection, "raw_wms.inventory", [SHELF], "load-9")


Ask = Callable[..., Rows]


@pytest.fixture(scope="module")
def warehouse(home: Path) -> Path:
    return _build(home, "metrics", WITHOUT_TESTS, _more)


@pytest.fixture(scope="module")
def manifest(warehouse: Path, home: Path) -> dict[str, Any]:
    assert warehouse.exists()
    parsed: dict[str, Any] = json.loads((home / "target" / "manifest.json").read_text(encoding="utf-8"))
    return parsed


@pytest.fixture(scope="module")
def sql(warehouse: Path) -> Callable[[str], Rows]:
    def run(query: str) -> Rows:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            return connection.execute(query).fetchall()

    return run


@pytest.fixture(scope="module")
def ask(warehouse: Path, home: Path, sql: Callable[[str], Rows]) -> Ask:
    """Asks MetricFlow in this process, as `mf query` does: a process for each metric would take minutes."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    assert warehouse.exists()
    text = (home / "target" / "semantic_manifest.json").read_text(encoding="utf-8")
    engine = MetricFlowEngine(
        semantic_manifest_lookup=SemanticManifestLookup(parse_manifest_from_dbt_generated_manifest(text)),
        # It writes the SQL; the rows are fetched here.
        sql_client=SimpleNamespace(sql_engine_type=SqlEngine.DUCKDB, sql_plan_renderer=DuckDbSqlPlanRenderer()),
    )

    def run(*metrics: str, by: Sequence[str] = (), saved: str | None = None) -> Rows:
        request = MetricFlowQueryRequest.create(
            saved_query_name=saved, metric_names=metrics or None, group_by_names=by or None
        )
        return sql(engine.explain(request).sql_statement.sql)

    return run


def _comparable(rows: Rows) -> dict[date, float]:
    """A month without a value is the same as no row."""
    days = {month.date() if isinstance(month, datetime) else month: value for month, value in rows}
    return {day: float(value) for day, value in days.items() if value is not None}


def test_every_metric_has_a_query_by_hand(manifest: Mapping[str, Any]) -> None:
    ours = {metric["name"] for metric in manifest["metrics"].values()}
    assert ours == set(BY_HAND)


@pytest.mark.parametrize("metric", BY_HAND)
def test_a_metric_is_what_sql_by_hand_says(ask: Ask, sql: Callable[[str], Rows], metric: str) -> None:
    expected = _comparable(sql(BY_HAND[metric]))
    assert any(expected.values()), "The company of the test shows nothing of it."
    # The rates in mrr_kpis are rounded to a millionth, and amounts worked from them to a hundredth of a cent.
    assert _comparable(ask(metric, by=["metric_time__month"])) == pytest.approx(expected, abs=1e-4)


def test_every_metric_is_described_and_labelled(manifest: Mapping[str, Any]) -> None:
    for metric in manifest["metrics"].values():
        assert metric["description"].endswith("."), metric["name"]
        assert metric["label"], metric["name"]


def test_every_saved_query_answers_and_those_of_the_board_are_the_same_figures(
    ask: Ask, manifest: Mapping[str, Any]
) -> None:
    saved = [query["name"] for query in manifest["saved_queries"].values()]
    assert {"board_kpis", "sales_by_channel"} <= set(saved)
    assert [name for name in saved if not ask(saved=name)] == []
    board = {row[0].date(): row[1] for row in ask(saved="board_kpis")}
    assert board == {month.date(): value for month, value in ask("mrr", by=["metric_time__month"])}


def test_recurring_revenue_of_a_year_is_that_of_its_last_month_and_not_the_sum(ask: Ask) -> None:
    months: dict[datetime, Decimal] = dict(ask("mrr", by=["metric_time__month"]))
    assert ask("mrr", by=["metric_time__year"]) == [(datetime(2024, 1, 1), months[datetime(2024, 6, 1)])]  # noqa: DTZ001
    assert len(months) == 4


def test_metrics_are_sliced_by_what_customers_products_and_locations_are(ask: Ask, sql: Callable[[str], Rows]) -> None:
    for by, join in {
        "customer__country": ("customers", "customer_id", "customer_id", "country"),
        "product__product_category": ("products", "product_id", "product_id", "category"),
        "location__kind": ("locations", "store_id", "location_id", "kind"),
    }.items():
        table, ours, theirs, column = join
        expected = sql(
            f"select t.{column}, sum(s.gross_amount_eur) from core_analytics.sales s "
            f"left join core_analytics.{table} t on s.{ours} = t.{theirs} where s.line_type = 'product' group by 1"
        )
        assert sorted(ask("net_sales", by=[by]), key=str) == sorted(expected, key=str)


@pytest.fixture(scope="module")
def checkout(warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout after `make run`: the project, and what was published, in the folders where they lie by default."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copytree(PROJECT_DIR, root / "dbt_project", ignore=shutil.ignore_patterns("target", "logs"))
    (root / ".catalyst").mkdir()
    copied = Path(shutil.copy(warehouse, root / ".catalyst"))
    publish(copied, root / ".catalyst" / "published", as_of=AS_OF, run_id="run-1")
    # Whoever tries to reach another machine fails, in every Python process that is started from here.
    (root / "offline").mkdir()
    (root / "offline" / "sitecustomize.py").write_text(
        "import socket\n"
        "def refuse(*_): raise OSError('This test has no network.')\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse\n",
        encoding="utf-8",
    )
    (root / "offline" / "each.py").write_text(EACH, encoding="utf-8")
    return root


def _type(command: str, checkout: Path) -> str:
    """What a command of the guide prints, typed in the checkout."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("CATALYST_", "DBT_"))}
    environment = ours | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(checkout / "offline"),
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    done = subprocess.run(
        ["bash", "-ec", command.replace("uv run ", "")],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# A process for each command would take a minute.
EACH = """
import shlex, sys
from dbt_metricflow.cli.main import cli

# `mf query --explain` calls exit(), which closes the standard input.
for line in sys.stdin.read().splitlines():
    program, *arguments = shlex.split(line, comments=True)
    assert program == "mf", line
    try:
        cli.main(arguments, standalone_mode=False)
    except SystemExit as done:
        assert not done.code, line
"""


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_the_commands_of_the_guide_work_without_a_network_while_a_run_holds_the_warehouse(
    checkout: Path, ask: Ask
) -> None:
    first, second = _blocks("sh")
    with duckdb.connect(str(checkout / ".catalyst" / "warehouse.duckdb")):
        said = _type(first, checkout)
        june = [row[1] for row in ask("mrr", by=["metric_time__month"]) if row[0].month == 6]
        assert f"{float(june[0]):g}" in said
        _type(f"cd dbt_project && python ../offline/each.py <<'EOF'\n{second}EOF\n", checkout)
    with (checkout / ".catalyst" / "board.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [Decimal(row["arr"]) for row in rows] == [12 * Decimal(row["mrr"]) for row in rows]
    assert {"churned_mrr", "nrr", "quick_ratio"} <= set(rows[0])


def test_a_metric_is_added_by_one_block_of_yaml(checkout: Path, sql: Callable[[str], Rows]) -> None:
    yaml = checkout / "dbt_project" / "models" / "core_analytics" / "sales.yml"
    (block,) = _blocks("yaml")
    text = yaml.read_text(encoding="utf-8")
    yaml.write_text(text.replace("\nmetrics:\n", f"\nmetrics:\n{block}", 1), encoding="utf-8")
    said = _type("cd dbt_project && dbt parse --quiet && mf query --metrics full_price_sales --quiet", checkout)
    yaml.write_text(text, encoding="utf-8")
    (expected,) = sql(
        "select sum(gross_amount_eur)::double from core_analytics.sales where units_sold > 0 and promotion_id is null"
    )
    assert f"{expected[0]:g}" in said


def test_the_definitions_are_valid_and_hold_on_the_published_tables(checkout: Path) -> None:
    said = _type("cd dbt_project && mf validate-configs 2>&1", checkout)
    assert "ERRORS: 0" in said
    assert not re.search(r"ERRORS: [1-9]", said)


def test_the_time_spine_ends_with_the_as_of_date(sql: Callable[[str], Rows]) -> None:
    assert sql("select max(date_day) from core_analytics.metricflow_time_spine") == [(AS_OF,)]
