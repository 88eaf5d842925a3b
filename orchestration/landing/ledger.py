"""Remembers which files have landed with which content, in the warehouse and in the same load as their rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.landing.locations import SourceFile
from orchestration.landing.target import FILES_TABLE, Target
from orchestration.sql import quoted

# The position orders all entries of a feed, as they were made: tables of BigQuery have no order of their own.
_COLUMNS = ("feed", "path", "bytes", "version", "sha256", "columns", "copy_of", "position")
_INTEGERS = ("bytes", "position")


@dataclass(frozen=True)
class Entry:
    """What is known of a file as it was when a landing last looked into it.

    Attributes:
        columns: The columns that it had; None for a copy, and where an older landing did not record them.
        copy_of: The file that had landed with the same content, where this one did not land for that reason.
    """

    path: str
    size: int
    version: str
    sha256: str
    columns: frozenset[str] | None = None
    copy_of: str | None = None


@dataclass(frozen=True)
class Ledger:
    """The entries of a feed's files, the last one of each path.

    Attributes:
        last_load: The load with which the last entry came; None where there is none.
        next: The position of the next entry.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    last_load: str | None = None
    next: int = 0

    def is_current(self, file: SourceFile) -> bool:
        """Says whether it is known without reading a file that it has not changed; else its hash decides."""
        entry = self.entries.get(file.name)
        return entry is not None and bool(file.version) and (entry.size, entry.version) == (file.size, file.version)

    def rank(self, path: str) -> tuple[int, str]:
        """Returns the order in which to look into files: those that have landed, new ones, copies."""
        entry = self.entries.get(path)
        return (1 if entry is None else 2 if entry.copy_of else 0), path

    def held(self, without: Collection[str] = ()) -> dict[str, str]:
        """Returns each content whose rows count, with the file that it landed from; a changed file's no longer do."""
        return {
            entry.sha256: path for path, entry in self.entries.items() if entry.copy_of is None and path not in without
        }

    def columns_before(self, found: Mapping[str, Collection[str]]) -> dict[str, Collection[str]]:
        """Returns the columns of each file at its last landing, or, of a new one, of the file before it by name."""
        before: dict[str, Collection[str]] = {}
        last: Collection[str] = ()
        for path in sorted({*self.entries, *found}):
            entry = self.entries.get(path)
            before[path] = last if entry is None else entry.columns or ()
            last = found.get(path) or (entry.columns if entry else None) or last
        return before


def read_ledger(feed: Feed, target: Target) -> Ledger:
    """Returns what is known of a feed's files."""
    table = f"{feed.schema}.{FILES_TABLE}"
    have = target.names(table)
    if not have:
        return Ledger()
    select = ", ".join(quoted(name) if name in have else f"null as {name}" for name in _COLUMNS[1:])
    with target.store.connect() as connection:
        rows = connection.execute(
            f"select {select}, _dlt_load_id from {table} where feed = ? "
            "order by _dlt_load_id nulls first, position nulls first",
            [feed.id],
        ).fetchall()
    return Ledger(
        {
            path: Entry(path, size, version or "", sha256, frozenset(json.loads(columns)) if columns else None, copy_of)
            for path, size, version, sha256, columns, copy_of, _, _ in rows
        },
        last_load=rows[-1][-1] if rows else None,
        next=max((row[-2] for row in rows), default=-1) + 1,
    )


def note(feed: Feed, target: Target, ledger: Ledger, entries: Iterable[Entry]) -> None:
    """Records entries that come with no rows, as part of the last load: a load of its own would look like an empty one.

    Before the first load there is none, and what has no rows is looked into again.
    """
    noted = as_table(feed, entries, ledger.next)
    if not noted.num_rows or ledger.last_load is None:
        return
    table = f"{feed.schema}.{FILES_TABLE}"
    have = target.names(table)
    missing = [name for name in _COLUMNS if name not in have]
    columns = ", ".join(map(quoted, _COLUMNS))
    with target.store.connect() as connection:
        for name in missing:
            connection.execute(f"alter table {table} add column {name} {'bigint' if name in _INTEGERS else 'varchar'}")
        connection.register("noted", noted)
        connection.execute(
            f"insert into {table} ({columns}, _dlt_load_id) select {columns}, ? from noted", [ledger.last_load]
        )


def as_table(feed: Feed, entries: Iterable[Entry], first: int) -> pa.Table:
    """Returns entries as they stand in the warehouse, their positions counted from the first on."""
    rows = [
        (
            feed.id,
            entry.path,
            entry.size,
            entry.version,
            entry.sha256,
            None if entry.columns is None else json.dumps(sorted(entry.columns)),
            entry.copy_of,
            first + nth,
        )
        for nth, entry in enumerate(entries)
    ]
    kinds = [pa.int64() if name in _INTEGERS else pa.string() for name in _COLUMNS]
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    return pa.table([pa.array(c, kind) for c, kind in zip(columns, kinds, strict=True)], names=_COLUMNS)
