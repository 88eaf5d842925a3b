"""Where a server that a test starts listens, and whether it does."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import ExitStack, suppress


def free_ports(number: int) -> list[int]:
    """Returns ports of this machine that nothing listens on."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in range(number)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


def listens(port: int, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Waits until a server listens, and says whether it does: it may end before, or take too long."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.02)
    return False
