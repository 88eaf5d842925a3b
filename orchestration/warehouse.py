"""The warehouse of a run: its tables, and the DuckDB file that holds them where the target is local."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.prediction_tables import prediction_columns, prediction_tables
from orchestration.sql import quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.connections import Store
    from orchestration.settings import Settings

QUALITY_TABLES = {
    "quality.quarantine": """
        feed varchar not null, load_id varchar not null, row_number bigint not null,
        rules varchar not null, reasons varchar not null, payload varchar not null, quarantined_at timestamp not null
    """,
    "quality.loads": """
        feed varchar not null, load_id varchar not null, landed_at timestamp not null, rows_landed bigint not null,
        rows_accepted bigint not null, rows_quarantined bigint not null, gated_at timestamp not null,
        status varchar not null
    """,
    "quality.findings": """
        feed varchar not null, load_id varchar, rule varchar not null, severity varchar not null,
        rows_broken bigint not null, share double not null, message varchar not null, found_at timestamp not null
    """,
    "quality.validations": """
        feed varchar not null, load_id varchar not null, validated_at timestamp not null, result varchar not null
    """,
    "quality.runs": """
        run_id varchar not null, as_of_date date not null, started_at timestamp not null,
        finished_at timestamp, status varchar not null
    """,
    "quality.category_proposals": """
        spelling varchar not null, category varchar, score double, resembles varchar, source_rows bigint not null,
        feeds varchar not null, example_product_id varchar, first_seen_on date, last_seen_on date, seed_row varchar
    """,
}

# Columns that tables have gained, with what holds for the rows that a warehouse has from before.
GAINED_COLUMNS = {"quality.loads": "status varchar default 'passed'"}

# A row holds from its as-of date until the next one of the same record; matches and resolutions are of the last run.
IDENTITY_TABLES = {
    "identities.customers": """
        as_of_date date not null, record_id varchar not null, customer_id varchar not null,
        source_name varchar not null, source_customer_id varchar not null, is_register boolean not null
    """,
    "identities.matches": """
        as_of_date date not null, record_id_left varchar not null, record_id_right varchar not null,
        match_probability double not null, match_weight double not null, evidence varchar not null,
        decision varchar not null, model_version varchar not null
    """,
    "identities.merges": """
        as_of_date date not null, retired_customer_id varchar not null, customer_id varchar not null
    """,
    "identities.models": """
        as_of_date date not null, model_version varchar not null, records bigint not null, columns varchar not null,
        settings varchar not null, rules varchar not null
    """,
    "identities.resolutions": """
        as_of_date date not null, fingerprint varchar not null, records bigint not null, customers bigint not null
    """,
}

# One partition for each run that scored, compared or asked.
MONITORING_TABLES = {
    "monitoring.outcomes": """
        scored_on date not null, model_name varchar not null, model_version varchar not null,
        predicted_on date not null, target_date date not null, horizon bigint not null, entity varchar not null,
        segment varchar not null, loss_kind varchar not null, actual double not null, predicted double not null,
        low double, high double, loss double not null
    """,
    "monitoring.drift": """
        as_of_date date not null, model_name varchar not null, model_version varchar not null,
        column_name varchar not null, kind varchar not null, psi double not null, threshold double not null, ks double,
        ks_p_value double, reference_rows bigint not null, current_rows bigint not null, is_drifted boolean not null
    """,
}


def written_tables() -> dict[str, str]:
    """Returns what a run writes, feeds and dbt apart: each table with the definition of its columns."""
    return QUALITY_TABLES | IDENTITY_TABLES | MONITORING_TABLES | prediction_tables()


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file, opened for one piece of work at a time and closed again, so that dbt can have it next."""

    path: Path

    @property
    def raw_kept_days(self) -> None:
        """Raw rows stay."""

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yields a connection that reads and writes, with clock and calendar in UTC.

        Raises:
            CatalystError: Another process has the file open for writing.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = duckdb.connect(str(self.path))
        except duckdb.IOException as error:
            raise CatalystError(
                f"The warehouse {self.path} cannot be opened ({str(error).splitlines()[0]}). "
                "Wait for the other process or stop it, then run again; BI tools belong on the published copy."
            ) from error
        try:
            connection.execute("set enable_progress_bar = false")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yields a connection whose changes come all together at the end, or, after an error, not at all.

        Raises:
            CatalystError: The file cannot be written, such as on a full disk.
        """
        with self.connect() as connection:
            connection.begin()
            try:
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
            except (duckdb.IOException, duckdb.TransactionException) as error:
                raise CatalystError(
                    f"The warehouse {self.path} cannot be written ({str(error).splitlines()[0]}). Free some of the "
                    "disk if it is full, and run again: nothing of this step counts."
                ) from error

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Returns the rows of a query as an Arrow table."""
        with self.connect() as connection:
            return connection.execute(sql, parameters).to_arrow_table()

    def prepare(self, feeds: Sequence[Feed]) -> None:
        """Creates what every model may read, so that a model builds before its feed has sent a row.

        Columns that a contract or a model's predictions have gained since are added; columns that they lost stay.
        """
        with self.transaction() as connection:
            for name, columns in written_tables().items():
                connection.execute(f"create schema if not exists {name.split('.')[0]}")
                connection.execute(f"create table if not exists {name} ({columns})")
            for name, column in GAINED_COLUMNS.items():
                connection.execute(f"alter table {name} add column if not exists {column}")
            for name, kinds in prediction_columns().items():
                _add_columns(connection, name, kinds)
            for feed in feeds:
                connection.execute(f"create schema if not exists {feed.schema}")
                _order_ledger(feed.schema, connection)
                kinds = declared_columns(feed)
                connection.execute(f"create table if not exists {feed.id} ({definitions(kinds)})")
                _add_columns(connection, feed.id, kinds)

    def replace_partition(self, table: str, as_of: date, rows: pa.Table) -> int:
        """Writes the rows of one as-of date in place of those that the table holds for it.

        Args:
            table: A table with a column as_of_date.
            as_of: The date whose rows are replaced.
            rows: The new rows; columns are matched by name.

        Returns:
            The number of rows written.

        Raises:
            CatalystError: There are no rows.
        """
        require_rows(rows, table, as_of)
        with self.transaction() as connection:
            connection.register("incoming_rows", rows)
            connection.execute(f"delete from {table} where as_of_date = ?", [as_of])
            connection.execute(f"insert into {table} by name select * from incoming_rows")
        return int(rows.num_rows)

    def row_counts(self) -> dict[tuple[str, str], int]:
        """Returns about how many rows each table has, by its schema and name."""
        with self.connect() as connection:
            found = connection.execute("select schema_name, table_name, estimated_size from duckdb_tables()").fetchall()
        return {(schema, table): size for schema, table, size in found}


def warehouse_of(settings: Settings) -> Store:
    """Returns the warehouse of the target: the DuckDB file, or BigQuery.

    Raises:
        CatalystError: The target is BigQuery, and its libraries are not installed.
    """
    if settings.target == "local":
        return Warehouse(settings.warehouse)
    try:
        from orchestration.bigquery import BigQuery
    except ModuleNotFoundError as error:
        raise CatalystError(
            f"CATALYST_TARGET=prod needs the libraries of BigQuery ({error.name} is not installed): run "
            "`uv sync --group bigquery`, then try again."
        ) from error
    return BigQuery(
        settings.gcp_project, settings.location, settings.pii_policy_tag, settings.landing_bucket, settings.home
    )


def require_rows(rows: pa.Table, table: str, as_of: date) -> None:
    """Makes sure that there are rows to write for a date.

    Raises:
        CatalystError: There are none: an empty prediction is a failure upstream, not a result.
    """
    if rows.num_rows == 0:
        raise CatalystError(f"No row came to be written to {table} for {as_of}: look at the step before it.")


def _add_columns(connection: duckdb.DuckDBPyConnection, table: str, kinds: Mapping[str, str]) -> None:
    have = {row[0] for row in connection.execute(f"describe {table}").fetchall()}
    for name in [name for name in kinds if name not in have]:
        connection.execute(f"alter table {table} add column {quoted(name)} {kinds[name]}")


def _order_ledger(schema: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Numbers the entries of a ledger of files from before they bore a number, in the order in which they were made."""
    found = connection.execute(
        "select column_name from information_schema.columns where table_schema = ? and table_name = '_files'", [schema]
    ).fetchall()
    if found and ("position",) not in found:
        connection.execute(f"alter table {schema}._files add column position bigint")
        connection.execute(f"update {schema}._files set position = rowid")


# What landing adds to the columns of every contract. Files alone fill `_file`; a line or message that cannot be read
# leaves its text in `_malformed`.
LANDING_COLUMNS = {
    "_file": "varchar",
    "_malformed": "varchar",
    "_row": "bigint",
    "_dlt_load_id": "varchar",
}


def declared_columns(feed: Feed) -> dict[str, str]:
    """Returns the columns of a feed's raw table with their types: those of its contract, then those of landing."""
    return {column.name: column.physical_type for column in feed.columns} | LANDING_COLUMNS


def definitions(columns: Mapping[str, str]) -> str:
    """Returns columns with their types as they stand in the definition of a table."""
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
