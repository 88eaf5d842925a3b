from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestration.demo import Company, advance
from orchestration.demo.api import INVENTORY_KEPT_DAYS, PAGE_ROWS, serve
from orchestration.demo.catalogue import offers
from orchestration.demo.demand import mean_demand, units
from orchestration.demo.sources.app import logins_batch
from orchestration.demo.sources.warehouses import INVENTORY, inventory_batch, stock
from orchestration.errors import CatalystError

from .conftest import Home


def _get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 (the demo's own server)
        content: dict[str, Any] = json.load(answer)
    return content


def _pages(url: str, query: str = "", name: str = "inventory") -> list[dict[str, Any]]:
    pages = [_get(f"{url}/{name}?{query}")]
    while pages[-1]["next"] is not None:
        pages.append(_get(f"{url}/{name}?{query}&cursor={pages[-1]['next']}"))
    return pages


def test_pages_hold_the_last_thirty_days_in_order(small: Home) -> None:
    with serve(small.path) as url:
        pages = _pages(url)
    assert [len(page["data"]) for page in pages[:-1]] == [PAGE_ROWS] * (len(pages) - 1)
    served = [tuple(row.values()) for page in pages for row in page["data"]]
    last = small.company.t(small.through)
    kept = range(last - INVENTORY_KEPT_DAYS + 1, last + 1)
    assert served == [row for t in kept for row in inventory_batch(small.company, t).rows]
    assert list(pages[0]["data"][0]) == list(INVENTORY.columns)


def test_since_is_inclusive(small: Home) -> None:
    since = small.through - timedelta(days=1)
    with serve(small.path) as url:
        rows = [row for page in _pages(url, f"since={since}") for row in page["data"]]
        assert {row["snapshot_date"] for row in rows} == {str(since), str(small.through)}
        assert _pages(url, f"since={small.through + timedelta(days=1)}") == [{"data": [], "next": None}]


def test_log_ins_are_served_from_any_moment_on(small: Home) -> None:
    last = small.company.t(small.through)
    kept = [row for t in range(last + 1) for row in logins_batch(small.company, t).rows]
    with serve(small.path) as url:
        served = [row for page in _pages(url, name="logins") for row in page["data"]]
        assert [tuple(row.values()) for row in served] == kept
        newest = max(row["recorded_at"] for row in served)
        # Where a reader has stopped, it reads on, that moment included.
        assert {row["recorded_at"] for page in _pages(url, f"since={newest}", "logins") for row in page["data"]} == {
            newest
        }
        today = [row for row in served if row["recorded_at"].startswith(str(small.through))]
        assert [row for page in _pages(url, f"since={small.through}", "logins") for row in page["data"]] == today


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("inventory?since=yesterday", 400),
        ("logins?since=2024-02-30", 400),
        ("inventory?cursor=x", 400),
        ("inventory?cursor=bm9uZQ==", 400),
        ("stock", 404),
    ],
)
def test_a_question_it_does_not_understand_is_answered_with_an_error(small: Home, query: str, status: int) -> None:
    with serve(small.path) as url, pytest.raises(urllib.error.HTTPError) as error:
        _get(f"{url}/{query}")
    assert error.value.code == status
    assert json.load(error.value)["error"]
    error.value.close()


def test_a_new_company_has_no_snapshots_from_before_its_opening(tmp_path: Path) -> None:
    opened = date(2024, 6, 1)
    advance(tmp_path, opened + timedelta(days=2), scale=0.05, opened=opened)
    with serve(tmp_path) as url:
        rows = [row for page in _pages(url) for row in page["data"]]
    assert {row["snapshot_date"] for row in rows} == {"2024-06-01", "2024-06-02", "2024-06-03"}


def test_a_home_without_a_company_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalystError, match="no simulated company"), serve(tmp_path):
        pass


def test_stock_falls_by_what_the_warehouse_served_unless_goods_arrive(grown: Company) -> None:
    for t in (200, 450):
        before, after = stock(grown, t - 1), stock(grown, t)
        sold = units(grown, grown.day(t))
        served = np.stack([sold[:4].sum(axis=0), sold[4:8].sum(axis=0), sold[8:].sum(axis=0)])
        quiet = (before[1] == after[1]) & (before[0] > served)
        assert quiet.mean() > 0.6
        np.testing.assert_array_equal((before[0] - after[0])[quiet], served[quiet])


def test_at_any_time_some_but_not_most_products_need_an_order(grown: Company) -> None:
    terms = offers(grown)
    lead = terms.lead_days[terms.is_main]
    for t in range(150, 730, 70):
        on_hand, on_order = stock(grown, t)
        ahead = np.stack([mean_demand(grown, grown.day(t + k + 1)) for k in range(20)]).cumsum(axis=0)
        over_lead = ahead[lead - 1, :, np.arange(150)].T
        needed = np.stack([over_lead[:4].sum(axis=0), over_lead[4:8].sum(axis=0), over_lead[8:].sum(axis=0)])
        share = (on_hand + on_order <= needed + 1.5 * np.sqrt(needed)).mean()
        assert 0.08 < share < 0.32
