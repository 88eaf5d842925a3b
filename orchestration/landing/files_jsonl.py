"""Stages JSON lines as columns of text; a line that is no JSON object keeps its text and is left to the gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.contracts import Feed
from orchestration.landing.extraction import BATCH_ROWS
from orchestration.landing.names import landed_names
from orchestration.landing.staging import LocalFile, Part, Staged, in_batches, path_list
from orchestration.landing.text import physical_lines
from orchestration.sql import literal, quoted

# Longer lines are cut out by hand, as DuckDB would set so much memory aside for each thread.
_LONGEST_LINE = 16 << 20


def stage(files: Sequence[LocalFile], feed: Feed, work: Path, reader: duckdb.DuckDBPyConnection) -> Staged:
    """Stages files of JSON lines."""
    staged = Staged(files)
    keys: set[str] = set()
    # The lines of files that can be read together.
    sources: list[str] = []

    def together(batch: Sequence[LocalFile]) -> None:
        lines = f"""
            select line, cast(null as varchar) as unreadable, filename as _path from read_csv(
                {path_list(batch)}, columns = {{'line': 'varchar'}}, header = false, filename = true,
                auto_detect = false, delim = '\x01', quote = '', escape = '', max_line_size = {_LONGEST_LINE},
                buffer_size = {2 * _LONGEST_LINE}
            )"""
        keys.update(_keys(lines, reader))
        sources.append(lines)

    def alone(file: LocalFile) -> None:
        target = work / f"{len(sources)}.lines.parquet"
        _write_lines(file, target)
        lines = f"select line, unreadable, {literal(str(file.path))} as _path from read_parquet({literal(str(target))})"
        keys.update(_keys(lines, reader))
        sources.append(lines)

    in_batches(files, together, alone)
    names = landed_names(sorted(keys), [column.name for column in feed.columns])
    missing = [column.name for column in feed.columns if column.name not in names.values()]
    for lines in sources:
        target = work / f"{len(staged.parts)}.rows.parquet"
        select = _select(lines, names, missing)
        rows = reader.execute(f"copy ({select}) to {literal(str(target))} (format parquet)").fetchall()[0][0]
        staged.parts.append(Part(target, rows))
    staged.add_spellings({name: name for name in [*names.values(), *missing]})
    # Objects leave out what they have no value for, so only the batch as a whole says which columns there are.
    every = dict.fromkeys(names.values(), pa.string())
    staged.columns = {file.name: every for file in files} if keys else {}
    return staged


def _select(lines: str, names: Mapping[str, str], missing: Sequence[str]) -> str:
    # One look at the object for all of its values; a pointer needs no quotes, whatever the key.
    pointers = ", ".join(literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in names)
    columns = [f"found[{n}] as {quoted(name)}" for n, name in enumerate(names.values(), 1)]
    columns += [f"cast(null as varchar) as {quoted(name)}" for name in missing]
    return f"""
        select {", ".join(columns)}, _path, case when found is null then coalesce(unreadable, line) end
            as _malformed
        from (
            select _path, line, unreadable,
                case when json_type(object) = 'OBJECT' then json_extract_string(object, [{pointers or "'/'"}]) end
                    as found
            from (select *, try_cast(line as json) as object from ({lines}))
            where unreadable is not null or trim(line, ' \t\r') != ''
        )
    """


def _keys(lines: str, reader: duckdb.DuckDBPyConnection) -> set[str]:
    found = reader.execute(
        f"""
        select distinct unnest(json_keys(object)) from (select try_cast(line as json) as object from ({lines}))
        where json_type(object) = 'OBJECT'
        """
    ).fetchall()
    return {row[0] for row in found}


def _write_lines(file: LocalFile, target: Path) -> None:
    schema = pa.schema({"line": pa.string(), "unreadable": pa.string()})
    with pq.ParquetWriter(target, schema) as writer:
        batch: list[tuple[str | None, str | None]] = []
        for line, readable in physical_lines(file.path):
            batch.append((line.rstrip("\r\n"), None) if readable else (None, line.rstrip("\r\n")))
            if len(batch) == BATCH_ROWS:
                writer.write_table(_table(batch, schema))
                batch = []
        writer.write_table(_table(batch, schema))


def _table(batch: list[tuple[str | None, str | None]], schema: pa.Schema) -> pa.Table:
    return pa.table([[row[n] for row in batch] for n in range(2)], schema=schema)
