"""A contract is proposed from what a sample surely shows, and what may be chance stays a remark or a warning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from orchestration.contracts import Kind
from orchestration.proposals import Proposal, ProposedColumn, propose
from orchestration.samples import Sample

DAY = datetime.fromisoformat("2024-01-01 00:00:00")
NEXT_DAY = datetime.fromisoformat("2024-01-02 00:00:00")


def _propose(columns: dict[str, Any], *, kind: Kind = Kind.FILES, key: tuple[str, ...] = ()) -> Proposal:
    rows = pa.table(columns)
    return propose(Sample(kind, {}, {}, rows, {name: name for name in rows.column_names}, key), "orders")


def _column(values: Sequence[Any], name: str = "value") -> ProposedColumn:
    return _propose({name: list(values)}).columns[0]


@pytest.mark.parametrize(
    ("values", "logical_type"),
    [
        (["1", "-20", "0"], "integer"),
        (["9223372036854775807"], "integer"),
        # Larger than any integer of the warehouse.
        (["9223372036854775808"], "number"),
        (["1", "1.5"], "number"),
        (["1e5", "-.5", "3."], "number"),
        # Leading zeros belong to codes; a number would lose them.
        (["007", "123"], "string"),
        (["1,000", "2"], "string"),
        (["nan", "1"], "string"),
        (["true", "FALSE"], "boolean"),
        (["yes", "no"], "string"),
        (["1", "0"], "integer"),
        (["2024-02-29", "2024-03-01"], "date"),
        (["2023-02-29", "2023-03-01"], "string"),
        (["2024-02-29", "2024-03-01 10:00"], "timestamp"),
        (["2024-02-29T10:00:00Z", "2024-02-29T10:00:00.5+02:00"], "timestamp"),
        (["10:00", "11:00"], "string"),
        (["a", "1"], "string"),
        (["", None], "string"),
        ([" 5 ", "6"], "integer"),
    ],
)
def test_the_type_of_text_is_one_that_every_value_has(values: list[str | None], logical_type: str) -> None:
    column = _column(values)
    assert (column.logical_type, column.physical_type) == (logical_type, "varchar")


@pytest.mark.parametrize(
    ("values", "logical_type", "physical_type"),
    [
        ([1, 2], "integer", "bigint"),
        ([1.5], "number", "double"),
        ([Decimal("1.50")], "number", "double"),
        ([True], "boolean", "boolean"),
        ([date(2024, 1, 1)], "date", "date"),
        ([DAY], "timestamp", "timestamp"),
        ([[1, 2]], "string", "varchar"),
    ],
)
def test_a_type_that_the_source_declares_is_kept(values: list[Any], logical_type: str, physical_type: str) -> None:
    column = _column(values)
    assert (column.logical_type, column.physical_type) == (logical_type, physical_type)


def test_dates_in_another_notation_stay_text_with_their_format() -> None:
    column = _column(["31/12/2024", "1/2/2024"])
    assert (column.logical_type, column.date_format) == ("string", "%d/%m/%Y")
    assert _column(["12/31/2024", "1/2/2024"]).date_format == "%m/%d/%Y"
    assert _column(["2-Jun-06", "31-Dec-07"]).date_format == "%d-%b-%y"
    assert _column(["2-Jun-2006"]).date_format == "%d-%b-%Y"


def test_dates_that_fit_two_notations_are_left_to_a_person() -> None:
    column = _column(["1/2/2024", "3/4/2024"])
    assert column.date_format is None
    assert "%d/%m/%Y, %m/%d/%Y" in column.note


def test_a_few_odd_values_are_told_rather_than_rejected() -> None:
    column = _column([*map(str, range(19)), "n/a"])
    assert column.logical_type == "string"
    assert column.note == "95.0% fit the type integer, which would quarantine the rest, such as 'n/a'."


def test_required_is_what_was_never_missing() -> None:
    assert _column(["a", "b"]).required
    assert not _column(["a", None]).required
    assert not _column(["a", " "]).required


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["order_id", "customer_id"], "order_id"),
        (["customer_id", "id"], "id"),
        (["sku", "amount"], "sku"),
        (["order_no", "note"], "order_no"),
    ],
)
def test_the_key_is_the_unique_column_that_is_named_as_one(names: list[str], key: str) -> None:
    assert _propose({name: ["1", "2"] for name in names}).key == (key,)


def test_a_unique_column_without_a_telling_name_is_only_a_candidate() -> None:
    proposal = _propose({"note": ["a", "b"], "customer_id": ["1", "1"]})
    assert proposal.key == ()
    assert proposal.key_candidates == ("note",)


def test_a_key_that_the_database_declares_counts_for_more_than_names() -> None:
    proposal = _propose({"id": [1, 2], "line": [1, 2]}, kind=Kind.DATABASE, key=("id", "line"))
    assert proposal.key == ("id", "line")


def test_a_database_is_read_on_by_its_growing_key() -> None:
    proposal = _propose({"id": [1, 2], "ordered_at": [DAY, DAY]}, kind=Kind.DATABASE)
    assert (proposal.cursor, proposal.known_at, proposal.is_versioned) == ("id", "ordered_at", False)


def test_where_rows_change_they_land_again_by_the_time_of_the_change() -> None:
    columns = {"id": [1, 2], "created_at": [DAY] * 2, "updated_at": [NEXT_DAY] * 2}
    proposal = _propose(columns, kind=Kind.DATABASE)
    assert (proposal.cursor, proposal.known_at, proposal.key) == ("updated_at", "updated_at", ("id", "updated_at"))
    assert proposal.is_versioned
    # Files are read whole, so a row in them has one version.
    assert _propose(columns).key == ("id",)


@pytest.mark.parametrize(
    ("name", "is_personal"),
    [
        ("email", True),
        ("customer_email", True),
        ("phone_number", True),
        ("first_name", True),
        ("name", True),
        ("shipping_address", True),
        ("birth_date", True),
        ("product_name", False),
        ("file_name", False),
        ("amount", False),
        ("emailed_orders", False),
    ],
)
def test_personal_data_are_guessed_by_name(name: str, is_personal: bool) -> None:
    assert _column(["a"], name).is_personal is is_personal


def test_a_small_set_of_values_that_come_often_is_a_candidate_rule() -> None:
    [rule] = _propose({"status": ["open"] * 15 + ["paid"] * 5}).rules
    assert (rule.name, rule.type) == ("status_is_known", "expect_column_values_to_be_in_set")
    assert rule.arguments == {"column": "status", "value_set": ["open", "paid"]}
    # Seen too seldom, to tell codes from chance.
    assert _propose({"status": ["open"] * 14 + ["paid"] * 5}).rules == ()
    assert _propose({"email": ["a@b.c"] * 20}).rules == ()


def test_numbers_get_a_range_that_leaves_room() -> None:
    low, high = _propose({"amount": ["-1.5", "10"], "items": ["3", "4"], "order_id": ["1", "2"]}).rules
    assert low.arguments == {"column": "amount", "min_value": -3.0, "max_value": 20.0}
    assert high.arguments == {"column": "items", "min_value": 0, "max_value": 8}
    assert high.description == "The sample held 3 to 4; twice as far is taken for usual."
