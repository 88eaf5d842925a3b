"""What goes into a version of the published file: tables with their rows, comments and primary keys.

BI tools read the comments as help texts, and draw their joins along the keys.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.documented import Documented
from orchestration.errors import CatalystError
from orchestration.sql import literal, quoted

# Left behind by a dbt build that was killed, or the private tables of a loader.
_NOT_FOR_READERS = re.compile(r"^_|__dbt_(tmp|backup)")

# Sorting 3 million sales doubles the time of copying them; below this it costs nothing that anybody notices.
_SORTED_UP_TO = 250_000

# DuckDB keeps an index for each primary key. For 1.2 million rows in 24 tables they take 2.3 s of processor time and
# 52 MB, where the rows alone take 3.7 s and 34 MB.
_KEYED_UP_TO = 1_000_000


@dataclass(frozen=True)
class _Relation:
    schema: str
    name: str
    rows: int
    comment: str | None

    @property
    def id(self) -> str:
        return f"{self.schema}.{self.name}"


def copy(
    warehouse: Path,
    target: Path,
    schemas: Sequence[str],
    required: Sequence[str],
    documentation: Mapping[str, Documented],
) -> dict[str, int]:
    """Writes the tables and views of some schemas to a new file and returns the rows of each `schema.table`.

    Args:
        warehouse: The DuckDB file to copy from.
        target: The file to write.
        schemas: What to copy; views become tables.
        required: Tables that must have rows.
        documentation: What is said of a table: its key, and comments for what has none in the warehouse.

    Raises:
        CatalystError: A schema or a required row is missing, or a key does not hold.
    """
    # Views name the catalog that they were created in, so the warehouse is attached under its own name.
    source = warehouse.stem
    with duckdb.connect() as connection:
        connection.execute(f"set temp_directory = {literal(target.parent.with_name('.building-spill'))}")
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"attach {literal(warehouse)} as {quoted(source)} (read_only)")
        connection.execute(f"attach {literal(target)} as __published")
        relations = _relations(connection, source, schemas)
        missing = sorted(set(schemas) - {relation.schema for relation in relations})
        missing += sorted(set(required) - {relation.id for relation in relations})
        if missing:
            raise CatalystError(
                f"The warehouse {warehouse} has no {', '.join(missing)}, so nothing was published: "
                "look at the dbt build of this run."
            )
        rows = {}
        connection.begin()  # one wait for the disk instead of one a statement
        for schema in schemas:
            connection.execute(f"create schema __published.{quoted(schema)}")
        for relation in relations:
            name = quoted(relation.schema, relation.name)
            order = "" if relation.rows > _SORTED_UP_TO else "order by all"
            copied = connection.execute(
                f"create table __published.{name} as select * from {quoted(source)}.{name} {order}"
            ).fetchone()
            rows[relation.id] = int(copied[0]) if copied else 0
            said = documentation.get(relation.id, Documented())
            _comment(connection, source, relation, said)
            if said.key and rows[relation.id] <= _KEYED_UP_TO:
                _declare_key(connection, relation, said.key)
        empty = [table for table in required if not rows[table]]
        if empty:
            raise CatalystError(
                f"The warehouse {warehouse} has no row in {', '.join(empty)}, so nothing was published: "
                "see quality.loads for what the feeds delivered and quality.quarantine for what was rejected."
            )
        connection.commit()
        connection.execute("checkpoint __published")
    return rows


def _relations(connection: duckdb.DuckDBPyConnection, source: str, schemas: Sequence[str]) -> list[_Relation]:
    # Text, not parameters: binding the first one of a process makes DuckDB import pandas, which takes a second.
    wanted = f"database_name = {literal(source)} and schema_name in ({', '.join(map(literal, schemas))})"
    found = connection.execute(
        f"""
        select schema_name, table_name, estimated_size, comment from duckdb_tables() where {wanted}
        union all
        select schema_name, view_name, 0, comment from duckdb_views() where {wanted}
        order by 1, 2
        """
    ).fetchall()
    return [_Relation(*row) for row in found if not _NOT_FOR_READERS.search(row[1])]


def _comment(connection: duckdb.DuckDBPyConnection, source: str, relation: _Relation, said: Documented) -> None:
    name = f"__published.{quoted(relation.schema, relation.name)}"
    if comment := relation.comment or said.description:
        connection.execute(f"comment on table {name} is {literal(comment)}")
    columns = connection.execute(
        f"select column_name, comment from duckdb_columns() where database_name = {literal(source)} "
        f"and schema_name = {literal(relation.schema)} and table_name = {literal(relation.name)}"
    ).fetchall()
    for column, own in columns:
        if told := own or said.columns.get(column):
            connection.execute(f"comment on column {name}.{quoted(column)} is {literal(told)}")


def _declare_key(connection: duckdb.DuckDBPyConnection, relation: _Relation, key: Sequence[str]) -> None:
    name, columns = f"__published.{quoted(relation.schema, relation.name)}", ", ".join(map(quoted, key))
    # DuckDB lets a null into a key that is added later, and tells of a duplicate at the end without its table.
    broken = connection.execute(
        f"select count(*) from (select 1 from {name} group by {columns} "
        f"having count(*) > 1 or {' or '.join(f'{quoted(column)} is null' for column in key)})"
    ).fetchone()
    if broken and broken[0]:
        raise CatalystError(
            f"Nothing was published, because {' + '.join(key)} is not the key of {relation.id} (values that "
            f"are null or come more than once: {broken[0]:,}). Look at the test is_key of that table, mend its rows "
            "and run again; the version before stays current."
        )
    connection.execute(f"alter table {name} add primary key ({columns})")
