"""How near a whole run on the simulated company comes to what is true of it, which nothing can be expected to beat.

A company of full size is run as users run it. Its forecast of the 30 days to come is held against these days, which
the simulation knows though no feed has told them, and so is the true mean that they are drawn from. Churn is predicted
for the last six months, each by a model that knows none of the days after it, as the pipeline trains it; beside it the
true chance to leave, as far as anybody can know it on that day: of whoever buys nothing from then on.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from orchestration import settings
from orchestration.demo.company import Company
from orchestration.demo.customers import visitors
from orchestration.demo.demand import mean_demand_table, units
from orchestration.demo.register import read_register
from orchestration.demo.subscriptions import hazard

if TYPE_CHECKING:
    import pandas as pd

    from ml.frames import Floats

AS_OF = date(2026, 6, 30)
AHEAD = 30
MONTHS = 6
WAPE_BAR, AUC_BAR, COVERAGE_BAR = 1.10, 0.02, (0.77, 0.83)


def main(scale: float = 1.0) -> None:
    """Runs the company once and prints its errors beside those of the truth."""
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder:
        chosen = settings.Settings(home=Path(folder))
        code = "from orchestration.cli import main; main()"
        command = [sys.executable, "-c", code, "run", "--scale", str(scale), "--as-of", str(AS_OF)]
        subprocess.run(command, env=chosen.child_environment, stdout=subprocess.DEVNULL, check=True)
        show(chosen)


def show(chosen: settings.Settings) -> None:
    """Prints the errors of a company that was run as of AS_OF.

    Raises:
        RuntimeError: There is nothing to measure.
    """
    register = read_register(chosen.home)
    if register is None:
        raise RuntimeError("The run has left no simulated company.")
    with duckdb.connect(str(chosen.warehouse), read_only=True) as connection:
        _print_demand(connection, register.company)
        _print_churn(connection, register.company)
    low, high = COVERAGE_BAR
    print(f"bars: {WAPE_BAR} times the least WAPE, {low:.0%} to {high:.0%} held, an AUC {AUC_BAR} below the truth's")


def _print_demand(connection: duckdb.DuckDBPyConnection, company: Company) -> None:
    """The forecast of the days after the run and its 80 % interval, which counts as in `forecast_accuracy`."""
    days = [AS_OF + timedelta(days=ahead) for ahead in range(1, AHEAD + 1)]
    truth = mean_demand_table(company, days)
    truth = truth.append_column("units", pa.array(np.concatenate([units(company, day).ravel() for day in days])))
    connection.register("truth", truth)
    rows, series, ours, least, coverage, bias = connection.execute(
        """
        select count(*), count(distinct (forecast.store_id, forecast.product_id)),
            sum(abs(units - forecast.mean_units)) / sum(units),
            sum(abs(units - truth.mean_units)) / sum(units),
            avg(greatest(0, least(interval_high, units + 0.5) - greatest(interval_low, units - 0.5))),
            sum(forecast.mean_units) / sum(units) - 1
        from predictions.demand_forecast as forecast
        inner join truth
            on truth.sold_date = forecast.target_date
                and truth.store_id = forecast.store_id
                and truth.product_id = forecast.product_id
        """
    ).fetchall()[0]
    if not rows:
        raise RuntimeError("The run has forecast none of the days ahead.")
    print(f"demand, {rows:,} days of {series:,} series")
    print(f"  WAPE {ours:.4f}, of the true mean {least:.4f}: {ours / least:.3f} times the least; bias {bias:+.1%}")
    print(f"  the 80 % interval holds {coverage:.1%}", flush=True)


def _print_churn(connection: duckdb.DuckDBPyConnection, company: Company) -> None:
    """Churn of the last months whose outcomes are known, all told together."""
    from ml.metrics import auc, calibration_error
    from ml.models import churn
    from ml.tabular import outcomes

    frame: pd.DataFrame = connection.execute(
        f"""
        select * from feature_store.churn_features
        where purpose in ('train', 'backtest') and {churn.TARGET} is not null and origin_date = last_day(origin_date)
        """
    ).df()
    origins = sorted(frame["origin_date"].unique())[-MONTHS:]
    if len(origins) < MONTHS:
        raise RuntimeError(f"{len(origins)} months have known outcomes; {MONTHS} are asked for.")
    tested = [frame[frame["origin_date"] == origin] for origin in origins]
    actual = np.concatenate([outcomes(churn.TASK, rows) for rows in tested])
    true = np.concatenate([_true_chance(company, rows) for rows in tested])
    models = [churn.train(frame[frame["target_date"] <= origin]) for origin in origins]
    ours = np.concatenate(
        [churn.predict(model, rows)["probability"].to_numpy() for model, rows in zip(models, tested, strict=True)]
    )
    print(f"churn, {len(actual):,} subscribers at the ends of {MONTHS} months, of whom {int(actual.sum()):,} left")
    print(
        f"  AUC {auc(actual, ours):.4f}, of the true chance {auc(actual, true):.4f}; "
        f"ECE {calibration_error(actual, ours):.4f}, of the true chance {calibration_error(actual, true):.4f}",
        flush=True,
    )


def _true_chance(company: Company, rows: pd.DataFrame) -> Floats:
    """The chance to ask to cancel within the days ahead, by the days since the last visit, or the start if later."""
    t = company.t(rows["origin_date"].iloc[0].date())
    number = rows["customer_id"].str[1:].astype(int).to_numpy() - 1
    latest = np.full(number.max() + 1, -(10**6))
    for day in range(t + 1):
        came = visitors(company, day)
        latest[came[came < len(latest)]] = day
    idle = np.minimum(t - latest[number], rows["subscription_days"].to_numpy())
    stays = np.prod([1 - hazard(idle + ahead) for ahead in range(1, AHEAD + 1)], axis=0)
    return np.asarray(1 - stays)
