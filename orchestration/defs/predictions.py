"""Assets of each model, found by its file in `ml/models`: the version in use, its predictions and its backtest."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from ml import catalogue
from orchestration.defs.run import Run
from orchestration.progress import step, warn

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.learning import Predicted

# Of a model's errors those that a line has room for: its own and the baseline's.
_SHOWN = ("wape", "naive_wape", "log_loss", "base_log_loss", "rmse", "naive_rmse")
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
        from orchestration.training import TooLittleError

        with step(f"train {name}") as work:
            try:
                choice = learning.refresh(run.warehouse, run.settings, name, run.as_of_date, work.update)
            except TooLittleError as error:
                work.result = "skipped, there is too little to learn from"
                warn(f"{name} is skipped: {error}")
                return dg.MaterializeResult(metadata={"skipped": str(error), "seconds": work.seconds})
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


def _predicted(key: str, name: str, purpose: str, description: str, without: Sequence[str] = ()) -> dg.AssetsDefinition:
    @dg.asset(
        key=["predictions", key],
        deps=[dg.AssetKey(["models", name])],
        group_name="predictions",
        kinds={"sklearn"},
        description=description,
    )
    def predicted(context: dg.AssetExecutionContext, run: Run) -> dg.MaterializeResult[None]:
        from orchestration import learning
        from orchestration.training import TooLittleError

        with step(f"{purpose} {name}") as work:
            try:
                found = learning.predict(run.warehouse, run.settings, name, run.as_of_date, purpose)
            except TooLittleError as error:
                work.result = "skipped, there is no version or no row"
                return dg.MaterializeResult(metadata={"skipped": str(error), "seconds": work.seconds})
            rows = _stamped(run, context.run_id, name, found, without)
            written = run.warehouse.replace_partition(f"predictions.{key}", run.as_of_date, rows)
            errors = [f"{metric} {value:.3f}" for metric, value in found.metrics.items() if metric in _SHOWN]
            work.result = ", ".join([f"{written:,} rows", *(errors or [f"model {found.version.fingerprint}"])])
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": written,
                "model_version": found.version.fingerprint,
                "seconds": work.seconds,
                **found.metrics,
            }
        )

    return predicted


def _stamped(run: Run, run_id: str, name: str, found: "Predicted", without: Sequence[str]) -> "pa.Table":
    import pyarrow as pa

    return pa.Table.from_pandas(
        found.rows.drop(columns=list(without)).assign(
            as_of_date=run.as_of_date,
            model_name=name,
            model_version=found.version.fingerprint,
            run_id=run_id,
            predicted_at=datetime.now(UTC).replace(tzinfo=None),
        ),
        preserve_index=False,
    )


def _assets(name: str) -> list[dg.AssetsDefinition]:
    ahead = "What the version in use predicts for the days after the as-of date."
    behind = "The last 30 days by the same version, which has seen none of them, beside what came."
    return [
        _model(name),
        # Its only origin is the as-of date.
        _predicted(name, name, "predict", ahead, without=["origin_date"]),
        _predicted(f"{name}_backtest", name, "backtest", behind),
    ]


assets = [asset for name in catalogue.names() for asset in _assets(name)]
