"""Every planted bad row breaks exactly the rules that the truth lists, and no other row breaks any."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from jsonschema import Draft201909Validator

from orchestration.contracts import Feed, Kind
from orchestration.demo import Company
from orchestration.demo.api import serve
from orchestration.demo.categories import CATEGORIES, NAMES, UNKNOWN
from orchestration.demo.mess import FeedShape, one, spoil
from orchestration.demo.sources import (
    app,
    billing,
    clicks,
    crm,
    erp,
    logistics,
    market,
    people,
    sales,
    treasury,
    warehouses,
)
from orchestration.settings import REPOSITORY

from .conftest import Home, Record

FEEDS = (
    "raw_app.logins", "raw_billing.credit_notes", "raw_billing.invoices", "raw_billing.subscriptions",
    "raw_crm.contacts", "raw_crm.interactions", "raw_erp.locations", "raw_erp.products", "raw_erp.supplier_offers",
    "raw_logistics.positions", "raw_market.competitor_prices", "raw_marketing.promotions", "raw_pos.customers",
    "raw_pos.sales", "raw_treasury.exchange_rates", "raw_web.clicks", "raw_web.orders", "raw_wms.inventory",
)  # fmt: skip
SHAPES = {
    shape.id: shape
    for shape in (
        app.LOGINS, billing.CREDIT_NOTES, billing.INVOICES, billing.SUBSCRIPTIONS, clicks.CLICKS, crm.CONTACTS,
        crm.INTERACTIONS, erp.LOCATIONS_SHAPE, erp.PRODUCTS_SHAPE, erp.OFFERS_SHAPE, erp.PROMOTIONS_SHAPE,
        logistics.POSITIONS, market.PRICES, people.CUSTOMERS, sales.SALES, sales.ORDERS, treasury.RATES,
        warehouses.INVENTORY,
    )
}  # fmt: skip


def test_there_is_a_contract_for_each_feed(feeds: dict[str, Feed]) -> None:
    assert tuple(sorted(feeds)) == FEEDS
    assert set(SHAPES) == set(FEEDS)


@pytest.mark.parametrize("name", FEEDS)
def test_a_contract_keeps_to_the_standard_and_names_what_the_source_sends(name: str, feeds: dict[str, Feed]) -> None:
    feed, shape = feeds[name], SHAPES[name]
    document = yaml.safe_load(feed.path.read_text(encoding="utf-8"))
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text(encoding="utf-8"))
    assert [error.message for error in Draft201909Validator(schema).iter_errors(document)] == []
    assert feed.path.relative_to(REPOSITORY / "orchestration" / "feeds").as_posix() == (
        f"{name.removeprefix('raw_').replace('.', '/')}.odcs.yaml"
    )
    assert document["id"] == name
    assert len(document["servers"]) == 1
    columns = [column.name for column in feed.columns]
    assert columns == (["entry_id"] if feed.kind is Kind.DATABASE else []) + list(shape.columns)
    assert feed.key == shape.key
    assert feed.known_at in columns
    assert {prop["property"] for prop in document["slaProperties"]} == {"frequency", "latency"}
    assert document["team"]["members"][0]["role"] == "owner"
    assert all(prop["description"] for prop in document["schema"][0]["properties"])


@pytest.mark.parametrize(
    ("name", "personal"),
    [
        (
            "raw_pos.customers",
            "customer_id full_name email phone street postal_code city birth_year birth_date",
        ),
        (
            "raw_crm.contacts",
            "contact_id given_name family_name email phone birth_date street postal_code city",
        ),
        ("raw_crm.interactions", "contact_id"),
        ("raw_web.clicks", "customer_id"),
        ("raw_app.logins", "customer_id"),
        ("raw_billing.credit_notes", "customer_id"),
    ],
)
def test_personal_data_are_marked_as_such(name: str, personal: str, feeds: dict[str, Feed]) -> None:
    document = yaml.safe_load(feeds[name].path.read_text(encoding="utf-8"))
    marked = [p["name"] for p in document["schema"][0]["properties"] if p.get("classification") == "pii"]
    assert marked == personal.split()


@pytest.mark.parametrize("name", FEEDS)
def test_each_planted_bad_row_breaks_the_rules_it_lists_and_no_good_row_does(
    name: str,
    small: Home,
    feeds: dict[str, Feed],
    records: Callable[[Feed, Path], list[Record]],
    judge: Callable[[Feed, list[Record]], list[str]],
) -> None:
    feed = feeds[name]
    rows = _served(small, feed) if feed.kind is Kind.REST else records(feed, small.path)
    found = Counter((_key(feed, row), broken) for row, broken in zip(rows, judge(feed, rows), strict=True) if broken)
    first = small.through - timedelta(days=29) if name == "raw_wms.inventory" else date.min
    planted = Counter(
        (row["key"], row["rules"]) for row in _bad_rows(small) if row["feed"] == name and row["day"] >= first
    )
    assert found == planted
    share = planted.total() / len(rows)
    assert share > 0
    if len(rows) > 5000:
        assert 0.002 < share < 0.005


def test_the_truth_shows_each_bad_row_as_its_source_sends_it(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]
) -> None:
    sent = {
        json.dumps({k: v for k, v in row.items() if k != "entry_id"})
        for row in records(feeds["raw_pos.sales"], small.path)
    }
    listed = [row["row"] for row in _bad_rows(small) if row["feed"] == "raw_pos.sales"]
    assert len(listed) > 100
    assert set(listed) <= sent


def test_all_the_kinds_of_mess_that_were_promised_are_there(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]
) -> None:
    tills = records(feeds["raw_pos.sales"], small.path)
    assert {0.0, 10_000_000.0} <= {row["unit_price"] for row in tills}
    assert any(-50 < row["quantity"] < 0 for row in tills)
    anonymous = sum(row["customer_id"] is None for row in tills) / len(tills)
    assert 0.4 < anonymous < 0.95
    late = [row for row in tills if row["sold_at"] and row["recorded_at"][:10] > row["sold_at"][:10]]
    days = {(date.fromisoformat(r["recorded_at"][:10]) - date.fromisoformat(r["sold_at"][:10])).days for r in late}
    assert days == {1, 2, 3, 4, 5}
    assert 0.004 < len(late) / len(tills) < 0.012
    entries = [row["entry_id"] for row in tills]
    assert entries == sorted(set(entries))
    # Broken rows have no say in the order: a first try is recorded with the row that follows it.
    recorded = [row["recorded_at"] for row in tills]
    assert recorded == sorted(recorded)
    web = records(feeds["raw_web.orders"], small.path)
    assert {row["currency"] for row in web} >= {"EUR", "USD"}
    canonical = sum(row["category"] in NAMES for row in web) / len(web)
    assert 0.65 < canonical < 0.8
    known = {spelling for category in CATEGORIES for spelling in category.spellings}
    assert {row["category"] for row in web} - set(NAMES) <= known | set(UNKNOWN) | {None}


def test_the_device_appears_in_web_orders_after_a_year() -> None:
    company = Company(opened=date(2023, 12, 10), scale=0.2)

    def columns(t: int) -> list[str]:
        content = sales.orders_parquet(sales.orders_batch(company, t), t)
        return list(pq.ParquetFile(BytesIO(content)).schema_arrow.names)

    assert "device" not in columns(364)
    assert columns(365) == [*columns(364), "device"]


def test_a_broken_row_precedes_the_good_one_and_a_repeated_one_follows() -> None:
    shape = FeedShape(
        "raw_x.y", ("id", "n"), ("id",), one("n", "range", -1), retry_suffix="-1", broken=1.0, repeated=0.0
    )
    company = Company(opened=date(2024, 1, 1))
    batch = spoil(company, shape, date(2024, 1, 5), [("a", 1), ("b", 2)])
    assert batch.rows == [("a-1", -1), ("a", 1), ("b-1", -1), ("b", 2)]
    assert batch.bad == {0: "n:range", 2: "n:range"}
    shape = FeedShape("raw_x.y", ("id", "n"), ("id",), (), broken=0.0, repeated=1.0, resent=1.0)
    batch = spoil(company, shape, date(2024, 1, 5), [("a", 1)], [("z", 9)], lambda row: (row[0], 10))
    assert batch.rows == [("a", 1), ("a", 1), ("z", 10)]
    assert batch.bad == {1: "id:unique", 2: "id:unique"}


def _bad_rows(small: Home) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(small.path / "demo/truth/bad_rows.parquet").to_pylist()
    return rows


def _key(feed: Feed, row: Record) -> str:
    return json.dumps({name: None if row[name] is None else str(row[name]) for name in feed.key})


def _served(small: Home, feed: Feed) -> list[Record]:
    found: list[Record] = []
    with serve(small.path) as url:
        cursor: str | None = ""
        while cursor is not None:
            with urllib.request.urlopen(f"{url}/{feed.table}{cursor}") as answer:  # noqa: S310 (the demo's own server)
                page = json.load(answer)
            found += page["data"]
            cursor = page["next"] and f"?cursor={page['next']}"
    return [{name: None if value is None else str(value) for name, value in row.items()} for row in found]
