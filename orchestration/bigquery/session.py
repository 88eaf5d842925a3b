"""Statements on BigQuery: one after the other, in a transaction or outside of one."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from orchestration import bigquery_sql

if TYPE_CHECKING:
    import pyarrow as pa

# Where tables of this process are while statements read them. What a killed one leaves goes after a day.
SCRATCH = "catalyst_scratch"
_SCRATCH_LIVES = timedelta(days=1)

_TYPES = {
    type(None): "STRING",
    str: "STRING",
    int: "INT64",
    float: "FLOAT64",
    bool: "BOOL",
    datetime: "TIMESTAMP",
    date: "DATE",
}


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

    def to_arrow_table(self, *, by_storage: bool = False) -> pa.Table:
        """Returns all rows, with times as above.

        Args:
            by_storage: By the Storage Read API, which takes a second to begin with and then reads 10 times as fast.
        """
        import pyarrow as pa

        rows = self.found.to_arrow(create_bqstorage_client=by_storage)
        kinds = [pa.timestamp("us") if pa.types.is_timestamp(part.type) else part.type for part in rows.schema]
        return rows.cast(pa.schema(list(zip(rows.schema.names, kinds, strict=True))))

    def to_arrow_reader(self) -> pa.RecordBatchReader:
        """Returns all rows batch by batch, with times as above."""
        return self.to_arrow_table().to_reader()


@dataclass(frozen=True)
class Session:
    """A client, in a transaction or outside of one, that takes DuckDB's SQL."""

    client: bigquery.Client
    is_transaction: bool = False
    _kinds: dict[str, Mapping[str, str]] = field(default_factory=dict)
    _registered: dict[str, str] = field(default_factory=dict)

    def execute(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        """Executes a statement, with values for each `?` in a list or for each `$name` in a dict."""
        tree = bigquery_sql.parse(query)
        bigquery_sql.place(tree, {name: (SCRATCH, table) for name, table in self._registered.items()})
        kinds: dict[str, str] = {}
        for table in bigquery_sql.tables(tree):
            if table.startswith("raw_") and not table.split(".")[1].startswith("_"):
                kinds.update(self._kinds_of(table))
        named = parameters.items() if isinstance(parameters, Mapping) else ((None, value) for value in parameters)
        return self.run(bigquery_sql.write(tree, kinds), [_bound(name, value) for name, value in named])

    def register(self, view_name: str, python_object: object) -> object:
        """Loads an Arrow table, under a name for the statements that follow.

        A transaction sees the tables as they were when its first statement was executed: register before that.
        """
        rows: Any = python_object
        dataset = bigquery.Dataset(f"{self.client.project}.{SCRATCH}")
        dataset.default_table_expiration_ms = _SCRATCH_LIVES // timedelta(milliseconds=1)
        ensure_dataset(self.client, dataset)
        self._registered[view_name] = f"{view_name}_{uuid.uuid4().hex}"
        load(self.client, rows, f"{SCRATCH}.{self._registered[view_name]}")
        return self

    def run(self, sql: str, bound: Sequence[Any] = ()) -> Rows:
        """Executes what is BigQuery's own SQL already."""
        config = bigquery.QueryJobConfig(query_parameters=list(bound))
        return Rows(self._opened.query_and_wait(sql, job_config=config))

    def columns(self, table: str) -> Mapping[str, str]:
        """Returns the columns of a table with BigQuery's types; none where it does not exist."""
        return columns(self.client, table)

    def tables(self, schema: str) -> set[str]:
        """Returns the names of the tables of a dataset that exists."""
        return {table.table_id for table in self.client.list_tables(schema)}

    @cached_property
    def sqlalchemy(self) -> sa.Engine:
        """The same session for those who speak SQLAlchemy."""
        return sa.create_engine(
            f"bigquery://{self.client.project}?user_supplied_client=True",
            # What comes back is counts, for which a second way of fetching rows is not worth its start.
            connect_args={"client": self._opened, "prefer_bqstorage_client": False},
            poolclass=sa.pool.StaticPool,
        )

    @property
    def is_open(self) -> bool:
        """Whether a statement has been executed."""
        return "_opened" in self.__dict__

    def drop_registered(self) -> None:
        """Drops what was registered."""
        for table in self._registered.values():
            self.client.delete_table(f"{SCRATCH}.{table}", not_found_ok=True)
        self._registered.clear()

    @cached_property
    def _opened(self) -> bigquery.Client:
        if self.is_transaction:
            opened = self.client.query("begin transaction", bigquery.QueryJobConfig(create_session=True))
            opened.result()
            in_session = bigquery.ConnectionProperty("session_id", getattr(opened.session_info, "session_id", ""))
            self.client.default_query_job_config = bigquery.QueryJobConfig(connection_properties=[in_session])
        return self.client

    def _kinds_of(self, table: str) -> Mapping[str, str]:
        if table not in self._kinds:
            self._kinds[table] = columns(self.client, table)
        return self._kinds[table]


def columns(client: bigquery.Client, table: str) -> dict[str, str]:
    """Returns the columns of a table with their types; none where it does not exist."""
    try:
        return {column.name: column.field_type for column in client.get_table(table).schema}
    except NotFound:
        return {}


def ensure_dataset(client: bigquery.Client, wanted: bigquery.Dataset) -> None:
    """Makes a dataset where it is missing."""
    # Asked for first: to create one takes leave that an account does not need where Terraform has made them.
    try:
        client.get_dataset(wanted.reference)
    except NotFound:
        client.create_dataset(wanted, exists_ok=True)


def load(client: bigquery.Client, rows: pa.Table, table: str, schema: Sequence[bigquery.SchemaField] = ()) -> None:
    """Puts rows in place of those of a table or, by `table$20260630`, of a partition, in one step; times are UTC.

    Args:
        client: The client.
        rows: The rows; columns are matched by name.
        table: The table, which is made where it is missing.
        schema: Its columns, where it is there.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    required = {column.name for column in schema if column.mode == "REQUIRED"}
    fields = [
        pa.field(
            part.name,
            pa.timestamp("us", "UTC") if pa.types.is_timestamp(part.type) else part.type,
            part.name not in required,
        )
        for part in rows.schema
    ]
    config = bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.PARQUET,
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
        create_disposition="CREATE_NEVER" if schema else "CREATE_IF_NEEDED",
    )
    if schema:
        config.schema = [column for column in schema if column.name in rows.column_names]
    with tempfile.TemporaryFile() as file:
        pq.write_table(rows.cast(pa.schema(fields)), file)
        client.load_table_from_file(file, table, rewind=True, job_config=config).result()


def _bound(name: str | None, value: Any) -> Any:
    if isinstance(value, list):
        return bigquery.ArrayQueryParameter(name, _TYPES[type(value[0])], value)
    return bigquery.ScalarQueryParameter(name, _TYPES[type(value)], value)
