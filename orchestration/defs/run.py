"""What every asset of a run shares: its as-of date, its settings and its warehouse."""

from datetime import date

import dagster as dg

from orchestration import runs, settings
from orchestration.connections import Store
from orchestration.contracts import all_feeds
from orchestration.progress import step, warn
from orchestration.settings import Settings
from orchestration.warehouse import warehouse_of

# What the tables of this process are on, as the lineage shows it.
ENGINE = {"local": "duckdb", "prod": "bigquery"}[settings.load().target]


class Run(dg.ConfigurableResource[None]):
    """The choices that a person makes for a run; the launchpad and the command line show them."""

    as_of: str = ""
    scale: float | None = None

    @property
    def as_of_date(self) -> date:
        """The date for which the run answers: the one chosen, or yesterday."""
        return runs.parse_as_of(self.as_of)

    @property
    def settings(self) -> Settings:
        """The settings of this process."""
        return settings.load()

    @property
    def warehouse(self) -> Store:
        """The warehouse that the run works on."""
        return warehouse_of(self.settings)


@dg.asset(key=["quality", "runs"], group_name="quality", kinds={ENGINE})
def run_ledger(context: dg.AssetExecutionContext, run: Run) -> dg.MaterializeResult[None]:
    """The runs of this warehouse with their as-of dates; opening one prepares every table that a model may read."""
    with step(f"open the run for {run.as_of_date}") as work:
        runs.hold_lock(run.settings)
        run.warehouse.prepare(all_feeds(run.settings))
        unended = runs.begin(run.warehouse, context.run_id, run.as_of_date)
        work.result = f"run {context.run_id[:8]}"
    # On one machine its lock tells that they are dead.
    for other in unended if run.settings.target == "prod" else ():
        warn(
            f"Run {other[:8]} has not said how it ended: it counts as failed, and ends at its next step if it is alive."
        )
    return dg.MaterializeResult(metadata={"as_of": run.as_of_date.isoformat(), "seconds": work.seconds})
