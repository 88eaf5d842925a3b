"""What a published version says: the headline figures for the command line, and the rows of the report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.connections import Connection, Store
from orchestration.errors import CatalystError
from orchestration.publish import PUBLISHED_SCHEMAS, open_published
from orchestration.report_rows import DETAILS
from orchestration.sql import literal

Rows = list[dict[str, Any]]

_TABLES = re.compile(r"\b(?:core_analytics|predictions|decisions|monitoring|quality)\.\w+")

_LATEST = """
    select coalesce(
        (select as_of_date from quality.runs order by started_at desc nulls last limit 1),
        (select max(sold_date) from core_analytics.daily_product_sales)
    ) as as_of
"""

_HEADLINES = (
    """
        select
            coalesce(sum(rows_landed), 0)::bigint as rows_landed,
            (
                -- The marks, not the counts of the day they were set: a later load can supersede an earlier one.
                select count(*) from quality.quarantine as mark
                inner join (select distinct feed, load_id from quality.loads) as gated using (feed, load_id)
            ) as rows_quarantined
        from quality.loads
    """,
    """
        select
            coalesce(sum(case when month = $month then amount_eur end), 0)::double as mrr_eur,
            coalesce(sum(case when month = $month_before then amount_eur end), 0)::double as mrr_previous_eur
        from core_analytics.monthly_recurring_revenue
        having count(*) > 0
    """,
    """
        select wape, naive_wape from monitoring.forecast_accuracy where scope = 'all' and as_of_date = $as_of
    """,
    """
        select sum(mean_units) as forecast_units from predictions.demand_forecast where as_of_date = $as_of
    """,
    """
        select
            count(*) as purchase_orders,
            count(distinct supplier_id) as purchase_suppliers,
            coalesce(sum(expected_cost_eur), 0)::double as purchase_cost_eur
        from decisions.purchase_recommendations
        where as_of_date = $as_of
    """,
)


@dataclass(frozen=True)
class Summary:
    """The headline figures of a published version; None where there is nothing to say.

    Attributes:
        as_of: The last day in the data.
        mrr_eur: Monthly recurring revenue of the month of as_of, as it stood at the end of that day.
        mrr_previous_eur: The same at the end of the month before.
        wape: Sum of the forecast's absolute errors in the backtest, divided by the units sold.
        naive_wape: The same of the seasonal naive forecast, which repeats the latest same weekday.
        forecast_units: Units expected over all days ahead.
        purchase_orders: Orders proposed, one a product and warehouse; 0 where none is needed.
    """

    as_of: date
    rows_landed: int = 0
    rows_quarantined: int = 0
    mrr_eur: float | None = None
    mrr_previous_eur: float | None = None
    wape: float | None = None
    naive_wape: float | None = None
    forecast_units: float | None = None
    purchase_orders: int | None = None
    purchase_suppliers: int | None = None
    purchase_cost_eur: float | None = None

    @property
    def rows_accepted(self) -> int:
        """Rows landed that bear no mark."""
        return self.rows_landed - self.rows_quarantined

    @property
    def mrr_change(self) -> float | None:
        """Growth of the recurring revenue over the month before: 0.02 is 2 %."""
        if self.mrr_eur is None or not self.mrr_previous_eur:
            return None
        return self.mrr_eur / self.mrr_previous_eur - 1

    @property
    def gain_over_naive(self) -> float | None:
        """How much smaller the forecast's error is than the naive one: 0.3 is 30 %; negative where it is larger."""
        if self.wape is None or not self.naive_wape:
            return None
        return 1 - self.wape / self.naive_wape


def summary(published: Path | Store, as_of: date | None = None) -> Summary:
    """Reads the headline figures of the published version.

    Args:
        published: The published folder, a DuckDB file, or a warehouse that readers open themselves.
        as_of: The day whose predictions and decisions are meant; without it, that of the latest run.

    Raises:
        CatalystError: Nothing is published, or it has not the columns that the built-in models have.
    """
    return details(published, as_of)[0]


def details(published: Path | Store, as_of: date | None = None) -> tuple[Summary, dict[str, Rows]]:
    """Reads the headline figures and the rows of every chart and table of the report, all from one version.

    Args:
        published: The published folder, a DuckDB file, or a warehouse that readers open themselves.
        as_of: The day whose predictions and decisions are meant; without it, that of the latest run.

    Raises:
        CatalystError: Nothing is published, or it has not the columns that the built-in models have.
    """
    with open_published(published) as connection:
        try:
            return _read(connection, as_of)
        except duckdb.Error as error:
            raise CatalystError(
                f"The published version in {published} cannot be summed up ({str(error).splitlines()[0]}): "
                "a model of your own that takes the place of a built-in one needs the same columns."
            ) from error


def _read(connection: Connection, as_of: date | None) -> tuple[Summary, dict[str, Rows]]:
    found = connection.execute(
        "select table_schema, table_name from information_schema.tables "
        f"where table_schema in ({', '.join(map(literal, PUBLISHED_SCHEMAS))})"
    ).fetchall()
    tables = {f"{schema}.{table}" for schema, table in found}

    def rows(sql: str, **named: Any) -> Rows:
        # A project may have switched a model off, and then there is nothing to say about it.
        if not tables.issuperset(_TABLES.findall(sql)):
            return []
        cursor = connection.execute(
            sql, {name: value for name, value in named.items() if re.search(rf"\${name}\b", sql)}
        )
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    day = as_of or rows(_LATEST)[0]["as_of"]
    named = {
        "as_of": day,
        "month": _month_before(day, 0),
        "month_before": _month_before(day, 1),
        "month_13_before": _month_before(day, 13),
        "month_25_before": _month_before(day, 25),
        "weeks_4_before": day - timedelta(weeks=4),
        "weeks_26_before": day - timedelta(weeks=26),
        "first_day": day - timedelta(days=89),
        # Six more, for the mean of the first week.
        "days": [day - timedelta(days=back) for back in range(96)],
    }
    figures = {name: value for sql in _HEADLINES for row in rows(sql, **named) for name, value in row.items()}
    return Summary(day, **figures), {name: rows(sql, **named) for name, sql in DETAILS.items()}


def _month_before(day: date, months: int) -> date:
    """The first day of the month so many months before that of a day."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)
