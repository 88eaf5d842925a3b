"""Hands rows that DuckDB can read itself to dlt as one SELECT, so that they are read and written once.

As Arrow batches they would be written twice on the way (dlt extracts to Parquet, then loads that); measured on Parquet
files, the SELECT lands two to three times as many rows a second. It stands in a view, because dlt parses the statement
that it loads, and one over hundreds of files is long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import pyarrow as pa
from dlt.common.destination.client import SqlModel

from orchestration.contracts import Feed
from orchestration.sql import literal, quoted
from orchestration.warehouse import Warehouse

if TYPE_CHECKING:
    from dlt.extract import DltResource

VIEW_PREFIX = "_incoming_"


def raw_columns(feed: Feed, warehouse: Warehouse) -> dict[str, str]:
    """Returns the columns of a feed's raw table with their types in the warehouse."""
    with warehouse.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(f"describe {feed.id}").fetchall()}


def select_resource(
    feed: Feed,
    warehouse: Warehouse,
    work: Path,
    relation: Callable[[], tuple[str, pa.Schema] | None],
) -> DltResource:
    """Returns the resource that loads a relation into the feed's table.

    Args:
        feed: The feed.
        warehouse: Where it lands.
        work: A folder that outlives the load.
        relation: Called while dlt extracts, with its state at hand. Returns a SELECT of the source's columns, named as
            they land, beside `_row` and, where there are any, `_file` and `_malformed`; and the Arrow schema of the
            source's columns alone. Nothing where there are no rows.
    """

    def extract() -> Iterator[Any]:
        found = relation()
        if found is None:
            return
        select, schema = found
        raw = raw_columns(feed, warehouse)
        load_id = dlt.current.load_package_state()["load_id"]
        view = f"{feed.schema}.{VIEW_PREFIX}{feed.table}"
        with warehouse.connect() as connection:
            connection.execute(f"create or replace view {view} as {as_landed(select, schema, raw, load_id)}")
            columns = {row[0]: row[1] for row in connection.execute(f"describe {view}").fetchall()}
        yield model_of(f"select * from {view}", columns, work)

    return dlt.resource(extract, name=feed.table, file_format="model")


def model_of(select: str, columns: Mapping[str, str], work: Path) -> Any:
    """Returns what a resource yields for dlt to load a SELECT, whose columns come with their types in the warehouse."""
    names = ", ".join(f"{quoted(name)} as {quoted(name)}" for name in columns)
    model = work / "rows.model"
    model.write_text(str(SqlModel(f"select {names} from ({select}) as found", "duckdb")), "utf-8")
    # dlt adds those that the table lacks, and loads none that it does not know.
    hints: dict[str, Any] = {name: {"name": name, "nullable": True} | _dlt_type(kind) for name, kind in columns.items()}
    return dlt.mark.with_file_import(str(model), "model", hints=dlt.mark.make_hints(columns=hints))


def as_landed(select: str, schema: pa.Schema, raw: Mapping[str, str], load_id: str) -> str:
    """Returns a SELECT of rows with the types of the raw table.

    A row whose values do not fit them lands with its text in `_malformed`.
    """
    columns, unfit = [], []
    for field in schema:
        target = raw.get(field.name) or _new_type(field.type)
        name = quoted(field.name)
        value = _cast(name, field.type, target)
        columns.append(f"{value} as {name}")
        if value.startswith("try_cast"):
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


def _cast(value: str, found: pa.DataType, target: str) -> str:
    if pa.types.is_timestamp(found) and found.tz is not None:
        # A cast would convert to the zone of the session.
        value, found = f"make_timestamp(epoch_us({value}))", pa.timestamp("us")
    if target == "VARCHAR":
        if pa.types.is_nested(found):
            return f"cast(to_json({value}) as varchar)"
        return value if pa.types.is_string(found) else f"cast({value} as varchar)"
    if _new_type(found) == target:
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


def _new_type(found: pa.DataType) -> str:
    """The type of a column that the raw table does not have yet: a plain one, or text, which loses nothing."""
    if pa.types.is_boolean(found):
        return "BOOLEAN"
    if pa.types.is_integer(found) and found.bit_width + pa.types.is_unsigned_integer(found) <= 64:
        return "BIGINT"
    if pa.types.is_floating(found):
        return "DOUBLE"
    if pa.types.is_date(found):
        return "DATE"
    return "TIMESTAMP" if pa.types.is_timestamp(found) else "VARCHAR"


def _dlt_type(duckdb_type: str) -> dict[str, Any]:
    if duckdb_type == "TIMESTAMP":
        return {"data_type": "timestamp", "timezone": False}
    kinds = {"BOOLEAN": "bool", "BIGINT": "bigint", "DOUBLE": "double", "DATE": "date"}
    # Of others there are none but those of the contract, which the table has.
    return {"data_type": kinds.get(duckdb_type, "text")}
