"""The warehouses' REST API, served on this machine while a feed reads it; it is paged and forgets after 30 days."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from orchestration.demo.company import Company
from orchestration.demo.register import demo_folder, read_register
from orchestration.demo.sources.warehouses import INVENTORY, inventory_batch
from orchestration.errors import CatalystError

PAGE_ROWS = 1000
KEPT_DAYS = 30


@contextmanager
def serve(home: Path) -> Iterator[str]:
    """Serves the inventory of the company in a home on a free port of this machine, and yields the base URL.

    `GET <base>/inventory?since=YYYY-MM-DD&cursor=...` answers `{"data": [...], "next": "<cursor>" or null}`.

    Raises:
        CatalystError: No company has been founded in the home.
    """
    register = read_register(home)
    if register is None or register.generated_through is None:
        raise CatalystError(
            f"There is no simulated company in {demo_folder(home)} whose inventory could be served: "
            "advance it first (`catalyst run` does)."
        )
    company, through = register.company, register.generated_through

    class Handler(_Handler):
        def snapshots(self, since: date | None) -> list[dict[str, Any]]:
            return _snapshots(company, through, since)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="demo-api", kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@lru_cache(maxsize=4)
def _snapshots(company: Company, through: date, since: date | None) -> list[dict[str, Any]]:
    first = max(company.opened, through - timedelta(days=KEPT_DAYS - 1), since or company.opened)
    return [
        dict(zip(INVENTORY.columns, row, strict=True))
        for t in range(company.t(first), company.t(through) + 1)
        for row in inventory_batch(company, t).rows
    ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Answers are written in two parts; without this the second one waits for the first to be acknowledged.
    disable_nagle_algorithm = True

    def snapshots(self, since: date | None) -> list[dict[str, Any]]:
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answers a page of the inventory."""
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path.rstrip("/") != "/inventory":
            self._answer(404, {"error": f"There is no {url.path}; ask for /inventory."})
            return
        try:
            since = date.fromisoformat(query["since"][0]) if "since" in query else None
            start = _position(query["cursor"][0]) if "cursor" in query else 0
        except ValueError as error:
            self._answer(400, {"error": f"The query cannot be read: {error}."})
            return
        rows = self.snapshots(since)
        end = start + PAGE_ROWS
        self._answer(200, {"data": rows[start:end], "next": _cursor(end) if end < len(rows) else None})

    def log_message(self, *args: Any, **kwargs: Any) -> None:
        """Says nothing: the pipeline's own progress is what people read."""

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"row {position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError(f"cursor {cursor!r} is none of ours") from error
    if not text.startswith("row "):
        raise ValueError(f"cursor {cursor!r} is none of ours")
    return int(text.removeprefix("row "))
