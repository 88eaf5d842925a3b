"""The pages of the gate say of every feed what is expected and what was found, and need nothing but themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration import data_docs
from orchestration.contracts import Feed
from orchestration.gate import gate
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column

COLUMNS = [
    column("id", primaryKey=True),
    column("price", "number", required=True, logicalTypeOptions={"minimum": 0}),
    column("email", classification="pii", logicalTypeOptions={"pattern": "@"}),
]

Send = Callable[..., Feed]


@pytest.fixture
def send(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> Send:
    """`send("orders", "1.csv", "a,1,x@y")` lands a file of a feed and gates it."""

    def send(table: str, name: str, *lines: str) -> Feed:
        folder = tmp_path / table
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("id,price,email\n" + "\n".join(lines) + "\n", encoding="utf-8")
        feed = make_feed(table, {"type": "local", "path": f"{folder}/*.csv", "format": "csv"}, COLUMNS)
        warehouse.prepare([feed])
        land(feed, warehouse)
        gate(feed, warehouse)
        return feed

    return send


def text_of(page: Path) -> str:
    """What a reader sees."""
    body = re.sub(r"<style>.*?</style>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_a_page_for_each_feed_shows_every_rule_with_counts_and_examples(
    send: Send, warehouse: Warehouse, tmp_path: Path
) -> None:
    send("orders", "1.csv", "a,1,x@y", "b,-1,x@y", "c,-2,x@y", "d,1,x@y")
    send("refunds", "1.csv", "a,1,x@y")
    index = data_docs.build(warehouse, tmp_path / "docs")
    assert index == tmp_path / "docs" / "index.html"
    assert "raw_shop.orders passed 7 1 4 2" in text_of(index)
    assert "raw_shop.refunds passed 7 0 1 0" in text_of(index)
    assert 'href="raw_shop.orders.html"' in index.read_text(encoding="utf-8")
    page = text_of(tmp_path / "docs" / "raw_shop.orders.html")
    assert "4 rows landed, 2 accepted, 2 quarantined. 7 rules, 1 of them broken." in page
    assert "price:range: price is at least 0. 2 unexpected values found. 50% of 4 total rows." in page
    assert "row 1: price is -1, but must be at least 0. row 2: price is -2, but must be at least 0." in page
    assert "price:type: price is a number." in page
    assert "id:unique: id comes once, in all loads." in page


def test_the_pages_survive_the_process_and_only_those_that_changed_are_made_anew(
    send: Send, warehouse: Warehouse, tmp_path: Path
) -> None:
    folder = tmp_path / "docs"
    send("orders", "1.csv", "a,1,x@y")
    send("refunds", "1.csv", "a,1,x@y")
    data_docs.build(warehouse, folder)
    before = {page.name: page.stat().st_mtime_ns for page in folder.glob("raw_*.html")}
    send("orders", "2.csv", "b,1,x@y", "c,-1,x@y")
    data_docs.build(warehouse, folder)
    after = {page.name: page.stat().st_mtime_ns for page in folder.glob("raw_*.html")}
    assert {name for name in before if before[name] != after[name]} == {"raw_shop.orders.html"}
    assert "2 rows landed, 1 accepted, 1 quarantined." in text_of(folder / "raw_shop.orders.html")
    assert "raw_shop.refunds passed 7 0 1 0" in text_of(folder / "index.html")


def test_a_page_asks_no_other_host_runs_no_script_and_shows_values_as_text(
    send: Send, warehouse: Warehouse, tmp_path: Path
) -> None:
    send("orders", "1.csv", "a,<script>alert(1)</script>,x@y", "b,$column {x} %s,x@y")
    data_docs.build(warehouse, tmp_path / "docs")
    for page in (tmp_path / "docs").glob("*.html"):
        source = page.read_text(encoding="utf-8")
        assert not re.findall(r"https?://|<script|\bon\w+=|<link|<img", source), page
    shown = (tmp_path / "docs" / "raw_shop.orders.html").read_text(encoding="utf-8")
    assert "price is &lt;script&gt;alert(1)&lt;/script&gt;, which is not a number." in shown
    assert "price is $column {x} %s, which is not a number." in shown


def test_a_page_keeps_to_itself_what_tells_of_a_person(send: Send, warehouse: Warehouse, tmp_path: Path) -> None:
    send("orders", "1.csv", "a,1,jane.doe")
    data_docs.build(warehouse, tmp_path / "docs")
    assert "jane.doe" not in (tmp_path / "docs" / "raw_shop.orders.html").read_text(encoding="utf-8")
    assert "row 0: it breaks email:pattern" in text_of(tmp_path / "docs" / "raw_shop.orders.html")


def test_a_warehouse_in_which_nothing_was_gated_says_so(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.prepare([])
    assert "No load has been gated yet." in text_of(data_docs.build(warehouse, tmp_path / "docs"))
