"""What the gate costs beside the same checks written by hand: 5 million landed rows, both in one run, in turn."""

from __future__ import annotations

import statistics
import tempfile
from importlib import import_module
from pathlib import Path

from benchmarks.landing import COLUMNS, columns_of, feed_of, timed
from orchestration import settings
from orchestration.contracts import Feed
from orchestration.gate import gate
from orchestration.landing import pipeline_name
from orchestration.warehouse import Warehouse

ROWS = 5_000_000
ROUNDS = 4

# Those of the rows that landing is measured with, without the number by which a database is read on.
_COLUMNS = {name: kinds for name, kinds in COLUMNS.items() if name != "entry_id"}
_OPTIONS = {
    "quantity": {"minimum": -1000, "maximum": 1000},
    "price": {"exclusiveMinimum": 0, "exclusiveMaximum": 10000},
    "currency": {"pattern": "^(EUR|USD)$"},
}


def main() -> None:
    """Prints seconds and their ratio, for rows that landed as text and for rows that landed in their types."""
    settings.load()
    seconds = timed(lambda: import_module("orchestration.expectations"))
    print(f"import of Great Expectations, once a process: {seconds:.1f} s")
    print(f"{ROWS:,} rows of 8 columns, 0.2 % broken, 0.1 % repeated; median of {ROUNDS} rounds, each first in half")
    print(f"{'landed as':<11}{'by hand s':>11}{'gate s':>9}{'ratio':>8}{'marks':>9}")
    for landed, native in (("text", False), ("types", True)):
        with tempfile.TemporaryDirectory(prefix="catalyst-bench-") as folder:
            by_hand, gated, marks = zip(*(_round(Path(folder), native, n) for n in range(ROUNDS)), strict=True)
        hand, ours = statistics.median(by_hand), statistics.median(gated)
        print(f"{landed:<11}{hand:>11.2f}{ours:>9.2f}{ours / hand:>8.2f}{marks[0]:>9,}", flush=True)


def _round(folder: Path, native: bool, number: int) -> tuple[float, float, int]:
    """One warehouse, on which the checks by hand and the gate must mark the same rows."""
    home = folder / str(number)
    home.mkdir()
    feed = _feed(home, native)
    warehouse = Warehouse(home / "warehouse.duckdb")
    warehouse.prepare([feed])
    _land(feed, warehouse)
    works = [lambda: _by_hand(feed, warehouse), lambda: gate(feed, warehouse)]
    # Whoever comes first reads the rows from disk.
    order = [0, 1] if number % 2 == 0 else [1, 0]
    seconds = {which: timed(works[which]) for which in order}
    with warehouse.connect() as connection:
        differing = connection.execute(
            """
            select count(*) from (select row_number, rules from hand.marks) as ours
            full join (select row_number, rules from quality.quarantine) as theirs using (row_number, rules)
            where ours.row_number is null or theirs.row_number is null
            """
        ).fetchall()[0][0]
        marks = connection.execute("select count(*) from quality.quarantine").fetchall()[0][0]
    if differing or not marks:
        raise RuntimeError(f"The gate and the checks by hand differ in {differing} of {marks} marks.")
    warehouse.path.unlink()
    return seconds[0], seconds[1], int(marks)


def _feed(home: Path, native: bool) -> Feed:
    columns = columns_of(_COLUMNS, native)
    for column in columns:
        if column["name"] == "id":
            column["primaryKey"] = True
        if column["name"] in _OPTIONS:
            column["logicalTypeOptions"] = _OPTIONS[column["name"]]
    server = {"type": "local", "path": f"{home}/sales.csv", "format": "csv"}
    return feed_of(home / "sales.odcs.yaml", server, columns)


def _land(feed: Feed, warehouse: Warehouse) -> None:
    """Writes what a landing leaves: the rows with their load id, and the load in dlt's list of complete ones."""
    columns = ", ".join(f"cast({column.name} as {column.physical_type}) as {column.name}" for column in feed.columns)
    with warehouse.connect() as connection:
        connection.execute(
            f"""
            insert into {feed.id} by name
            select {columns}, i as _row, '1700000000.5' as _dlt_load_id
            from (
                select i, 'L' || (case when i % 1000 = 9 then i - 1 else i end) as id, 'S0' || (i % 8 + 1) as store_id,
                    'P' || (i % 150) as product_id, 'C' || (i % 6000) as customer_id,
                    case when i % 1500 = 7 then 5000 else i % 5 + 1 end as quantity,
                    case when i % 1500 = 77 then -1 else (i % 9999 + 1) / 100.0 end as price,
                    case when i % 1500 = 777 then 'eur' else 'EUR' end as currency,
                    make_timestamp(1700000000000000 + i * 60000000) as sold_at
                from range({ROWS}) as t (i)
            )
            """
        )
        connection.execute(
            f"""
            create table {feed.schema}._dlt_loads as
            select '1700000000.5' as load_id, '{pipeline_name(feed)}' as schema_name, 0 as status
            """
        )


def _by_hand(feed: Feed, warehouse: Warehouse) -> None:
    """The checks as one would write them for this table alone: one scan for the rules, one grouping for the key."""
    typed = {
        column.name: column.name
        if column.physical_type != "varchar" or column.logical_type == "string"
        else f"try_cast({column.name} as {_COLUMNS[column.name][1]})"
        for column in feed.columns
    }
    native = typed["price"] == "price"
    quantity, price, sold_at = typed["quantity"], typed["price"], typed["sold_at"]
    rules = {f"{name}:required": f"{name} is null" for name in _COLUMNS}
    rules |= {
        "_malformed:syntax": "_malformed is not null",
        "currency:pattern": "not regexp_matches(currency, '^(EUR|USD)$')",
        "price:range": f"{price} <= 0 or {price} >= 10000",
        "price:type": f"price is not null and ({price} is null or not isfinite({price}))",
        "quantity:range": f"{quantity} < -1000 or {quantity} > 1000",
        "quantity:type": f"quantity is not null and ({quantity} is null or {_is_fraction(native)})",
        "sold_at:type": f"sold_at is not null and ({sold_at} is null or year({sold_at}) not between 1 and 9999)",
    }
    names = ", ".join(f"case when {broken} then '{name}' end" for name, broken in sorted(rules.items()))
    reasons = ", ".join(
        f"case when {broken} then concat('{name.split(':')[0]} is ', cast({name.split(':')[0]} as varchar), '.') end"
        for name, broken in sorted(rules.items())
    )
    with warehouse.transaction() as connection:
        connection.execute("create schema hand")
        connection.execute(
            f"""
            create table hand.marks as
            select _row as row_number, array_to_string([{names}], ',') as rules,
                array_to_string([{reasons}], ' ') as reasons, to_json(raw) as payload
            from {feed.id} as raw
            where _dlt_load_id = '1700000000.5' and ({" or ".join(f"({broken})" for broken in rules.values())})
            """
        )
        connection.execute(
            f"""
            insert into hand.marks
            with contested as (
                select id, _row from {feed.id}
                where _dlt_load_id = '1700000000.5' and _row not in (select row_number from hand.marks)
                    and id in (
                        select id from {feed.id} where _dlt_load_id = '1700000000.5' group by id having count(*) > 1
                    )
            )
            select _row, 'id:unique', concat('The key id ', id, ' has come before.'), to_json(raw)
            from {feed.id} as raw
            where _dlt_load_id = '1700000000.5' and _row in (
                select _row from contested
                inner join (select id, min(_row) as first_row from contested group by id) using (id)
                where _row > first_row
            )
            """
        )
        connection.execute(
            f"create table hand.counts as select (select count(*) from {feed.id}), (select count(*) from hand.marks)"
        )


def _is_fraction(native: bool) -> str:
    return "false" if native else "(contains(quantity, '.') and try_cast(quantity as double) % 1 != 0)"
