"""Takes Parquet as it is: the warehouse reads the source's own files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.contracts import Feed
from orchestration.landing.extraction import Problem
from orchestration.landing.names import landed_names
from orchestration.landing.staging import LocalFile, Part, Staged
from orchestration.sql import literal


def stage(files: Sequence[LocalFile], feed: Feed, _work: Path, _reader: duckdb.DuckDBPyConnection) -> Staged:
    """Looks into the footers of Parquet files, which say their columns and rows."""
    staged = Staged(files)
    contract = [column.name for column in feed.columns]
    for file in files:
        try:
            footer = pq.read_metadata(file.path)
            schema = footer.schema.to_arrow_schema()
        except (pa.ArrowException, OSError) as error:
            staged.problems.append(unreadable(file, error))
            continue
        if len({name.lower() for name in schema.names}) < len(schema.names):
            message = "two of its columns differ in nothing but upper and lower case"
            staged.problems.append(unreadable(file, ValueError(message)))
            continue
        names = landed_names(schema.names, contract)
        staged.columns[file.name] = {names[field.name]: field.type for field in schema}
        staged.add_spellings(names)
        if footer.num_rows:
            staged.parts.append(Part(file.path, footer.num_rows, own=False))
    return staged


def broken(files: Sequence[LocalFile], reader: duckdb.DuckDBPyConnection) -> list[Problem]:
    """Reads files to their end and returns those that cannot be: a footer says nothing of the pages before it."""
    problems = []
    for file in files:
        try:
            reader.execute(
                f"create or replace temp table whole as select * from read_parquet({literal(str(file.path))})"
            )
        except duckdb.Error as error:
            problems.append(unreadable(file, error))
    return problems


def unreadable(file: LocalFile, error: Exception) -> Problem:
    """Returns the problem of a file that may not be read, ends early or is not what its name says."""
    if isinstance(error, PermissionError):
        remedy = "grant the account that lands it leave to read it."
    else:
        remedy = "it may be half-written, or of another format. Have it delivered again."
    return Problem(
        file.name,
        f"{file.name} cannot be read ({str(error).splitlines()[0]}): {remedy} Nothing of it has landed, and it is "
        "tried again next time.",
    )
