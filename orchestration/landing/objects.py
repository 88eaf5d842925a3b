"""Turns JSON objects, as APIs and streams send them, into rows of text; the gate and staging say what they mean.

Text keeps what a type would lose: integers of any size, decimals as they were written, a value of the wrong type.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any
from zlib import crc32

import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing.names import RESERVED, landed_name
from orchestration.warehouse import LANDING_COLUMNS

# What the landing itself adds; a source's own field of such a name lands under another.
OUR_COLUMNS = (*LANDING_COLUMNS, "_topic_partition", "_offset", "_key")
_TEXT_TYPES = ("varchar", "text", "string")


def check_text(feed: Feed) -> None:
    """Holds the contract of a feed of JSON objects against what such a feed can land.

    Raises:
        CatalystError: A column is to land as another type than text.
    """
    for column in feed.columns:
        if column.physical_type.lower() not in _TEXT_TYPES:
            raise CatalystError(
                f"Column {column.name} of feed {feed.id} has the physicalType {column.physical_type!r}, but the rows "
                f"of {feed.kind} feeds land as text: write varchar in {feed.path}. The logicalType says what it is."
            )


def parse(text: str) -> Any:
    """Reads JSON without loss: decimals stay as they are written.

    Raises:
        ValueError: It is no JSON, or nothing that can be read as such.
    """
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python reads integers of at most 4,300 digits.
        return _DECODER_OF_HUGE_INTEGERS.decode(text)
    except (ArithmeticError, RecursionError) as error:
        raise ValueError(str(error) or type(error).__name__) from error


def read_object(payload: bytes | None) -> Any:
    """Reads the payload of a message, or returns its text where it is no JSON. No payload at all reads as null."""
    if payload is None:
        return None
    try:
        return parse(payload.decode().removeprefix("\ufeff"))
    except ValueError:
        return as_shown(payload)


def as_shown(content: bytes) -> str:
    """Returns bytes as text, with escapes where they are none."""
    return content.decode("utf-8", "backslashreplace")


def as_text(items: Sequence[Any], feed: Feed) -> tuple[pa.Table, set[str]]:
    """Returns objects as text columns, those of the contract and what else there is, and the names of those there are.

    What is no object becomes a row that keeps its text in `_malformed`, for the gate to quarantine. So does an object
    that spells one column in two ways with different values, as only one of them could be kept.
    """
    malformed: list[str | None] = [None] * len(items)
    rows: list[dict[str, Any]] = []
    for position, item in enumerate(items):
        if isinstance(item, dict):
            rows.append(item)
        else:
            malformed[position] = item if isinstance(item, str) else dump(item)
            rows.append({})
    spellings: dict[str, list[str]] = {column.name: [] for column in feed.columns}
    contract = frozenset(spellings)
    for spelling in dict.fromkeys(chain.from_iterable(rows)):
        spellings.setdefault(_name(spelling, contract), []).append(spelling)
    for several in spellings.values():
        if len(several) > 1:
            _unite(several, rows, malformed)
    columns = {
        name: _column_of(found[0], rows) if found else pa.nulls(len(rows), pa.string())
        for name, found in spellings.items()
    }
    table = pa.table(columns | {"_malformed": _strings(malformed)})
    return table, {name for name, found in spellings.items() if found}


def dump(value: Any) -> str:
    """Writes a value as JSON; text of its own stays as it is."""
    return _ENCODER.encode(value)


@lru_cache(maxsize=10_000)
def _name(spelling: str, contract: frozenset[str]) -> str:
    name = landed_name(spelling)
    if name in contract:
        return name
    if not spelling.isascii():
        # Letters beyond ASCII all become an x, and two columns must not become one.
        return f"{name}_{crc32(spelling.encode('utf-8', 'backslashreplace')):08x}"
    return f"source{name}" if name in OUR_COLUMNS or name.startswith(RESERVED) else name


def _unite(spellings: list[str], rows: list[dict[str, Any]], malformed: list[str | None]) -> None:
    first = spellings[0]
    for position, row in enumerate(rows):
        values = [row[spelling] for spelling in spellings if row.get(spelling) is not None]
        if any(value != values[0] for value in values):
            malformed[position] = dump(row)
            rows[position] = {}
        elif values and row.get(first) is None:
            rows[position] = row | {first: values[0]}


def _column_of(spelling: str, rows: list[dict[str, Any]]) -> pa.Array:
    values = [row.get(spelling) for row in rows]
    return _strings([value if value is None or value.__class__ is str else _text(value) for value in values])


def _text(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else dump(value)


def _inexact(value: Any) -> Any:
    """A decimal inside of an object or array; one too large for a float is kept as text."""
    number = float(value)
    return number if math.isfinite(number) else str(value)


# Made once: the functions of the json module make them anew for every value where an option is set.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=str)
_DECODER_OF_HUGE_INTEGERS = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=str)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_inexact)


def _strings(values: list[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        # Half of a surrogate pair is JSON, but no text that any database stores.
        return pa.array([value and value.encode("utf-8", "backslashreplace").decode() for value in values], pa.string())
