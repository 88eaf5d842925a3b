"""Who is champion when: hand-made histories of versions and decisions."""

from datetime import date, timedelta

import pytest

from orchestration import versions
from orchestration.errors import CatalystError
from orchestration.versions import ARCHIVED, BY_RULE, PROMOTED, Decision, Request, Version

FIRST = date(2026, 6, 1)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def decision(number: int, outcome: str = PROMOTED, by: str = BY_RULE, at: str = "") -> Decision:
    return Decision(day(number), at or f"2026-07-{number + 1:02d}T06:00:00", outcome, by, "for a reason")


def version(number: int, trained: int, *decisions: Decision) -> Version:
    return Version(
        name="m",
        number=number,
        fingerprint=f"f{number}",
        as_of=day(trained),
        trained_through=day(trained - 30),
        inputs=f"i{number}",
        run_id=f"r{number}",
        metrics={"wape": 0.8},
        decisions=decisions,
    )


def number_of(found: Version | None) -> int | None:
    return found.number if found else None


HISTORY = [
    version(1, 0, decision(0)),
    version(2, 7, decision(7, ARCHIVED)),
    version(3, 14, decision(14)),
]


def test_a_date_has_the_champion_that_was_promoted_last_by_then() -> None:
    found = [number_of(versions.champion(HISTORY, day(number))) for number in (-1, 0, 7, 13, 14, 99)]
    assert found == [None, 1, 1, 1, 3, 3]
    assert number_of(versions.champion(HISTORY)) == 3


def test_a_challenger_is_compared_with_the_champion_before_its_own_date() -> None:
    assert number_of(versions.champion_before(HISTORY, day(14))) == 1
    assert number_of(versions.champion_before(HISTORY, day(15))) == 3
    assert versions.champion_before(HISTORY, day(0)) is None


def test_a_model_is_trained_when_there_is_no_champion_and_when_the_last_training_is_old() -> None:
    assert versions.why_train([], day(0), 7) == "there is no champion yet"
    assert versions.why_train(HISTORY[:1], day(6), 7) == ""
    assert versions.why_train(HISTORY[:1], day(7), 7) == "the last training is 7 days old"
    # An archived challenger was a training too: another one on nearly the same days would tell nothing.
    assert versions.why_train(HISTORY[:2], day(13), 7) == ""


def test_a_second_run_for_a_date_decides_to_train_as_the_first_one_did() -> None:
    for number in (0, 3, 7, 14):
        before = [one for one in HISTORY if one.as_of < day(number)]
        assert versions.why_train(HISTORY, day(number), 7) == versions.why_train(before, day(number), 7)


def test_a_version_that_was_never_good_enough_stands_in_until_there_is_a_champion() -> None:
    weak = version(1, 0, decision(0, ARCHIVED))
    assert number_of(versions.in_use([weak], day(5))) == 1
    assert versions.why_train([weak], day(1), 7) == "there is no champion yet"
    assert number_of(versions.in_use([weak, version(2, 5, decision(5))], day(5))) == 2
    assert versions.in_use([weak], day(-1)) is None


def test_what_a_person_decides_counts_for_its_date_and_after_until_the_rule_promotes_again() -> None:
    mine = decision(14, by="ada", at="2026-07-20T10:00:00")
    history = [version(1, 0, decision(0), mine), *HISTORY[1:]]
    assert number_of(versions.by_hand(history, day(14))) == 1
    assert versions.by_hand(history, day(15)) is None
    assert number_of(versions.champion(history, day(14))) == 1
    assert number_of(versions.champion_before(history, day(21))) == 1
    assert number_of(versions.champion([*history, version(4, 21, decision(21))], day(21))) == 4


def test_going_back_twice_goes_back_two_champions_and_not_to_and_fro() -> None:
    history = [version(1, 0, decision(0)), version(2, 7, decision(7)), version(3, 14, decision(14))]
    assert versions.previous(history, "m").number == 2
    once = decision(14, by="ada", at="2026-07-20T10:00:00")
    history[1] = version(2, 7, decision(7), once)
    assert number_of(versions.champion(history)) == 2
    assert versions.previous(history, "m").number == 1


def test_there_is_nothing_to_go_back_to_from_the_first_champion() -> None:
    with pytest.raises(CatalystError, match="m has had one champion so far"):
        versions.previous(HISTORY[:2], "m")
    with pytest.raises(CatalystError, match="m has had no champion so far"):
        versions.previous([], "m")


def test_a_wish_is_met_by_one_training_and_by_every_second_run_for_its_date() -> None:
    wish = Request(day(7), "2026-07-09T12:00:00", "ada", "prices have changed")
    known = HISTORY[:2]
    assert versions.why_train(known, day(8), 7, wish) == "ada asked for it: prices have changed"
    # A date before it was made is not touched by it.
    assert versions.why_train(HISTORY[:1], day(6), 7, wish) == ""
    met = [*known, version(3, 8, decision(8, ARCHIVED, at="2026-07-09T13:00:00"))]
    assert versions.why_train(met, day(8), 7, wish) == "ada asked for it: prices have changed"
    assert versions.why_train(met, day(9), 7, wish) == ""


def test_a_version_is_found_by_its_number_and_by_what_predictions_say() -> None:
    assert versions.find(HISTORY, "m", "2").number == versions.find(HISTORY, "m", "f2").number == 2
    with pytest.raises(CatalystError, match="m has no version 9; there are: 1, 2, 3"):
        versions.find(HISTORY, "m", "9")


def test_json_holds_what_the_documentation_promises() -> None:
    found = HISTORY[1].as_json()
    assert {"name": "m", "version": 2, "aliases": [], "metrics": {"wape": 0.8}}.items() <= found.items()
    assert (found["reason"], found["status"]) == ("for a reason", "archived")
