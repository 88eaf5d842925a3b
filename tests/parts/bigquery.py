"""A BigQuery on this machine: local-bigquery, one for all tests of a process, in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bigquery import environment
from tests.conftest import Requires
from tests.parts import gcs
from tests.parts.ports import free_ports, listens

if TYPE_CHECKING:
    import pyarrow as pa
    from google.cloud import bigquery

_SECONDS = 60
_numbers = count()
# Each module that takes over the fixture has it as one of its own; the server is one all the same.
_running: list[str] = []


@dataclass(frozen=True)
class Project:
    """An empty project, by the name under which Google's clients find it."""

    id: str
    endpoint: str

    def client(self) -> bigquery.Client:
        """Returns a client for it, to be closed."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        return bigquery.Client(self.id, AnonymousCredentials())  # type: ignore[no-untyped-call]

    def load(self, table: str, rows: pa.Table) -> None:
        """Puts rows in place of those of a table; times count as UTC."""
        self.load_all({table: rows})

    def load_all(self, tables: Mapping[str, pa.Table]) -> None:
        """Puts rows in place of those of each table; times count as UTC."""
        import io

        import pyarrow as pa
        import pyarrow.parquet as pq
        from google.cloud import bigquery

        config = bigquery.LoadJobConfig(
            source_format=bigquery.SourceFormat.PARQUET, write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE
        )
        with self.client() as client:
            for schema in sorted({table.split(".", maxsplit=1)[0] for table in tables}):
                client.create_dataset(schema, exists_ok=True)
            for table, rows in tables.items():
                is_time = [pa.types.is_timestamp(part.type) for part in rows.schema]
                kinds = [
                    pa.timestamp("us", "UTC") if moment else part.type
                    for moment, part in zip(is_time, rows.schema, strict=True)
                ]
                content = io.BytesIO()
                pq.write_table(rows.cast(pa.schema(list(zip(rows.schema.names, kinds, strict=True)))), content)
                content.seek(0)
                client.load_table_from_file(content, table, job_config=config).result()


@pytest.fixture(scope="session")
def _bigquery_server(requires: Requires, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if _running:
        yield _running[0]
        return
    try:
        interpreter, reason = environment.python(), ""
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = f"The environment of local-bigquery cannot be made: {error}"
    requires(not reason, reason)
    folder = tmp_path_factory.mktemp("bigquery")
    port, grpc_port = free_ports(2)
    serve = Path(environment.__file__).with_name("serve.py")
    address = f"--host 127.0.0.1 --port {port} --grpc-port {grpc_port} --project catalyst".split()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [str(interpreter), str(serve), *address, "--data-dir", str(folder / "data")],
            env=os.environ | environment.home() | {"GCS_LOCAL_ROOT": str(tmp_path_factory.getbasetemp() / gcs.FOLDER)},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        started = listens(port, process, _SECONDS)
        requires(started, f"local-bigquery does not start: {(folder / 'log').read_text()[-500:]}")
        with pytest.MonkeyPatch.context() as patch:
            _running.append(f"http://127.0.0.1:{port}")
            patch.setenv("BIGQUERY_EMULATOR_HOST", _running[0])
            yield _running[0]
    finally:
        _running.clear()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def bigquery_project(_bigquery_server: str) -> Project:
    """An empty project on a BigQuery of this machine."""
    return Project(f"project-{next(_numbers)}", _bigquery_server)
