"""Remembers which files have landed with which content, in the warehouse and in the same load as their rows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.landing.extraction import FILES_TABLE
from orchestration.landing.locations import SourceFile
from orchestration.warehouse import Warehouse

_COLUMNS = ("feed", "path", "bytes", "version", "sha256", "columns", "copy_of")


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
    """The entries of a feed's files, the last one of each path."""

    entries: dict[str, Entry] = field(default_factory=dict)

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


def read_ledger(feed: Feed, warehouse: Warehouse) -> Ledger:
    """Returns what is known of a feed's files."""
    with warehouse.connect() as connection:
        have = _ledger_columns(feed, connection)
        if not have:
            return Ledger()
        select = ", ".join(name if name in have else f"null as {name}" for name in _COLUMNS[1:])
        rows = connection.execute(
            f"select {select} from {feed.schema}.{FILES_TABLE} where feed = ? order by _dlt_load_id nulls first, rowid",
            [feed.id],
        ).fetchall()
    return Ledger(
        {
            path: Entry(path, size, version or "", sha256, frozenset(json.loads(columns)) if columns else None, copy_of)
            for path, size, version, sha256, columns, copy_of in rows
        }
    )


def note(feed: Feed, warehouse: Warehouse, entries: Iterable[Entry]) -> None:
    """Records entries that come with no rows, as part of the last load: a load of its own would look like an empty one.

    Before the first load there is none, and what has no rows is looked into again.
    """
    table = as_table(feed, entries)
    with warehouse.transaction() as connection:
        last = (
            connection.execute(
                f"select max(_dlt_load_id) from {feed.schema}.{FILES_TABLE} where feed = ?", [feed.id]
            ).fetchall()
            if _ledger_columns(feed, connection)
            else [(None,)]
        )
        if table.num_rows and last[0][0]:
            connection.register("noted", table)
            for name in _COLUMNS:
                connection.execute(f"alter table {feed.schema}.{FILES_TABLE} add column if not exists {name} varchar")
            connection.execute(
                f"insert into {feed.schema}.{FILES_TABLE} by name select *, ? as _dlt_load_id from noted", [last[0][0]]
            )


def as_table(feed: Feed, entries: Iterable[Entry]) -> pa.Table:
    """Returns entries as they stand in the warehouse."""
    rows = [
        (
            feed.id,
            entry.path,
            entry.size,
            entry.version,
            entry.sha256,
            None if entry.columns is None else json.dumps(sorted(entry.columns)),
            entry.copy_of,
        )
        for entry in entries
    ]
    kinds = [pa.int64() if name == "bytes" else pa.string() for name in _COLUMNS]
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    return pa.table([pa.array(c, kind) for c, kind in zip(columns, kinds, strict=True)], names=_COLUMNS)


def _ledger_columns(feed: Feed, connection: duckdb.DuckDBPyConnection) -> set[str]:
    return {
        row[0]
        for row in connection.execute(
            "select column_name from information_schema.columns where table_schema = ? and table_name = ?",
            [feed.schema, FILES_TABLE],
        ).fetchall()
    }
