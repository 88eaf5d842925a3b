"""The commands for feeds: list them, add one, land one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape

from orchestration import cli_shared, runs, settings
from orchestration.contracts import all_feeds, find_feed, load_feeds
from orchestration.errors import CatalystError
from orchestration.progress import console, step, warn
from orchestration.settings import Settings
from orchestration.warehouse import warehouse_of


@click.group(name="feeds", invoke_without_command=True)
@cli_shared.as_json
@click.pass_context
def feeds(context: click.Context, as_json: bool) -> None:
    """List every feed: kind, freshness, last load, rows, accepted, quarantined.

    A feed is fresh when its last rows came within the time that its contract promises (frequency and latency).
    `catalyst feeds new` adds a feed.
    """
    if context.invoked_subcommand is None:
        _list_feeds(settings.load(), as_json)


@feeds.command()
@click.argument("name")
@click.argument("sample")
@click.option("--table", metavar="TABLE", help="The table to read, where SAMPLE is the URL of a database.")
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    help="What the files hold.  [default: by their suffix]",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the contract and the model below this folder.  [default: the project that is run]",
)
def new(name: str, sample: str, table: str | None, file_format: str | None, folder: Path | None) -> None:
    """Add a feed by looking at a sample of its source.

    NAME is <source>.<table>, such as shop.orders. SAMPLE is what is read: a file or a glob of files (also at gs:// or
    s3://), the SQLAlchemy URL of a database (with --table), the address of an API (http:// or https://), or
    kafka://host:port/topic. Quote it, so that the shell leaves signs such as * and & alone.

    Writes a contract (columns, types, key, candidate rules) and a staging model, both for you to read and edit; nothing
    that exists is overwritten. A password goes into secrets.env in CATALYST_HOME, never into the contract.
    """
    from orchestration.new_feed import add_feed
    from orchestration.samples import shown

    chosen = settings.load()
    with step(f"look at {shown(sample)}") as work:
        added = add_feed(name, sample, chosen, table=table, file_format=file_format, folder=folder)
        work.result = added.found
    for path in added.written:
        console.print(f"  wrote {escape(str(path))}")
    for note in added.notes:
        warn(note)
    console.print(f"Read and edit them, then run `catalyst land {added.feed}`.")


@click.command()
@click.argument("feed")
def land(feed: str) -> None:
    """Land and gate one feed, such as raw_pos.sales.

    Takes what the source has gained since the last landing. Ends with exit code 1 where the feed stops at the gate.
    """
    chosen = settings.load()
    wanted = find_feed(load_feeds(chosen.feeds), feed)
    runs.hold_lock(chosen)
    if wanted.server == "demo":
        _require_company(chosen)
    with step(f"land and gate {wanted.id}") as work:
        from orchestration import intake

        warehouse_of(chosen).prepare(all_feeds(chosen))
        taken = intake.take_in(wanted, chosen)
        work.result = taken.outcome
    for finding in taken.findings:
        warn(f"{finding.rule} ({finding.severity}): {finding.message}")
    for said in taken.landing.notes:
        warn(said)
    for problem in taken.undelivered:
        warn(f"The alert did not reach {problem}")
    if taken.gated.stopped:
        raise CatalystError(taken.stop_message)
    if taken.gated.quarantined:
        console.print(f"`catalyst quarantine {wanted.id}` shows the marked rows.")


def _list_feeds(chosen: Settings, as_json: bool) -> None:
    from orchestration.feed_status import attention, statuses

    with cli_shared.reading(chosen, as_json) as reading:
        found = statuses(load_feeds(chosen.feeds), reading.connection, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps([status.as_json() for status in found], indent=2))
        return
    counts = ("rows", "accepted", "quarantined")
    table = cli_shared.table("Feeds", "name", "kind", "fresh", "last load (UTC)", *counts, "owner", numbers=counts)
    for status in found:
        last = status.last_load_at
        table.add_row(
            status.feed.id,
            str(status.feed.kind),
            ("yes" if status.is_fresh else "no") if last else "–",
            f"{last:%Y-%m-%d %H:%M}" if last else "–",
            f"{status.rows:,}",
            f"{status.accepted:,}",
            f"{status.quarantined:,}",
            escape(status.feed.owner),
        )
    cli_shared.show(table)
    for sentence in attention(found):
        warn(sentence)


def _require_company(chosen: Settings) -> None:
    from orchestration.demo.register import demo_folder, read_register

    register = read_register(chosen.home)
    if register is None or register.generated_through is None:
        raise CatalystError(
            f"There is no simulated company in {demo_folder(chosen.home)} yet, whose feed this is: run `catalyst run` "
            "first, which founds it."
        )
