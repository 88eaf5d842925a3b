"""What lands of a source's rows, whichever warehouse they land in: their types, and which of them are new.

DuckDB computes it for every warehouse, so that the same source lands as the same rows everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import dlt
import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.landing.target import Target
from orchestration.sql import literal, quoted

if TYPE_CHECKING:
    from dlt.extract import DltResource

# The rows of a batch that is registered under this name: they come from no file, and each has been read as it is.
BATCH = "select *, cast(null as varchar) as _file, cast(null as varchar) as _malformed from batch"


def select_resource(
    feed: Feed,
    target: Target,
    work: Path,
    relation: Callable[[], tuple[str, pa.Schema] | None],
) -> DltResource:
    """Returns the resource that loads a relation into the feed's table.

    Args:
        feed: The feed.
        target: Where it lands.
        work: A folder that outlives the load.
        relation: Called while dlt extracts, with its state at hand. Returns a SELECT of the source's columns, named as
            they land, beside `_row` and, where there are any, `_file` and `_malformed`; and the Arrow schema of the
            source's columns alone. Nothing where there are no rows.
    """

    def extract() -> Iterator[Any]:
        found = relation()
        if found is not None:
            yield from target.select(feed, _load_id(), *found, work)

    return dlt.resource(extract, name=feed.table, file_format=target.file_format)


def insert_resource(
    feed: Feed,
    target: Target,
    work: Path,
    batches: Callable[[], Iterator[pa.Table]],
    *,
    unless_landed: Callable[[], str | None] = lambda: None,
) -> DltResource:
    """Returns the resource that brings batches into the feed's table.

    Args:
        feed: The feed.
        target: Where it lands.
        work: A folder that outlives the load.
        batches: Called while dlt extracts, with its state at hand. Yields the source's columns, named as they land.
        unless_landed: Returns the condition on the raw rows of earlier loads among which a row may be already. One
            whose columns of the contract are all the same is left out.
    """

    def extract() -> Iterator[Any]:
        yield from target.insert(feed, _load_id(), batches(), unless_landed, work)

    return dlt.resource(extract, name=feed.table, file_format=target.file_format)


def hints_of(columns: Mapping[str, str]) -> Any:
    """Returns what dlt is told of columns: it adds those that the table lacks, and loads none that it does not know."""
    hints: dict[str, Any] = {name: {"name": name, "nullable": True} | _dlt_type(kind) for name, kind in columns.items()}
    return dlt.mark.make_hints(columns=hints)


def as_landed(
    select: str,
    schema: pa.Schema,
    raw: Mapping[str, str],
    load_id: str,
    *,
    bounds: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Returns a SELECT of rows with the types of the raw table.

    A row whose values do not fit them lands with its text in `_malformed`.

    Args:
        select: The rows.
        schema: Their columns that are the source's.
        raw: The columns of the raw table, with DuckDB's types.
        load_id: The load.
        bounds: Of types whose values are not all values of the warehouse, the condition on a `{value}` that is one.
    """
    columns, unfit = [], []
    for field in schema:
        target = raw.get(field.name) or new_type(field.type)
        name = quoted(field.name)
        value = _cast(name, field.type, target)
        is_certain = not value.startswith("try_cast")
        if target in bounds:
            value, is_certain = f"case when {bounds[target].format(value=value)} then {value} end", False
        columns.append(f"{value} as {name}")
        if not is_certain:
            unfit.append(f"({name} is not null and {value} is null)")
    malformed = "_malformed"
    if unfit:
        row = ", ".join(
            f"{quoted(field.name)} := {_cast(quoted(field.name), field.type, 'VARCHAR')}" for field in schema
        )
        malformed = f"coalesce(_malformed, case when {' or '.join(unfit)} then to_json(struct_pack({row})) end)"
    return f"""
        select {", ".join(columns)}, _file, {malformed} as _malformed, cast(_row as bigint) as _row,
            {literal(load_id)} as _dlt_load_id
        from ({select}) as source
    """


def without_landed(rows: str, again: str, feed: Feed, load_id: str) -> str:
    """Returns a SELECT of those rows that no earlier load has brought with the same values."""
    same = " and ".join(
        f"landed.{quoted(name)} is not distinct from new.{quoted(name)}"
        for name in [*(column.name for column in feed.columns), "_malformed"]
    )
    earlier = f"select * from {feed.id} where ({again}) and _dlt_load_id != {literal(load_id)}"
    return f"select * from ({rows}) as new where not exists (select 1 from ({earlier}) as landed where {same})"


def new_type(found: pa.DataType) -> str:
    """Returns the type of a column that the raw table lacks as yet: a plain one, or text, which loses nothing."""
    if pa.types.is_boolean(found):
        return "BOOLEAN"
    if pa.types.is_integer(found) and found.bit_width + pa.types.is_unsigned_integer(found) <= 64:
        return "BIGINT"
    if pa.types.is_floating(found):
        return "DOUBLE"
    if pa.types.is_date(found):
        return "DATE"
    return "TIMESTAMP" if pa.types.is_timestamp(found) else "VARCHAR"


def _load_id() -> str:
    return str(dlt.current.load_package_state()["load_id"])


def _cast(value: str, found: pa.DataType, target: str) -> str:
    if pa.types.is_timestamp(found) and found.tz is not None:
        # A cast would convert to the zone of the session.
        value, found = f"make_timestamp(epoch_us({value}))", pa.timestamp("us")
    if target == "VARCHAR":
        if pa.types.is_nested(found):
            return f"cast(to_json({value}) as varchar)"
        return value if pa.types.is_string(found) else f"cast({value} as varchar)"
    if new_type(found) == target:
        return value
    if pa.types.is_string(found) and target in _WHOLE:
        value = f"case when regexp_full_match({value}, '{_WHOLE[target]}') then {value} end"
    if pa.types.is_string(found) and target == "TIMESTAMP":
        # A cast would drop the offset from UTC.
        zoned = f"regexp_matches({value}, ':[0-9.]+ ?(Z|[+-][0-9:]+)$')"
        in_utc = f"make_timestamp(epoch_us(try_cast({value} as timestamptz)))"
        return f"try_cast(case when {zoned} then {in_utc} else try_cast({value} as timestamp) end as timestamp)"
    return f"try_cast({value} as {target})"


# What a cast of text to a type would round or cut off is no value of it.
_WHOLE = dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), r"[+-]?[0-9]+") | {
    "DATE": r"-?[0-9]+-[0-9]+-[0-9]+( \(BC\))?|-?infinity"
}


def _dlt_type(duckdb_type: str) -> dict[str, Any]:
    if duckdb_type == "TIMESTAMP":
        return {"data_type": "timestamp", "timezone": False}
    kinds = {"BOOLEAN": "bool", "BIGINT": "bigint", "DOUBLE": "double", "DATE": "date"}
    # Of others there are none but those of the contract, which the table has.
    return {"data_type": kinds.get(duckdb_type, "text")}
