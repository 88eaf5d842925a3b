"""What Dagster loads: every asset, check, job and schedule below `defs/`, run one step at a time in one process."""

from __future__ import annotations

import dagster as dg

from orchestration.defs import (
    categories,
    feeds,
    identities,
    jobs,
    monitoring,
    online,
    predictions,
    publishing,
    retraining,
    transform,
)
from orchestration.defs.run import Run, run_ledger

defs = dg.Definitions(
    assets=[
        run_ledger,
        *feeds.assets,
        *transform.assets,
        *online.assets,
        *identities.assets,
        *categories.assets,
        *predictions.assets,
        *monitoring.assets,
        *publishing.assets,
    ],
    jobs=[jobs.daily],
    schedules=[jobs.every_morning],
    sensors=retraining.sensors,
    resources={"run": Run()},
    # DuckDB locks its file for one process, and a step in a process of its own costs seconds.
    executor=dg.in_process_executor,
)
