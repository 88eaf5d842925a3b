"""Data contracts (ODCS YAML) read into the few facts that landing and the gate need."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pydantic
import yaml
from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard, SchemaProperty

from orchestration.errors import CatalystError


class Kind(StrEnum):
    """How a feed is read; a contract says it by the type of its server."""

    DATABASE = "database"
    FILES = "files"
    REST = "rest"


@dataclass(frozen=True)
class Column:
    """One landed column and the rules that the contract puts on it."""

    name: str
    logical_type: str
    physical_type: str
    required: bool
    options: Mapping[str, Any]


@dataclass(frozen=True)
class Feed:
    """What a contract says of one raw table: where it comes from and what its rows must be.

    Attributes:
        schema: Dataset that it lands in, `raw_<source>`.
        table: Table name in that dataset.
        source: The server's settings (path and format; url, table; location, ...), placeholders not yet expanded.
        columns: The columns that the contract names; the source may send more.
        key: Columns that identify a row; empty where the source has no key.
        cursor: Column that only grows, by which a database or REST feed is read on from where it stopped.
        known_at: Column that says when a row became known.
    """

    schema: str
    table: str
    kind: Kind
    source: Mapping[str, str]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    cursor: str | None
    known_at: str | None
    path: Path

    @property
    def id(self) -> str:
        """The name by which people, tables and messages speak of the feed: `raw_<source>.<table>`."""
        return f"{self.schema}.{self.table}"

    @property
    def server(self) -> str:
        """The server's name in the contract; `demo` marks the feeds of the simulated company."""
        return self.source["server"]

    def setting(self, name: str) -> str:
        """Returns a setting of the server with its `${NAME}` placeholders taken from the environment.

        Raises:
            CatalystError: The contract lacks the setting, or the environment lacks a name that it uses.
        """
        if name not in self.source:
            raise CatalystError(
                f"The contract of feed {self.id} has no server setting {name!r}: add it to servers in {self.path}."
            )
        value = self.source[name]
        missing = sorted({key for key in re.findall(r"\$\{(\w+)\}", value) if key not in os.environ})
        if missing:
            raise CatalystError(
                f"Feed {self.id} reads from {value!r}, but the environment variable {missing[0]} is not set: "
                f"set it and run again (the contract is {self.path})."
            )
        return re.sub(r"\$\{(\w+)\}", lambda match: os.environ[match[1]], value)


def load_feeds(folder: Path) -> tuple[Feed, ...]:
    """Reads every contract below a folder, in the order of their names.

    Raises:
        CatalystError: There is none, one cannot be read, or two describe the same table.
    """
    feeds = [_feed(path) for path in sorted(folder.rglob("*.odcs.yaml"))]
    if not feeds:
        raise CatalystError(f"There are no feeds: {folder} holds no contract (*.odcs.yaml). Add one, or fix the path.")
    seen: dict[str, Feed] = {}
    for feed in feeds:
        if feed.id in seen:
            raise CatalystError(
                f"Two contracts describe {feed.id}: {seen[feed.id].path} and {feed.path}. Remove or rename one."
            )
        seen[feed.id] = feed
    return tuple(sorted(feeds, key=lambda feed: feed.id))


def _feed(path: Path) -> Feed:
    contract = _contract(path)
    if not contract.schema_ or not contract.servers:
        raise CatalystError(f"Contract {path} needs one entry each under `servers` and `schema`: add what is missing.")
    table, server = contract.schema_[0], contract.servers[0]
    physical = table.physicalName or ""
    if not re.fullmatch(r"raw_[a-z0-9_]+\.[a-z0-9_]+", physical):
        raise CatalystError(
            f"Contract {path}: schema physicalName is {physical!r}, but it must be raw_<source>.<table> in lower case."
        )
    if not table.properties:
        raise CatalystError(f"Contract {path} names no column: list them under schema, properties.")
    extra = _custom(contract.customProperties)
    columns = tuple(_column(prop, path) for prop in table.properties)
    keys = sorted(
        (prop.primaryKeyPosition or 1, position, prop.name)
        for position, prop in enumerate(table.properties)
        if prop.primaryKey and prop.name
    )
    source = {
        name: str(value)
        for name, value in server.model_dump(exclude_none=True, exclude={"customProperties"}).items()
        if not isinstance(value, (dict, list))
    } | _custom(server.customProperties)
    feed = Feed(
        schema=physical.split(".")[0],
        table=physical.split(".")[1],
        kind=_kind(str(server.type), source, path),
        source=source,
        columns=columns,
        key=tuple(name for _, _, name in keys),
        cursor=extra.get("cursor"),
        known_at=extra.get("knownAt"),
        path=path,
    )
    names = {column.name for column in columns}
    for role, name in (("cursor", feed.cursor), ("knownAt", feed.known_at)):
        if name is not None and name not in names:
            raise CatalystError(f"Contract {path}: {role} names {name!r}, which is not among its columns: correct it.")
    return feed


def _contract(path: Path) -> OpenDataContractStandard:
    text = path.read_text(encoding="utf-8")
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CatalystError(f"Contract {path}, line {line} is not YAML: {error.problem}. Correct the line.") from error
    problem = jsonschema.exceptions.best_match(_standard().iter_errors(document))
    if problem is not None:
        where = [str(part) for part in problem.absolute_path]
        raise CatalystError(
            f"Contract {path}, line {_line_of(text, problem.absolute_path)} ({'.'.join(where) or 'top level'}): "
            f"{problem.message}. Correct it as the Open Data Contract Standard 3 says."
        )
    try:
        return OpenDataContractStandard.from_string(text)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"]]
        raise CatalystError(
            f"Contract {path}, line {_line_of(text, first['loc'])} ({'.'.join(where)}): {first['msg']}. Correct it."
        ) from error


@cache
def _standard() -> jsonschema.Draft201909Validator:
    schema = resources.files("open_data_contract_standard") / "schema.json"
    return jsonschema.Draft201909Validator(json.loads(schema.read_text(encoding="utf-8")))


def _line_of(text: str, where: Sequence[str | int]) -> int:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for part in where:
        if isinstance(node, yaml.MappingNode):
            found = [value for key, value in node.value if key.value == part]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            found = node.value[part : part + 1]
        else:
            found = []
        if not found:
            break
        node = found[0]
    return node.start_mark.line + 1 if node else 1


def _kind(server_type: str, source: Mapping[str, str], path: Path) -> Kind:
    if server_type == "local":
        return Kind.FILES
    if server_type == "api":
        return Kind.REST
    if server_type == "custom" and "url" in source:
        return Kind.DATABASE
    raise CatalystError(
        f"Contract {path}: a server of type {server_type!r} is not read. Use `local` (files), `api` (REST), "
        "or `custom` with a customProperty `url` (a database)."
    )


def _column(prop: SchemaProperty, path: Path) -> Column:
    if not prop.name or not prop.logicalType or not prop.physicalType:
        raise CatalystError(f"Contract {path}: column {prop.name!r} needs name, logicalType and physicalType.")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", prop.name):
        raise CatalystError(
            f"Contract {path}: column {prop.name!r} must be in lower snake case, as it lands; "
            "the source's own spelling may differ."
        )
    return Column(
        name=prop.name,
        logical_type=prop.logicalType,
        physical_type=prop.physicalType,
        required=bool(prop.required or prop.primaryKey),
        options=prop.logicalTypeOptions or {},
    )


def _custom(properties: Sequence[CustomProperty] | None) -> dict[str, str]:
    return {str(item.property): str(item.value) for item in properties or () if item.property}
