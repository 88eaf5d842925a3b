from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from orchestration.contracts import Feed
from orchestration.demo.sources import KEPT_DAYS
from tests.orchestration.demo.conftest import Home, Record


@pytest.fixture(scope="module")
def clicks(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]],
    judge: Callable[[Feed, list[Record]], list[str]],
) -> list[Record]:  # fmt: skip
    """The good clicks that the shop still has."""
    rows = records(feeds["raw_web.clicks"], small.path)
    return [row for row, broken in zip(rows, judge(feeds["raw_web.clicks"], rows), strict=True) if not broken]


def test_every_order_line_of_the_days_that_are_kept_was_clicked_together(
    small: Home, clicks: list[Record], feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]],
    judge: Callable[[Feed, list[Record]], list[str]],
) -> None:  # fmt: skip
    rows = records(feeds["raw_web.orders"], small.path)
    good = [row for row, broken in zip(rows, judge(feeds["raw_web.orders"], rows), strict=True) if not broken]
    first = datetime.combine(small.through - timedelta(days=KEPT_DAYS - 1), datetime.min.time())
    # The last days' lines may be recorded later; and what came back was not clicked.
    end = datetime.combine(small.through - timedelta(days=5), datetime.min.time())
    ordered = Counter(
        (row["order_id"], row["product_id"], row["customer_id"], row["ordered_at"].isoformat())
        for row in good
        if first <= row["ordered_at"] < end and row["quantity"] > 0
    )
    bought = Counter(
        (row["order_id"], row["product_id"], row["customer_id"], row["occurred_at"])
        for row in clicks
        if row["event_type"] == "purchase" and row["occurred_at"] < end.isoformat()
    )
    assert bought == ordered
    assert len(bought) > 1000


def test_a_session_is_of_one_visitor_and_some_of_them_end_in_an_order(clicks: list[Record]) -> None:
    sessions: dict[str, list[Record]] = {}
    for row in clicks:
        sessions.setdefault(row["session_id"], []).append(row)
    for found in sessions.values():
        assert len({(row["customer_id"], row["device"], row["referrer"]) for row in found}) == 1
        times = sorted(datetime.fromisoformat(row["occurred_at"]) for row in found)
        assert all(after - before < timedelta(minutes=30) for before, after in pairwise(times))
        documents = {row["order_id"] for row in found} - {None}
        assert len(documents) <= 1
        if documents:
            last = max(found, key=lambda row: (row["occurred_at"], row["event_type"] == "purchase"))
            assert last["event_type"] == "purchase"
    converted = sum(any(row["order_id"] for row in found) for found in sessions.values()) / len(sessions)
    assert 0.06 < converted < 0.12


def test_clicks_name_products_where_they_are_about_one(clicks: list[Record]) -> None:
    for row in clicks:
        assert (row["product_id"] is None) == (row["event_type"] in ("search", "checkout"))
        assert (row["order_id"] is None) == (row["event_type"] != "purchase")
    late = sum(
        datetime.fromisoformat(row["received_at"]) - datetime.fromisoformat(row["occurred_at"]) > timedelta(minutes=1)
        for row in clicks
    )
    assert 0.005 < late / len(clicks) < 0.04
