"""Looks at the first messages of a topic."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestration.contracts import Kind, read_feed
from orchestration.errors import CatalystError
from orchestration.samples.sample import SAMPLE_ROWS, Sample, landed
from orchestration.warehouse import Warehouse

_NO_COLUMN = "catalyst_sample"


def look(location: str, address: str) -> Sample:
    """Lands the first messages into a warehouse that is thrown away, as only landing knows how a topic is read.

    Raises:
        CatalystError: The address names no topic, or the broker cannot be read.
    """
    from orchestration.landing import land

    topic = urlsplit(address).path.strip("/")
    if not topic or not urlsplit(address).netloc:
        raise CatalystError(f"{address!r} names no topic: write kafka://host:port/topic.")
    # The contract keeps placeholders, which the sample has seen expanded.
    host = location.removeprefix("kafka://").rsplit("/", 1)[0]
    server = {"type": "kafka", "host": host, "format": "json"}
    # A group of its own, and no more rows than wanted: what is read here stays unread for the feed.
    limits = {"topic": topic, "maxRows": str(SAMPLE_ROWS), "group": "catalyst-sample"}
    with tempfile.TemporaryDirectory(prefix="catalyst-sample-") as work:
        contract = Path(work) / "sample.odcs.yaml"
        contract.write_text(json.dumps(_bare_contract(server, limits)), encoding="utf-8")
        feed, warehouse = read_feed(contract), Warehouse(Path(work) / "sample.duckdb")
        warehouse.prepare([feed])
        land(feed, warehouse)
        found = warehouse.query(f"select * exclude ({_NO_COLUMN}) from {feed.id} where _malformed is null")
    rows, spellings = landed(found)
    return Sample(Kind.STREAM, server, {"topic": topic}, rows, spellings)


def _bare_contract(server: Mapping[str, str], custom: Mapping[str, str]) -> dict[str, Any]:
    column = {"name": _NO_COLUMN, "logicalType": "string", "physicalType": "varchar"}
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "raw_sample.sample",
        "version": "1.0.0",
        "status": "active",
        "servers": [
            {"server": "sample"}
            | dict(server)
            | {"customProperties": [{"property": name, "value": value} for name, value in custom.items()]}
        ],
        "schema": [
            {"name": "sample", "physicalName": "raw_sample.sample", "logicalType": "object", "properties": [column]}
        ],
    }
