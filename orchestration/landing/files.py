"""Reads files that hold what has not been landed yet: new ones, and those whose content has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import dlt
import duckdb

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing import drift, files_csv, files_jsonl, files_parquet
from orchestration.landing.extraction import Extraction, Problem, workspace
from orchestration.landing.ledger import Entry, Ledger, as_table, note, read_ledger
from orchestration.landing.loading import select_resource
from orchestration.landing.locations import Location, SourceFile, location, uncompressed
from orchestration.landing.staging import LocalFile, Staged
from orchestration.landing.target import FILES_TABLE, Target
from orchestration.landing.text import Dialect, in_utf8

if TYPE_CHECKING:
    from dlt.extract import DltResource

# What one load takes at most, so that a first landing of years of files needs disk for a part of them only.
_BYTES_OF_A_LOAD = 2 << 30

_Stage = Callable[[Sequence[LocalFile], Feed, Path, duckdb.DuckDBPyConnection], Staged]
_STAGES: dict[str, _Stage] = {
    "csv": files_csv.stage,
    "jsonl": files_jsonl.stage,
    "parquet": files_parquet.stage,
}


def read(feed: Feed, target: Target) -> Extraction:
    """Returns the rows of the files that are new or have changed, and the ledger of these files."""
    if feed.setting("format") not in _STAGES:
        raise CatalystError(
            f"Feed {feed.id} has files of format {feed.setting('format')!r}: use one of {', '.join(_STAGES)} in "
            f"{feed.path}. That a file is compressed is told by its name (.gz, .zst)."
        )
    place = location(feed)
    files = place.files(feed)
    if not files:
        raise CatalystError(
            f"Feed {feed.id} has no file at {place.pattern}: check the path in {feed.path}, or that the files have "
            "arrived."
        )
    folder = workspace(feed, target)
    try:
        return _Reading(feed, target, place, read_ledger(feed, target), Path(folder.name)).extraction(
            files, folder.cleanup
        )
    except BaseException:
        folder.cleanup()
        raise


@dataclass
class _Reading:
    """One landing of a feed's files."""

    feed: Feed
    target: Target
    place: Location
    ledger: Ledger
    work: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    local: list[LocalFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more: bool = False

    def extraction(self, files: Sequence[SourceFile], discard: Callable[[], None]) -> Extraction:
        """Returns what is to land of the files that the source has."""
        self._look_into(files)
        resources = self._resources()
        if not resources:
            note(self.feed, self.target, self.ledger, self.entries.values())
        return Extraction(
            resources,
            discard=discard,
            sift=self._sift if self.feed.setting("format") == "parquet" else None,
            problems=self.problems,
            notes=self.notes,
            more=lambda: self.more,
        )

    def _look_into(self, files: Sequence[SourceFile]) -> None:
        """Tells the files that are to land from those that have, and makes the former plain and local."""
        # A file that has changed gives back what it held: another that was but a copy of it lands then.
        held = self.ledger.held(without={file.name for file in files if not self.ledger.is_current(file)})
        size = 0
        # Those that have landed come first, as only their hashes tell which content still counts.
        for file in sorted(files, key=lambda file: self.ledger.rank(file.name)):
            before = self.ledger.entries.get(file.name)
            if before and self.ledger.is_current(file) and (before.copy_of is None or before.sha256 in held):
                continue
            if size > _BYTES_OF_A_LOAD:
                self.more = True
                break
            try:
                path, entry = self._fetch(file)
                if before and before.sha256 == entry.sha256 and before.copy_of is None:
                    self.entries[file.name] = replace(entry, columns=before.columns)
                elif entry.sha256 in held:
                    self.entries[file.name] = replace(entry, copy_of=held[entry.sha256])
                    self.notes.append(
                        f"{file.name} has the same content as {held[entry.sha256]}, which has landed, and did not land."
                    )
                    continue
                else:
                    self.local.append(LocalFile(file.name, self._plain(path, file)))
                    self.entries[file.name] = entry
                    size += file.size
            except (OSError, UnicodeError) as error:
                self.problems.append(files_parquet.unreadable(LocalFile(file.name, Path()), error))
                continue
            held[entry.sha256] = file.name
        self.local.sort(key=lambda file: file.name)

    def _fetch(self, file: SourceFile) -> tuple[Path, Entry]:
        path, sha256 = self.place.fetch(file, self._copy(f"source{PurePosixPath(file.name).suffix}"))
        return path, Entry(file.name, file.size, file.version, sha256)

    def _plain(self, path: Path, file: SourceFile) -> Path:
        plain = uncompressed(path, self._copy("plain"))
        if self.feed.setting("format") != "parquet":
            plain = in_utf8(plain, Dialect.of(self.feed).encoding, self._copy("utf8"))
        if self.place.version(file) not in (None, file.version):
            raise OSError("it is being written while it is read")
        return plain

    def _copy(self, kind: str) -> Path:
        """Where a copy of the next file may stand: their own names may be long, and the same in every folder."""
        return self.work / f"{len(self.entries)}-{len(self.problems)}.{kind}"

    def _resources(self) -> list[DltResource]:
        with duckdb.connect() as reader:
            reader.execute("set enable_progress_bar = false")
            staged = _STAGES[self.feed.setting("format")](self.local, self.feed, self.work, reader)
            self._leave_out(staged.problems)
            self._check_drift(staged)
            relation = staged.relation(reader)
        if relation is None:
            return []
        entries = list(self.entries.values())
        return [
            select_resource(self.feed, self.target, self.work, lambda: relation),
            dlt.resource(lambda: iter([as_table(self.feed, entries, self.ledger.next)]), name=FILES_TABLE),
        ]

    def _check_drift(self, staged: Staged) -> None:
        raw = self.target.columns(self.feed)
        if self.feed.setting("format") == "jsonl":
            # Objects leave out what they have no value for, so only all of them together say which columns there are.
            if staged.columns:
                drift.check(self.feed, next(iter(staged.columns.values())), origin="its files", raw=raw)
            return
        before = self.ledger.columns_before(staged.columns)
        for name, columns in staged.columns.items():
            drift.check(self.feed, columns, origin=name, before=before[name], raw=raw)
            self.entries[name] = replace(self.entries[name], columns=frozenset(columns))

    def _sift(self) -> Extraction | None:
        """What remains where the warehouse could not read all files; nothing where it is not for the files."""
        with duckdb.connect() as reader:
            reader.execute("set enable_progress_bar = false")
            broken = files_parquet.broken(self.local, reader)
        self._leave_out(broken)
        return Extraction(self._resources()) if broken else None

    def _leave_out(self, problems: Sequence[Problem]) -> None:
        self.problems += problems
        names = {problem.file for problem in problems}
        self.entries = {name: entry for name, entry in self.entries.items() if name not in names}
        self.local = [file for file in self.local if file.name not in names]
