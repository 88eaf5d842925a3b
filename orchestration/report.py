"""The report: what a run found, on one page that opens anywhere, for people who do not open a warehouse.

The only module that imports Altair (0.7 s: import this one inside a function). Charts are SVG inside the page, so it
needs no script and no network.
"""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import altair as alt
from jinja2 import Environment

from orchestration import pages
from orchestration.connections import Store
from orchestration.summary import Rows, Summary, details, summary

__all__ = ["Summary", "build_report", "summary"]

TEMPLATE = Path(__file__).with_name("report.html")

# All three stand out from white and from black.
_BLUE, _ORANGE, _GREY = "#3b86c8", "#dd7f2b", "#8b95a5"

# From the axis outwards, gains above it and losses below.
_MOVEMENTS = {
    "new": _BLUE,
    "reactivation": "#2a9d8f",
    "expansion": "#8cb369",
    "contraction": "#e9a23b",
    "churn": "#d1495b",
    "fx": _GREY,
}

_WIDTH = 960

_ORDERS_SHOWN, _RULES_SHOWN, _CATEGORIES_SHOWN, _TASKS_SHOWN = 25, 15, 15, 25


def build_report(published: Path | Store, out_dir: Path, as_of: date | None = None) -> Path:
    """Writes the page `<as_of>.html`, whole or not at all, and returns its path.

    Args:
        published: The published folder, a DuckDB file, or a warehouse that readers open themselves.
        out_dir: The folder of the reports; it is made where it is missing.
        as_of: The day whose predictions and decisions are shown; without it, that of the latest run.

    Raises:
        CatalystError: Nothing is published, or it has not the columns that the built-in models have.
    """
    headlines, rows = details(published, as_of)
    html = (
        _environment()
        .get_template(TEMPLATE.name)
        .render(
            summary=headlines,
            mrr=rows["mrr"],
            mrr_chart=_mrr_chart(rows["mrr"]),
            kpis=rows["kpis"],
            movements_chart=_movements_chart(rows["movements"]),
            sales=rows["sales"],
            sales_chart=_sales_chart(rows["sales"]),
            forecast=rows["forecast_units"],
            forecast_chart=_forecast_chart(rows["actual_units"], rows["forecast_units"]),
            errors=rows["errors"],
            errors_chart=_errors_chart(rows["errors"]),
            quarantine=rows["quarantine"],
            rules_shown=_RULES_SHOWN,
            quarantine_chart=_quarantine_chart(rows["quarantine"][:_RULES_SHOWN]),
            findings=rows["findings"],
            data_docs=_data_docs(out_dir),
            dbt_docs="dbt_docs.html" if (out_dir / "dbt_docs.html").exists() else None,
            categories=rows["categories"],
            categories_shown=_CATEGORIES_SHOWN,
            orders=rows["orders"],
            orders_shown=_ORDERS_SHOWN,
            tasks=rows["tasks"],
            tasks_shown=_TASKS_SHOWN,
            models=rows["models"],
            performance_charts=_performance_charts(rows["performance"]),
        )
    )
    return pages.write(out_dir / f"{headlines.as_of.isoformat()}.html", html)


def _data_docs(out_dir: Path) -> str | None:
    """The pages of the gate lie beside the reports, so the link holds wherever the folder is taken."""
    return "../data_docs/index.html" if (out_dir.parent / "data_docs" / "index.html").exists() else None


def _environment() -> Environment:
    environment = pages.environment(TEMPLATE.parent)
    environment.filters |= {
        "number": _number,
        "money": _money,
        "percent": _percent,
        "day": _day,
        "short": _short,
        "month": _month,
    }
    return environment


def _mrr_chart(rows: Rows) -> str | None:
    chart = _chart(rows).encode(
        x=alt.X("month:T", title=None, axis=alt.Axis(format="%b %Y", labelSeparation=12)),
        y=alt.Y("amount_eur:Q", title=None, axis=alt.Axis(format=",.0f")),
    )
    area = chart.mark_area(color=_BLUE, opacity=0.18)
    return _svg(rows, "Monthly recurring revenue by month", area, chart.mark_line(color=_BLUE))


def _movements_chart(rows: Rows) -> str | None:
    points = [row | {"what": row["movement"], "rank": list(_MOVEMENTS).index(row["movement"])} for row in rows]
    bars = (
        _chart(points)
        .mark_bar()
        .encode(
            x=alt.X("yearmonth(month):O", title=None, axis=alt.Axis(format="%b %Y", labelAngle=0, labelOverlap=True)),
            y=alt.Y("amount_eur:Q", title=None, axis=alt.Axis(format=",.0f")),
            color=_legend(_MOVEMENTS, symbol="square"),
            order="rank:Q",
        )
    )
    return _svg(rows, "Movements of monthly recurring revenue by month", bars)


def _sales_chart(rows: Rows) -> str | None:
    chart = _chart(rows).encode(x=_days())
    days = chart.mark_bar(color=_BLUE, opacity=0.35, width=5).encode(
        y=alt.Y("net_sales_eur:Q", title=None, axis=alt.Axis(format=",.0f"))
    )
    mean = chart.mark_line(color=_BLUE).encode(y="weekly_mean_eur:Q")
    return _svg(rows, "Net sales by day with their seven-day mean", days, mean)


def _forecast_chart(actual: Rows, forecast: Rows) -> str | None:
    points = [row | {"what": "sold"} for row in actual] + [row | {"what": "forecast"} for row in forecast]
    lines = _chart(points).encode(
        x=_days(),
        y=alt.Y("units:Q", title=None, axis=alt.Axis(format=",.0f")),
        color=_legend({"sold": _BLUE, "forecast": _ORANGE}),
    )
    band = _chart(forecast).mark_area(color=_ORANGE, opacity=0.22).encode(x=_days(), y="low:Q", y2="high:Q")
    has_band = any(row["low"] is not None for row in forecast)
    return _svg(forecast, "Units sold by day and the forecast", *[band] * has_band, lines.mark_line())


def _errors_chart(rows: Rows) -> str | None:
    points = [{"horizon": row["horizon"], "what": "forecast", "error": row["wape"]} for row in rows]
    points += [{"horizon": row["horizon"], "what": "seasonal naive", "error": row["naive_wape"]} for row in rows]
    lines = _chart(points).encode(
        x=alt.X("horizon:Q", title="days ahead", axis=alt.Axis(tickMinStep=1), scale=alt.Scale(nice=False, zero=False)),
        y=alt.Y("error:Q", title=None, axis=alt.Axis(format=".0%")),
        color=_legend({"forecast": _ORANGE, "seasonal naive": _GREY}),
    )
    return _svg(rows, "Forecast error by days ahead, against the seasonal naive", lines.mark_line(point=True))


def _quarantine_chart(rows: Rows) -> str | None:
    room_for_numbers = 1.1 * max((row["rows"] for row in rows), default=1)
    bars = _chart([row | {"what": f"{row['feed']}  {row['rule']}"} for row in rows]).encode(
        x=alt.X("rows:Q", axis=None, scale=alt.Scale(domain=[0, room_for_numbers], nice=False)),
        y=alt.Y("what:N", title=None, sort=None, axis=alt.Axis(labelLimit=340)),
    )
    numbers = bars.mark_text(align="left", dx=4).encode(text=alt.Text("rows:Q", format=","))
    return _svg(
        rows, "Rejected rows by feed and rule", bars.mark_bar(color=_ORANGE), numbers, height=26 * len(rows) + 10
    )


def _performance_charts(rows: Rows) -> list[str]:
    """One of each model that has been in use for two weeks: what counts is how its own error moves."""
    charts = []
    for name in sorted({row["model_name"] for row in rows}):
        weeks = [row for row in rows if row["model_name"] == name]
        if len(weeks) > 1:
            lines = _chart(weeks).encode(
                x=alt.X("week_starting:T", title=None, axis=alt.Axis(format="%-d %b", labelSeparation=12)),
                y=alt.Y("error:Q", title=name, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=4)),
            )
            drawn = _svg(weeks, f"Error of {name} by week", lines.mark_line(point=True, color=_BLUE), height=130)
            charts += [drawn] if drawn else []
    return charts


def _chart(rows: Rows) -> alt.Chart:
    # With the time of day, or JavaScript takes a date for midnight UTC and draws the day before west of Greenwich.
    values = [{k: f"{v}T00:00:00" if type(v) is date else v for k, v in row.items()} for row in rows]
    return alt.Chart(alt.InlineData(values=values))


def _days() -> alt.X:
    return alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=10, labelSeparation=12))


def _legend(colours: dict[str, str], symbol: str = "stroke") -> alt.Color:
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color("what:N", scale=scale, legend=alt.Legend(orient="top", title=None, symbolType=symbol))


def _svg(rows: Rows, description: str, *layers: alt.Chart, height: int = 260) -> str | None:
    if not rows:
        return None
    chart = (
        alt.LayerChart(layer=list(layers), width=_WIDTH, height=height, background="transparent")
        # Fonts whose widths vl-convert knows, or labels run into each other in the browser.
        .configure(font="Helvetica, Arial, sans-serif", autosize=alt.AutoSizeParams(type="fit", contains="padding"))
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=12, titleFontSize=12, titleFontWeight="normal", labelPadding=6, domain=False, ticks=False
        )
        .configure_axisX(grid=False)
        .configure_legend(labelFontSize=12, symbolStrokeWidth=3)
        .configure_text(fontSize=12)
    )
    svg = io.StringIO()
    chart.save(svg, format="svg")
    return svg.getvalue().replace("<svg ", f'<svg role="img" aria-label="{description}" ', 1)


def _number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}".replace("-", "−")


def _money(value: float) -> str:
    return f"{'−' if value < 0 else ''}€\N{NARROW NO-BREAK SPACE}{abs(value):,.0f}"


def _percent(value: float, signed: bool = False) -> str:
    return f"{value:{'+' if signed else ''}.1%}".replace("-", "−").replace("%", "\N{NARROW NO-BREAK SPACE}%")


def _day(value: date) -> str:
    return f"{value:%-d %B %Y}"


def _short(value: date) -> str:
    return f"{value:%-d %b %Y}"


def _month(value: date) -> str:
    return f"{value:%B %Y}"
