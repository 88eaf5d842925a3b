"""The asset that hands the latest features over to serving."""

import dagster as dg

from orchestration.defs.run import Run
from orchestration.defs.transform import marts
from orchestration.progress import step

_TABLES = sorted(key for key in marts.keys if key.path[0] == "feature_store" and key.path[-1].endswith("_features"))


@dg.asset(key=["feature_store", "online"], deps=_TABLES, group_name="feature_store", kinds={"redis"})
def online_features(run: Run) -> dg.MaterializeResult[None]:
    """The latest features of each customer in the online store, the same values that models learn from."""
    from orchestration import features

    with step("hand over features") as work:
        # A project may have switched off models of ours that it has no feeds for.
        built = {key.path[-1] for key in _TABLES}
        opened = features.opened(run.settings)
        names = [name for name in opened.sets if f"{name}_features" in built]
        written = opened.materialize(run.as_of_date, names)
        work.result = ", ".join(f"{rows:,} of {name}" for name, rows in written.items())
    return dg.MaterializeResult(
        metadata={"dagster/row_count": sum(written.values()), "seconds": work.seconds, **written}
    )


assets = [online_features] if _TABLES else []
