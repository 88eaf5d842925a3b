"""How fast landing and the gate are, as a share of DuckDB doing the bare work on the same file in the same run."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import yaml

from orchestration import settings
from orchestration.contracts import Feed, load_feeds
from orchestration.gate import gate
from orchestration.landing import land
from orchestration.rules import rules
from orchestration.warehouse import Warehouse

ROWS = 1_000_000
ROUNDS = 3
READERS = {"parquet": "read_parquet", "csv": "read_csv", "jsonl": "read_json"}


def main() -> None:
    """Prints rows a second by format, with DuckDB's own reading of the file as the limit."""
    settings.load()
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder:
        home = Path(folder)
        _write_files(home)
        print(f"{ROWS:,} rows of 8 columns, median of {ROUNDS} rounds, limit and landing in turn")
        print(f"{'format':<9}{'limit rows/s':>14}{'landing rows/s':>16}{'ratio':>8}{'gate / same checks':>20}")
        for form, reader in READERS.items():
            limit, landing, gating, checks = zip(*(_round(home, form, reader, n) for n in range(ROUNDS)), strict=True)
            fastest, ours = ROWS / statistics.median(limit), ROWS / statistics.median(landing)
            share = statistics.median(gating) / statistics.median(checks)
            print(f"{form:<9}{fastest:>14,.0f}{ours:>16,.0f}{ours / fastest:>8.0%}{share:>20.2f}", flush=True)


def _write_files(home: Path) -> None:
    rows = f"""
        select 'L' || i as id, 'S0' || (i % 8 + 1) as store_id, 'P' || (i % 150) as product_id,
            'C' || (i % 6000) as customer_id, i % 5 + 1 as quantity, (i % 9999 + 1) / 100.0 as price, 'EUR' as currency,
            make_timestamp(1700000000000000 + i * 60000000) as sold_at
        from range({ROWS}) as t (i)
    """
    with duckdb.connect() as connection:
        for form in READERS:
            name = "json" if form == "jsonl" else form
            connection.execute(f"copy ({rows}) to '{home}/sales.{form}' (format {name})")


def _feed(home: Path, form: str) -> Feed:
    native = form == "parquet"
    kinds = {
        "id": ("string", "varchar"),
        "store_id": ("string", "varchar"),
        "product_id": ("string", "varchar"),
        "customer_id": ("string", "varchar"),
        "quantity": ("integer", "bigint"),
        "price": ("number", "double"),
        "currency": ("string", "varchar"),
        "sold_at": ("timestamp", "timestamp"),
    }
    options = {
        "quantity": {"minimum": -1000, "maximum": 1000},
        "price": {"exclusiveMinimum": 0, "exclusiveMaximum": 10000},
        "currency": {"pattern": "^(EUR|USD)$"},
    }
    properties = [
        {
            "name": name,
            "logicalType": logical,
            "physicalType": physical if native else "varchar",
            "required": True,
            **({"logicalTypeOptions": options[name]} if name in options else {}),
        }
        for name, (logical, physical) in kinds.items()
    ]
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "raw_bench.sales",
        "name": "sales",
        "version": "1.0.0",
        "status": "active",
        "servers": [{"server": "bench", "type": "local", "path": f"{home}/sales.{form}", "format": form}],
        "schema": [
            {"name": "sales", "physicalName": "raw_bench.sales", "logicalType": "object", "properties": properties}
        ],
    }
    folder = home / f"feeds_{form}"
    folder.mkdir(exist_ok=True)
    (folder / "sales.odcs.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_feeds(folder)[0]


def _round(home: Path, form: str, reader: str, number: int) -> tuple[float, float, float, float]:
    feed = _feed(home, form)
    file = home / f"limit_{form}_{number}.duckdb"
    with duckdb.connect(str(file)) as connection:
        limit = _time(
            lambda: connection.execute(f"create table sales as select * from {reader}('{home}/sales.{form}')")
        )
    file.unlink()
    warehouse = Warehouse(home / f"warehouse_{form}_{number}.duckdb")
    warehouse.prepare([feed])
    landing = _time(lambda: land(feed, warehouse))
    gating = _time(lambda: gate(feed, warehouse))
    broken = " or ".join(f"({rule.broken})" for rule in rules(feed))
    with warehouse.connect() as connection:
        checks = _time(
            lambda: connection.execute(f"create temp table bad as select * from {feed.id} where {broken}").fetchall()
        )
    warehouse.path.unlink()
    return limit, landing, gating, checks


def _time(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
