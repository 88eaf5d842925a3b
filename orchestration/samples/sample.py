"""What is known of a source at first sight; shared by the modules that look at one kind of source each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from orchestration.contracts import Kind

SAMPLE_ROWS = 10_000
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Sample:
    """The first rows of a source, and how a contract says where it is.

    Attributes:
        server: The settings of the contract's server.
        custom: Those that the standard has no name for: its customProperties.
        rows: Up to so many rows, the columns named as they land.
        spellings: The source's own name of each column.
        key: The primary key that the source itself declares.
        notes: Sentences that the user has to know.
    """

    kind: Kind
    server: Mapping[str, str]
    custom: Mapping[str, str]
    rows: pa.Table
    spellings: Mapping[str, str]
    key: tuple[str, ...] = ()
    notes: Sequence[str] = field(default=())


def shown(address: str) -> str:
    """Returns an address without its password, for messages."""
    return re.sub(r"(://[^/@:\s]*):\S*@", r"\1:***@", address)


def landed(rows: pa.Table) -> tuple[pa.Table, dict[str, str]]:
    """Names the columns as they land, and returns beside them the source's own names.

    Columns of which two land under one name, or whose name no contract can hold, are left out: they land all the same.
    """
    from orchestration.landing.names import landed_name

    spellings: dict[str, str] = {}
    for spelling in rows.column_names:
        name = landed_name(spelling)
        # Beside `Price`, landing takes `price` for the column that a contract calls so.
        if re.fullmatch(r"[a-z][a-z0-9_]*", name) and (name not in spellings or spelling == name):
            spellings[name] = spelling
    return rows.select(list(spellings.values())).rename_columns(list(spellings)), spellings


def from_objects(objects: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Returns JSON objects as the text columns that land."""
    names = list(dict.fromkeys(name for item in objects for name in item))
    return pa.table({name: pa.array([_text(item.get(name)) for item in objects], pa.string()) for name in names})


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
