"""The gate marks each row that breaks its contract with every reason, lets the others on, and loses none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column

COLUMNS = [
    column("id", primaryKey=True),
    column("price", "number", required=True, logicalTypeOptions={"exclusiveMinimum": 0, "exclusiveMaximum": 10000}),
    column("quantity", "integer", logicalTypeOptions={"minimum": -5, "maximum": 5}),
    column("day", "date", logicalTypeOptions={"minimum": "2020-01-01"}),
    column("currency", logicalTypeOptions={"pattern": "^(EUR|USD)$"}),
]
HEADER = "id,price,quantity,day,currency\n"


class Shop:
    """A feed of CSV files with the steps that a run takes."""

    def __init__(self, feed: Feed, warehouse: Warehouse, folder: Path) -> None:
        self.feed, self.warehouse, self.folder = feed, warehouse, folder
        warehouse.prepare([feed])

    def send(self, name: str, *lines: str) -> tuple[int, int, int]:
        self.folder.mkdir(exist_ok=True)
        (self.folder / name).write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
        land(self.feed, self.warehouse)
        gate(self.feed, self.warehouse)
        total = check_balance(self.feed, self.warehouse)
        return total.landed, total.accepted, total.quarantined

    def marks(self, columns: str = "row_number, rules") -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(
                f"select {columns} from quality.quarantine order by load_id, row_number"
            ).fetchall()


@pytest.fixture
def shop(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> Shop:
    feed = make_feed("sales", {"type": "local", "path": f"{tmp_path}/in/*.csv", "format": "csv"}, COLUMNS)
    return Shop(feed, warehouse, tmp_path / "in")


def test_good_rows_go_on_unmarked(shop: Shop) -> None:
    assert shop.send("1.csv", "a,0.01,5,2020-01-01,EUR", "b,9999.99,-5,,") == (2, 2, 0)
    assert shop.marks() == []


@pytest.mark.parametrize(
    ("line", "rules"),
    [
        (",1,1,2021-01-01,EUR", "id:required"),
        ("a,,1,2021-01-01,EUR", "price:required"),
        ("a,n/a,1,2021-01-01,EUR", "price:type"),
        ("a,0,1,2021-01-01,EUR", "price:range"),
        ("a,10000,1,2021-01-01,EUR", "price:range"),
        ("a,1,6,2021-01-01,EUR", "quantity:range"),
        ("a,1,1.5.2,2021-01-01,EUR", "quantity:type"),
        ("a,1,1,2021-02-30,EUR", "day:type"),
        ("a,1,1,2019-12-31,EUR", "day:range"),
        ("a,1,1,2021-01-01,eur", "currency:pattern"),
        (",0,99,2021-02-30,?", "currency:pattern,day:type,id:required,price:range,quantity:range"),
    ],
)
def test_a_bad_row_is_marked_with_all_the_rules_that_it_breaks(shop: Shop, line: str, rules: str) -> None:
    assert shop.send("1.csv", "good,1,1,2021-01-01,EUR", line) == (2, 1, 1)
    assert shop.marks() == [(1, rules)]


def test_the_reason_is_a_sentence_and_the_payload_is_the_row(shop: Shop) -> None:
    shop.send("1.csv", "good,1,1,2021-01-01,EUR", "a,10000000,1,2021-01-01,EUR")
    reasons, payload = shop.marks("reasons, payload")[0]
    assert reasons == "price is 10000000, but must be above 0 and below 10000."
    assert '"id":"a"' in payload
    assert '"price":"10000000"' in payload


def test_of_rows_with_one_key_the_first_good_one_stays(shop: Shop) -> None:
    good, bad = "a,1,1,2021-01-01,EUR", "a,0,1,2021-01-01,EUR"
    assert shop.send("1.csv", bad, good, good) == (3, 1, 2)
    assert shop.marks() == [(0, "price:range"), (2, "id:unique")]


def test_a_key_that_was_accepted_in_an_earlier_load_is_not_accepted_again(shop: Shop) -> None:
    shop.send("1.csv", "a,0,1,2021-01-01,EUR", "b,1,1,2021-01-01,EUR")
    assert shop.send("2.csv", "a,1,1,2021-01-01,EUR", "b,2,1,2021-01-01,EUR") == (4, 2, 2)
    assert shop.marks() == [(0, "price:range"), (1, "id:unique")]


def test_a_changed_file_takes_the_place_of_its_earlier_landing(shop: Shop) -> None:
    shop.send("1.csv", "a,1,1,2021-01-01,EUR", "b,1,1,2021-01-01,EUR")
    assert shop.send("1.csv", "a,2,1,2021-01-01,EUR") == (3, 1, 2)
    assert shop.marks() == [(0, "_file:superseded"), (1, "_file:superseded")]


def test_gating_again_changes_nothing(shop: Shop) -> None:
    shop.send("1.csv", "a,1,1,2021-01-01,EUR", "b,0,1,2021-01-01,EUR")
    before = shop.marks("*")
    assert gate(shop.feed, shop.warehouse).landed == 0
    assert shop.marks("*") == before


def test_a_kill_in_the_middle_of_the_gate_leaves_no_half_gated_load(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.send("1.csv", "a,1,1,2021-01-01,EUR")
    (shop.folder / "2.csv").write_text(HEADER + "b,0,1,2021-01-01,EUR\n", encoding="utf-8")
    land(shop.feed, shop.warehouse)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("orchestration.gate._mark_repeated", killed)
        with pytest.raises(KeyboardInterrupt):
            gate(shop.feed, shop.warehouse)
    assert shop.marks() == []
    assert gate(shop.feed, shop.warehouse).quarantined == 1


def test_a_feed_that_never_sent_a_row_does_not_pass(shop: Shop) -> None:
    with pytest.raises(CatalystError, match="has not sent a single row, which is not a pass"):
        check_balance(shop.feed, shop.warehouse)


def test_a_row_that_went_missing_is_noticed(shop: Shop) -> None:
    shop.send("1.csv", "a,1,1,2021-01-01,EUR", "b,1,1,2021-01-01,EUR")
    with shop.warehouse.connect() as connection:
        connection.execute("delete from raw_shop.sales where id = 'a'")
    with pytest.raises(CatalystError, match="does not balance: 1 raw rows, 2 gated"):
        check_balance(shop.feed, shop.warehouse)
