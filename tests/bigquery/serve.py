"""Starts local-bigquery with what it answers otherwise than BigQuery mended; runs in the environment beside.

dbt reads the table that `create table as` made from the job, and its incremental strategies set several variables by
one statement. Google's client expects a dataset with every table that a job names, and a temporary one has none here.

It also asks DuckDB's catalogue of all tables about one of them, 0.1 s a time and some ten times a statement, which made
up most of the time of a build; here it asks the tables in which DuckLake keeps that catalogue.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import duckdb
from local_bigquery import cli  # type: ignore[import-not-found]
from local_bigquery.api import jobs  # type: ignore[import-not-found]
from local_bigquery.catalog import tables  # type: ignore[import-not-found]
from local_bigquery.engine import database, types  # type: ignore[import-not-found]
from local_bigquery.errors import BigQueryError  # type: ignore[import-not-found]
from local_bigquery.jobs import query as queries  # type: ignore[import-not-found]
from local_bigquery.jobs import runner
from local_bigquery.sql import script  # type: ignore[import-not-found]
from sqlglot import exp, parse_one

_load = runner.HANDLERS["load"]
_run_query, _answer, _set = runner._query, jobs.results, script.Interpreter.set
_fetch, _execute, _create = database.fetch, queries.execute, tables.create

# Of a project: its tables with their counts of rows, its views, and its required columns.
_OBJECTS = """
select tables.table_name, 'TABLE', coalesce(any_value(counts.record_count), 0)
from {lake}.ducklake_table as tables
inner join {lake}.ducklake_schema as schemas on tables.schema_id = schemas.schema_id and schemas.end_snapshot is null
left join {lake}.ducklake_table_stats as counts on tables.table_id = counts.table_id
where tables.end_snapshot is null and schemas.schema_name = $1 and tables.table_name = coalesce($2, tables.table_name)
group by all
union all
select views.view_name, 'VIEW', 0
from {lake}.ducklake_view as views
inner join {lake}.ducklake_schema as schemas on views.schema_id = schemas.schema_id and schemas.end_snapshot is null
where views.end_snapshot is null and schemas.schema_name = $1 and views.view_name = coalesce($2, views.view_name)
order by 1
"""
_REQUIRED = """
select columns.column_name
from {lake}.ducklake_column as columns
inner join {lake}.ducklake_table as tables on columns.table_id = tables.table_id and tables.end_snapshot is null
inner join {lake}.ducklake_schema as schemas on tables.schema_id = schemas.schema_id and schemas.end_snapshot is null
where columns.end_snapshot is null and not columns.nulls_allowed and columns.parent_column is null
    and schemas.schema_name = $1 and tables.table_name = $2
"""


def _makes_table(statistics: Any) -> bool:
    return bool(statistics and (statistics.statementType or "").startswith("CREATE_TABLE"))


def _query_with_destination(job: Any, session: Any, running: Any) -> Any:
    found = _run_query(job, session, running)
    made = found.query.ddlTargetTable if found.query else None
    if made is not None and made.datasetId is None:
        return found.replace(query=found.query.without("ddlTargetTable"))
    query = job.configuration.query
    if made is not None and _makes_table(found.query) and query.destinationTable is None:
        query.destinationTable = made
    return found


def _answer_without_rows(job: Any, *arguments: Any) -> Any:
    """A job that made a table names it, but its answer does not repeat its rows."""
    if _makes_table(job.statistics.query):
        settings = job.configuration
        query = settings.query.replace(destinationTable=None)
        job = job.replace(configuration=settings.replace(query=query))
    return _answer(job, *arguments)


def _set_each(self: Any, statement: Any) -> None:
    """`set (a, b) = (select as struct x, y from t)`, which is one query for each variable here."""
    setting = parse_one(statement.text, dialect=script.BigQueryDialect).expressions[0].this
    names, value = setting.this, setting.expression
    of_struct = isinstance(value, exp.Subquery) and value.this.args.get("kind") == "STRUCT"
    if not of_struct or not isinstance(names, exp.Tuple | exp.Paren):
        _set(self, statement)
        return
    variables = names.expressions if isinstance(names, exp.Tuple) else [names.this]
    for position, variable in enumerate(variables):
        one = value.copy()
        one.this.set("kind", None)
        one.this.set("expressions", [one.this.expressions[position]])
        self.assign(self.variable(variable.name), one)


def _load_partition(cursor: Any, config: Any, upload: str | None) -> Any:
    table, _, day = config.destinationTable.tableId.partition("$")
    if not day:
        return _load(cursor, config, upload)
    target = config.destinationTable.replace(tableId=table)
    partitioning = tables.load(*tables.reference(target)).timePartitioning
    if partitioning is None or config.writeDisposition != "WRITE_TRUNCATE":
        raise BigQueryError("invalid", f"{table} has no partition to replace.")
    name, field = tables.name(*tables.reference(target)), partitioning.field
    cursor.execute(f"delete from {name} where {field} = strptime('{day}', '%Y%m%d')")
    return _load(cursor, config.replace(destinationTable=target, writeDisposition="WRITE_APPEND"), upload)


def _create_by_ingestion(project: str, dataset: str, body: Any, translate: Any) -> Any:
    """A table that is partitioned by the day on which rows come has that day as a column, however it was made."""
    made = _create(project, dataset, body, translate)
    if body.timePartitioning is not None and not body.timePartitioning.field:
        name = tables.name(project, dataset, body.tableReference.tableId)
        columns = [types.column(field) for field in tables.fields(body)]
        columns.append(f"\"{tables.INGESTION_TIME}\" timestamptz default date_trunc('day', current_timestamp)")
        database.execute(f"drop table {name}")
        database.execute(f"create table {name} ({', '.join(columns)})")
    return made


def _fetch_of_one(sql: str, params: list[Any] | None = None) -> Any:
    """The two questions on the catalogue, by what they begin with."""
    wanted = next((ours for theirs, ours in _CHEAPER.items() if sql.startswith(theirs)), None)
    if wanted is None or params is None:
        return _fetch(sql, params)
    project, *names = params
    if project != "emulator":
        return _fetch(wanted.format(lake=database.quote(f"__ducklake_metadata_{project}")), names)
    # The rows that a job found, which are in no project.
    if wanted == _REQUIRED:
        return []
    try:
        [(count,)] = _fetch(f"select count(*) from {database.quote(project, *names)}")
    except duckdb.CatalogException:
        return []
    return [(names[-1], "TABLE", count)]


_CHEAPER = {"SELECT table_name, 'TABLE'": _OBJECTS, "SELECT column_name FROM duckdb_columns()": _REQUIRED}


class _Fresh:
    """A cursor outside of sessions, which has no temporary table: there is no need to look for one."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def sql(self, sql: str, *arguments: Any, **named: Any) -> Any:
        if sql == "SELECT table_name FROM duckdb_tables() WHERE temporary":
            sql = "select '' as table_name where false"
        return self._cursor.sql(sql, *arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def _execute_without_looking(cursor: Any, *arguments: Any, session: Any = None, **named: Any) -> Any:
    return _execute(cursor if session else _Fresh(cursor), *arguments, session=session, **named)


def _end_with_parent() -> None:
    """A test process that is killed closes this end of the pipe, and leaves nothing running behind it."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    # DuckDB looks for it on the disk at every parameter that it binds; it is not in this environment.
    sys.modules["pandas"] = None  # type: ignore[assignment]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    runner._query = _query_with_destination
    jobs.results = _answer_without_rows
    script.Interpreter.set = _set_each
    database.fetch = _fetch_of_one
    queries.execute = _execute_without_looking
    runner.HANDLERS["load"] = _load_partition
    tables.create = _create_by_ingestion
    cli.main()
