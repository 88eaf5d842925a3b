"""Meets what the monitoring asks for where the schedule does not: a run for the day after, without anybody's hand."""

from datetime import UTC, datetime

import dagster as dg

from orchestration import retraining, runs, settings
from orchestration.defs.jobs import daily


@dg.sensor(
    job=daily,
    # Reading the registry takes a second; a request waits for the files of its day anyway.
    minimum_interval_seconds=1800,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Runs the day for which a model is to be trained again, where the schedule has not done so.",
)
def retraining_asked() -> dg.SensorResult | dg.SkipReason:
    """One run for each day that models are to be trained for; its key keeps it from being started twice."""
    chosen = settings.load()
    busy = runs.running(chosen)
    if busy:
        return dg.SkipReason(f"A run is under way (process {busy}).")
    asked = retraining.waiting(chosen, datetime.now(UTC))
    if not asked:
        return dg.SkipReason("No model is to be trained again, or the schedule is to run its day first.")
    requests = [
        dg.RunRequest(
            run_key=f"retraining/{day}/{','.join(names)}",
            run_config={"resources": {"run": {"config": {"as_of": day.isoformat()}}}},
            tags={"catalyst/retraining": ",".join(names)},
        )
        for day, names in sorted(asked.items())
    ]
    return dg.SensorResult(run_requests=requests)


sensors = [retraining_asked]
