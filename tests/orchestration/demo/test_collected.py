"""What the tills ring up of web orders is found again in the feeds, and nothing else looks like it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from orchestration.contracts import Feed
from orchestration.demo import Company
from orchestration.demo.baskets import lines
from orchestration.demo.catalogue import WEB
from orchestration.demo.collected import collected

from .conftest import Home, Record


def test_three_web_orders_in_a_thousand_are_rung_up_again(grown: Company) -> None:
    web = [lines(grown, t) for t in range(350, 550)]
    orders = sum(len(np.unique(found["basket"][found["location"] == WEB])) for found in web)
    repeated = sum(len(np.unique(collected(grown, t)[0]["basket"])) for t in range(350, 550))
    assert 0.002 < repeated / orders < 0.004


def test_the_truth_lists_the_lines_that_both_channels_have_within_an_hour_and_no_others(
    small: Home,
    feeds: dict[str, Feed],
    records: Callable[[Feed, Path], list[Record]],
    judge: Callable[[Feed, list[Record]], list[str]],
) -> None:
    tills, orders = (_good(feeds[name], small, records, judge) for name in ("raw_pos.sales", "raw_web.orders"))
    by_content: dict[Any, list[Record]] = {}
    for order in orders:
        if order["customer_id"] and order["quantity"] > 0 and order["currency"] == "EUR":
            by_content.setdefault(_content(order), []).append(order)
    found = set()
    for sale in tills:
        for order in by_content.get(_content(sale), ()):
            after = datetime.fromisoformat(sale["sold_at"]) - order["ordered_at"]
            if timedelta() <= after <= timedelta(minutes=60):
                assert sale["promotion_id"] is None
                found.add((sale["sale_line_id"], order["order_line_id"]))
    listed = pq.read_table(small.path / "demo" / "truth" / "near_duplicates.parquet").to_pylist()
    assert {(row["sale_line_id"], row["order_line_id"]) for row in listed} == found
    assert len(listed) == len(found) > 10
    assert {row["day"].strftime("%Y%m%d") for row in listed} == {sale[2:10] for sale, _ in found}


def _good(
    feed: Feed,
    small: Home,
    records: Callable[[Feed, Path], list[Record]],
    judge: Callable[[Feed, list[Record]], list[str]],
) -> list[Record]:
    rows = records(feed, small.path)
    return [row for row, broken in zip(rows, judge(feed, rows), strict=True) if not broken]


def _content(row: Record) -> tuple[Any, ...]:
    return row["customer_id"], row["product_id"], row["quantity"], row["unit_price"]
