"""What the readers of every file format share: files that are plain and here, and the Parquet that they are staged as.

Text formats are staged before dlt sees them, so that a file that cannot be read to its end is known before any of its
rows counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.landing.extraction import Problem
from orchestration.sql import literal, quoted


@dataclass(frozen=True)
class LocalFile:
    """A file of the source as a plain one on this machine."""

    name: str
    path: Path


@dataclass(frozen=True)
class Part:
    """A Parquet file to load.

    Attributes:
        own: Whether it was staged here, and so has columns `_path`, of the file that a row is from, and `_malformed`.
    """

    path: Path
    rows: int
    own: bool = True


@dataclass
class Staged:
    """What a format's reader made of files.

    Attributes:
        files: The files.
        parts: Parquet files whose rows are to land, in that order.
        spellings: The names of each column in the parts, which may spell it differently, by that under which it lands.
        columns: The columns of each file that was read, as they land, with their types.
        problems: Files that could not be read; nothing of them is in the parts.
    """

    files: Sequence[LocalFile] = ()
    parts: list[Part] = field(default_factory=list)
    spellings: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, Mapping[str, pa.DataType]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add_spellings(self, names: Mapping[str, str]) -> None:
        """Adds the columns of a file, by their names in it; to DuckDB upper and lower case are the same."""
        for spelling, name in names.items():
            several = self.spellings.setdefault(name, [])
            if spelling.lower() not in several:
                several.append(spelling.lower())

    @property
    def rows(self) -> int:
        """All rows of the parts."""
        return sum(part.rows for part in self.parts)

    def relation(self, reader: duckdb.DuckDBPyConnection) -> tuple[str, pa.Schema] | None:
        """Returns the SELECT over all parts, and the Arrow schema of the source's columns in it."""
        if not self.rows:
            return None
        files = ", ".join(literal(str(part.path)) for part in self.parts)
        columns = ", ".join(
            f"coalesce({', '.join(f'found.{quoted(spelling)}' for spelling in several)}) as {quoted(name)}"
            for name, several in self.spellings.items()
        )
        first, parts = 0, []
        for part in self.parts:
            parts.append(f"({literal(str(part.path))}, {first})")
            first += part.rows
        names = ", ".join(f"({literal(str(file.path))}, {literal(file.name)})" for file in self.files) or "(null, null)"
        own = all(part.own for part in self.parts)
        # DuckDB knows the position in the file; a column of the source that is called so too hides it, and counting
        # holds all to one thread.
        hidden = any("file_row_number" in several for several in self.spellings.values())
        position = "row_number() over () - 1" if hidden else "part.first + file_row_number"
        select = f"""
            select {columns}, file.name as _file, {"_malformed" if own else "cast(null as varchar)"} as _malformed,
                {position} as _row
            from read_parquet(
                [{files}], union_by_name = true, filename = 'the part', hive_partitioning = false
            ) as found
            inner join (values {", ".join(parts)}) as part (path, first) on found."the part" = part.path
            left join (values {names}) as file (path, name) on file.path = found.{"_path" if own else '"the part"'}
        """
        schema = reader.execute(f"select * exclude (_file, _malformed, _row) from ({select}) limit 0").to_arrow_table()
        return select, schema.schema


def in_batches(
    files: Sequence[LocalFile], stage: Callable[[Sequence[LocalFile]], None], alone: Callable[[LocalFile], None]
) -> None:
    """Stages files together where that works; those that do not go together with any others are staged alone.

    A batch is halved until what is wrong with it is in one file, so that a few bad ones among hundreds cost little.
    """
    if not files:
        return
    try:
        stage(files)
    except duckdb.Error:
        if len(files) == 1:
            alone(files[0])
            return
        middle = len(files) // 2
        in_batches(files[:middle], stage, alone)
        in_batches(files[middle:], stage, alone)


def path_list(files: Iterable[LocalFile]) -> str:
    """Returns the paths of files as an SQL list."""
    return "[" + ", ".join(literal(str(file.path)) for file in files) + "]"
