"""The gate between raw and staging: checks each landed load against its contract and marks the rows that break it.

Raw keeps every row. A mark in `quality.quarantine` says which rules a row breaks; staging reads the rows of gated loads
that bear no mark. So rows landed = accepted + quarantined holds by construction, and a rule that was mended is applied
by deleting marks and gating again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing import pipeline_name
from orchestration.rules import rules
from orchestration.warehouse import Warehouse


@dataclass(frozen=True)
class Gated:
    """What the gate found in the loads of a feed that it had not seen before."""

    feed: str
    loads: int
    landed: int
    accepted: int
    quarantined: int


def gate(feed: Feed, warehouse: Warehouse) -> Gated:
    """Gates every completed load of a feed that has not been gated, oldest first, each in one transaction."""
    before = totals(feed, warehouse)
    loads = _waiting(feed, warehouse)
    for load_id in loads:
        with warehouse.transaction() as connection:
            _gate_load(feed, load_id, connection)
    after = totals(feed, warehouse)
    return Gated(
        feed.id,
        len(loads),
        after.landed - before.landed,
        after.accepted - before.accepted,
        after.quarantined - before.quarantined,
    )


def totals(feed: Feed, warehouse: Warehouse) -> Gated:
    """Returns the counts over all gated loads of a feed."""
    with warehouse.connect() as connection:
        row = connection.execute(
            """
            select count(*), coalesce(sum(rows_landed), 0), coalesce(sum(rows_accepted), 0),
                coalesce(sum(rows_quarantined), 0)
            from quality.loads where feed = ?
            """,
            [feed.id],
        ).fetchall()[0]
    return Gated(feed.id, *(int(value) for value in row))


def check_balance(feed: Feed, warehouse: Warehouse) -> Gated:
    """Counts the raw rows themselves and holds them against what the gate has accepted and quarantined.

    Raises:
        CatalystError: The feed has no row at all, or a row is neither accepted nor quarantined.
    """
    counted = totals(feed, warehouse)
    with warehouse.connect() as connection:
        raw = _scalar(connection, f"select count(*) from {feed.id}")
        marks = _scalar(connection, "select count(*) from quality.quarantine where feed = ?", [feed.id])
    if raw == 0:
        raise CatalystError(
            f"Feed {feed.id} has not sent a single row, which is not a pass: check its source in {feed.path}."
        )
    if not (raw == counted.landed == counted.accepted + counted.quarantined and marks == counted.quarantined):
        raise CatalystError(
            f"Feed {feed.id} does not balance: {raw} raw rows, {counted.landed} gated, {counted.accepted} accepted, "
            f"{counted.quarantined} counted as quarantined, {marks} marks. Run again; if it stays, compare "
            "quality.loads with quality.quarantine for this feed."
        )
    return counted


def _scalar(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any] | None = None) -> int:
    return int(connection.execute(sql, parameters or []).fetchall()[0][0])


def _waiting(feed: Feed, warehouse: Warehouse) -> list[str]:
    with warehouse.connect() as connection:
        known = connection.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = '_dlt_loads'",
            [feed.schema],
        ).fetchone()
        if not known:
            return []
        found = connection.execute(
            f"""
            select load_id from {feed.schema}._dlt_loads
            where status = 0 and schema_name = ?
                and load_id not in (select load_id from quality.loads where feed = ?)
            order by load_id
            """,
            [pipeline_name(feed), feed.id],
        ).fetchall()
    return [row[0] for row in found]


def _gate_load(feed: Feed, load_id: str, connection: duckdb.DuckDBPyConnection) -> None:
    gated_before = _scalar(connection, "select count(*) from quality.loads where feed = ?", [feed.id])
    if gated_before:
        _mark_superseded(feed, load_id, connection)
    _mark_broken(feed, load_id, connection)
    if feed.key:
        _mark_repeated(feed, load_id, connection)
    connection.execute(
        f"""
        insert into quality.loads
        select '{feed.id}', load_id, {_LOADED_AT}, landed, landed - marked, marked, {_NOW}
        from (
            select
                ? as load_id,
                (select count(*) from {feed.id} where _dlt_load_id = ?) as landed,
                (select count(*) from quality.quarantine where feed = ? and load_id = ?) as marked
        )
        """,
        [load_id, load_id, feed.id, load_id],
    )


def _mark_broken(feed: Feed, load_id: str, connection: duckdb.DuckDBPyConnection) -> None:
    """One scan tests every rule; the sentences are made for the rows that break one only."""
    checks = rules(feed)
    broken = " or ".join(f"({rule.broken})" for rule in checks)
    names = ", ".join(f"case when {rule.broken} then '{rule.id}' end" for rule in checks)
    reasons = ", ".join(f"case when {rule.broken} then {rule.reason} end" for rule in checks)
    connection.execute(
        f"""
        insert into quality.quarantine
        select '{feed.id}', _dlt_load_id, _row, array_to_string([{names}], ','), array_to_string([{reasons}], ' '),
            to_json(raw), {_NOW}
        from {feed.id} as raw
        where _dlt_load_id = ? and ({broken})
        order by _row
        """,
        [load_id],
    )


def _mark_repeated(feed: Feed, load_id: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Among rows that are otherwise good, the first with a key stays, in this load or in an earlier one."""
    keys = ", ".join(feed.key)
    shown = ", ', ', ".join(f"'{name} ', cast({name} as varchar)" for name in feed.key)
    connection.execute(
        f"""
        insert into quality.quarantine
        select '{feed.id}', _dlt_load_id, _row, '{"+".join(feed.key)}:unique',
            concat('The key ', {shown}, ' has come before.'), to_json(raw), {_NOW}
        from {feed.id} as raw
        where _dlt_load_id = ? and _row in (
            select _row from (
                select _row, row_number() over (partition by {keys} order by _row) as nth
                from ({_unmarked(feed, "_dlt_load_id = ?")})
            ) where nth > 1
            union all
            select _row from ({_unmarked(feed, "_dlt_load_id = ?")})
            inner join (select {keys} from ({_unmarked(feed, _in_gated_loads(feed))})) using ({keys})
        )
        order by _row
        """,
        [load_id, load_id, load_id],
    )


def _mark_superseded(feed: Feed, load_id: str, connection: duckdb.DuckDBPyConnection) -> None:
    """A file that changed has landed again as a whole, so the rows of its earlier landing no longer count."""
    connection.execute(
        f"""
        insert into quality.quarantine
        select '{feed.id}', _dlt_load_id, _row, '_file:superseded',
            concat('The file ', _file, ' has changed and was landed again.'), to_json(raw), {_NOW}
        from ({_unmarked(feed, _in_gated_loads(feed))}) as raw
        where _file in (select distinct _file from {feed.id} where _dlt_load_id = ? and _file is not null)
        order by _dlt_load_id, _row
        """,
        [load_id],
    )
    connection.execute(
        """
        update quality.loads set rows_quarantined = marks.total, rows_accepted = rows_landed - marks.total
        from (select load_id, count(*) as total from quality.quarantine where feed = ? group by load_id) as marks
        where loads.feed = ? and loads.load_id = marks.load_id and loads.rows_quarantined != marks.total
        """,
        [feed.id, feed.id],
    )


def _unmarked(feed: Feed, loads: str) -> str:
    return f"""
        select * from {feed.id} where {loads} and not exists (
            select 1 from quality.quarantine as mark
            where mark.feed = '{feed.id}' and mark.load_id = {feed.table}._dlt_load_id
                and mark.row_number = {feed.table}._row
        )"""


def _in_gated_loads(feed: Feed) -> str:
    return f"_dlt_load_id in (select load_id from quality.loads where feed = '{feed.id}')"


# now() carries a time zone, whose arithmetic DuckDB leaves to an extension; the epoch does not. dlt's load ids are
# seconds since the epoch.
_NOW = "make_timestamp(epoch_us(now()))"
_LOADED_AT = "make_timestamp(cast(cast(load_id as double) * 1000000 as bigint))"
