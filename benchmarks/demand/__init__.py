"""The demand forecast for many series: seconds, memory and error beside AutoETS and plain means, all in one run.

Several simulated companies are taken together, as one has 1,242 series. Their sales become the tables that our feature
models read; dbt builds these, and each stage runs in a process of its own, whose most memory the kernel tells. The days
that are forecast lie after everything that the features and the training see.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from orchestration import settings, transform
from orchestration.contracts import load_feeds
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

SIZES = (3_000, 10_000, 30_000)
DAYS, AHEAD = 400, 30
AS_OF = date(2026, 6, 30)
STAGES = ("features", "reading", "training", "forecast")
LEVELS = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))
SAMPLE = 100
BARS = {"seconds": 60.0, "gigabytes": 2.0, "times AutoETS": 50.0, "of the weekday mean": 0.95}

# The columns of what the feature models read.
TABLES = {
    "core_analytics.sales": "store_id varchar, product_id varchar, category varchar, sold_date date, "
    "recorded_at timestamp, promotion_id varchar, units_sold bigint, gross_amount_eur decimal(18, 4)",
    "core_analytics.products": "product_id varchar, category varchar",
    "core_analytics.locations": "location_id varchar, kind varchar, warehouse_id varchar",
    "core_analytics.daily_stock": "stock_date date, warehouse_id varchar, product_id varchar, is_stocked_out boolean, "
    "units_sold bigint",
    "intermediate.int_promotions_harmonized": "product_id varchar, category varchar, published_on date, "
    "starts_on date, ends_on date, discount_rate double",
    "intermediate.int_product_prices_versioned": "product_id varchar, list_price_eur decimal(18, 4), valid_from date, "
    "valid_until date",
    "truth.seconds": "stage varchar, seconds double",
    "truth.days": "target_date date, store_id varchar, product_id varchar, units double, mean_units double",
}


def main(sizes: tuple[int, ...] = SIZES, sample: int = SAMPLE) -> None:
    """Prints the cost at each size, and at the largest the errors and the time of AutoETS."""
    print(f"{DAYS} days, {AHEAD} days ahead, {len(LEVELS)} quantiles, on {os.cpu_count()} cores")
    stages = "".join(f"{f'{stage} s':>12}" for stage in STAGES)
    print(f"{'series':>8}{'learned':>11}{stages}{'all s':>8}{'SQL GiB':>10}{'ml GiB':>10}")
    found: dict[int, float] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder, home_of(Path(folder)) as chosen:
            apart(f"simulate({size})")
            held = [apart(f"build('{AS_OF}')"), apart("learn()")]
            with duckdb.connect(str(chosen.warehouse)) as connection:
                taken = dict(connection.execute("select stage, seconds from truth.seconds").fetchall())
                learned = connection.execute("select count(*) from truth.learned").fetchall()[0][0]
            found[size] = sum(taken.values())
            seconds = "".join(f"{taken[stage]:>12.1f}" for stage in STAGES)
            memory = "".join(f"{megabytes / 1024:>10.2f}" for megabytes in held)
            print(f"{size:>8,}{learned:>11,}{seconds}{found[size]:>8.1f}{memory}", flush=True)
            if size == sizes[-1]:
                _print_errors(chosen)
                _print_peer(chosen, found[size] / size, sample)
    each = ", ".join(f"{1000 * found[size] / size:.2f} at {size:,}" for size in sizes)
    print(f"all seconds for 1,000 series: {each}; what is learned from is capped, the rest grows with the series")
    print("bars: " + ", ".join(f"{bar:g} {name}" for name, bar in BARS.items()))


@contextmanager
def home_of(folder: Path) -> Iterator[Settings]:
    """A home in which the tables that the feature models read are there and empty."""
    before = os.environ.get("CATALYST_HOME")
    os.environ["CATALYST_HOME"] = str(folder / "home")
    try:
        chosen = settings.load()
        chosen.home.mkdir(parents=True, exist_ok=True)
        Warehouse(chosen.warehouse).prepare(load_feeds(chosen.feeds))
        with duckdb.connect(str(chosen.warehouse)) as connection:
            for name, columns in TABLES.items():
                connection.execute(f"create schema if not exists {name.split('.')[0]}")
                connection.execute(f"create or replace table {name} ({columns})")
        yield chosen
    finally:
        os.environ.pop("CATALYST_HOME")
        if before is not None:
            os.environ["CATALYST_HOME"] = before


def apart(call: str) -> float:
    """Calls a function of this module in a process of its own, and returns the most megabytes that it held."""
    command = [
        sys.executable,
        "-c",
        f"from benchmarks.demand import build, learn; from benchmarks.demand.companies import simulate; {call}",
    ]
    silent = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    _, status, used = os.wait4(os.posix_spawn(sys.executable, command, os.environ, file_actions=[silent]), 0)
    if status:
        raise RuntimeError(f"{call} has failed.")
    return used.ru_maxrss / 1024


def finish(warehouse: Path) -> None:
    """Makes the daily sums of the sales."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            """
            create or replace table core_analytics.daily_product_sales as
            select sold_date, store_id, product_id, cast(sum(units_sold) as bigint) as units_sold
            from core_analytics.sales group by sold_date, store_id, product_id
            """
        )


def build(as_of: str, top_products: int = 1_000_000) -> None:
    """Builds the features with dbt, in a process that does nothing else."""
    chosen = settings.load()
    transform.manifest(chosen)
    select = ["--select", "demand_forecast_*", "holidays", "--resource-type", "model", "--resource-type", "seed"]
    wanted = json.dumps({"as_of": as_of, "forecast_top_products": top_products})
    started = time.perf_counter()
    transform.build(chosen, [*select, "--vars", wanted, "--quiet"], lambda _: None)
    with duckdb.connect(str(chosen.warehouse)) as connection:
        _note(connection, "features", started)


def _note(connection: duckdb.DuckDBPyConnection, stage: str, started: float) -> None:
    connection.execute("insert into truth.seconds values (?, ?)", [stage, time.perf_counter() - started])


def rows_of(connection: duckdb.DuckDBPyConnection, condition: str) -> pd.DataFrame:
    """Feature rows as the model takes them, in half the width where that loses nothing to it."""
    from ml.models.demand_forecast import CATEGORICAL, FEATURES, KEYS, TARGET

    narrow = [f"cast({name} as float) as {name}" for name in FEATURES if name not in (*CATEGORICAL, "horizon")]
    texts = [f"cast({name} as {name}_kind) as {name}" for name in dict.fromkeys((*KEYS[2:], *CATEGORICAL))]
    for name in dict.fromkeys((*KEYS[2:], *CATEGORICAL)):
        values = f"select distinct {name} from feature_store.demand_forecast_features order by {name}"
        connection.execute(f"create or replace temp type {name}_kind as enum ({values})")
    columns = ", ".join([*KEYS[:2], *texts, "horizon", TARGET, *narrow])
    return connection.execute(f"select {columns} from feature_store.demand_forecast_features where {condition}").df()


def learn() -> None:
    """Trains and forecasts, and writes the forecast beside what was true."""
    from ml.models import demand_forecast

    with duckdb.connect(str(settings.load().warehouse), config={"memory_limit": "500MB"}) as connection:
        first = "(select min(origin_date) from feature_store.demand_forecast_features where purpose = 'backtest')"
        started = time.perf_counter()
        frame = rows_of(connection, f"purpose = 'train' and units is not null and target_date <= {first}")
        _note(connection, "reading", started)
        started = time.perf_counter()
        model = demand_forecast.train(frame, levels=LEVELS)
        _note(connection, "training", started)
        connection.execute("create or replace table truth.learned as select unnest(range(?)) as row", [len(frame)])
        del frame
        started = time.perf_counter()
        frame = rows_of(connection, "purpose = 'predict'")
        forecast = demand_forecast.predict(model, frame)
        _note(connection, "forecast", started)
        forecast[["weekday_mean", "seasonal_naive", "level"]] = frame[["weekday_mean", "seasonal_naive", "level"]]
        connection.execute("create or replace table truth.forecast as select * from forecast")


def _print_errors(chosen: Settings) -> None:
    """The errors of the forecast, of the plain means, and of the true mean, which nothing can beat."""
    with duckdb.connect(str(chosen.warehouse)) as connection:
        errors = ", ".join(
            f"sum(abs(days.units - {forecast})) / sum(days.units)"
            for forecast in (
                "forecast.mean_units",
                "coalesce(forecast.weekday_mean, forecast.level)",
                "coalesce(forecast.seasonal_naive, forecast.level)",
                "days.mean_units",
            )
        )
        by_key = "using (target_date, store_id, product_id)"
        within = "greatest(0, least(interval_high, days.units + 0.5) - greatest(interval_low, days.units - 0.5))"
        ours, mean, naive, truth, coverage, rows = connection.execute(
            f"select {errors}, avg({within}), count(*) from truth.days inner join truth.forecast {by_key}"
        ).fetchall()[0]
    print(f"WAPE of {rows:,} days of series: {ours:.4f}")
    print(
        f"  8-week weekday mean {mean:.4f}, so {ours / mean:.3f} of it; "
        f"seasonal naive {naive:.4f}, {ours / naive:.3f} of it"
    )
    print(f"  the true mean {truth:.4f}, so {ours / truth:.3f} times the least that can be reached", flush=True)
    print(f"  the 80 % interval holds {coverage:.1%}", flush=True)


def _print_peer(chosen: Settings, seconds: float, sample: int) -> None:
    """AutoETS on some series, one after another as it learns them, on as many cores."""
    with duckdb.connect(str(chosen.warehouse)) as connection:
        frame: pd.DataFrame = connection.execute(
            f"""
            with chosen as (
                select distinct store_id, product_id from truth.days order by hash(store_id, product_id) limit {sample}
            )
            select chosen.store_id || '/' || chosen.product_id as unique_id, cast(days.day as timestamp) as ds,
                cast(coalesce(units_sold, 0) as double) as y
            from chosen
            cross join (
                select unnest(generate_series(date '{AS_OF}' - {DAYS - 1}, date '{AS_OF}', interval 1 day)) as day
            ) as days
            left join core_analytics.daily_product_sales as sold
                on sold.store_id = chosen.store_id and sold.product_id = chosen.product_id and sold.sold_date = days.day
            order by unique_id, ds
            """
        ).df()
        taken, theirs = _auto_ets(frame)
        connection.register("theirs", theirs)
        ours, other = connection.execute(
            """
            select sum(abs(days.units - forecast.mean_units)) / sum(days.units),
                sum(abs(days.units - theirs.AutoETS)) / sum(days.units)
            from theirs
            inner join truth.days
                on theirs.unique_id = days.store_id || '/' || days.product_id
                and cast(theirs.ds as date) = days.target_date
            inner join truth.forecast using (target_date, store_id, product_id)
            """
        ).fetchall()[0]
    each = taken / sample
    print(
        f"AutoETS, {sample} series: {1000 * each:.1f} ms a series; "
        f"ours {1000 * seconds:.2f} ms, {each / seconds:.0f} times as fast"
    )
    print(f"  WAPE of these series: AutoETS {other:.4f}, ours {ours:.4f}", flush=True)


def _auto_ets(frame: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS

    def forecast(rows: pd.DataFrame) -> pd.DataFrame:
        models = StatsForecast([AutoETS(season_length=7)], freq="D", n_jobs=os.cpu_count() or 1)
        found: pd.DataFrame = models.forecast(df=rows, h=AHEAD)
        return found

    # What it compiles, it compiles for the first series.
    forecast(frame[frame["unique_id"].isin(frame["unique_id"].unique()[:4])])
    started = time.perf_counter()
    found = forecast(frame)
    return time.perf_counter() - started, found
