"""Taking in a feed tells people what they have to know: what stopped, what changed at the source, what is overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.intake import take_in
from orchestration.settings import Settings
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column

COLUMNS = [column("id", required=True), column("price", "number")]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def _feed(make_feed: MakeFeed, settings: Settings, tmp_path: Path, **custom: Any) -> Feed:
    feed = make_feed("orders", {"type": "local", "path": f"{tmp_path}/in/*.csv", "format": "csv"}, COLUMNS, **custom)
    Warehouse(settings.warehouse).prepare([feed])
    return feed


def _write(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / name).write_text(text, encoding="utf-8")


def _alerts(settings: Settings) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((settings.home / "alerts").glob("*.md"))]


def _query(settings: Settings, sql: str) -> list[dict[str, Any]]:
    return Warehouse(settings.warehouse).query(sql).to_pylist()  # type: ignore[no-any-return]


def test_a_feed_without_anything_to_tell_sends_no_alert(
    make_feed: MakeFeed, settings: Settings, tmp_path: Path
) -> None:
    _write(tmp_path, "1.csv", "id,price\na,1\nb,x\n")
    taken = take_in(_feed(make_feed, settings, tmp_path), settings)
    assert (taken.gated.landed, taken.gated.accepted, taken.gated.quarantined) == (2, 1, 1)
    assert (taken.findings, taken.stop_message, _alerts(settings)) == ((), "", [])
    assert (settings.data_docs / "raw_shop.orders.html").exists()


def test_past_its_threshold_a_feed_stops_and_the_alert_has_counts_examples_and_the_next_command(
    make_feed: MakeFeed, settings: Settings, tmp_path: Path
) -> None:
    _write(tmp_path, "1.csv", "id,price\na,1\nb,2\n")
    feed = _feed(make_feed, settings, tmp_path, stopAbove="0.5")
    take_in(feed, settings)
    # Seven of ten rows have a price that is no number.
    _write(tmp_path, "2.csv", "id,price\n" + "".join(f"k{n},{'?' if n < 7 else n}\n" for n in range(10)))
    taken = take_in(feed, settings)
    assert taken.gated.stopped
    assert (taken.gated.landed, taken.gated.accepted, taken.gated.quarantined) == (10, 0, 10)
    assert (taken.total.landed, taken.total.accepted) == (12, 2)
    assert "catalyst redrive raw_shop.orders" in taken.stop_message
    (alert,) = _alerts(settings)
    assert alert.startswith("# Feed raw_shop.orders stopped")
    assert "10 rows landed: 0 accepted, 10 quarantined" in alert
    assert alert.count("price is '?'") + alert.count("price is ?") == 5
    assert "catalyst quarantine raw_shop.orders" in alert
    assert "catalyst redrive raw_shop.orders" in alert
    # The next run goes on with the last good data: nothing new, nothing red.
    again = take_in(feed, settings)
    assert not again.gated.stopped
    assert len(_alerts(settings)) == 1


def test_a_new_column_lands_and_is_told(make_feed: MakeFeed, settings: Settings, tmp_path: Path) -> None:
    feed = _feed(make_feed, settings, tmp_path)
    _write(tmp_path, "1.csv", "id,price\na,1\n")
    take_in(feed, settings)
    _write(tmp_path, "2.csv", "id,price,colour\nb,2,red\n")
    (finding,) = take_in(feed, settings).findings
    assert (finding.rule, finding.severity) == ("_schema:new_column", "drift")
    assert "colour" in finding.message
    assert _query(settings, f"select id, colour from {feed.id} order by id") == [
        {"id": "a", "colour": None},
        {"id": "b", "colour": "red"},
    ]
    assert _query(settings, "select rule, severity from quality.findings") == [
        {"rule": "_schema:new_column", "severity": "drift"}
    ]
    assert "colour" in _alerts(settings)[0]


def test_a_missing_column_stops_the_feed_before_anything_lands_and_shows_the_difference(
    make_feed: MakeFeed, settings: Settings, tmp_path: Path
) -> None:
    feed = _feed(make_feed, settings, tmp_path)
    _write(tmp_path, "1.csv", "id,price\na,1\n")
    take_in(feed, settings)
    _write(tmp_path, "2.csv", "id,cost\nb,2\n")
    with pytest.raises(CatalystError, match="price"):
        take_in(feed, settings)
    assert _query(settings, f"select count(*) as n from {feed.id}") == [{"n": 1}]
    assert _alerts(settings)[0].startswith("# Feed raw_shop.orders failed")


def test_rows_that_are_overdue_are_a_finding_of_freshness(
    make_feed: MakeFeed, settings: Settings, tmp_path: Path
) -> None:
    _write(tmp_path, "1.csv", "id,price\na,1\n")
    feed = replace(_feed(make_feed, settings, tmp_path), fresh_within=timedelta(days=1))
    take_in(feed, settings)
    assert not take_in(feed, settings).is_overdue
    with Warehouse(settings.warehouse).connect() as connection:
        connection.execute("update quality.loads set landed_at = landed_at - interval 25 hour")
    taken = take_in(feed, settings)
    assert taken.is_overdue
    assert "has sent nothing since" in taken.findings[0].message
    assert "within 24 hours" in _alerts(settings)[0]


def test_a_feed_whose_only_file_is_broken_says_which_and_why(
    make_feed: MakeFeed, settings: Settings, tmp_path: Path
) -> None:
    server = {"type": "local", "path": f"{tmp_path}/in/*.parquet", "format": "parquet"}
    feed = make_feed("orders", server, COLUMNS)
    Warehouse(settings.warehouse).prepare([feed])
    _write(tmp_path, "1.parquet", "<html>not found</html>")
    with pytest.raises(CatalystError, match=r"has not sent a single row.*1\.parquet"):
        take_in(feed, settings)
    assert "1.parquet" in _alerts(settings)[0]
