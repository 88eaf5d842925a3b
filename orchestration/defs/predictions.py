"""Assets of each model, found by its file in `ml/models`: the version in use, its predictions and its backtest."""

import pkgutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from ml import models
from orchestration.defs.run import Run
from orchestration.progress import step, warn

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.learning import Predicted

_TOLD = {"archived": "; the challenger was archived"}


def _model(name: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["models", name],
        deps=[dg.AssetKey(["feature_store", f"{name}_features"])],
        group_name="models",
        kinds={"sklearn", "mlflow"},
        description="The version that predicts: trained anew where it is time, and promoted where it is better.",
    )
    def trained(run: Run) -> dg.MaterializeResult[None]:
        from orchestration import learning
        from orchestration.registry import Registry

        with step(f"train {name}") as work:
            choice = learning.refresh(run.warehouse, run.settings, name, run.as_of_date, work.update)
            outcome = choice.decided.partition(":")[0] if choice.trained else "as before"
            work.result = f"version {choice.version.number}" + _TOLD.get(outcome, f", {outcome}")
        if not choice.is_champion:
            warn(
                f"No version of {name} is good enough yet ({choice.decided}); version {choice.version.number} "
                "stands in. `catalyst models` lists the versions."
            )
        card = Registry(run.settings.mlflow_uri).card(choice.version)
        return dg.MaterializeResult(
            metadata={
                "version": choice.version.number,
                "model_version": choice.version.fingerprint,
                "trained_because": choice.trained,
                "decided": choice.decided,
                "model_card": dg.MetadataValue.md(card),
                "seconds": work.seconds,
                **choice.version.metrics,
            }
        )

    return trained


def _predictions(name: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["predictions", name],
        deps=[dg.AssetKey(["models", name])],
        group_name="predictions",
        kinds={"sklearn"},
        description="What the version in use predicts for the days after the as-of date.",
    )
    def predictions(context: dg.AssetExecutionContext, run: Run) -> dg.MaterializeResult[None]:
        from orchestration import learning

        with step(f"predict {name}") as work:
            found = learning.predict(run.warehouse, run.settings, name, run.as_of_date, "predict")
            written = run.warehouse.replace_partition(
                f"predictions.{name}", run.as_of_date, _stamped(run, context.run_id, name, found, ["origin_date"])
            )
            work.result = f"{written:,} rows, model {found.version.fingerprint}"
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": written,
                "model_version": found.version.fingerprint,
                "seconds": work.seconds,
            }
        )

    return predictions


def _backtest(name: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=["predictions", f"{name}_backtest"],
        deps=[dg.AssetKey(["models", name])],
        group_name="predictions",
        kinds={"sklearn"},
        description="The last 30 days by the same version, which has seen none of them, beside what came.",
    )
    def backtest(context: dg.AssetExecutionContext, run: Run) -> dg.MaterializeResult[None]:
        from orchestration import learning

        with step(f"backtest {name}") as work:
            found = learning.predict(run.warehouse, run.settings, name, run.as_of_date, "backtest")
            written = run.warehouse.replace_partition(
                f"predictions.{name}_backtest", run.as_of_date, _stamped(run, context.run_id, name, found)
            )
            told = [f"{metric} {value:.3f}" for metric, value in found.metrics.items() if metric.endswith("wape")]
            work.result = f"{written:,} rows, {', '.join(told)}"
        return dg.MaterializeResult(
            metadata={"dagster/row_count": written, "seconds": work.seconds, **found.metrics},
        )

    return backtest


def _stamped(run: Run, run_id: str, name: str, found: "Predicted", without: list[str] | None = None) -> "pa.Table":
    import pyarrow as pa

    return pa.Table.from_pandas(
        found.rows.drop(columns=without or []).assign(
            as_of_date=run.as_of_date,
            model_name=name,
            model_version=found.version.fingerprint,
            run_id=run_id,
            predicted_at=datetime.now(UTC).replace(tzinfo=None),
        ),
        preserve_index=False,
    )


# By their names only: importing a model takes seconds.
assets = [
    build(found.name) for found in pkgutil.iter_modules(models.__path__) for build in (_model, _predictions, _backtest)
]
