"""What becomes of predictions: their errors once they are due, the drift of what models meet, whom to train anew."""

from typing import Any

import dagster as dg

from ml import catalogue
from orchestration.defs.run import ENGINE, Run
from orchestration.progress import step, warn

OUTCOMES = dg.AssetKey(["monitoring", "outcomes"])
DRIFT = dg.AssetKey(["monitoring", "drift"])
_NAMES = catalogue.names()


@dg.asset(
    key=OUTCOMES,
    deps=[dg.AssetKey(["predictions", f"{name}_backtest"]) for name in _NAMES],
    group_name="monitoring",
    kinds={ENGINE},
)
def outcomes(run: Run) -> dg.MaterializeResult[None]:
    """What came of the predictions that became due since the run before, each with its error."""
    from orchestration.outcomes import score

    metadata: dict[str, Any] = {}
    with step("outcomes of predictions") as work:
        for name in _NAMES:
            found = score(run.warehouse, catalogue.model(name), run.as_of_date)
            for what, rows in vars(found).items():
                metadata[f"{name}.{what}"] = rows
        rows = sum(count for what, count in metadata.items() if what.endswith(".scored"))
        work.result = f"{rows:,} predictions became due"
    return dg.MaterializeResult(metadata={**metadata, "dagster/row_count": rows, "seconds": work.seconds})


@dg.asset(
    key=DRIFT,
    deps=[dg.AssetKey(["predictions", name]) for name in _NAMES] + [OUTCOMES],
    group_name="monitoring",
    kinds={"evidently", "mlflow"},
)
def drift(run: Run) -> dg.MaterializeResult[None]:
    """How far the rows of today lie from those that each model was trained on, and which models are trained again."""
    from orchestration import drift as drifts
    from orchestration.retraining import watch

    metadata: dict[str, Any] = {}
    with step("drift of models") as work:
        found = []
        for name in _NAMES:
            model = catalogue.model(name)
            compared = drifts.compare(run.warehouse, run.settings, model, run.as_of_date)
            found += [compared] if compared else []
            if compared:
                metadata[f"{name}.drifted"] = [one.name for one in compared.drifted]
            if compared and compared.report:
                metadata[f"{name}.report"] = dg.MetadataValue.url(compared.report.as_uri())
            asked = watch(run.warehouse, run.settings, model, run.as_of_date, compared)
            if asked:
                metadata[f"{name}.retraining"] = asked.reason
                warn(f"{name} is to be trained again at the next run: {asked.reason}.")
        rows = drifts.write(run.warehouse, run.as_of_date, found) if found else 0
        drifted = sum(bool(one.drifted) for one in found)
        work.result = f"{rows} columns of {len(found)} models compared" + (f", {drifted} drifted" if drifted else "")
    return dg.MaterializeResult(metadata={**metadata, "dagster/row_count": rows, "seconds": work.seconds})


assets = [outcomes, drift]
