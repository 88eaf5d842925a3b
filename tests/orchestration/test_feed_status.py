"""The list of feeds counts what the gate counted, and points at the feeds that need somebody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from orchestration.contracts import Feed
from orchestration.feed_status import FeedStatus, attention, statuses
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
SERVER = {"type": "local", "path": "/nowhere/*.csv", "format": "csv"}
OF_THE_LOAD = "feed, load_id, landed_at, rows_landed, rows_accepted, rows_quarantined, status"


@pytest.fixture
def feed(make_feed: MakeFeed) -> Feed:
    """A feed whose contract promises rows once a day."""
    feed = make_feed("orders", SERVER, [column("id", primaryKey=True)])
    return replace(feed, fresh_within=timedelta(days=1))


@contextmanager
def _with_loads(warehouse: Warehouse, feed: Feed, *loads: tuple[object, ...]) -> Iterator[duckdb.DuckDBPyConnection]:
    warehouse.prepare([feed])
    with warehouse.connect() as connection:
        for number, load in enumerate(loads):
            connection.execute(
                f"insert into quality.loads ({OF_THE_LOAD}, gated_at) "
                "values (?, ?, ?, ?, ?, ?, ?, timestamp '2026-06-30 00:00:00')",
                [feed.id, str(number), *load],
            )
        yield connection


def _status(warehouse: Warehouse, feed: Feed, *loads: tuple[object, ...]) -> FeedStatus:
    with _with_loads(warehouse, feed, *loads) as connection:
        return statuses([feed], connection, NOW)[0]


def _hours_ago(hours: float) -> datetime:
    return (NOW - timedelta(hours=hours)).replace(tzinfo=None)


def test_before_the_first_run_every_feed_stands_at_nothing(feed: Feed) -> None:
    [status] = statuses([feed], None, NOW)
    assert status.as_json() == {
        "name": "raw_shop.orders",
        "kind": "files",
        "rows": 0,
        "accepted": 0,
        "quarantined": 0,
        "last_load_at": None,
        "fresh": False,
        "held_back": 0,
        "owner": "nobody",
        "contract": str(feed.path),
    }
    [sentence] = attention([status])
    assert sentence.startswith("raw_shop.orders has never landed:")
    assert "`catalyst land raw_shop.orders`" in sentence


def test_rows_are_added_up_over_the_loads(warehouse: Warehouse, feed: Feed) -> None:
    status = _status(warehouse, feed, (_hours_ago(30), 10, 7, 3, "passed"), (_hours_ago(2), 5, 5, 0, "passed"))
    assert (status.rows, status.accepted, status.quarantined, status.held_back) == (15, 12, 3, 0)
    assert status.as_json()["last_load_at"] == "2026-06-30T10:00:00Z"
    assert status.is_fresh
    assert list(attention([status])) == []


@pytest.mark.parametrize(("hours", "is_fresh"), [(24, True), (24.01, False)])
def test_a_feed_is_fresh_for_as_long_as_its_contract_promises(
    warehouse: Warehouse, feed: Feed, hours: float, is_fresh: bool
) -> None:
    status = _status(warehouse, feed, (_hours_ago(hours), 10, 10, 0, "passed"))
    assert status.is_fresh is is_fresh
    assert [sentence.split(",")[0] for sentence in attention([status])] == (
        [] if is_fresh else ["raw_shop.orders is not fresh"]
    )


def test_a_load_without_rows_makes_nothing_fresh(warehouse: Warehouse, feed: Feed) -> None:
    status = _status(warehouse, feed, (_hours_ago(48), 10, 10, 0, "passed"), (_hours_ago(1), 0, 0, 0, "passed"))
    assert status.as_json()["last_load_at"] == "2026-06-28T12:00:00Z"
    assert not status.is_fresh


def test_a_contract_that_promises_nothing_is_kept_once_anything_has_come(
    warehouse: Warehouse, make_feed: MakeFeed
) -> None:
    feed = make_feed("notes", SERVER, [column("id")])
    assert _status(warehouse, feed, (_hours_ago(9999), 1, 1, 0, "passed")).is_fresh
    assert not statuses([feed], None, NOW)[0].is_fresh


def test_a_stopped_feed_comes_first_with_the_rows_that_it_holds_back(warehouse: Warehouse, feed: Feed) -> None:
    status = _status(warehouse, feed, (_hours_ago(2), 10, 10, 0, "passed"), (_hours_ago(1), 1234, 0, 1234, "stopped"))
    assert status.held_back == 1234
    [sentence] = attention([status])
    assert sentence.startswith("raw_shop.orders has stopped: 1,234 rows are held back.")
    assert "`catalyst quarantine raw_shop.orders`" in sentence
    assert "`catalyst redrive raw_shop.orders`" in sentence


def test_a_copy_from_before_loads_had_a_status_can_still_be_read(feed: Feed) -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema quality")
        connection.execute(
            "create table quality.loads as select 'raw_shop.orders' as feed, '1' as load_id, 3 as rows_landed, "
            "2 as rows_accepted, 1 as rows_quarantined, timestamp '2026-06-30 11:00:00' as landed_at"
        )
        [status] = statuses([feed], connection, NOW)
    assert (status.rows, status.accepted, status.quarantined, status.held_back) == (3, 2, 1, 0)


def test_many_feeds_that_never_landed_are_one_sentence(make_feed: MakeFeed) -> None:
    feeds = [make_feed(name, SERVER, [column("id")]) for name in ("a", "b", "c", "d")]
    [sentence] = attention(statuses(feeds, None, NOW))
    assert sentence.startswith("4 feeds (raw_shop.a, raw_shop.b, ...) have never landed:")
