"""The commands for what the gate has marked: look at it, export it, gate it again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.markup import escape

from orchestration import cli_shared, runs, settings
from orchestration.contracts import all_feeds, find_feed, load_feeds
from orchestration.marks import STOPPED, SUPERSEDED
from orchestration.progress import console, step, warn
from orchestration.quarantine import Marks
from orchestration.warehouse import warehouse_of

named_rule = click.option("--rule", metavar="RULE", help="Only rows that break this rule, such as unit_price:range.")


@click.command()
@click.argument("feed", required=False)
@named_rule
@click.option("--limit", default=20, show_default=True, type=click.IntRange(min=1), help="So many rows of a feed.")
@click.option(
    "--export",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all matching rows, whole, to this file: .csv, .parquet or .jsonl.",
)
@cli_shared.as_json
def quarantine(feed: str | None, rule: str | None, limit: int, export: Path | None, as_json: bool) -> None:
    """Show which rows the gate has marked, and why.

    Without FEED: by feed and rule, how many rows, their share of the feed and an example. With FEED: the marked rows.
    """
    chosen = settings.load()
    with cli_shared.reading(chosen, as_json) as reading:
        marks = Marks(reading.connection, feed, rule) if reading.connection else None
        total = marks.count() if marks else 0
        if feed and not total:
            find_feed(load_feeds(chosen.feeds), feed)
        if export and marks and total:
            marks.export(export)
            click.echo(f"{cli_shared.rows(total)} written to {export}.", err=as_json)
        if as_json:
            found = [] if marks is None else marks.rows(limit) if feed else marks.by_rule()
            click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        elif marks is None or not total:
            console.print(_nothing(feed, rule))
        elif not export:
            _show(marks, total, limit)


@click.command()
@click.argument("feed")
@named_rule
def redrive(feed: str, rule: str | None) -> None:
    """Gate marked rows of a feed again, after a rule or the source was mended.

    Rows that pass the contract as it is now flow on; the others stay marked. A load that had stopped is gated anew as
    a whole.
    """
    from orchestration import data_docs, gate
    from orchestration.feed_status import attention, statuses

    chosen = settings.load()
    wanted = find_feed(load_feeds(chosen.feeds), feed)
    runs.hold_lock(chosen)
    warehouse = warehouse_of(chosen)
    with step(f"redrive {wanted.id}") as work:
        warehouse.prepare(all_feeds(chosen))
        again = gate.redrive(wanted, warehouse, rule)
        if again.rows:
            data_docs.build(warehouse, chosen.data_docs)
        work.result = f"{cli_shared.rows(again.rows)} gated again"
    if not again.rows:
        console.print(_nothing(wanted.id, rule))
        return
    then = " `catalyst run` takes the accepted ones into the marts." if again.accepted else ""
    console.print(f"{again.accepted:,} accepted now, {again.quarantined:,} still quarantined.{then}")
    with warehouse.connect() as connection:
        for sentence in attention(statuses([wanted], connection, datetime.now(UTC))):
            warn(sentence)


def _show(marks: Marks, total: int, limit: int) -> None:
    groups = marks.by_rule()
    if marks.feed is None:
        names = ("feed", "rule", "rows", "share", "first load", "last load", "example")
        table = cli_shared.table("Marked rows", *names, numbers=("rows", "share"))
        for group in groups:
            table.add_row(
                group["feed"],
                group["rule"],
                f"{group['rows']:,}",
                f"{group['share']:.2%}" if group["share"] is not None else "–",
                _minute(group["first_load_at"]),
                _minute(group["last_load_at"]),
                escape(_short(group["example"], 100)),
            )
    else:
        table = cli_shared.table(
            f"Marked rows of {marks.feed}", "load", "row", "rules", "reasons", "row as received", numbers=("row",)
        )
        for row in marks.rows(limit):
            table.add_row(
                row["load_id"],
                str(row["row_number"]),
                row["rules"].replace(",", "\n"),
                escape(_short(row["reasons"], 120)),
                escape(_short(row["payload"], 80)),
            )
    cli_shared.show(table)
    if marks.feed and total > limit:
        console.print(f"{total - limit:,} more: `--limit {total}` shows them, `--export marks.csv` writes them whole.")
    # Rows of a file that has changed since are not wrong: others have taken their place.
    mendable = [group for group in groups if group["rule"] != SUPERSEDED]
    if mendable:
        first = max(mendable, key=lambda group: group["rows"])
        only = "" if first["rule"] == STOPPED else f" --rule {first['rule']}"
        console.print(f"Once a rule, the contract or the source is mended: `catalyst redrive {first['feed']}{only}`.")


def _nothing(feed: str | None, rule: str | None) -> str:
    return f"No row{f' of {feed}' if feed else ''} is marked{f' for the rule {rule}' if rule else ''}."


def _minute(timestamp: str) -> str:
    return timestamp[:16].replace("T", " ")


def _short(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
