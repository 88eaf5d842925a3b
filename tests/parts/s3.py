"""A real server of S3's protocol on this machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import count

import pytest

from tests.conftest import Requires
from tests.parts.gcs import Bucket

# Says its port once it listens, and ends with the process that holds its input open.
SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_numbers = count()


@pytest.fixture(scope="session")
def _s3_server(requires: Requires) -> Iterator[str]:
    command = [sys.executable, "-W", "ignore", "-c", SERVER]
    with (
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        requires(bool(port), "The server of S3 does not start: python -m pip show moto flask flask-cors")
        for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
            patch.setenv(f"AWS_{name}", "of-a-test")
        yield f"http://127.0.0.1:{port}"
        process.communicate()


@pytest.fixture
def s3_bucket(_s3_server: str) -> Bucket:
    """An empty bucket on a real server of the protocol."""
    import s3fs  # type: ignore[import-untyped]

    filesystem = s3fs.S3FileSystem(endpoint_url=_s3_server, skip_instance_cache=True)
    name = f"bucket-{next(_numbers)}"
    filesystem.mkdir(name)
    return Bucket(name, _s3_server, filesystem, "s3")
