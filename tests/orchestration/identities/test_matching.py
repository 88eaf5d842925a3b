"""Pairs of records: planted ones are found, strangers and families are not."""

from __future__ import annotations

import pytest

from orchestration.identities.comparing import SHARED_BY_AT_MOST
from orchestration.identities.matching import THRESHOLD, TRAINS_FROM_RECORDS, Model, match
from tests.orchestration.identities.people import ada, crowd, record, table


def links(*records: dict[str, object]) -> set[tuple[str, str]]:
    pairs, _ = match(table(records))
    return {
        (pair["record_id_left"], pair["record_id_right"])
        for pair in pairs.to_pylist()
        if pair["match_probability"] >= THRESHOLD and not pair["is_contradicted"]
    }


@pytest.fixture(scope="module")
def matched() -> tuple[list[dict[str, object]], Model]:
    pairs, model = match(table(crowd(1_000)))
    return pairs.to_pylist(), model


def test_people_who_are_in_both_sources_are_found_and_nobody_else(
    matched: tuple[list[dict[str, object]], Model],
) -> None:
    pairs, _ = matched
    found = {
        (p["record_id_left"], p["record_id_right"]) for p in pairs if float(str(p["match_probability"])) >= THRESHOLD
    }
    planted = {(f"crm:K{number}", f"pos:C{number}") for number in range(1, 1_000, 2)}
    assert found - planted == set()
    assert len(found) >= 0.98 * len(planted)


def test_the_same_records_give_the_same_pairs_and_the_same_model(
    matched: tuple[list[dict[str, object]], Model],
) -> None:
    pairs, model = match(table(crowd(1_000)[::-1]))
    assert pairs.to_pylist() == matched[0]
    assert model == matched[1]


def test_the_model_learns_from_the_records(matched: tuple[list[dict[str, object]], Model]) -> None:
    _, model = matched
    trained = {comparison["output_column_name"]: comparison for comparison in model.settings["comparisons"]}
    phone = trained["phone"]["comparison_levels"][1]
    # Where the CRM has a phone number it is the right one.
    assert phone["m_probability"] > 0.95
    assert phone["u_probability"] < 0.001
    # 500 of the pairs of 1,500 records are of one person.
    share = 500 / (1_500 * 1_499 / 2)
    assert model.settings["probability_two_random_records_match"] == pytest.approx(share, rel=0.3)


def test_a_model_is_used_again_until_there_are_twice_as_many_records_or_other_columns(
    matched: tuple[list[dict[str, object]], Model],
) -> None:
    _, model = matched
    more = table([*crowd(1_000), ada("crm:K1000"), ada("crm:K1001")])
    assert match(more, model)[1] is model
    assert model.fits(2 * model.records - 1, model.columns)
    assert not model.fits(2 * model.records, model.columns)
    assert not model.fits(model.records, model.columns[1:])
    assert not Model(10, model.columns, {}).fits(TRAINS_FROM_RECORDS, model.columns)
    assert not Model(model.records, model.columns, {}, rules="of another release").fits(model.records, model.columns)


def test_two_records_of_one_person_are_found_before_there_is_anything_to_train_on() -> None:
    assert links(ada("pos:C1"), ada("crm:K1", given_name="Adda", phone=None)) == {("crm:K1", "pos:C1")}


def test_evidence_reads_as_a_sentence() -> None:
    pairs, _ = match(table([ada("pos:C1"), ada("crm:K1", given_name="Adda", phone=None, email="al@home.example")]))
    evidence = pairs["evidence"][0].as_py()
    assert evidence.startswith("given name nearly equal (+")
    assert ", birth equal (+12.9), e-mail differs (-" in evidence
    assert "phone" not in evidence


def test_notations_of_one_thing_are_equal() -> None:
    pairs, _ = match(
        table(
            [
                ada(
                    "pos:C1", given_name="Zoë", family_name="O'Brien", email="Zoe@X.example", phone="+49 (30) 123-4567"
                ),
                ada("crm:K1", given_name=" ZOE ", family_name="o brien", email="zoe@x.example", phone="0049301234567"),
            ]
        )
    )
    outcomes = [part.rsplit(" (", 1)[0] for part in pairs["evidence"][0].as_py().split(", ")]
    assert outcomes[:2] == ["given name equal", "family name equal"]
    assert {"e-mail equal", "phone equal"} <= set(outcomes)


def test_exchanged_names_are_evidence_and_not_a_contradiction() -> None:
    exchanged = ada("crm:K1", given_name="Lovelace", family_name="Ada", email=None)
    assert links(ada("pos:C1"), exchanged) == {("crm:K1", "pos:C1")}


def test_who_moved_and_changed_the_provider_is_known_by_the_former_address() -> None:
    moved = ada("pos:C1", email="ada@new.example", former_email="ada@lovelace.example", phone=None, birth_date=None)
    contact = ada("crm:K1", former_email="ada@lovelace.example", phone=None, birth_date=None)
    assert links(moved | {"postal_code": "80331", "former_postal_code": "10115"}, contact) == {("crm:K1", "pos:C1")}


def test_mother_and_daughter_share_everything_but_their_given_names_and_births_and_are_two() -> None:
    daughter = ada("crm:K1", given_name="Charlotte", birth_date="2010-03-04")
    pairs, _ = match(table([ada("pos:C1"), daughter]))
    assert pairs["match_probability"][0].as_py() > THRESHOLD
    assert pairs["is_contradicted"].to_pylist() == [True]


def test_a_mailbox_that_many_share_identifies_nobody() -> None:
    names = [f"{first}{last}" for first in "ABCDEF" for last in ("nna", "lke", "ter", "osi", "upp")]
    strangers = [
        record(f"crm:K{number}", given_name=name, family_name=name[::-1], email="info@shop.example")
        for number, name in enumerate(names)
    ]
    assert len(strangers) > SHARED_BY_AT_MOST
    assert links(*strangers) == set()


@pytest.mark.parametrize(
    "records",
    [[], [ada("pos:C1")], [record("pos:C1"), record("crm:K1")]],
    ids=["none", "one", "nothing known of any"],
)
def test_records_that_cannot_be_compared_give_no_pairs(records: list[dict[str, object]]) -> None:
    pairs, _ = match(table(records))
    assert pairs.num_rows == 0
    assert pairs.column_names[:2] == ["record_id_left", "record_id_right"]
