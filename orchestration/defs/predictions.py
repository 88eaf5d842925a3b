"""Assets that train on features and write predictions back as tables, one partition for each as-of date."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.defs.run import Run
from orchestration.errors import CatalystError
from orchestration.progress import step

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FEATURES = dg.AssetKey(["feature_store", "demand_forecast_features"])


def _features(run: Run, condition: str) -> "pd.DataFrame":
    """Reads feature rows in a total order, without which a model would differ from run to run."""
    rows = run.warehouse.query(
        f"""
        select * from feature_store.demand_forecast_features where {condition}
        order by origin_date, target_date, store_id, product_id
        """
    )
    frame: pd.DataFrame = rows.to_pandas()
    return frame


def _stamped(run: Run, run_id: str, rows: "pd.DataFrame", version: str) -> "pa.Table":
    import pyarrow as pa

    return pa.Table.from_pandas(
        rows.assign(
            as_of_date=run.as_of_date,
            model_name="demand_forecast",
            model_version=version,
            run_id=run_id,
            predicted_at=datetime.now(UTC).replace(tzinfo=None),
        ),
        preserve_index=False,
    )


@dg.asset(key=["predictions", "demand_forecast_backtest"], deps=[FEATURES], group_name="predictions", kinds={"sklearn"})
def demand_forecast_backtest(context: dg.AssetExecutionContext, run: Run) -> dg.MaterializeResult[None]:
    """Forecasts of the last 30 days by a model that had seen none of them, beside what was sold and what naive said."""
    from ml.models import demand_forecast as model

    with step("backtest demand_forecast") as work:
        # A training origin's targets reach 30 days ahead: those that the backtest asks for stay unseen.
        first = "(select min(origin_date) from feature_store.demand_forecast_features where purpose = 'backtest')"
        train = _features(run, f"purpose = 'train' and units is not null and target_date <= {first}")
        held_out = _features(run, "purpose = 'backtest' and units is not null")
        if train.empty or held_out.empty:
            raise CatalystError(
                f"There is too little history before {run.as_of_date} to test a forecast on: feature_store."
                "demand_forecast_features has no training or backtest rows. Land more days, then run again."
            )
        work.update(f"training on {len(train):,} rows")
        fitted = model.train(train)
        metrics = model.evaluate(fitted, held_out)
        columns = [*model.ENTITY, "origin_date", "target_date"]
        forecast = model.predict(fitted, held_out).merge(
            held_out[[*columns, "units", "seasonal_naive"]], on=columns, validate="one_to_one"
        )
        written = run.warehouse.replace_partition(
            "predictions.demand_forecast_backtest",
            run.as_of_date,
            _stamped(run, context.run_id, forecast, fitted.version),
        )
        work.result = f"{written:,} rows, WAPE {metrics['wape']:.3f} against {metrics['naive_wape']:.3f} seasonal naive"
    return dg.MaterializeResult(
        metadata={"dagster/row_count": written, "training_rows": len(train), "seconds": work.seconds, **metrics}
    )


@dg.asset(
    key=["predictions", "demand_forecast"],
    deps=[FEATURES],
    group_name="predictions",
    kinds={"sklearn"},
)
def demand_forecast(context: dg.AssetExecutionContext, run: Run) -> dg.MaterializeResult[None]:
    """Daily demand of each product and store for the next 30 days with quantiles, by a model trained on all history."""
    from ml.models import demand_forecast as model

    with step("train and predict demand_forecast") as work:
        train = _features(run, "purpose in ('train', 'backtest') and units is not null")
        wanted = _features(run, "purpose = 'predict'")
        if train.empty or wanted.empty:
            raise CatalystError(
                f"There is nothing to forecast from on {run.as_of_date}: feature_store.demand_forecast_features has no "
                "training or prediction rows. Land sales first, then run again."
            )
        work.update(f"training on {len(train):,} rows")
        fitted = model.train(train)
        forecast = model.predict(fitted, wanted).drop(columns="origin_date")
        version = model.fingerprint(train)
        written = run.warehouse.replace_partition(
            "predictions.demand_forecast", run.as_of_date, _stamped(run, context.run_id, forecast, version)
        )
        work.result = f"{written:,} rows, model {version}"
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": written,
            "training_rows": len(train),
            "model_version": version,
            "seconds": work.seconds,
        }
    )


assets = [demand_forecast_backtest, demand_forecast]
