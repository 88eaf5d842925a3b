"""The warehouse on BigQuery, as the gate needs it; the only module that imports Google's client.

A transaction of BigQuery lives in a session, and so do temporary tables. The SQL that comes here is DuckDB's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from google.api_core.exceptions import Forbidden, GoogleAPICallError, NotFound
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from orchestration import bigquery_sql
from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.warehouse import QUALITY_TABLES, declared_columns, definitions

if TYPE_CHECKING:
    import pyarrow as pa

_TYPES = {type(None): "STRING", str: "STRING", int: "INT64", float: "FLOAT64", bool: "BOOL", datetime: "TIMESTAMP"}


@dataclass(frozen=True)
class Rows:
    """What a statement returned."""

    found: Any

    @property
    def description(self) -> list[tuple[str, str]]:
        """The name and type of each column."""
        return [(column.name, column.field_type) for column in self.found.schema]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Returns all rows; times are in UTC and carry no zone, as DuckDB returns them."""
        return [
            tuple(value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row.values())
            for row in self.found
        ]

    def to_arrow_reader(self) -> pa.RecordBatchReader:
        """Returns all rows batch by batch, with times as above."""
        import pyarrow as pa

        rows = self.found.to_arrow(create_bqstorage_client=False)
        kinds = [pa.timestamp("us") if pa.types.is_timestamp(part.type) else part.type for part in rows.schema]
        return rows.cast(pa.schema(list(zip(rows.schema.names, kinds, strict=True)))).to_reader()


@dataclass(frozen=True)
class Session:
    """A client, in a transaction or outside of one, that takes DuckDB's SQL."""

    client: bigquery.Client
    _kinds: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def execute(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        """Executes a statement, with values for each `?` in a list or for each `$name` in a dict."""
        tree = bigquery_sql.parse(query)
        kinds: dict[str, str] = {}
        for table in bigquery_sql.tables(tree):
            if table.startswith("raw_") and not table.split(".")[1].startswith("_"):
                kinds.update(self._kinds_of(table))
        named = parameters.items() if isinstance(parameters, Mapping) else ((None, value) for value in parameters)
        bound = [bigquery.ScalarQueryParameter(name, _TYPES[type(value)], value) for name, value in named]
        return self.run(bigquery_sql.write(tree, kinds), bound)

    def run(self, sql: str, bound: Sequence[Any] = ()) -> Rows:
        """Executes what is BigQuery's own SQL already."""
        config = bigquery.QueryJobConfig(query_parameters=list(bound))
        return Rows(self.client.query_and_wait(sql, job_config=config))

    @cached_property
    def sqlalchemy(self) -> sa.Engine:
        """The same session for those who speak SQLAlchemy."""
        return sa.create_engine(
            f"bigquery://{self.client.project}?user_supplied_client=True",
            # What comes back is counts, for which a second way of fetching rows is not worth its start.
            connect_args={"client": self.client, "prefer_bqstorage_client": False},
            poolclass=sa.pool.StaticPool,
        )

    def _kinds_of(self, table: str) -> Mapping[str, str]:
        if table not in self._kinds:
            self._kinds[table] = _columns(self.client, table)
        return self._kinds[table]


@dataclass(frozen=True)
class BigQuery:
    """The datasets of a project, in one location."""

    project: str
    location: str = "US"

    @contextmanager
    def connect(self) -> Iterator[Session]:
        """Yields what reads.

        Raises:
            CatalystError: BigQuery refuses, or cannot be reached.
        """
        with self._client() as client:
            yield Session(client)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yields what reads and writes in one transaction; its changes come all together at the end, or not at all.

        Raises:
            CatalystError: BigQuery refuses, cannot be reached, or others have changed the same tables meanwhile.
        """
        with self._client() as client:
            opened = client.query("begin transaction", bigquery.QueryJobConfig(create_session=True))
            opened.result()
            in_session = bigquery.ConnectionProperty("session_id", getattr(opened.session_info, "session_id", ""))
            client.default_query_job_config = bigquery.QueryJobConfig(connection_properties=[in_session])
            session = Session(client)
            try:
                yield session
                session.run("commit transaction")
            finally:
                # Ends the transaction with it, unless that was committed.
                session.run("call bq.abort_session()")

    def prepare(self, feeds: Sequence[Feed]) -> None:
        """Creates what the gate reads and writes, and the columns that contracts have gained since."""
        raw = {feed.id: declared_columns(feed) for feed in feeds}
        defined = QUALITY_TABLES | {name: definitions(columns) for name, columns in raw.items()}
        with self._client() as client:
            statements = [
                f"create schema if not exists {schema}" for schema in sorted({name.split(".")[0] for name in defined})
            ]
            statements += [f"create table if not exists {name} ({columns})" for name, columns in defined.items()]
            for table, columns in raw.items():
                have = _columns(client, table)
                gained = {name: kind for name, kind in columns.items() if have and name not in have}
                statements += [
                    f"alter table {table} add column {definitions({name: kind})}" for name, kind in gained.items()
                ]
            # As one script: a question and an answer for all.
            Session(client).run(";\n".join(bigquery_sql.write(bigquery_sql.parse(sql), {}) for sql in statements))

    @contextmanager
    def _client(self) -> Iterator[bigquery.Client]:
        # Google's own name for where an emulator listens, which asks for no credentials.
        is_emulator = "BIGQUERY_EMULATOR_HOST" in os.environ
        credentials = AnonymousCredentials() if is_emulator else None  # type: ignore[no-untyped-call]
        try:
            with bigquery.Client(self.project, credentials, location=self.location) as client:
                yield client
        except (GoogleAPICallError, GoogleAuthError) as error:
            remedy = (
                "Grant the account the roles BigQuery Data Editor and BigQuery Job User."
                if isinstance(error, Forbidden)
                else "Mend that and run again: nothing of this step counts."
            )
            said = " ".join(str(getattr(error, "message", error)).split())[:300].rstrip(".")
            raise CatalystError(f"BigQuery does not serve the project {self.project} ({said}). {remedy}") from error


def _columns(client: bigquery.Client, table: str) -> dict[str, str]:
    """The columns of a table with their types; none where it does not exist."""
    try:
        return {column.name: column.field_type for column in client.get_table(table).schema}
    except NotFound:
        return {}
