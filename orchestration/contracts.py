"""Data contracts (ODCS YAML) read into the few facts that landing and the gate need."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from open_data_contract_standard.model import SchemaProperty, Server

from orchestration import odcs
from orchestration.errors import CatalystError
from orchestration.odcs import Document, Where
from orchestration.promises import Expectation, Severity, custom, expectations, fresh_within, severity_of, share

if TYPE_CHECKING:
    from orchestration.settings import Settings


class Kind(StrEnum):
    """How a feed is read; a contract says it by the type of its server."""

    DATABASE = "database"
    FILES = "files"
    REST = "rest"
    STREAM = "stream"


@dataclass(frozen=True)
class Column:
    """One landed column and the rules that the contract puts on it.

    Attributes:
        logical_type: Its type as the standard names it: string, integer, number, date, timestamp, boolean.
        physical_type: Its type in the raw table.
        required: Whether a row without a value is broken.
        options: Bounds and patterns, `logicalTypeOptions` of the standard.
        severity: What becomes of rows that break one of the column's own rules.
        stop_above: Share of a load's rows that may break one of them before the feed stops; None for any share.
        is_personal: Whether it is marked as telling about a person.
        statuses: Pattern of the texts that stand in place of a value, such as "not captured": they are read as null.
    """

    name: str
    logical_type: str
    physical_type: str
    required: bool
    options: Mapping[str, Any]
    severity: Severity = Severity.ERROR
    stop_above: float | None = None
    is_personal: bool = False
    statuses: str | None = None


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
        late: How far behind the cursor rows may still appear; they are read again and kept once.
        known_at: Column that says when a row became known.
        expectations: The rules of its `quality` blocks, in the order of the contract.
        stop_above: Share of a load's rows that may be quarantined before the feed stops; None for any share.
        fresh_within: A feed whose last rows landed longer ago is not fresh; None where the contract promises nothing.
        owner: Whom to ask, as the contract names them.
    """

    schema: str
    table: str
    kind: Kind
    source: Mapping[str, str]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    cursor: str | None
    late: str | None
    known_at: str | None
    expectations: tuple[Expectation, ...]
    stop_above: float | None
    fresh_within: timedelta | None
    owner: str
    path: Path

    @property
    def id(self) -> str:
        """The name by which people, tables and messages speak of the feed: `raw_<source>.<table>`."""
        return f"{self.schema}.{self.table}"

    @property
    def server(self) -> str:
        """The server's name in the contract; `demo` marks the feeds of the simulated company."""
        return self.source["server"]

    def setting(self, name: str, default: str | None = None) -> str:
        """Returns a setting of the server with its `${NAME}` placeholders taken from the environment.

        Raises:
            CatalystError: The contract lacks the setting and there is no default, or the environment lacks a name.
        """
        if name not in self.source:
            if default is not None:
                return default
            raise CatalystError(
                f"The contract of feed {self.id} has no server setting {name!r}: add it to servers in {self.path}."
            )
        value = self.source[name]
        missing = sorted({key for key in _PLACEHOLDER.findall(value) if key not in os.environ})
        if missing:
            raise CatalystError(
                f"Feed {self.id} reads from {value!r}, but the environment variable {missing[0]} is not set: set it "
                f"(or add it to secrets.env in CATALYST_HOME) and run again (the contract is {self.path})."
            )
        return _PLACEHOLDER.sub(lambda match: os.environ[match[1]], value)


# The types of the standard that a column may have; `orchestration.rules` says what each is in the warehouse.
LOGICAL_TYPES = ("string", "integer", "number", "date", "timestamp", "boolean")
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_SECRETS = ("token", "apiKey", "clientSecret", "password", "saslPassword")
_LITERAL_PASSWORD = re.compile(r"://[^/@:]*:(?!\$\{)[^/@]+@")


def load_feeds(folder: Path) -> tuple[Feed, ...]:
    """Reads every contract below a folder, in the order of their names.

    Raises:
        CatalystError: There is none, one cannot be read, or two describe the same table.
    """
    feeds = [read_feed(path) for path in sorted(folder.rglob("*.odcs.yaml"))]
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


def all_feeds(chosen: Settings) -> tuple[Feed, ...]:
    """Returns the feeds that are landed, and those whose tables the built-in models read without."""
    landed = load_feeds(chosen.feeds)
    return landed if chosen.is_default_project else landed + load_feeds(chosen.built_in_feeds)


def find_feed(feeds: Iterable[Feed], name: str) -> Feed:
    """Returns the feed of a name.

    Raises:
        CatalystError: There is none; the message lists those that there are.
    """
    found = {feed.id: feed for feed in feeds}
    if name not in found:
        raise CatalystError(f"There is no feed {name!r}. Choose one of: {', '.join(found)}.")
    return found[name]


def read_feed(path: Path) -> Feed:
    """Reads one contract.

    Raises:
        CatalystError: It cannot be read, or says too little or too much; file, line and remedy are named.
    """
    document, contract = odcs.read(path)
    if not contract.schema_ or not contract.servers:
        raise document.error((), "a contract needs one entry each under `servers` and `schema`: add what is missing.")
    table, server = contract.schema_[0], contract.servers[0]
    physical = table.physicalName or ""
    if not re.fullmatch(r"raw_[a-z0-9_]+\.[a-z0-9_]+", physical):
        raise document.error(
            ("schema", 0, "physicalName"),
            f"schema physicalName is {physical!r}, but must be raw_<source>.<table> in lower case: rename it.",
        )
    if not table.properties:
        raise document.error(("schema", 0), "the schema names no column: list them under properties.")
    extra = custom(contract.customProperties)
    columns = tuple(_column(prop, ("schema", 0, "properties", n), document) for n, prop in enumerate(table.properties))
    keys = sorted(
        (prop.primaryKeyPosition or 1, position, prop.name)
        for position, prop in enumerate(table.properties)
        if prop.primaryKey and prop.name
    )
    source = _source(server, document)
    feed = Feed(
        schema=physical.split(".")[0],
        table=physical.split(".")[1],
        kind=_kind(str(server.type), source, document),
        source=source,
        columns=columns,
        key=tuple(name for _, _, name in keys),
        cursor=extra.get("cursor"),
        late=extra.get("late"),
        known_at=extra.get("knownAt"),
        expectations=tuple(expectations(table.quality, None, ("schema", 0, "quality"), document))
        + tuple(
            rule
            for n, prop in enumerate(table.properties)
            for rule in expectations(prop.quality, prop.name, ("schema", 0, "properties", n, "quality"), document)
        ),
        stop_above=share(extra, ("customProperties",), document),
        fresh_within=fresh_within(contract.slaProperties or (), document),
        owner=next((member.username or "" for member in getattr(contract.team, "members", None) or ()), "")
        or str(getattr(contract.team, "name", None) or "nobody"),
        path=path,
    )
    names = {column.name for column in columns}
    for role, name in (("cursor", feed.cursor), ("knownAt", feed.known_at)):
        if name is not None and name not in names:
            raise document.error(
                ("customProperties",), f"{role} names {name!r}, which is not among its columns: correct it."
            )
    rules = [rule.name for rule in feed.expectations]
    for name in {name for name in rules if rules.count(name) > 1}:
        raise document.error(("schema", 0), f"two quality rules are named {name!r}: give each a name of its own.")
    return feed


def _source(server: Server, document: Document) -> dict[str, str]:
    source = {
        name: str(value)
        for name, value in server.model_dump(exclude_none=True, exclude={"customProperties"}).items()
        if not isinstance(value, (dict, list))
    } | custom(server.customProperties)
    for name, value in source.items():
        literal = name in _SECRETS and not _PLACEHOLDER.search(value)
        if literal or _LITERAL_PASSWORD.search(value):
            raise document.error(
                ("servers", 0),
                f"the server setting {name} holds a secret in clear: write ${{NAME}} in its place, and set NAME in the "
                "environment or in secrets.env in CATALYST_HOME.",
            )
    return source


def _kind(server_type: str, source: Mapping[str, str], document: Document) -> Kind:
    if server_type in ("local", "s3") or (server_type == "custom" and "location" in source):
        return Kind.FILES
    if server_type == "api":
        return Kind.REST
    if server_type == "kafka":
        return Kind.STREAM
    if server_type == "custom" and "url" in source:
        return Kind.DATABASE
    raise document.error(
        ("servers", 0, "type"),
        f"a server of type {server_type!r} is not read. Use `local` or `s3` (files), `api` (REST), `kafka` (a stream), "
        "or `custom` with a customProperty `url` (a database) or `location` (files at gs:// or another address).",
    )


def _column(prop: SchemaProperty, where: Where, document: Document) -> Column:
    if not prop.name or not prop.logicalType or not prop.physicalType:
        raise document.error(
            where, f"column {prop.name!r} needs name, logicalType and physicalType: add what is missing."
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", prop.name):
        raise document.error(
            where,
            f"column {prop.name!r} must be in lower snake case, as it lands; the source's own spelling may differ.",
        )
    if prop.logicalType not in LOGICAL_TYPES:
        raise document.error(
            where,
            f"column {prop.name} has the logicalType {prop.logicalType!r}: use one of {', '.join(LOGICAL_TYPES)}.",
        )
    extra = custom(prop.customProperties)
    statuses = extra.get("statuses")
    try:
        re.compile(statuses or "")
    except re.error as error:
        raise document.error(
            where, f"the statuses {statuses!r} of column {prop.name} are no pattern ({error}): correct it."
        ) from error
    return Column(
        name=prop.name,
        logical_type=prop.logicalType,
        physical_type=prop.physicalType,
        required=bool(prop.required or prop.primaryKey),
        options=prop.logicalTypeOptions or {},
        severity=severity_of(extra.get("severity"), where, document),
        stop_above=share(extra, where, document),
        is_personal=prop.classification in ("pii", "personal", "sensitive"),
        statuses=statuses,
    )
