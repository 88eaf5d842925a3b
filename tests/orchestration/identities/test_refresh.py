"""What is written to the warehouse from day to day, and what a run for a past date sees of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from orchestration import identities
from orchestration.warehouse import Warehouse
from tests.orchestration.identities.people import ada, crowd, record, table

JANUARY, FEBRUARY, MARCH = date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)
BOB = record("pos:C9", given_name="Bob", family_name="Ross", email="bob@ross.example", birth_date="1942-10-29")


@pytest.fixture
def prepared(warehouse: Warehouse) -> Warehouse:
    """A warehouse with the tables of the identities, all empty."""
    warehouse.prepare([])
    return warehouse


def refresh(warehouse: Warehouse, as_of: date, *records: dict[str, Any]) -> identities.Summary:
    with warehouse.connect() as connection:
        connection.register("known", table(records))
        connection.execute("create schema if not exists intermediate")
        connection.execute("create or replace table intermediate.int_customer_records as select * from known")
    return identities.refresh(warehouse, as_of)


def rows(warehouse: Warehouse, table_name: str, columns: str) -> list[tuple[Any, ...]]:
    with warehouse.connect() as connection:
        return connection.execute(f"select {columns} from identities.{table_name} order by all").fetchall()


def history(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return rows(warehouse, "customers", "as_of_date, record_id, customer_id")


def test_each_record_gets_its_customer_and_each_pair_its_evidence(prepared: Warehouse) -> None:
    done = refresh(prepared, JANUARY, ada("pos:C1"), ada("crm:K1", day=3), BOB)
    assert (done.records, done.customers, done.changed, done.merged) == (3, 2, 3, 0)
    assert rows(prepared, "customers", "*") == [
        (JANUARY, "crm:K1", "C1", "crm", "K1", False),
        (JANUARY, "pos:C1", "C1", "pos", "C1", True),
        (JANUARY, "pos:C9", "C9", "pos", "C9", True),
    ]
    [(left, right, decision, evidence)] = rows(
        prepared, "matches", "record_id_left, record_id_right, decision, evidence"
    )
    assert (left, right, decision) == ("crm:K1", "pos:C1", "linked")
    assert "e-mail equal (+" in evidence


def test_only_what_changes_is_written_on_the_next_day(prepared: Warehouse) -> None:
    refresh(prepared, JANUARY, ada("pos:C1"), BOB)
    done = refresh(prepared, FEBRUARY, ada("pos:C1"), BOB, ada("crm:K1", day=40))
    assert done.changed == 1
    assert history(prepared) == [(JANUARY, "pos:C1", "C1"), (JANUARY, "pos:C9", "C9"), (FEBRUARY, "crm:K1", "C1")]


def test_nothing_is_done_where_the_records_are_those_of_the_last_time(prepared: Warehouse) -> None:
    refresh(prepared, JANUARY, ada("pos:C1"), BOB)
    with prepared.connect() as connection:
        connection.execute("update identities.customers set customer_id = 'untouched'")
    done = refresh(prepared, FEBRUARY, ada("pos:C1"), BOB)
    assert done.is_unchanged
    assert (done.records, done.customers) == (2, 2)
    assert {row[2] for row in history(prepared)} == {"untouched"}


def test_a_second_run_for_a_date_changes_nothing(prepared: Warehouse) -> None:
    refresh(prepared, JANUARY, ada("pos:C1"))
    before = [BOB, ada("pos:C1"), ada("crm:K1", day=40)]
    refresh(prepared, FEBRUARY, *before)
    once = history(prepared)
    # Something else in between, so that the second run has to look again.
    refresh(prepared, FEBRUARY, BOB)
    refresh(prepared, FEBRUARY, *before)
    assert history(prepared) == once


def test_a_second_run_for_a_date_gives_what_a_first_one_with_its_records_would_have_given(prepared: Warehouse) -> None:
    refresh(prepared, JANUARY, ada("crm:K1"))
    refresh(prepared, JANUARY, ada("crm:K1"), ada("pos:C1", day=20))
    assert history(prepared) == [(JANUARY, "crm:K1", "C1"), (JANUARY, "pos:C1", "C1")]


def test_customers_that_turn_out_to_be_one_are_merged_and_the_retired_id_is_recorded(prepared: Warehouse) -> None:
    stranger = record("crm:K1", given_name="A", email="ada@lovelace.example", day=5)
    refresh(prepared, JANUARY, ada("pos:C1"))
    refresh(prepared, FEBRUARY, ada("pos:C1"), stranger | {"email": "a@new.example"})
    done = refresh(prepared, MARCH, ada("pos:C1"), ada("crm:K1", day=5))
    assert done.merged == 1
    assert rows(prepared, "merges", "*") == [(MARCH, "K1", "C1")]
    assert history(prepared)[-1] == (MARCH, "crm:K1", "C1")


def test_a_contact_who_becomes_a_customer_keeps_the_id(prepared: Warehouse) -> None:
    refresh(prepared, JANUARY, ada("crm:K1"))
    refresh(prepared, FEBRUARY, ada("crm:K1"), ada("pos:C1", day=40))
    assert history(prepared) == [(JANUARY, "crm:K1", "K1"), (FEBRUARY, "pos:C1", "K1")]


def test_a_run_for_a_past_date_knows_nothing_of_what_came_later_and_leaves_it_alone(prepared: Warehouse) -> None:
    refresh(prepared, MARCH, ada("crm:K1"), ada("pos:C1", day=40))
    refresh(prepared, JANUARY, ada("crm:K1"))
    assert history(prepared) == [(JANUARY, "crm:K1", "K1"), (MARCH, "crm:K1", "C1"), (MARCH, "pos:C1", "C1")]


def test_a_company_without_records_of_customers_is_no_failure(prepared: Warehouse) -> None:
    done = refresh(prepared, JANUARY)
    assert (done.records, done.customers, done.changed) == (0, 0, 0)


def test_the_model_of_the_run_before_is_used_and_one_of_a_later_date_is_not(prepared: Warehouse) -> None:
    people = crowd(700)
    first = refresh(prepared, FEBRUARY, *people)
    assert refresh(prepared, MARCH, *people, BOB).model_version == first.model_version
    assert rows(prepared, "models", "as_of_date, model_version") == [(FEBRUARY, first.model_version)]
    fewer = refresh(prepared, JANUARY, *people[:1_010])
    assert fewer.model_version != first.model_version
    assert refresh(prepared, MARCH, *people, BOB).model_version == first.model_version
