"""The page and the headline figures say what the published rows say, and say so when there is nothing to say."""

from __future__ import annotations

import shutil
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from orchestration.errors import CatalystError
from orchestration.report import Summary, build_report, summary

DAY = date(2026, 3, 31)

SCHEMA = """
create schema core_analytics; create schema predictions; create schema decisions;
create schema monitoring; create schema quality;
create table quality.loads (
    feed text, load_id text, landed_at timestamp, rows_landed bigint, rows_accepted bigint, rows_quarantined bigint,
    gated_at timestamp
);
create table quality.quarantine (
    feed text, load_id text, row_number bigint, rules text, reasons text, payload text, quarantined_at timestamp
);
create table quality.runs (
    run_id text, as_of_date date, started_at timestamp, finished_at timestamp, status text
);
create table core_analytics.daily_product_sales (
    sold_date date, store_id text, product_id text, units_sold bigint, units_returned bigint,
    net_sales_eur decimal(18, 4), orders bigint
);
create table core_analytics.monthly_recurring_revenue (
    month date, customer_id text, currency text, amount decimal(18, 2), subscriptions bigint, amount_eur decimal(18, 2)
);
create table core_analytics.mrr_movements (
    month date, customer_id text, currency text, segment text, movement text, amount decimal(18, 4),
    amount_eur decimal(18, 4)
);
create table core_analytics.mrr_kpis (
    month date, segment text, closing_mrr_eur decimal(18, 4), closing_customers bigint, nrr double, grr double,
    logo_churn_rate double, quick_ratio double, arpa_eur double
);
create table predictions.demand_forecast (
    as_of_date date, store_id text, product_id text, target_date date, horizon integer,
    mean_units double, p10 double, p50 double, p90 double
);
create table predictions.demand_forecast_backtest (
    as_of_date date, origin_date date, store_id text, product_id text, target_date date, horizon integer,
    units double, mean_units double, p10 double, p50 double, p90 double, seasonal_naive double
);
create table monitoring.forecast_accuracy (
    as_of_date date, scope text, wape double, naive_wape double, bias double, coverage_80 double, rows bigint
);
create table decisions.purchase_recommendations (
    as_of_date date, product_id text, product_name text, warehouse_id text, supplier_id text, supplier_name text,
    quantity bigint, order_by_date date, unit_cost_eur decimal(18, 4), expected_cost_eur decimal(18, 2), reason text
);
create table decisions.retention_tasks (
    as_of_date date, task_rank bigint, customer_id text, churn_probability double, expected_gain_eur double,
    reasons text, model_version text
);
create table monitoring.model_performance (
    model_name text, model_version text, horizon text, segment text, week_starting date, outcomes bigint,
    loss_sum double, actual_sum double, wape double, rmse double, bias double, log_loss double, brier double,
    coverage_80 double
);
create table monitoring.drift (
    as_of_date date, model_name text, model_version text, column_name text, kind text, psi double, threshold double,
    ks double, ks_p_value double, reference_rows bigint, current_rows bigint, is_drifted boolean
);
"""

ROWS = """
insert into quality.runs values
    ('run-2', '2026-03-31', '2026-04-01 06:00', null, 'running'),
    ('run-1', '2026-03-30', '2026-03-31 06:00', '2026-03-31 06:01', 'succeeded');
insert into quality.loads values
    ('raw_pos.sales', 'a', '2026-04-01', 900, 897, 3, '2026-04-01'),
    ('raw_web.orders', 'b', '2026-04-01', 600, 600, 0, '2026-04-01');
insert into quality.quarantine values
    ('raw_pos.sales', 'a', 1, 'quantity:type,unit_price:range', 'Two things are wrong.', '{}', '2026-04-01'),
    ('raw_pos.sales', 'a', 2, 'unit_price:range', 'unit_price 0 is not above 0.', '{}', '2026-04-01'),
    ('raw_pos.sales', 'a', 3, 'unit_price:range', 'unit_price 10000000 is not below 10000.', '{}', '2026-04-01'),
    -- Marked by a later load: its own load counted it as accepted.
    ('raw_web.orders', 'b', 9, '_file:superseded', 'The file <a> changed.', '"ada@example.org"', '2026-04-01');
insert into core_analytics.monthly_recurring_revenue values
    ('2026-01-01', 'C1', 'EUR', 50, 1, 50), ('2026-02-01', 'C1', 'EUR', 50, 1, 50),
    ('2026-02-01', 'C2', 'USD', 40, 2, 30), ('2026-03-01', 'C1', 'EUR', 50, 1, 50),
    ('2026-03-01', 'C2', 'USD', 45, 2, 34);
insert into core_analytics.mrr_movements values
    ('2026-01-01', 'C1', 'EUR', 'DE', 'new', 50, 50), ('2026-02-01', 'C2', 'USD', 'US', 'new', 40, 30),
    ('2026-03-01', 'C2', 'USD', 'US', 'expansion', 5, 3.78), ('2026-03-01', 'C2', 'USD', 'US', 'fx', 0, 0.22);
insert into core_analytics.mrr_kpis values
    ('2026-02-01', 'all', 80, 2, 1, 1, 0, null, 40), ('2026-03-01', 'all', 84, 2, 1.0473, 1, 0, null, 42),
    ('2026-03-01', 'DE', 50, 1, 1, 1, 0, null, 50);
insert into core_analytics.daily_product_sales
    select date '2026-01-01' + day::int, 'S01', 'P1', 10 + day % 7, 0, 2 * (10 + day % 7), 5 from range(90) as t(day);
insert into predictions.demand_forecast
    select date '2026-03-31', 'S01', 'P1', date '2026-03-31' + day::int, day, 13, 8, 12, 19 from range(1, 31) as t(day);
insert into predictions.demand_forecast values ('2026-03-30', 'S01', 'P1', '2026-03-31', 1, 999, 999, 999, 999);
insert into predictions.demand_forecast_backtest
    select date '2026-03-31', date '2026-03-01', 'S01', 'P1', date '2026-03-01' + day::int, day,
           10, 10 + day % 3, 8, 12, 19, 15
    from range(1, 31) as t(day);
insert into monitoring.forecast_accuracy values
    ('2026-03-31', 'all', 0.30, 0.40, 0, 0.8, 30), ('2026-03-31', 'Toys', 0.9, 0.9, 0, 0.8, 30),
    ('2026-03-30', 'all', 0.99, 0.99, 0, 0.8, 30);
insert into decisions.purchase_recommendations values
    ('2026-03-31', 'P1', '<script>alert("kettle")</script>', 'W1', 'V01', 'Acme & Sons', 120, '2026-04-02', 4, 480,
     '130 units are expected to sell within 10 days, 20 are in stock.'),
    ('2026-03-31', 'P2', 'Lamp', 'W2', 'V02', 'Lux', 1000, '2026-04-01', 1.5, 1500, 'Stock ends on 9 April.'),
    ('2026-03-31', 'P3', 'Mug', 'W2', 'V02', 'Lux', 10, '2026-04-02', 2, 20, 'Stock ends on 9 April.'),
    ('2026-03-30', 'P9', 'Yesterday''s order', 'W2', 'V03', 'Old', 1, '2026-03-30', 1, 1, 'Gone.');
insert into decisions.retention_tasks values
    ('2026-03-31', 2, 'C7', 0.25, 2.5, 'orders_90d 0 (usual 4): +0.40', 'c1'),
    ('2026-03-31', 1, 'C8', 0.5, 7, 'days_since_order <70> (usual 16): +0.93', 'c1'),
    ('2026-03-30', 1, 'C6', 0.9, 14.2, 'Yesterday', 'c1');
insert into monitoring.model_performance values
    -- 1 / 10 and 9 / 30, so 10 / 40 over both versions; the week of 2 March is not of the last four weeks.
    ('demand_forecast', 'd1', 'days 1-7', 'all', '2026-03-23', 5, 1, 10, 0.1, 0, 0, null, null, 0.8),
    ('demand_forecast', 'd2', 'days 1-7', 'all', '2026-03-23', 5, 9, 30, 0.3, 0, 0, null, null, 0.8),
    ('demand_forecast', 'd2', 'days 1-7', 'Toys', '2026-03-23', 5, 9, 10, 0.9, 0, 0, null, null, 0.8),
    ('demand_forecast', 'd1', 'days 8-14', 'all', '2026-03-30', 2, 1, 10, 0.1, 0, 0, null, null, 0.8),
    ('demand_forecast', 'd1', 'days 1-7', 'all', '2026-03-02', 500, 900, 1000, 0.9, 0, 0, null, null, 0.8),
    ('churn', 'c1', 'days 15 and later', 'all', '2026-03-30', 4, 2, 1, null, null, 0, 0.5, 0.2, null),
    ('churn', 'c0', 'days 15 and later', 'all', '2026-03-23', 6, 1, 1, null, null, 0, 0.1667, 0.2, null);
insert into monitoring.drift values
    ('2026-03-31', 'churn', 'c1', 'orders_90d', 'feature', 0.4, 0.2, 0.1, 0, 1000, 1000, true),
    ('2026-03-31', 'churn', 'c1', 'tenure_days', 'feature', 0.5, 0.2, 0.1, 0, 1000, 1000, true),
    ('2026-03-31', 'churn', 'c1', 'probability', 'prediction', 0.1, 0.2, 0.1, 0, 1000, 1000, false),
    ('2026-03-31', 'demand_forecast', 'd2', 'units', 'target', 0.1, 0.2, 0.1, 0, 1000, 1000, false),
    ('2026-03-31', 'engagement', 'e1', 'score', 'prediction', 0.1, 0.2, 0.1, 0, 1000, 1000, false),
    ('2026-03-30', 'demand_forecast', 'd1', 'units', 'target', 9, 0.2, 0.1, 0, 1000, 1000, true);
"""


class Page(HTMLParser):
    """The words, the tags and the addresses of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.references: list[str] = []
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)
        self.text = " ".join(" ".join(self.words).replace("\N{NARROW NO-BREAK SPACE}", " ").split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("filled") / "catalyst.duckdb"
    change(path, SCHEMA + ROWS)
    return path


@pytest.fixture(scope="module")
def page(filled: Path) -> Page:
    """The page of the rows above, which takes a second to draw."""
    return Page(build_report(filled, filled.parent / "reports", DAY))


@pytest.fixture
def published(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    path = tmp_path / "empty.duckdb"
    change(path, SCHEMA)
    return path


def change(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def test_the_headlines_are_those_of_the_latest_run(published: Path) -> None:
    found = summary(published)

    assert found == Summary(
        as_of=DAY,
        rows_landed=1500,
        rows_quarantined=4,
        mrr_eur=84.0,
        mrr_previous_eur=80.0,
        wape=0.30,
        naive_wape=0.40,
        forecast_units=390.0,
        purchase_orders=3,
        purchase_suppliers=2,
        purchase_cost_eur=2000.0,
    )
    assert found.rows_accepted == 1496
    assert found.mrr_change == pytest.approx(0.05)
    assert found.gain_over_naive == pytest.approx(0.25)


def test_the_headlines_of_an_earlier_day_are_its_own(published: Path) -> None:
    found = summary(published, date(2026, 3, 30))
    assert (found.wape, found.forecast_units, found.purchase_cost_eur) == (0.99, 999.0, 1.0)


def test_what_is_undefined_is_none(empty: Path) -> None:
    found = summary(empty, DAY)
    assert found == Summary(as_of=DAY, purchase_orders=0, purchase_suppliers=0, purchase_cost_eur=0.0)
    assert (found.mrr_eur, found.mrr_change, found.wape, found.gain_over_naive) == (None, None, None, None)


def test_a_first_month_of_subscriptions_has_no_growth_and_a_last_one_is_zero(published: Path) -> None:
    change(published, "delete from core_analytics.monthly_recurring_revenue where month <> '2026-03-01'")
    first = summary(published)
    assert (first.mrr_eur, first.mrr_previous_eur, first.mrr_change) == (84.0, 0.0, None)
    change(published, "update core_analytics.monthly_recurring_revenue set month = '2026-02-01'")
    last = summary(published)
    assert (last.mrr_eur, last.mrr_previous_eur, last.mrr_change) == (0.0, 84.0, -1.0)


def test_a_decision_that_is_switched_off_is_nothing_rather_than_an_error(empty: Path, tmp_path: Path) -> None:
    change(empty, "drop table decisions.purchase_recommendations; drop table quality.runs")
    assert summary(empty, DAY).purchase_orders is None
    assert "Purchase recommendations are switched off." in Page(build_report(empty, tmp_path, DAY)).text


def test_a_model_that_lacks_a_column_is_a_sentence(published: Path) -> None:
    change(published, "alter table monitoring.forecast_accuracy drop column naive_wape")
    with pytest.raises(CatalystError, match=r"naive_wape.*needs the same columns"):
        summary(published)


def test_the_page_tells_the_figures_with_their_units(page: Page) -> None:
    text = page.text
    assert "Catalyst report for 31 March 2026" in text
    assert "Rows landed 1,500 1,496 accepted, 4 quarantined (0.3 %)" in text
    assert "€ 84 March 2026, +5.0 % on the month before" in text
    assert "30.0 % seasonal naive 40.0 %, so 25.0 % better" in text
    assert "3 € 2,000 at 2 suppliers" in text
    # 90 days of 2 * (10..16): 12 whole weeks of 2 * 91, and 6 days of 2 * (10 + ... + 15).
    assert "Sales less returns over the last 90 days came to € 2,334." in text
    assert "390 units are expected to sell in the 30 days up to 30 April 2026, over 1 series" in text
    assert "The band is where the totals of eight days in ten ended up" in text
    assert "2 customers hold 3 subscriptions worth € 84 a month" in text


def test_the_rejected_rows_are_counted_by_rule_with_the_plainest_example(page: Page) -> None:
    assert "raw_pos.sales unit_price:range 3 0.3 % unit_price 0 is not above 0." in page.text
    assert "raw_pos.sales quantity:type 1 0.1 % Two things are wrong." in page.text
    assert "raw_web.orders _file:superseded 1 0.2 % The file <a> changed." in page.text
    assert "ada@example.org" not in page.html


def test_what_moved_the_recurring_revenue_is_drawn_and_its_ratios_are_told_latest_first(page: Page) -> None:
    assert 'aria-label="Movements of monthly recurring revenue by month"' in page.html
    figures = "March 2026 € 84 2 104.7 % 100.0 % 0.0 % – € 42.00 February 2026 € 80 2 100.0 %"
    assert figures in page.text


def test_orders_come_by_urgency_then_cost_and_their_words_cannot_become_markup(page: Page) -> None:
    orders = page.text[page.text.index("What to order") : page.text.index("Whom to contact")]
    assert "All 3 orders, the most urgent first." in orders
    assert orders.index("1 Apr 2026 Lamp P2 W2 Lux 1,000 € 1,500 Stock ends on 9 April.") < orders.index("Acme & Sons")
    assert orders.index("Acme & Sons 120 € 480 130 units are expected") < orders.index("Mug")
    assert '<script>alert("kettle")</script> P1' in orders
    assert "Yesterday" not in orders
    assert "script" not in page.tags


def test_whom_to_contact_comes_with_what_it_is_worth_and_why(page: Page) -> None:
    tasks = page.text[page.text.index("Whom to contact") : page.text.index("How the models do")]
    assert "All 2 subscribers who may leave" in tasks
    first = "C8 50.0 % € 7.00 days_since_order <70> (usual 16): +0.93"
    assert f"{first} C7 25.0 % € 2.50 orders_90d 0 (usual 4): +0.40" in tasks
    assert "C6" not in tasks


def test_models_are_told_with_their_errors_in_use_and_what_has_drifted(page: Page) -> None:
    models = page.text[page.text.index("How the models do") :]
    # Log loss 3 of 10; units: 11 of 50 over all horizons.
    assert "churn c1 10 – 0.300 tenure_days, orders_90d of 3 columns" in models
    assert "demand_forecast d2 12 22.0 % – none of 1 columns" in models
    assert "engagement e1 0 – – none of 1 columns" in models
    drawn = [name for name in ("churn", "demand_forecast", "engagement") if f"Error of {name} by week" in page.html]
    assert drawn == ["churn", "demand_forecast"]


def test_names_of_feeds_cannot_become_markup_in_a_chart(published: Path, tmp_path: Path) -> None:
    change(published, "update quality.quarantine set feed = 'raw_x.\"><script>a</script>'")
    page = Page(build_report(published, tmp_path, DAY))
    assert "script" not in page.tags
    assert page.tags.count("svg") == 8


def test_the_page_needs_no_network_and_no_script(page: Page) -> None:
    assert page.references == []
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
    assert "@import" not in page.html
    assert "url(http" not in page.html


def test_the_same_rows_give_the_same_file_and_no_other(published: Path, tmp_path: Path, page: Page) -> None:
    path = build_report(published, tmp_path / "reports")
    assert path == tmp_path / "reports" / "2026-03-31.html"
    assert [file.name for file in path.parent.iterdir()] == ["2026-03-31.html"]
    assert path.read_text(encoding="utf-8") == page.html


def test_where_there_is_nothing_the_page_says_so(empty: Path, tmp_path: Path) -> None:
    page = Page(build_report(empty, tmp_path, DAY))
    for sentence in (
        "There are no subscriptions, so there is no recurring revenue to show.",
        "Nothing was sold in the last 90 days.",
        "There is no forecast for this day.",
        "There is no backtest for this day",
        "No row was rejected.",
        "Nothing needs to be ordered.",
        "No subscriber is worth a contact on this day.",
        "No model predicts on this day.",
    ):
        assert sentence in page.text
    assert "svg" not in page.tags


def test_without_a_backtest_the_forecast_has_no_band(published: Path, tmp_path: Path) -> None:
    change(published, "delete from predictions.demand_forecast_backtest")
    assert (
        "There is no band, because the backtest has too few days" in Page(build_report(published, tmp_path, DAY)).text
    )


def test_a_report_of_nothing_published_is_a_sentence_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(CatalystError, match="Nothing is published"):
        build_report(tmp_path / "published", tmp_path / "reports", DAY)
    assert not (tmp_path / "reports").exists()


def test_findings_and_proposals_of_categories_are_told_and_the_pages_of_the_gate_linked(
    published: Path, tmp_path: Path
) -> None:
    change(
        published,
        """
        create table quality.findings (
            feed text, load_id text, rule text, severity text, rows bigint, share double, message text,
            found_at timestamp
        );
        insert into quality.findings values
            ('raw_web.orders', 'b', '_schema:new_column', 'drift', 600, 1, 'A new column: <b>', '2026-04-01 06:00');
        create table quality.category_proposals (
            spelling text, category text, score double, resembles text, source_rows bigint, feeds text, seed_row text
        );
        insert into quality.category_proposals values
            ('elektro', 'Electronics', 84.2, 'electro', 12, 'raw_web.orders', 'elektro,Electronics'),
            ('xyz', null, null, null, 3, 'raw_web.orders', null);
        """,
    )
    (tmp_path / "data_docs").mkdir()
    (tmp_path / "data_docs" / "index.html").write_text("", encoding="utf-8")
    page = Page(build_report(published, tmp_path / "reports", DAY))
    assert "2026-04-01 06:00 raw_web.orders _schema:new_column drift A new column: <b>" in page.text
    assert "They count as Other: 2 spellings in 15 rows." in page.text
    assert "elektro 12 raw_web.orders Electronics 84 elektro,Electronics" in page.text
    assert "xyz 3 raw_web.orders none –" in page.text
    assert page.references == ["../data_docs/index.html"]


def test_of_many_rules_those_that_most_rows_break_are_shown_and_the_others_counted(
    published: Path, tmp_path: Path
) -> None:
    change(
        published,
        "insert into quality.quarantine select 'raw_pos.sales', 'a', 100 * n + row, 'rule_' || n, 'No.', '{}', now() "
        "from range(20) as rules(n), range(n + 1) as rows(row)",
    )
    text = Page(build_report(published, tmp_path, DAY)).text
    # Three rules were broken before.
    assert "The 15 rules that most rows break, of 23." in text
    assert "rule_5 6" in text
    assert "rule_4 5" not in text
