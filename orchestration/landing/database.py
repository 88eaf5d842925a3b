"""Reads tables of databases page by page, on from where the cursor stopped last time.

A page is one bounded query in the order of the cursor, so that a table of any size holds neither a transaction open for
hours nor its rows in memory. Where the source's rows appear behind the cursor (`late` in the contract), that stretch is
read again, and what has landed of it already is left out by the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing import drift
from orchestration.landing.cursors import behind
from orchestration.landing.extraction import Extraction, Problem, workspace
from orchestration.landing.loading import insert_resource
from orchestration.landing.names import landed_names
from orchestration.landing.tables import SourceError, SourceTable, open_table
from orchestration.landing.target import Target
from orchestration.sql import literal, quoted

PAGE_ROWS = 250_000
# What one load takes at most: what has landed of a first landing of a large table stays landed, whatever comes after.
LOAD_ROWS = 5_000_000


def read(feed: Feed, target: Target) -> Extraction:
    """Returns the rows that the table has gained."""
    if feed.cursor is None:
        raise CatalystError(f"Feed {feed.id} reads a database and so needs a customProperty `cursor` in {feed.path}.")
    table = open_table(feed)
    folder = workspace(feed, target)

    def discard() -> None:
        table.close()
        folder.cleanup()

    try:
        names = landed_names(table.columns, [column.name for column in feed.columns])
        spelling = next((source for source, name in names.items() if name == feed.cursor), feed.cursor)
        reading = _Reading(feed, table, names, spelling, target.columns(feed))
    except BaseException:
        discard()
        raise
    work = Path(folder.name)
    return Extraction(
        [insert_resource(feed, target, work, reading.batches, unless_landed=reading.could_have_landed)],
        discard=discard,
        problems=reading.problems,
        notes=reading.notes,
        more=lambda: reading.more,
    )


@dataclass
class _Reading:
    """One landing of a table."""

    feed: Feed
    table: SourceTable
    names: dict[str, str]
    cursor: str
    raw: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more: bool = False
    last: Any = None
    low: Any = None
    newest: Any = None

    def batches(self) -> Iterator[pa.Table]:
        """Reads what there is to read; runs while dlt extracts, with its state at hand."""
        state = dlt.current.resource_state()
        found = {self.names[column]: kind for column, kind in self.table.columns.items()}
        origin = f"table {self.feed.setting('table')}"
        drift.check(self.feed, found, origin=origin, before=state.get("columns", ()), raw=self.raw)
        if self.cursor not in self.table.columns:
            raise CatalystError(
                f"Feed {self.feed.id}: {origin} has no column {self.feed.cursor}, which is the cursor in "
                f"{self.feed.path}: name one that it has and that only grows."
            )
        self.last = state.get("last")
        self.low = None if self.last is None else behind(self.last, self.feed)
        for page in self._pages():
            yield page.rename_columns([self.names[name] for name in page.column_names])
        state.update(last=self.newest, columns=sorted(found))

    def could_have_landed(self) -> str | None:
        """The condition on raw rows among which one that was read may be already; None where there are none."""
        if self.low is None:
            return None
        cursor = next(column for column in self.feed.columns if column.name == self.feed.cursor)
        bound = self.low if isinstance(self.low, int) else literal(str(self.low))
        kind = "bigint" if isinstance(self.low, int) else cursor.physical_type
        name = quoted(cursor.name)
        return f"({name} is null or try_cast({name} as {kind}) >= cast({bound} as {kind}))"

    def _pages(self) -> Iterator[pa.Table]:
        rows = 0
        self.newest = self.last
        try:
            for page, newest in self.table.pages(self.cursor, self.low, PAGE_ROWS):
                self.newest = newest if self.newest is None else max(self.newest, newest)
                rows += page.num_rows
                yield page
                # What was read again is no progress.
                if rows >= LOAD_ROWS and self.newest != self.last:
                    self.more = True
                    return
            unplaced = self.table.unplaced(self.cursor)
        except SourceError as error:
            if not rows:
                raise
            # In the order of the cursor all that came is whole, and the next landing goes on behind it.
            self.problems.append(Problem(self.feed.setting("table"), f"{error} The {rows:,} rows before have landed."))
            return
        if unplaced is not None and unplaced.num_rows:
            self.notes.append(
                f"{unplaced.num_rows:,} rows of {self.feed.id} have no usable value in {self.feed.cursor}, by which "
                "new rows are found: they are read again at every landing, and kept once."
            )
            yield unplaced
