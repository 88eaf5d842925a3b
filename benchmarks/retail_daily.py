"""Real daily sales of a British web shop's 500 best-selling products: our forecast beside plain means.

The rows go through our own feature models, which dbt builds for three as-of dates; the forecast is measured on the 30
days before each, which neither its features nor its training have seen. Returns and what has no price are left out.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks import demand
from ml.models import demand_forecast

AS_OF = ("2011-09-30", "2011-10-31", "2011-11-30")
TOP = 500


def found_in(name: str) -> Path | None:
    """Returns the folder of a real data set, or says why it is left out."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("CATALYST_SHARED_DATA") or default) / name
    if folder.is_dir():
        return folder
    print(f"left out: there is no folder {folder}; CATALYST_SHARED_DATA names the one that holds {name}/")
    return None


def main(dates: tuple[str, ...] = AS_OF) -> None:
    """Prints WAPE and RMSSE by as-of date and over all of them."""
    folder = found_in("online_retail_uci")
    if folder is None:
        return
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as temporary, demand.home_of(Path(temporary)) as chosen:
        _write(chosen.warehouse, folder)
        print(f"{'':<20}   {'WAPE':<27}   RMSSE")
        print(f"{'as of':<12}{'rows':>8}   " + "   ".join([f"{'ours':>9}{'4 weeks':>9}{'naive':>9}"] * 2))
        parts = []
        for as_of in dates:
            demand.apart(f"build('{as_of}', {TOP})")
            parts.append(_forecast(chosen.warehouse, as_of))
            _print(as_of, parts[-1])
        _print("all", pd.concat(parts))


def _write(warehouse: Path, folder: Path) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            f"""
            insert into core_analytics.sales
            select 'WEB', StockCode, 'All', cast(InvoiceDate as date), InvoiceDate, null, Quantity, Quantity * UnitPrice
            from read_csv('{folder}/by-day/*.csv', types = {{'StockCode': 'varchar', 'InvoiceNo': 'varchar'}})
            where Quantity > 0 and UnitPrice > 0 and regexp_matches(StockCode, '^[0-9]{{5}}')
            """
        )
        connection.execute(
            "insert into core_analytics.products select distinct product_id, category from core_analytics.sales"
        )
    demand.finish(warehouse)


def _forecast(warehouse: Path, as_of: str) -> pd.DataFrame:
    """The backtest of a date: units, forecasts, and the squared step from day to day that RMSSE divides by."""
    with duckdb.connect(str(warehouse)) as connection:
        first = "(select min(origin_date) from feature_store.demand_forecast_features where purpose = 'backtest')"
        learned = demand.rows_of(connection, f"purpose = 'train' and units is not null and target_date <= {first}")
        rows = demand.rows_of(connection, "purpose = 'backtest' and units is not null")
        sold = connection.execute(
            "select sold_date, product_id, units_sold from core_analytics.daily_product_sales"
        ).df()
    rows["ours"] = demand_forecast.predict(demand_forecast.train(learned), rows)["mean_units"]
    rows["naive"] = rows["seasonal_naive"].fillna(rows["level"])
    days = sold.pivot(index="sold_date", columns="product_id", values="units_sold").resample("D").asfreq()
    # A day before the first sale is unknown, one after it without a sale is 0.
    days = days.fillna(0.0).where(days.ffill().notna())
    place, product = (
        days.index.get_indexer(pd.Index(rows["target_date"])),
        days.columns.get_indexer(pd.Index(rows["product_id"].astype(str))),
    )
    latest = place - 7 * -(-rows["horizon"].to_numpy() // 7)
    with_before = np.stack(
        [np.where(latest >= 7 * n, days.to_numpy()[latest - 7 * n, product], np.nan) for n in range(4)]
    )
    rows["weeks"] = np.nan_to_num(pd.DataFrame(with_before).mean().to_numpy(), nan=0.0)
    steps = (days[days.index <= rows["origin_date"].min()].diff() ** 2).mean()
    rows["step"] = steps.reindex(rows["product_id"].astype(str)).to_numpy()
    return rows.assign(series=as_of + "/" + rows["product_id"].astype(str))


def _print(name: str, rows: pd.DataFrame) -> None:
    wapes = [(rows["units"] - rows[each]).abs().sum() / rows["units"].sum() for each in ("ours", "weeks", "naive")]
    # Of each series, then their mean; one that had not sold twice before has no scale.
    measured = rows[rows["step"] > 0]
    squares = [(measured["units"] - measured[each]) ** 2 / measured["step"] for each in ("ours", "weeks", "naive")]
    rmsses = [np.sqrt(square.groupby(measured["series"]).mean()).mean() for square in squares]
    figures = "   ".join("".join(f"{value:>9.4f}" for value in values) for values in (wapes, rmsses))
    print(f"{name:<12}{len(rows):>8,}   {figures}", flush=True)
