"""The REST API of the warehouses and the app, served on this machine while a feed reads it; it is paged and forgets."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from orchestration.demo.company import Company
from orchestration.demo.mess import Batch, FeedShape
from orchestration.demo.register import demo_folder, read_register
from orchestration.demo.sources import LOGINS_KEPT_DAYS
from orchestration.demo.sources.app import LOGINS, logins_batch
from orchestration.demo.sources.warehouses import INVENTORY, inventory_batch
from orchestration.errors import CatalystError

PAGE_ROWS = 1000
INVENTORY_KEPT_DAYS = 30


@dataclass(frozen=True)
class Resource:
    """Something that the API answers with.

    Attributes:
        stamp: The column that `since` is about, as text that sorts by time.
        kept_days: How many days it remembers.
    """

    shape: FeedShape
    batch: Callable[[Company, int], Batch]
    stamp: str
    kept_days: int


RESOURCES = {
    "inventory": Resource(INVENTORY, inventory_batch, "snapshot_date", INVENTORY_KEPT_DAYS),
    "logins": Resource(LOGINS, logins_batch, "recorded_at", LOGINS_KEPT_DAYS),
}


@contextmanager
def serve(home: Path) -> Iterator[str]:
    """Serves the API of the company in a home on a free port of this machine, and yields the base URL.

    `GET <base>/inventory?since=YYYY-MM-DD&cursor=...` answers `{"data": [...], "next": "<cursor>" or null}`;
    `/logins` does the same and takes a time in UTC, YYYY-MM-DDTHH:MM:SS, as well as a date.

    Raises:
        CatalystError: No company has been founded in the home.
    """
    register = read_register(home)
    if register is None or register.generated_through is None:
        raise CatalystError(
            f"There is no simulated company in {demo_folder(home)} whose API could be served: "
            "advance it first (`catalyst run` does)."
        )
    company, through = register.company, register.generated_through

    class Handler(_Handler):
        def rows(self, name: str, since: datetime | None) -> list[dict[str, Any]]:
            return _rows(company, company.t(through), name, since)

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
def _rows(company: Company, last: int, name: str, since: datetime | None) -> list[dict[str, Any]]:
    resource = RESOURCES[name]
    columns = resource.shape.columns
    first = max(last - resource.kept_days + 1, 0)
    found = [
        dict(zip(columns, row, strict=True))
        for t in range(first, last + 1)
        if since is None or company.day(t) >= since.date()
        for row in resource.batch(company, t).rows
    ]
    if since is None:
        return found
    # A date alone sorts before all times of its day.
    start = str(since.date()) if since.time() == datetime.min.time() else since.isoformat()
    return [row for row in found if str(row[resource.stamp]) >= start]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Answers are written in two parts; without this the second one waits for the first to be acknowledged.
    disable_nagle_algorithm = True

    def rows(self, name: str, since: datetime | None) -> list[dict[str, Any]]:
        raise NotImplementedError

    def do_GET(self) -> None:
        """Answers a page of a resource."""
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        name = url.path.strip("/")
        if name not in RESOURCES:
            self._answer(404, {"error": f"There is no {url.path}; ask for /{' or /'.join(RESOURCES)}."})
            return
        try:
            since = _moment(query["since"][0]) if "since" in query else None
            start = _position(query["cursor"][0]) if "cursor" in query else 0
        except ValueError as error:
            self._answer(400, {"error": f"The query cannot be read: {error}."})
            return
        rows = self.rows(name, since)
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


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


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
