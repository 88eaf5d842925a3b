"""Starts local-bigquery with what it answers otherwise than BigQuery mended; runs in the environment beside.

dbt reads the table that `create table as` made from the job, and its incremental strategies set several variables by
one statement. Google's client expects a dataset with every table that a job names, and a temporary one has none here.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from local_bigquery import cli  # type: ignore[import-not-found]
from local_bigquery.api import jobs  # type: ignore[import-not-found]
from local_bigquery.jobs import runner  # type: ignore[import-not-found]
from local_bigquery.sql import script  # type: ignore[import-not-found]
from sqlglot import exp, parse_one

_run_query, _answer, _set = runner._query, jobs.results, script.Interpreter.set


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


def _end_with_parent() -> None:
    """A test process that is killed closes this end of the pipe, and leaves nothing running behind it."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    runner._query = _query_with_destination
    jobs.results = _answer_without_rows
    script.Interpreter.set = _set_each
    cli.main()
