"""Proposals for unknown spellings: what they resemble, where they stop, and how a person accepts one."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from orchestration import categories
from orchestration.demo.categories import UNKNOWN
from orchestration.settings import REPOSITORY
from orchestration.warehouse import Warehouse

ALIASES = pa.table(
    {
        "alias": ["electronics", "elec", "toys", "home", "garden & outdoor", "books"],
        "category": ["Electronics", "Electronics", "Toys", "Home", "Garden", "Books"],
    }
)


def _seed() -> pa.Table:
    path = REPOSITORY / "dbt_project" / "seeds" / "category_aliases.csv"
    return pa.Table.from_pylist(list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())))


def _proposed(*spellings: str, aliases: pa.Table = ALIASES) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = categories.propose(pa.table({"spelling": list(spellings)}), aliases).to_pylist()
    return rows


def test_a_misspelling_is_proposed_for_the_category_of_the_alias_that_it_resembles() -> None:
    # 10 of 11 letters in order: 2 * 10 / (10 + 11) of the letters match, 95.2 %.
    assert _proposed("eletronics") == [
        {
            "spelling": "eletronics",
            "category": "Electronics",
            "score": 95.2,
            "resembles": "electronics",
            "seed_row": "eletronics,Electronics",
        }
    ]


def test_words_in_another_order_or_beside_others_are_recognized() -> None:
    assert [row["category"] for row in _proposed("outdoor & garden", "wooden toys")] == ["Garden", "Toys"]


def test_what_resembles_nothing_gets_no_proposal_but_stays_listed() -> None:
    rows = _proposed(*UNKNOWN, "", "1234")
    assert [row["spelling"] for row in rows] == [*UNKNOWN, "", "1234"]
    assert {(row["category"], row["score"], row["resembles"], row["seed_row"]) for row in rows} == {(None,) * 4}


def test_of_equally_near_aliases_the_first_by_name_is_taken_whatever_their_order() -> None:
    near = pa.table({"alias": ["boots", "books"], "category": ["Shoes", "Books"]})
    for aliases in (near, near.take(pa.array([1, 0]))):
        assert [row["resembles"] for row in _proposed("boobs", aliases=aliases)] == ["books"]


def test_a_seed_row_is_one_line_of_csv_however_the_spelling_is_written() -> None:
    [row] = _proposed('toys, "big"')
    assert row["seed_row"] == '"toys, ""big""",Toys'
    assert list(csv.reader(io.StringIO(row["seed_row"]))) == [['toys, "big"', "Toys"]]


def test_without_aliases_or_spellings_there_is_no_proposal_and_no_error() -> None:
    assert categories.propose(pa.table({"spelling": pa.array([], pa.string())}), ALIASES).num_rows == 0
    assert _proposed("toy", aliases=ALIASES.slice(0, 0))[0]["category"] is None


def test_each_alias_of_the_seed_would_have_been_proposed_from_the_others() -> None:
    # The figures beside CUT_OFF: 98 of 106, 96 right.
    rows = _seed().to_pylist()
    proposed = right = 0
    for at, row in enumerate(rows):
        [found] = _proposed(row["alias"], aliases=pa.Table.from_pylist(rows[:at] + rows[at + 1 :]))
        proposed += found["category"] is not None
        right += found["category"] == row["category"]
    assert proposed >= 0.9 * len(rows)
    assert right >= 0.95 * proposed


@pytest.fixture
def built(warehouse: Warehouse) -> Warehouse:
    """A warehouse with what dbt leaves there: two feeds that spell one category alike, and one unknown word."""
    warehouse.prepare([])
    with warehouse.connect() as connection:
        connection.execute("create schema intermediate")
        connection.execute("create schema seeds")
        connection.execute("create table seeds.category_aliases as select 'toys' as alias, 'Toys' as category")
        connection.execute(
            """
            create table intermediate.int_categories_unmatched as
            select * from (values
                ('raw_web.orders', 'Toyss', 'toyss', 3, date '2024-02-01', date '2024-02-09', 'P2'),
                ('raw_erp.products', 'toyss', 'toyss', 1, date '2024-01-01', date '2024-01-01', 'P1'),
                ('raw_web.orders', '???', '???', 9, date '2024-02-01', date '2024-02-01', null)
            ) as t(feed, raw_category, spelling, source_rows, first_seen_on, last_seen_on, example_product_id)
            """
        )
    return warehouse


def test_the_review_table_has_one_row_for_each_spelling_most_rows_first(built: Warehouse) -> None:
    categories.write_proposals(built)
    assert built.query("select * from quality.category_proposals").to_pylist() == [
        {
            "spelling": "???",
            "category": None,
            "score": None,
            "resembles": None,
            "source_rows": 9,
            "feeds": "raw_web.orders",
            "example_product_id": None,
            "first_seen_on": date(2024, 2, 1),
            "last_seen_on": date(2024, 2, 1),
            "seed_row": None,
        },
        {
            "spelling": "toyss",
            "category": "Toys",
            "score": 88.9,
            "resembles": "toys",
            "source_rows": 4,
            "feeds": "raw_erp.products, raw_web.orders",
            "example_product_id": "P1",
            "first_seen_on": date(2024, 1, 1),
            "last_seen_on": date(2024, 2, 9),
            "seed_row": "toyss,Toys",
        },
    ]


def test_the_review_table_is_replaced_as_a_whole(built: Warehouse) -> None:
    categories.write_proposals(built)
    with built.connect() as connection:
        connection.execute("delete from intermediate.int_categories_unmatched where spelling = 'toyss'")
    categories.write_proposals(built)
    assert built.query("select spelling from quality.category_proposals").to_pylist() == [{"spelling": "???"}]
