"""A company that all tests of the simulation share, and an independent judge of its rows."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import _lru_cache_wrapper, cache, partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from orchestration.contracts import Column, Feed, load_feeds
from orchestration.demo import AdvanceResult, Company, advance
from orchestration.demo.baskets import Lines, joined, lines
from orchestration.settings import REPOSITORY

Record = dict[str, Any]
Forget = Callable[[], None]

# Holidays and a leap day lie in it.
OPENED = date(2023, 12, 10)
DAYS = 150


@dataclass(frozen=True)
class Home:
    """A home with a small company of five months."""

    path: Path
    company: Company
    through: date
    result: AdvanceResult


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The small company; nobody writes to its home."""
    path = tmp_path_factory.mktemp("small")
    through = OPENED + timedelta(days=DAYS)
    result = advance(path, through, scale=0.4, opened=OPENED)
    return Home(path, Company(opened=OPENED, scale=0.4), through, result)


@pytest.fixture(scope="session")
def grown() -> Company:
    """A company of the default size."""
    return Company(opened=date(2022, 9, 12))


@pytest.fixture(scope="session")
def sold(grown: Company) -> Lines:
    """All purchases of its first two years."""
    return joined([lines(grown, t) for t in range(728)])


@pytest.fixture(scope="session")
def feeds() -> dict[str, Feed]:
    """The contracts of the simulated company by id."""
    return {feed.id: feed for feed in load_feeds(REPOSITORY / "orchestration" / "feeds")}


@pytest.fixture
def forget() -> Forget:
    """Empties every memory of the simulation, so that what comes next is generated anew."""

    def empty() -> None:
        for name, module in list(sys.modules.items()):
            if name.startswith("orchestration.demo"):
                for value in vars(module).values():
                    if isinstance(value, _lru_cache_wrapper):
                        value.cache_clear()

    return empty


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], Record]:
    """Everything in a home: the bytes of its files, and the rows of its databases."""

    def read(home: Path) -> Record:
        found: Record = {}
        for path in sorted((home / "demo").rglob("*")):
            if path.is_file() and path.suffix != ".db":
                found[path.relative_to(home).as_posix()] = path.read_bytes()
        for name, tables in (("pos.db", ("sales", "customers")), ("crm.db", ("contacts", "interactions"))):
            with closing(sqlite3.connect(home / "demo" / name)) as database:
                for table in tables:
                    found[table] = database.execute(f"select * from {table} order by 1").fetchall()
                found[f"progress of {name}"] = database.execute("select * from demo_progress").fetchall()
        return found

    return read


@pytest.fixture(scope="session")
def records(feeds: dict[str, Feed]) -> Callable[[Feed, Path], list[Record]]:
    """The rows of a feed as its source holds them, read without the landing: native values, or text as received."""

    @cache
    def read(feed_id: str, home: Path) -> list[Record]:
        feed = feeds[feed_id]
        if "table" in feed.source:
            path = feed.source["url"].removeprefix("sqlite:///${CATALYST_HOME}/")
            with closing(sqlite3.connect(home / path)) as database:
                cursor = database.execute(f"select * from {feed.table} order by entry_id")
                names = [entry[0] for entry in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in cursor]
        pattern = feed.source["path"].removeprefix("${CATALYST_HOME}/")
        return [row for path in sorted(home.glob(pattern)) for row in _rows(path)]

    return lambda feed, home: read(feed.id, home)


def _rows(path: Path) -> Iterator[Record]:
    if path.suffix == ".parquet":
        yield from pq.ParquetFile(path).read().to_pylist()
    elif path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield {name: value or None for name, value in row.items()}
    else:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for line in content.decode().splitlines():
            yield {name: None if value is None else str(value) for name, value in json.loads(line).items()}


@pytest.fixture(scope="session")
def judge() -> Callable[[Feed, list[Record]], list[str]]:
    """The rules that each row breaks by the contract, sorted and joined by comma; written apart from the gate."""
    return broken_rules


def broken_rules(feed: Feed, rows: list[Record]) -> list[str]:
    """Judges rows in order, as one load."""
    accepted: set[tuple[Any, ...]] = set()
    promises = list(_promises(feed))
    verdicts = []
    for row in rows:
        broken = sorted(rule for column in feed.columns for rule in _broken(column, row.get(column.name)))
        broken = sorted([*broken, *(name for name, holds in promises if not holds(row))])
        key = tuple(row.get(name) for name in feed.key)
        if key in accepted:
            broken = sorted([*broken, f"{'+'.join(feed.key)}:unique"])
        if not broken:
            accepted.add(key)
        verdicts.append(",".join(broken))
    return verdicts


def _broken(column: Column, value: Any) -> Iterator[str]:
    if value is None:
        if column.required:
            yield f"{column.name}:required"
        return
    typed = _typed(column.logical_type, value)
    if typed is None:
        yield f"{column.name}:type"
        return
    options = column.options
    if (
        typed < options.get("minimum", typed)
        or typed > options.get("maximum", typed)
        or ("exclusiveMinimum" in options and typed <= options["exclusiveMinimum"])
        or ("exclusiveMaximum" in options and typed >= options["exclusiveMaximum"])
    ):
        yield f"{column.name}:range"
    if "pattern" in options and not re.search(options["pattern"], typed):
        yield f"{column.name}:pattern"


def _promises(feed: Feed) -> Iterator[tuple[str, Callable[[Record], bool]]]:
    """The quality rules of a contract that send single rows to quarantine; they say nothing of rows without values."""
    schema = yaml.safe_load(feed.path.read_text(encoding="utf-8"))["schema"][0]
    for rule in schema.get("quality", ()):
        if rule["severity"] == "error":
            kwargs = rule["implementation"]["kwargs"]
            yield rule["name"], partial(_HOLDS[rule["implementation"]["type"]], kwargs)


def _is_greater(kwargs: Record, row: Record) -> bool:
    first, second = row[kwargs["column_A"]], row[kwargs["column_B"]]
    # Times of a feed are written alike, so that their texts sort as they do; a date sorts before its times.
    return first is None or second is None or str(first) >= str(second)


def _is_in_set(kwargs: Record, row: Record) -> bool:
    return row[kwargs["column"]] is None or row[kwargs["column"]] in kwargs["value_set"]


def _are_unique(kwargs: Record, row: Record) -> bool:
    values = [row[name] for name in kwargs["column_list"]]
    return None in values or len(set(values)) == len(values)


_HOLDS: dict[str, Callable[[Record, Record], bool]] = {
    "expect_column_pair_values_a_to_be_greater_than_b": _is_greater,
    "expect_column_values_to_be_in_set": _is_in_set,
    "expect_select_column_values_to_be_unique_within_record": _are_unique,
}


def _typed(logical_type: str, value: Any) -> Any:
    try:
        match logical_type:
            case "integer":
                return int(value)
            case "number":
                return float(value)
            case "date":
                return date.fromisoformat(value)
            case "timestamp":
                return value if isinstance(value, datetime) else datetime.fromisoformat(value)
            case _:
                return str(value)
    except ValueError:
        return None
