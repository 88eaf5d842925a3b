"""Customers from pairs, and their ids: every expectation is worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from orchestration.identities.golden import Decision, Holder, Pair, Record, name, unite

DAY_1, DAY_2 = date(2024, 1, 1), date(2024, 1, 2)


def record(record_id: str, day: int | None = 0) -> Record:
    source, own = record_id.split(":")
    opened = datetime(2024, 1, 1)  # noqa: DTZ001  # the warehouse stores UTC without a zone
    return Record(record_id, source, own, source == "pos", None if day is None else opened + timedelta(days=day))


def records(*record_ids: str) -> list[Record]:
    return [record(record_id) for record_id in record_ids]


def sets(*customers: str) -> list[frozenset[str]]:
    return [frozenset(customer.split()) for customer in customers]


def link(left: str, right: str) -> Pair:
    return Pair(left, right, is_link=True)


def as_sets(customers: Iterable[frozenset[str]]) -> set[frozenset[str]]:
    return set(customers)


def test_links_make_one_customer_of_a_chain() -> None:
    customers, decisions = unite(
        records("crm:K1", "crm:K2", "crm:K3", "crm:K4"), [link("crm:K1", "crm:K2"), link("crm:K3", "crm:K2")]
    )
    assert as_sets(customers) == set(sets("crm:K1 crm:K2 crm:K3", "crm:K4"))
    assert decisions == [Decision.LINKED, Decision.LINKED]


def test_a_pair_without_enough_evidence_is_unsure() -> None:
    customers, decisions = unite(records("pos:C1", "crm:K1"), [Pair("pos:C1", "crm:K1", is_link=False)])
    assert len(customers) == 2
    assert decisions == [Decision.UNSURE]


def test_a_chain_between_two_of_the_register_gives_at_its_weakest_link() -> None:
    customers, decisions = unite(
        records("pos:C1", "pos:C2", "crm:K1"), [link("crm:K1", "pos:C2"), link("crm:K1", "pos:C1")]
    )
    assert as_sets(customers) == set(sets("pos:C2 crm:K1", "pos:C1"))
    assert decisions == [Decision.LINKED, Decision.HELD_APART]


def test_two_of_the_register_that_are_linked_themselves_are_one() -> None:
    customers, decisions = unite(
        records("pos:C1", "pos:C2", "crm:K1"),
        [link("crm:K1", "pos:C2"), link("pos:C1", "pos:C2"), link("crm:K1", "pos:C1")],
    )
    assert as_sets(customers) == set(sets("pos:C1 pos:C2 crm:K1"))
    assert decisions == [Decision.LINKED] * 3


def test_a_contradicted_pair_does_not_come_together_by_way_of_a_third_record_either() -> None:
    customers, decisions = unite(
        records("crm:K1", "crm:K2", "crm:K3"),
        [
            Pair("crm:K1", "crm:K2", is_link=True, is_contradicted=True),
            link("crm:K1", "crm:K3"),
            link("crm:K2", "crm:K3"),
        ],
    )
    assert as_sets(customers) == set(sets("crm:K1 crm:K3", "crm:K2"))
    assert decisions == [Decision.HELD_APART, Decision.LINKED, Decision.HELD_APART]


def test_a_new_customer_is_called_as_the_register_calls_it_else_after_the_earliest_record() -> None:
    known = [record("pos:C7", 5), record("crm:K1", 1), record("crm:K3", 2), record("crm:K2", 3), record("crm:K4", None)]
    named, retired = name(known, sets("pos:C7 crm:K1", "crm:K2 crm:K3 crm:K4"), {})
    assert named == {"pos:C7": "C7", "crm:K1": "C7", "crm:K2": "K3", "crm:K3": "K3", "crm:K4": "K3"}
    assert retired == {}


def test_an_id_survives_new_records_even_earlier_ones_and_ones_of_the_register() -> None:
    held = {"crm:K2": Holder("K2", DAY_1)}
    named, retired = name(
        [record("crm:K2", 5), record("crm:K1", 1), record("pos:C1", 0)], sets("crm:K2 crm:K1 pos:C1"), held
    )
    assert set(named.values()) == {"K2"}
    assert retired == {}


def test_of_two_customers_that_merge_the_id_that_is_longer_in_use_survives() -> None:
    held = {"pos:C1": Holder("C1", DAY_2), "pos:C2": Holder("C2", DAY_1)}
    named, retired = name(records("pos:C1", "pos:C2"), sets("pos:C1 pos:C2"), held)
    assert named == {"pos:C1": "C2", "pos:C2": "C2"}
    assert retired == {"C1": "C2"}


def test_of_two_ids_of_one_age_the_smaller_survives() -> None:
    held = {"pos:C2": Holder("C2", DAY_1), "pos:C1": Holder("C1", DAY_1)}
    named, retired = name(records("pos:C1", "pos:C2"), sets("pos:C1 pos:C2"), held)
    assert set(named.values()) == {"C1"}
    assert retired == {"C2": "C1"}


def test_an_id_is_as_old_as_the_first_record_that_has_it() -> None:
    held = {"crm:K9": Holder("C1", DAY_2), "pos:C1": Holder("C1", DAY_1), "pos:C0": Holder("C0", DAY_2)}
    named, _ = name(records("crm:K9", "pos:C0"), sets("crm:K9 pos:C0"), held)
    assert set(named.values()) == {"C1"}


def test_where_a_customer_comes_apart_the_part_with_the_earliest_record_keeps_the_id() -> None:
    held = {"pos:C1": Holder("C1", DAY_1), "crm:K1": Holder("C1", DAY_1), "crm:K2": Holder("C1", DAY_1)}
    known = [record("pos:C1", 3), record("crm:K1", 1), record("crm:K2", 2)]
    named, retired = name(known, sets("crm:K1", "pos:C1 crm:K2"), held)
    # K1 keeps what it was called, so the register's own name is taken.
    assert named == {"crm:K1": "C1", "pos:C1": "K2", "crm:K2": "K2"}
    assert retired == {}


def test_ids_of_two_systems_that_are_alike_are_two_customers() -> None:
    named, _ = name(records("pos:7", "crm:7", "crm:8"), sets("pos:7", "crm:7", "crm:8"), {})
    assert named == {"pos:7": "7", "crm:7": "crm:7", "crm:8": "8"}
