"""The command line: `catalyst run`, `catalyst status` and `catalyst report`; those for feeds have their own modules."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from orchestration import cli_feeds, cli_models, cli_quarantine, cli_shared, runs, settings
from orchestration.errors import CatalystError
from orchestration.progress import console, step
from orchestration.settings import REPOSITORY, Settings
from orchestration.warehouse import warehouse_of

if TYPE_CHECKING:
    import dagster as dg


class _Group(click.Group):
    """Shows a problem that the user can mend as a sentence, without a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CatalystError as error:
            console.print(f"[red]error:[/red] {escape(str(error))}")
            sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Catalyst: from raw feeds to forecasts and purchase orders.

    Everything is kept below CATALYST_HOME (by default the folder .catalyst of this checkout). Set CATALYST_PROJECT to
    a dbt project of your own to run your feeds in place of the simulated company's.

    The warehouse is a DuckDB file there. With CATALYST_TARGET=prod and CATALYST_GCP_PROJECT=<id> it is BigQuery, and
    everything else stays as it is.
    """


@main.command()
@click.option("--as-of", default="", metavar="DATE", help="The day to answer for, YYYY-MM-DD.  [default: yesterday]")
@click.option(
    "--scale", type=float, default=None, help="Size of the simulated company, chosen at its first run.  [default: 1]"
)
def run(as_of: str, scale: float | None) -> None:
    """Land the feeds, build the marts, forecast, decide, publish and report.

    A run may be stopped at any moment and started again: the result is the same.
    """
    chosen = settings.load()
    day = runs.parse_as_of(as_of)
    runs.hold_lock(chosen)
    console.print(f"[bold]Catalyst run as of {day}[/bold]  [dim]{chosen.home}[/dim]")
    _materialize(chosen, {"as_of": day.isoformat(), "scale": scale})
    _print_summary(chosen)


@main.command()
def status() -> None:
    """Show the last runs, the rows of every feed and what is published."""
    from orchestration.publish import open_published, published_of

    chosen = settings.load()
    busy = runs.running(chosen)
    if busy:
        console.print(f"A run is under way (process {busy}); what follows is what was published before it.")
    with open_published(published_of(chosen)) as connection:
        for title, sql in _STATUS.items():
            cursor = connection.execute(sql)
            table = cli_shared.table(title, *(column[0].replace("_", " ") for column in cursor.description))
            for row in cursor.fetchall():
                table.add_row(*map(_shown, row))
            cli_shared.show(table)
    _print_summary(chosen)


@main.command()
def report() -> None:
    """Build the report anew from what is published, and say where it is."""
    from orchestration.publish import published_of
    from orchestration.report import build_report

    chosen = settings.load()
    with step("report") as work:
        path = build_report(published_of(chosen), chosen.reports)
        work.result = path.name
    _print_summary(chosen)


for command in (cli_models.models, cli_feeds.feeds, cli_feeds.land, cli_quarantine.quarantine, cli_quarantine.redrive):
    main.add_command(command)

_STATUS = {
    "Latest runs": """
        select as_of_date, status, started_at as started_at_utc, finished_at as finished_at_utc, run_id
        from quality.runs order by started_at desc nulls last limit 5
    """,
    "Feeds": """
        select feed, sum(rows_landed)::bigint as rows_landed, sum(rows_accepted)::bigint as accepted,
            sum(rows_quarantined)::bigint as quarantined, max(landed_at) as last_load_utc
        from quality.loads group by feed order by feed
    """,
}


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _materialize(chosen: Settings, choices: dict[str, Any]) -> None:
    """Runs the daily job in this process, with its events kept for the Dagster UI."""
    chosen.dagster_home.mkdir(parents=True, exist_ok=True)
    if not (chosen.dagster_home / "dagster.yaml").exists():
        shutil.copy(REPOSITORY / "orchestration" / "instance.yaml", chosen.dagster_home / "dagster.yaml")
    os.environ.update(chosen.child_environment)
    log = chosen.home / "logs" / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    logging.getLogger("dagster").setLevel(logging.ERROR)
    # What libraries print goes to the log; the progress of the steps goes to the terminal.
    with log.open("w", encoding="utf-8") as file, redirect_stdout(file):
        # Libraries and the parsed project are some million objects that stay: looking through them for garbage again
        # and again takes a tenth of the run.
        gc.disable()
        with step("read the definitions") as work:
            import dagster as dg

            from orchestration.definitions import defs

            work.result = f"{len(defs.resolve_all_asset_keys())} assets"
        gc.freeze()
        gc.enable()
        with dg.DagsterInstance.get() as instance:
            result = defs.resolve_job_def("daily").execute_in_process(
                instance=instance,
                run_config={
                    "resources": {"run": {"config": choices}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                raise_on_error=False,
            )
    if not result.success:
        try:
            runs.finish(warehouse_of(chosen), result.run_id, "failed")
        finally:
            # Told even where that cannot be written down, as for lack of the very tables that could not be made.
            _explain(result)


def _explain(result: dg.ExecuteInProcessResult) -> None:
    """Raises what made a run fail: the problems' own sentences, or a defect with its trace before it."""
    problems = []
    ours = {kind.__name__ for kind in (CatalystError, *CatalystError.__subclasses__())}
    for event in result.all_events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            check = event.asset_check_evaluation_data
            if check.blocking and not check.passed:
                problems.append(check.description or f"Check {check.check_name} failed.")
        if event.is_step_failure:
            error = event.step_failure_data.error
            # What led to a problem that we tell ourselves is no more than its cause.
            while error and error.cause and error.cls_name not in ours:
                error = error.cause
            message = error.message.strip() if error else "no reason was given."
            if error and error.cls_name in ours:
                problems.append(message.split(": ", 1)[-1])
            elif not (error and error.cls_name == "DagsterAssetCheckFailedError"):
                console.print(escape("".join(error.stack) if error else ""))
                problems.append(f"Step {event.step_key} failed by a defect of Catalyst (trace above): {message}")
    raise CatalystError(
        "\n".join(problems) or f"The run ended without success; `make dev` shows it as run {result.run_id}."
    )


def _print_summary(chosen: Settings) -> None:
    from orchestration.publish import published_of, url_of
    from orchestration.summary import summary

    told = summary(published_of(chosen))
    lines = {
        "rows": f"{told.rows_landed:,} landed: {told.rows_accepted:,} accepted, {told.rows_quarantined:,} quarantined",
        "MRR": "no subscriptions",
        "forecast": "none",
        "orders": "no purchase order is needed",
    }
    if told.mrr_eur is not None:
        change = "" if told.mrr_change is None else f", {told.mrr_change:+.1%} on the month before"
        lines["MRR"] = f"€ {told.mrr_eur:,.2f} in {told.as_of:%B %Y}{change}"
    if told.wape is not None and told.naive_wape is not None:
        lines["forecast"] = (
            f"WAPE {told.wape:.3f} over the last 30 days, {told.naive_wape:.3f} of the seasonal naive"
            f" ({told.gain_over_naive or 0:.1%} lower)"
        )
    if told.purchase_orders:
        lines["orders"] = (
            f"{told.purchase_orders:,} purchase orders proposed to {told.purchase_suppliers} suppliers, "
            f"€ {told.purchase_cost_eur:,.2f}"
        )
    lines["look at"] = f"{chosen.reports / f'{told.as_of}.html'}  the report"
    lines[" "] = f"{url_of(chosen)}  the tables, by SQLAlchemy"
    lines["  "] = "`catalyst status` for runs and feeds, `make dev` for the lineage"
    console.print(f"\n[bold]As of {told.as_of}[/bold]")
    for name, text in lines.items():
        console.print(f"  {name:<9} {escape(text)}")
