"""An alert is kept, reaches its receivers, and says which of them it could not reach."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from orchestration.alerts import Alert, send
from orchestration.settings import Settings

ALERT = Alert("raw_shop.orders", "Feed raw_shop.orders stopped", "- **price:range**: 3 of 10 rows")


@contextmanager
def _webhook(status: int = 200) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1], received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _settings(tmp_path: Path, alerts: str) -> Settings:
    return Settings(home=tmp_path, alerts=alerts)


def test_an_alert_is_kept_as_a_file_even_without_receivers(tmp_path: Path) -> None:
    sent = send(ALERT, _settings(tmp_path, ""))
    assert sent.path.parent == tmp_path / "alerts"
    assert sent.path.read_text(encoding="utf-8") == f"# {ALERT.title}\n\n{ALERT.body}\n"
    assert sent.undelivered == ()


def test_a_webhook_receives_title_and_body(tmp_path: Path) -> None:
    with _webhook() as (port, received):
        sent = send(ALERT, _settings(tmp_path, f"json://127.0.0.1:{port}/hook"))
    assert sent.undelivered == ()
    assert received[0]["title"] == ALERT.title
    assert "price:range" in received[0]["message"]


@pytest.mark.parametrize("kind", ["refused", "error 500"])
def test_a_receiver_that_cannot_take_it_is_named_without_its_secrets_and_the_others_get_it(
    tmp_path: Path, kind: str
) -> None:
    with _webhook() as (good, received), _webhook(500) as (failing, _), socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        bad = failing if kind == "error 500" else closed.getsockname()[1]
        sent = send(ALERT, _settings(tmp_path, f"json://user:geheim@127.0.0.1:{bad}/ json://127.0.0.1:{good}/hook"))
    assert len(received) == 1
    assert len(sent.undelivered) == 1
    assert f"127.0.0.1:{bad}" in sent.undelivered[0]
    assert "geheim" not in sent.undelivered[0]
    assert "Not delivered to json://" in sent.path.read_text(encoding="utf-8")


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    sent = send(ALERT, _settings(tmp_path, "nowhere://at-all"))
    assert "nowhere://" in sent.undelivered[0]
    assert "CATALYST_ALERTS" in sent.undelivered[0]
