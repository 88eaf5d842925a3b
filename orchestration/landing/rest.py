"""Reads REST APIs page by page, on from where the cursor stopped last time.

What is asked for again, because it is at the cursor, within the feed's `late` or before a page that failed, is held
against the rows that have landed: each row lands once for each content that it has had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import dlt
import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.landing import drift
from orchestration.landing.batches import extraction_of
from orchestration.landing.bookmarks import Bookmark, bookmark
from orchestration.landing.extraction import BATCH_ROWS, Extraction, Problem
from orchestration.landing.objects import as_text, check_text
from orchestration.landing.rest_client import Api, ApiFailure, Place
from orchestration.landing.target import Target

# By these an API says that it no longer knows the page to go on from, as a cursor may expire.
_FORGOTTEN = (400, 404, 410, 416, 422)


def read(feed: Feed, target: Target) -> Extraction:
    """Returns the rows that the API has gained."""
    check_text(feed)
    mark, api = bookmark(feed), Api(feed)
    problems: list[Problem] = []

    def rows() -> Iterator[pa.Table]:
        # last: the newest cursor value once everything up to it was read; interrupted: the page before which a reading
        # ended, and the newest value until then.
        state = dlt.current.resource_state()
        last, interrupted = state.get("last"), state.get("interrupted")
        query = {feed.setting("since"): mark.asked(last)} if last and "since" in feed.source else {}
        fresh = _Fresh(feed, mark, mark.floor(last), _landed(feed, mark, last, target) if state else Counter())
        reading = _Reading(newest=(interrupted or {}).get("newest") or last)
        yield from _batches(api, query, (interrupted or {}).get("at"), fresh, reading)
        if fresh.names:
            drift.check(feed, dict.fromkeys(fresh.names), origin="the API")
        if reading.failure is None:
            state.pop("interrupted", None)
            state["last"] = reading.newest
        else:
            state["interrupted"] = {"at": reading.at, "newest": reading.newest}
            problems.append(Problem(feed.id, f"{reading.failure} The pages before have landed."))

    return extraction_of(feed, target, rows, problems=problems)


@dataclass
class _Reading:
    """How far the pages were read: where the next one is, the newest cursor value, and what ended it before time."""

    newest: str | None
    at: Place | None = None
    pages: int = 0
    failure: ApiFailure | None = None


def _batches(api: Api, query: Place, at: Place | None, fresh: _Fresh, reading: _Reading) -> Iterator[pa.Table]:
    """Yields the rows to land, many pages at a time, as each hand-over to dlt has its price."""
    items: list[Any] = []
    for page, following in _pages(api, query, at, reading):
        items += page
        reading.at = following
        if len(items) >= BATCH_ROWS:
            yield from fresh.rows(items, reading)
            items = []
    yield from fresh.rows(items, reading)


def _pages(api: Api, query: Place, at: Place | None, reading: _Reading) -> Iterator[tuple[list[Any], Place | None]]:
    try:
        for page in api.pages(query, at):
            reading.pages += 1
            yield page
    except ApiFailure as failure:
        if reading.pages:
            reading.failure = failure
        elif at is not None and failure.status in _FORGOTTEN:
            yield from _pages(api, query, None, reading)
        else:
            raise


@dataclass
class _Fresh:
    """Tells the rows that are to land from those that have landed already.

    Attributes:
        floor: The cursor value below which everything has landed.
        landed: How many rows of a content have landed at or above it.
        names: The columns that any object had.
    """

    feed: Feed
    mark: Bookmark
    floor: Any
    landed: Counter[bytes]
    names: set[str] = field(default_factory=set)

    def rows(self, items: list[Any], reading: _Reading) -> Iterator[pa.Table]:
        """Yields the rows of a batch that have not landed, if any, and takes note of the newest cursor value."""
        if not items:
            return
        table, names = as_text(items, self.feed)
        self.names |= names
        cursors = table.column(self.mark.column.name).to_pylist()
        reading.newest = self.mark.newest([reading.newest, *cursors])
        if self.floor is not None:
            values = map(self.mark.value, cursors)
            table = table.filter(pa.array([value is None or value >= self.floor for value in values], pa.bool_()))
        if self.landed:
            table = table.filter(pa.array([self._is_new(content) for content in _contents(table)], pa.bool_()))
        if table.num_rows:
            yield table

    def _is_new(self, content: bytes) -> bool:
        # Rows that are alike in everything are told apart by their number alone.
        if self.landed[content] > 0:
            self.landed[content] -= 1
            return False
        return True


def _landed(feed: Feed, mark: Bookmark, last: str | None, target: Target) -> Counter[bytes]:
    """Counts the rows that have landed at or above the floor, by their content."""
    condition, parameters = mark.sql_from(last)
    return Counter(_contents(target.store.query(f"select * from {feed.id} where {condition}", parameters)))


def _contents(table: pa.Table) -> Iterator[bytes]:
    """Yields what tells one row from another: its own columns, whatever else the table has by now."""
    names = sorted(set(table.column_names) - {"_file", "_row", "_dlt_load_id"})
    for values in zip(*(table.column(name).to_pylist() for name in names), strict=True):
        content = repr([item for item in zip(names, values, strict=True) if item[1] is not None])
        yield blake2b(content.encode(), digest_size=16).digest()
