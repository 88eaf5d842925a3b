"""Holds the columns of a source against the contract, so that one that went away or changed its type stops the feed.

A column more is no drift: it lands, and the landing reports it. One less, or one that no longer fits its type, would
otherwise turn into nulls that nobody notices before the figures are wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.errors import CatalystError


class SchemaDrift(CatalystError):  # noqa: N818 - people are told of a drift, not of an error
    """The source's columns are no longer those of the contract; nothing of the load counts."""


def check(
    feed: Feed,
    found: Mapping[str, pa.DataType | None],
    *,
    origin: str = "the source",
    before: Collection[str] = (),
    raw: Mapping[str, str] | None = None,
) -> None:
    """Stops a feed whose source lacks a column or has changed the type of one.

    Args:
        feed: The feed.
        found: The columns that the source has now, named as they land, with their types; None for what is only text
            to us, which fits wherever text is landed.
        origin: The file or table in which they were found, for the message.
        before: The columns that the same source had at its last landing; optional ones among them must still be there.
        raw: The types of the raw table's columns, by which those are judged that the contract does not name.

    Raises:
        SchemaDrift: A required column is missing, or an optional one that was there before, or one has a type whose
            values the column of the raw table cannot hold without loss.
    """
    kinds = {column.name: column.physical_type for column in feed.columns}
    required = {column.name for column in feed.columns if column.required}
    differences = []
    for name, kind in kinds.items():
        if name not in found:
            if name in required or name in before:
                differences.append((name, kind + (", required" if name in required else ""), "no such column"))
        elif not fits(found[name], kind):
            differences.append((name, kind, str(found[name])))
    for name, kind in (raw or {}).items():
        if name not in kinds and name in found and not fits(found[name], kind):
            differences.append((name, f"nothing; the raw table has {kind.lower()}", str(found[name])))
    if not differences:
        return
    # A column that is new beside one that is missing is often the same under another name.
    differences += [
        (name, "nothing", f"{found[name] or 'text'}") for name in found if name not in kinds and name not in (raw or {})
    ]
    raise SchemaDrift(
        f"Feed {feed.id}: the columns of {origin} differ from its contract.\n{_table(differences)}\n"
        f"Nothing of this load has landed. If the source has changed for good, change the contract {feed.path} (a "
        "column of another type lands under a new name); otherwise have the source mended. Then run again."
    )


def fits(found: pa.DataType | None, physical_type: str) -> bool:
    """Says whether every value of a type can be held by a column of the raw table without loss."""
    if found is None:
        return _base(physical_type) in _TEXT
    if pa.types.is_dictionary(found):
        return fits(found.value_type, physical_type)
    base = _base(physical_type)
    if pa.types.is_null(found) or base in _TEXT or base not in _HOLDS:
        return True
    return _HOLDS[base](found)


def _base(physical_type: str) -> str:
    return re.sub(r"\(.*", "", physical_type).strip().lower()


def _integer(found: pa.DataType, bits: int) -> bool:
    # An unsigned one needs a bit more in a signed column.
    return bool(pa.types.is_integer(found)) and found.bit_width + pa.types.is_unsigned_integer(found) <= bits


def _number(found: pa.DataType) -> bool:
    # Whoever lands decimals and large integers in a double asks for it in the contract.
    return bool(pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_decimal(found))


_TEXT = ("varchar", "text", "string", "char", "bpchar", "json")
# What each type of the raw table holds; another type than these is left to the warehouse to convert or refuse.
_HOLDS: Mapping[str, Callable[[pa.DataType], bool]] = {
    "tinyint": lambda found: _integer(found, 8),
    "smallint": lambda found: _integer(found, 16),
    "integer": lambda found: _integer(found, 32),
    "int": lambda found: _integer(found, 32),
    "bigint": lambda found: _integer(found, 64),
    "hugeint": lambda found: _integer(found, 128),
    "real": lambda found: pa.types.is_float16(found) or pa.types.is_float32(found),
    "float": lambda found: pa.types.is_float16(found) or pa.types.is_float32(found),
    "double": _number,
    "decimal": lambda found: pa.types.is_integer(found) or pa.types.is_decimal(found),
    "numeric": lambda found: pa.types.is_integer(found) or pa.types.is_decimal(found),
    "boolean": pa.types.is_boolean,
    "date": pa.types.is_date,
    "time": pa.types.is_time,
    "timestamp": lambda found: pa.types.is_timestamp(found) or pa.types.is_date(found),
    "blob": lambda found: pa.types.is_binary(found) or pa.types.is_large_binary(found),
}


def _table(rows: list[tuple[str, str, str]]) -> str:
    lines = [("column", "contract says", "source has"), *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(3)]
    return "\n".join(
        "  " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
