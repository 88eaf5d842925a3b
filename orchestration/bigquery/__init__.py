"""The warehouse on BigQuery: the only package that imports Google's client of it. The SQL that comes here is DuckDB's.

A transaction of BigQuery lives in a session, and so do temporary tables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import google.auth
from google.api_core.exceptions import GoogleAPIError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery

from orchestration.bigquery import tables
from orchestration.bigquery.session import Rows, Session, load
from orchestration.bigquery_refusals import SIGN_IN, remedy
from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.warehouse import require_rows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BigQuery", "Rows", "Session"]


@dataclass(frozen=True)
class BigQuery:
    """The datasets of a project, in one location."""

    project: str
    location: str = "US"
    pii_policy_tag: str = ""
    # By these two rows land: a bucket, and a folder of this machine's for what is staged on the way there.
    landing_bucket: str = ""
    home: Path = Path(".catalyst")

    @property
    def credentials(self) -> Any:
        """Who asks."""
        return AnonymousCredentials() if _is_emulated() else _credentials()  # type: ignore[no-untyped-call]

    @property
    def account(self) -> str:
        """The service account that asks; empty for a person."""
        return str(getattr(self.credentials, "service_account_email", ""))

    @property
    def raw_kept_days(self) -> int:
        """After so many days raw rows are gone."""
        return tables.RAW_KEPT_DAYS

    @contextmanager
    def connect(self) -> Iterator[Session]:
        """Yields what reads.

        Raises:
            CatalystError: BigQuery refuses, or cannot be reached.
        """
        with self._client() as client:
            session = Session(client)
            try:
                yield session
            finally:
                session.drop_registered()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Yields what reads and writes in one transaction; its changes come all together at the end, or not at all.

        Raises:
            CatalystError: BigQuery refuses, cannot be reached, or others have changed the same tables meanwhile.
        """
        with self._client() as client:
            session = Session(client, is_transaction=True)
            try:
                yield session
                if session.is_open:
                    session.run("commit transaction")
            finally:
                if session.is_open:
                    # Ends the transaction with it, unless that was committed.
                    session.run("call bq.abort_session()")
                session.drop_registered()

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Returns the rows of a query as an Arrow table."""
        with self.connect() as session:
            return session.execute(sql, parameters).to_arrow_table(by_storage=not _is_emulated())

    def prepare(self, feeds: Sequence[Feed]) -> None:
        """Creates what every model may read, and the columns that contracts have gained since."""
        with self._client() as client:
            tables.ensure(client, feeds, self.pii_policy_tag)

    def replace_partition(self, table: str, as_of: date, rows: pa.Table) -> int:
        """Writes the rows of one as-of date in place of those that the table holds for it, by one load job.

        Args:
            table: A table that is partitioned by as_of_date.
            as_of: The date whose rows are replaced.
            rows: The new rows; columns are matched by name.

        Returns:
            The number of rows written.

        Raises:
            CatalystError: There are no rows, or BigQuery refuses.
        """
        require_rows(rows, table, as_of)
        with self._client() as client:
            load(client, rows, f"{table}${as_of:%Y%m%d}", client.get_table(table).schema)
        return int(rows.num_rows)

    def row_counts(self) -> dict[tuple[str, str], int]:
        """Returns the rows of every table by its schema and name, raw ones apart."""
        with self._client() as client:
            return dict(tables.counts(client))

    @contextmanager
    def _client(self) -> Iterator[bigquery.Client]:
        account = ""
        try:
            account = self.account
            with bigquery.Client(self.project, self.credentials, location=self.location) as client:
                yield client
        except (GoogleAPIError, GoogleAuthError) as error:
            raise CatalystError(sentence(error, self.project, account)) from error


def sentence(error: Exception, project: str, account: str = "") -> str:
    """Returns what an error of Google's means to the user, and what to do about it."""
    said = " ".join(str(getattr(error, "message", error)).split())[:300].rstrip(".")
    reasons = [item.get("reason", "") for item in getattr(error, "errors", None) or ()]
    if isinstance(error, GoogleAuthError):
        return f"The credentials of Google cannot be used ({said}). {SIGN_IN}"
    what_to_do = remedy(" ".join([said, *reasons]), project, account)
    return (
        f"BigQuery does not serve the project {project} ({said}). "
        f"{what_to_do or 'Mend that and run again: nothing of this step counts.'}"
    )


def _is_emulated() -> bool:
    # Google's own name for where an emulator listens, which asks for no credentials.
    return "BIGQUERY_EMULATOR_HOST" in os.environ


@cache
def _credentials() -> Any:
    # Once for all clients of a process: each would ask for a token of its own.
    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    return credentials
