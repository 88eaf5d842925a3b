"""A contract's columns imply rules, whose bounds and sentences are those that the contract writes."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.rules import Rule, rules
from tests.orchestration.conftest import MakeFeed, column

SERVER = {"type": "local", "path": "/nowhere/*.csv", "format": "csv"}


def of(feed: Feed) -> dict[str, Rule]:
    return {rule.id: rule for rule in rules(feed)}


def test_the_rules_of_a_column_are_what_the_contract_says_of_it(make_feed: MakeFeed) -> None:
    found = of(make_feed("sales", SERVER, [column("id", primaryKey=True), column("price", "number"), column("note")]))
    assert sorted(found) == ["_malformed:syntax", "id:required", "price:type"]
    assert found["price:type"].description == "price is a number."
    assert found["price:type"].arguments == {"column": "price__unreadable"}


@pytest.mark.parametrize(
    ("kind", "options", "arguments", "says"),
    [
        ("integer", {"minimum": 1}, {"min_value": 1, "strict_min": False}, "at least 1"),
        (
            "number",
            {"exclusiveMinimum": 0, "maximum": 10.5},
            {"min_value": 0, "strict_min": True, "max_value": 10.5, "strict_max": False},
            "above 0 and at most 10.5",
        ),
        # Of two bounds on one side the tighter one holds.
        (
            "integer",
            {"minimum": 1, "exclusiveMinimum": 1},
            {"min_value": 1, "strict_min": True},
            "at least 1 and above 1",
        ),
        (
            "integer",
            {"maximum": 1, "exclusiveMaximum": 1},
            {"max_value": 1, "strict_max": True},
            "at most 1 and below 1",
        ),
        (
            "integer",
            {"maximum": 1, "exclusiveMaximum": 9},
            {"max_value": 1, "strict_max": False},
            "at most 1 and below 9",
        ),
        (
            "date",
            {"minimum": "2020-01-01"},
            {"min_value": date(2020, 1, 1), "strict_min": False},
            "at least 2020-01-01",
        ),
        (
            "timestamp",
            {"exclusiveMaximum": "2020-01-01T02:00:00+02:00"},
            {"max_value": datetime(2020, 1, 1), "strict_max": True},  # noqa: DTZ001  # the warehouse's are UTC, naive
            "below 2020-01-01T02:00:00+02:00",
        ),
    ],
)
def test_the_bounds_of_a_column_become_one_rule(
    make_feed: MakeFeed, kind: str, options: dict[str, Any], arguments: dict[str, Any], says: str
) -> None:
    rule = of(make_feed("sales", SERVER, [column("x", kind, logicalTypeOptions=options)]))["x:range"]
    assert rule.arguments == {"column": "x", **arguments}
    assert rule.description == f"x is {says}."


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("date", {"maximum": "2021-02-30"}, "the bound '2021-02-30' of column x is not a date: correct it"),
        ("boolean", {"minimum": 0}, "column x is a boolean, which has no minimum or maximum: remove it"),
    ],
)
def test_a_bound_that_makes_no_sense_is_named(
    make_feed: MakeFeed, kind: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(CatalystError, match=says):
        rules(make_feed("sales", SERVER, [column("x", kind, logicalTypeOptions=options)]))


def test_a_rule_knows_whether_it_is_about_a_person(make_feed: MakeFeed) -> None:
    columns = [column("email", classification="pii", required=True), column("price", "number")]
    found = of(make_feed("sales", SERVER, columns))
    assert {id_: rule.is_personal for id_, rule in found.items()} == {
        # The line as a whole may hold anything.
        "_malformed:syntax": True,
        "email:required": True,
        "price:type": False,
    }
