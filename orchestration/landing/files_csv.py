"""Stages CSV as columns of text; a line with too many or too few values keeps its text and is left to the gate."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.contracts import Feed
from orchestration.landing.extraction import BATCH_ROWS, Problem
from orchestration.landing.names import landed_names
from orchestration.landing.staging import LocalFile, Part, Staged, in_batches, path_list
from orchestration.landing.text import Dialect, physical_lines
from orchestration.sql import literal, quoted

# A quote that nothing closes would otherwise swallow the rest of the file.
_LINES_OF_A_RECORD = 100
_LONGEST_LINE = 16 << 20

Values = list[str | None]


def stage(files: Sequence[LocalFile], feed: Feed, work: Path, reader: duckdb.DuckDBPyConnection) -> Staged:
    """Stages CSV files; those with the same header together."""
    dialect = Dialect.of(feed)
    staged = Staged(files)
    contract = [column.name for column in feed.columns]
    layouts: dict[tuple[str, ...], list[LocalFile]] = {}
    for file in files:
        header = _header(file.path, dialect) if dialect.header else contract
        names = tuple(landed_names(_distinct(header), contract).values())
        if header and not set(names) & set(contract):
            staged.problems.append(_not_ours(file, header, dialect))
            continue
        if names:
            staged.columns[file.name] = dict.fromkeys(names, pa.string())
            layouts.setdefault(names, []).append(file)
    for names, alike in layouts.items():
        _stage_alike(alike, names, dialect, staged, work, reader)
        staged.add_spellings({name: name for name in names})
    return staged


def _stage_alike(
    files: Sequence[LocalFile],
    names: Sequence[str],
    dialect: Dialect,
    staged: Staged,
    work: Path,
    reader: duckdb.DuckDBPyConnection,
) -> None:
    def target() -> Path:
        return work / f"{len(staged.parts)}.rows.parquet"

    def together(batch: Sequence[LocalFile]) -> None:
        kinds = ", ".join(f"{literal(name)}: 'varchar'" for name in names)
        # Told everything and strict, DuckDB reads all rows as they are or none.
        rows = reader.execute(
            f"""
            copy (
                select {", ".join(map(quoted, names))}, _path, cast(null as varchar) as _malformed
                from read_csv(
                    {path_list(batch)}, columns = {{{kinds}}}, header = {dialect.header}, auto_detect = false,
                    strict_mode = true, null_padding = false, delim = {literal(dialect.delimiter)},
                    quote = {literal(dialect.quote)}, escape = {literal(dialect.escape)}, filename = '_path',
                    max_line_size = {_LONGEST_LINE}, buffer_size = {2 * _LONGEST_LINE}
                )
            ) to {literal(str(target()))} (format parquet)
            """
        ).fetchall()[0][0]
        staged.parts.append(Part(target(), rows))

    def alone(file: LocalFile) -> None:
        schema = pa.schema([(name, pa.string()) for name in [*names, "_path", "_malformed"]])
        rows = 0
        with pq.ParquetWriter(target(), schema) as writer:
            for batch in _batches(_records(file.path, len(names), dialect)):
                full = [[*(values or [None] * len(names)), str(file.path), malformed] for values, malformed in batch]
                columns = [pa.array(column, pa.string()) for column in zip(*full, strict=True)]
                writer.write_table(pa.table(columns, schema=schema))
                rows += len(batch)
        staged.parts.append(Part(target(), rows))

    in_batches(files, together, alone)


def _records(path: Path, width: int, dialect: Dialect) -> Iterator[tuple[Values | None, str | None]]:
    """Yields the values of each record, or the text of a line that is none of `width` values."""
    waiting: list[tuple[str, bool]] = []
    lines = physical_lines(path)
    header_is_due = dialect.header
    while True:
        line = waiting.pop(0) if waiting else next(lines, None)
        if line is None:
            return
        record, taken, quotes, size = _parse([line], width, dialect), [line], _quotes(line, dialect), len(line[0])
        while record is None and quotes % 2 and len(taken) < _LINES_OF_A_RECORD and size < _LONGEST_LINE:
            following = waiting.pop(0) if waiting else next(lines, None)
            if following is None:
                break
            taken.append(following)
            quotes, size = quotes + _quotes(following, dialect), size + len(following[0])
            if quotes % 2 == 0:
                record = _parse(taken, width, dialect)
        if record is None:
            # The lines after the first may be good ones.
            waiting = taken[1:] + waiting
        if header_is_due:
            header_is_due = False
        elif record is not None:
            yield record, None
        elif text := line[0].rstrip("\r\n"):
            yield None, text


def _quotes(line: tuple[str, bool], dialect: Dialect) -> int:
    return line[0].count(dialect.quote) if dialect.quote else 0


def _parse(lines: Sequence[tuple[str, bool]], width: int, dialect: Dialect) -> Values | None:
    if not all(readable for _, readable in lines):
        return None
    text = "".join(text for text, _ in lines).rstrip("\r\n")
    if not text and width > 1:
        return None
    try:
        values = next(_reader([text], dialect), [""])
    except csv.Error:
        return None
    # As DuckDB does: delimiters at the end, as spreadsheets pad lines with, say nothing.
    while len(values) > width and not values[-1]:
        del values[-1]
    return [value or None for value in values] if len(values) == width else None


def _reader(lines: Sequence[str], dialect: Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(sys.maxsize)
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        doublequote=dialect.escape == dialect.quote,
        escapechar=None if dialect.escape in (dialect.quote, "") else dialect.escape,
        strict=True,
    )


def _header(path: Path, dialect: Dialect) -> list[str]:
    first = next((text for text, _ in physical_lines(path) if text.strip()), "")
    try:
        return next(_reader([first.rstrip("\r\n")], dialect), [])
    except csv.Error:
        return [first.strip()]


def _distinct(header: Sequence[str]) -> list[str]:
    """Column names that are all there and all different, so that none takes the place of another."""
    found: list[str] = []
    for position, name in enumerate(header, 1):
        spelling = name.strip() or f"column_{position}"
        found.append(f"{spelling}_{position}" if spelling in found else spelling)
    return found


def _not_ours(file: LocalFile, header: Sequence[str], dialect: Dialect) -> Problem:
    shown = dialect.delimiter.join(header)[:100]
    return Problem(
        file.name,
        f"The first line of {file.name} names no column of the contract: {shown!r}. If it is an error page or lacks "
        f"the header, have it delivered again; if its values are not separated by {dialect.delimiter!r}, say by what "
        "with the server setting delimiter. Nothing of it has landed.",
    )


def _batches(
    records: Iterator[tuple[Values | None, str | None]],
) -> Iterator[list[tuple[Values | None, str | None]]]:
    batch = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch
