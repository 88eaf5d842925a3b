from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from orchestration.contracts import Feed
from orchestration.demo.catalogue import PRODUCT_IDS
from orchestration.demo.demand import charged_prices
from orchestration.demo.rates import eur_rate
from tests.orchestration.demo.conftest import Home, Record


@pytest.fixture(scope="module")
def tills(small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]) -> list[Record]:
    """What the tills have recorded."""
    return records(feeds["raw_pos.sales"], small.path)


@pytest.fixture(scope="module")
def orders(small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]) -> list[Record]:
    """What the web shop has recorded."""
    return records(feeds["raw_web.orders"], small.path)


def test_a_return_is_of_something_sold_before_at_the_price_paid(tills: list[Record]) -> None:
    sold = {row["sale_line_id"]: row for row in reversed(tills)}
    returns = [row for row in tills if row["sale_line_id"].startswith("SR")]
    checked = 0
    for row in returns:
        original = sold.get("SL" + row["sale_line_id"].removeprefix("SR"))
        # Broken tries have an id of their own and no original.
        if original is None:
            continue
        days = (date.fromisoformat(row["sold_at"][:10]) - date.fromisoformat(original["sold_at"][:10])).days
        assert 1 <= days <= 14
        assert row["quantity"] == -original["quantity"]
        for name in ("product_id", "unit_price", "store_id", "customer_id", "promotion_id"):
            assert row[name] == original[name]
        checked += 1
    assert checked > 0.99 * len(returns) > 500


def test_americans_pay_in_dollars_what_others_pay_in_euros(small: Home, orders: list[Record]) -> None:
    checked = 0
    for row in orders:
        if row["product_id"] in PRODUCT_IDS and row["order_line_id"].startswith("WL") and not _odd(row):
            assert (row["currency"] == "USD") == (row["shipping_country"] == "US")
            day = row["ordered_at"].date()
            euros = charged_prices(small.company, day)[PRODUCT_IDS.index(row["product_id"])]
            rate = float(eur_rate(small.company, row["currency"], day))
            assert round(row["unit_price"] * rate, 2) == pytest.approx(euros, abs=1e-9)
            checked += 1
    assert checked > 5000


def test_a_file_of_the_web_shop_holds_what_was_recorded_on_its_date(orders: list[Record]) -> None:
    days = [row["recorded_at"].date() for row in orders]
    assert days == sorted(days)
    assert all(row["recorded_at"] >= row["ordered_at"] for row in orders)


def _odd(row: Record) -> bool:
    return row["unit_price"] is None or not 0 < row["unit_price"] < 10_000 or row["currency"] not in ("EUR", "USD")
