"""The gate marks each row that breaks its contract with every reason, lets the others on, and loses none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.contracts import Feed, read_feed
from orchestration.errors import CatalystError
from orchestration.gate import Finding, Gated, Redriven, check_balance, gate, record, redrive
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column, contract

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

    gated: Gated

    def __init__(self, feed: Feed, warehouse: Warehouse, folder: Path) -> None:
        self.feed, self.warehouse, self.folder = feed, warehouse, folder
        warehouse.prepare([feed])

    def send(self, name: str, *lines: str) -> tuple[int, int, int]:
        """Lands a file and gates it; returns all rows of the feed: landed, accepted, quarantined."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / name).write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
        land(self.feed, self.warehouse)
        self.gated = gate(self.feed, self.warehouse)
        return self.balance()

    def balance(self) -> tuple[int, int, int]:
        total = check_balance(self.feed, self.warehouse)
        return total.landed, total.accepted, total.quarantined

    def marks(self, columns: str = "row_number, rules") -> list[tuple[Any, ...]]:
        return self.rows(f"select {columns} from quality.quarantine order by load_id, row_number")

    def accepted(self, columns: str = "id") -> list[Any]:
        """The rows that staging sees, in the order in which they landed."""
        rows = self.rows(
            f"""
            select {columns} from raw_shop.sales as raw
            where _dlt_load_id in (select load_id from quality.loads) and not exists (
                select 1 from quality.quarantine where load_id = raw._dlt_load_id and row_number = raw._row
            )
            order by _dlt_load_id, _row
            """
        )
        return [row[0] if len(row) == 1 else row for row in rows]

    def statuses(self) -> list[str]:
        return [row[0] for row in self.rows("select status from quality.loads order by load_id")]

    def findings(self) -> list[tuple[Any, ...]]:
        return self.rows("select rule, severity, rows_broken from quality.findings order by found_at, rule")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connect() as connection:
            return connection.execute(sql).fetchall()


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
        patch.setattr("orchestration.marks.Load.mark", killed)
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


# From here on: rules of `quality` blocks, severities, thresholds, stopped loads, and gating anew.


def rule(name: str, expectation: str, severity: str = "error", stop_above: float | None = None, **kwargs: Any) -> Rule:
    """A rule of a contract's `quality` block."""
    return {
        "type": "custom",
        "engine": "greatExpectations",
        "name": name,
        "severity": severity,
        "description": name.replace("_", " ").capitalize() + ".",
        "implementation": {"type": expectation, "kwargs": kwargs},
    } | ({"customProperties": [{"property": "stopAbove", "value": stop_above}]} if stop_above is not None else {})


Rule = dict[str, Any]
MakeShop = Callable[..., Shop]


@pytest.fixture
def make_shop(warehouse: Warehouse, tmp_path: Path) -> MakeShop:
    """`make_shop(rules, columns, stopAbove=0.1)` is a shop by a contract of the test's own; the next call amends it."""

    def make(rules: Sequence[Rule] = (), columns: Sequence[dict[str, Any]] = COLUMNS, **custom: Any) -> Shop:
        server = {"type": "local", "path": f"{tmp_path}/in/*.csv", "format": "csv"}
        document = contract("sales", server, columns, **custom)
        document["schema"][0]["quality"] = list(rules)
        path = tmp_path / "sales.odcs.yaml"
        path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return Shop(read_feed(path), warehouse, tmp_path / "in")

    return make


def good(key: str, price: float = 1.0) -> str:
    return f"{key},{price:g},1,2021-01-01,EUR"


CHEAP = rule("is_cheap", "expect_column_values_to_be_between", column="price", max_value=5)


def test_a_rule_of_the_contract_quarantines_and_tells_the_value_and_what_must_hold(make_shop: MakeShop) -> None:
    shop = make_shop([CHEAP])
    assert shop.send("1.csv", good("a"), good("b", 7), "c,9,99,2021-01-01,EUR") == (3, 1, 2)
    assert shop.marks("row_number, rules, reasons") == [
        (1, "is_cheap", "price is 7, which breaks is_cheap: Is cheap."),
        (
            2,
            "is_cheap,quantity:range",
            "price is 9, which breaks is_cheap: Is cheap. quantity is 99, but must be at least -5 and at most 5.",
        ),
    ]


def test_a_rule_over_two_columns_and_one_over_some_rows_mark_just_their_rows(make_shop: MakeShop) -> None:
    shop = make_shop(
        [
            rule("a_pair", "expect_column_pair_values_a_to_be_greater_than_b", column_A="price", column_B="quantity"),
            rule(
                "dollars_are_dear",
                "expect_column_values_to_be_between",
                column="price",
                min_value=5,
                row_condition={
                    "type": "comparison",
                    "column": {"name": "currency"},
                    "operator": "==",
                    "parameter": "USD",
                },
            ),
            rule("one_price_a_day", "expect_compound_columns_to_be_unique", column_list=["price", "day"]),
            rule("other_prices", "expect_column_values_to_be_unique", column="price"),
        ]
    )
    shop.send(
        "1.csv",
        "a,3,1,2021-01-01,EUR",
        "b,4,5,2021-01-01,EUR",
        "c,4.5,1,2021-01-01,USD",
        "d,8,1,2021-01-01,USD",
        "e,8,1,2021-01-02,USD",
        "f,9,1,2021-01-02,EUR",
        "g,9,1,2021-01-02,EUR",
    )
    assert shop.marks() == [
        (1, "a_pair"),
        (2, "dollars_are_dear"),
        (3, "other_prices"),
        (4, "other_prices"),
        (5, "one_price_a_day,other_prices"),
        (6, "one_price_a_day,other_prices"),
    ]


def test_a_warning_lets_rows_on_and_is_found_with_counts_and_examples(make_shop: MakeShop) -> None:
    shop = make_shop([CHEAP | {"severity": "warning"}])
    assert shop.send("1.csv", good("a"), *(good(f"b{n}", 7) for n in range(6))) == (7, 7, 0)
    assert not shop.gated.stopped
    (found,) = shop.gated.findings
    assert (found.rule, found.severity, found.rows) == ("is_cheap", "warning", 6)
    assert found.message == "6 of 7 rows (85.7 %) break is_cheap: Is cheap."
    assert found.examples == tuple(f"row {n}: price is 7, which breaks is_cheap: Is cheap." for n in range(1, 6))
    assert shop.findings() == [("is_cheap", "warning", 6)]


def test_a_critical_rule_stops_the_feed_at_the_first_row(make_shop: MakeShop) -> None:
    shop = make_shop([CHEAP | {"severity": "critical"}])
    assert shop.send("1.csv", good("a"), good("b", 7)) == (2, 0, 2)
    assert shop.gated.stopped
    assert shop.marks() == [(0, "_load:stopped"), (1, "is_cheap")]
    reason = shop.marks("reasons")[0][0]
    assert reason == (
        "The load was stopped: 1 of 2 rows (50 %) break is_cheap: Is cheap. One such row is enough to stop the feed."
    )
    assert shop.statuses() == ["stopped"]


@pytest.mark.parametrize(("broken", "stopped"), [(1, False), (2, True)])
def test_past_the_share_that_a_rule_allows_the_feed_stops(make_shop: MakeShop, broken: int, stopped: bool) -> None:
    shop = make_shop(
        [rule("is_cheap", "expect_column_values_to_be_between", "error", 0.1, column="price", max_value=5)]
    )
    shop.send("1.csv", *(good(f"k{n}", 7 if n < broken else 1) for n in range(10)))
    assert shop.gated.stopped is stopped
    assert shop.accepted() == ([] if stopped else [f"k{n}" for n in range(1, 10)])


@pytest.mark.parametrize(("broken", "stopped"), [(1, False), (2, True)])
def test_past_the_share_that_a_column_allows_the_feed_stops(make_shop: MakeShop, broken: int, stopped: bool) -> None:
    allows = {"customProperties": [{"property": "stopAbove", "value": 0.1}]}
    shop = make_shop(columns=[c | allows if c["name"] == "price" else c for c in COLUMNS])
    shop.send("1.csv", *(good(f"k{n}", 0 if n < broken else 1) for n in range(10)))
    assert shop.gated.stopped is stopped


def test_past_the_share_of_quarantined_rows_that_a_contract_allows_the_feed_stops(make_shop: MakeShop) -> None:
    shop = make_shop(stopAbove=0.2)
    shop.send("1.csv", *(good(f"k{n}") for n in range(8)), good("x", 0), good("k0"))
    assert not shop.gated.stopped
    shop.send("2.csv", *(good(f"m{n}") for n in range(7)), good("y", 0), good("z", 0), good("m0"))
    (found,) = shop.gated.findings
    assert (found.rule, found.severity, found.rows, found.share) == ("_load:quarantined", "stopped", 3, 0.3)
    assert found.message == (
        "3 of 10 rows (30 %) are quarantined, most often for price:range (2). The contract allows 20 %."
    )
    assert found.examples == (
        "row 7: price is 0, but must be above 0 and below 10000.",
        "row 8: price is 0, but must be above 0 and below 10000.",
    )
    assert shop.accepted() == [f"k{n}" for n in range(8)]


@pytest.mark.parametrize(("severity", "stopped"), [("warning", False), ("error", True), ("critical", True)])
def test_a_rule_about_the_load_warns_or_stops_it(make_shop: MakeShop, severity: str, stopped: bool) -> None:
    shop = make_shop([rule("enough_rows", "expect_table_row_count_to_be_between", severity, min_value=3)])
    shop.send("1.csv", good("a"), good("b"))
    (found,) = shop.gated.findings
    assert found.message == "The load breaks enough_rows: Enough rows. It has 2."
    assert found.severity == ("stopped" if stopped else "warning")
    assert shop.accepted() == ([] if stopped else ["a", "b"])


def test_examples_keep_to_themselves_what_tells_of_a_person(make_shop: MakeShop) -> None:
    columns = [c | ({"classification": "pii"} if c["name"] == "currency" else {}) for c in COLUMNS]
    shop = make_shop(
        [rule("is_known", "expect_column_values_to_be_in_set", "warning", column="currency", value_set=["EUR"])],
        columns,
    )
    shop.send("1.csv", "a,1,1,2021-01-01,USD")
    assert shop.gated.findings[0].examples == (
        "row 0: it breaks is_known; the value is personal and stands in quality.quarantine only.",
    )


def test_a_stopped_load_supersedes_nothing_and_takes_no_key(make_shop: MakeShop) -> None:
    shop = make_shop([CHEAP | {"severity": "critical"}])
    shop.send("1.csv", good("a"), good("b"))
    shop.send("1.csv", good("a", 2), good("b", 7), good("c"))
    assert shop.gated.stopped
    assert shop.accepted("id, price") == [("a", "1"), ("b", "1")]
    shop.send("2.csv", good("c", 3))
    assert shop.accepted("id, price") == [("a", "1"), ("b", "1"), ("c", "3")]


def test_a_row_that_is_broken_and_repeated_names_both_and_takes_the_key_from_nobody(shop: Shop) -> None:
    shop.send("1.csv", good("a", 0), good("a"), good("a", 0), good("a"))
    assert shop.marks() == [(0, "price:range"), (2, "id:unique,price:range"), (3, "id:unique")]
    assert shop.marks("reasons")[1][0] == (
        "The key id a has come before. price is 0, but must be above 0 and below 10000."
    )


def test_a_row_whose_forerunner_was_superseded_counts_again(shop: Shop) -> None:
    shop.send("1.csv", good("a"), good("b"))
    assert shop.send("2.csv", good("b", 2), good("c")) == (4, 3, 1)
    # The correction of the first file drops b, so that the b of the second is the only one.
    assert shop.send("1.csv", good("a", 3)) == (5, 3, 2)
    assert shop.accepted("id, price") == [("b", "2"), ("c", "1"), ("a", "3")]


def test_a_file_that_has_become_empty_takes_its_rows_back(shop: Shop) -> None:
    shop.send("1.csv", good("a"))
    shop.send("2.csv", good("b"))
    (shop.folder / "2.csv").write_text(HEADER, encoding="utf-8")
    land(shop.feed, shop.warehouse)
    gate(shop.feed, shop.warehouse)
    assert shop.accepted() == ["a"]


@pytest.mark.parametrize("value", ["nan", "inf", "-Infinity", "1e400"])
def test_what_is_no_finite_number_is_not_a_number(shop: Shop, value: str) -> None:
    shop.send("1.csv", good("a"), f"b,{value},1,2021-01-01,EUR")
    assert shop.marks("rules, reasons") == [("price:type", f"price is {value}, which is not a number.")]


@pytest.mark.parametrize("value", ["infinity", "0000-01-01", "0044-03-15 (BC)", "12021-01-01"])
def test_a_date_out_of_the_years_1_to_9999_is_not_a_date(shop: Shop, value: str) -> None:
    shop.send("1.csv", good("a"), f"b,1,1,{value},EUR")
    assert shop.marks("rules") == [("day:type",)]


def test_a_fraction_is_not_an_integer_but_a_whole_number_with_decimals_is(shop: Shop) -> None:
    shop.send("1.csv", "a,1,1.5,2021-01-01,EUR", "b,1,2.0,2021-01-01,EUR")
    assert shop.marks("row_number, reasons") == [(0, "quantity is 1.5, which is not an integer.")]


def test_text_that_looks_like_sql_is_only_text(make_shop: MakeShop) -> None:
    nasty = "'; drop table raw_shop.sales; -- %s :x {y} \\"
    pattern = "^[^';%:\"\\\\]*$"
    columns = [*COLUMNS[:-1], column("currency", logicalTypeOptions={"pattern": pattern})]
    shop = make_shop(
        [rule("known", "expect_column_values_to_not_be_in_set", column="currency", value_set=[nasty])], columns
    )
    assert shop.send("1.csv", good("a"), f"b,1,1,2021-01-01,{nasty}") == (2, 1, 1)
    assert shop.marks("rules, reasons") == [
        (
            "currency:pattern,known",
            f"currency is {nasty}, which does not match {pattern}. currency is {nasty}, which breaks known: Known.",
        )
    ]


def test_a_value_as_long_as_a_file_is_shortened_in_the_reason_and_whole_in_the_payload(shop: Shop) -> None:
    shop.send("1.csv", good("a"), f"b,1,1,2021-01-01,{'x' * 100_000}")
    reason, payload = shop.marks("reasons, payload")[0]
    assert len(reason) < 300
    assert "x" * 100_000 in payload


def test_gating_anew_after_the_rule_was_mended_lets_the_rows_on(make_shop: MakeShop) -> None:
    shop = make_shop([CHEAP])
    shop.send("1.csv", good("a"), good("b", 7), good("c", 70), good("d", 0))
    shop = make_shop([rule("is_cheap", "expect_column_values_to_be_between", column="price", max_value=50)])
    assert redrive(shop.feed, shop.warehouse) == Redriven(rows=3, accepted=1, quarantined=2)
    assert shop.balance() == (4, 2, 2)
    assert shop.marks() == [(2, "is_cheap"), (3, "price:range")]
    assert redrive(shop.feed, shop.warehouse) == Redriven(rows=2, accepted=0, quarantined=2)


def test_gating_anew_by_a_rule_leaves_the_loads_alone_that_do_not_break_it(make_shop: MakeShop) -> None:
    shop = make_shop([CHEAP])
    shop.send("1.csv", good("a", 7), good("b", 0))
    shop.send("2.csv", good("c", 0))
    shop = make_shop(columns=[column("price", "number") if c["name"] == "price" else c for c in COLUMNS])
    assert redrive(shop.feed, shop.warehouse, "is_cheap") == Redriven(rows=1, accepted=1, quarantined=0)
    assert shop.marks("load_id is not null, rules") == [(True, "price:range")]
    assert redrive(shop.feed, shop.warehouse, "no_such_rule") == Redriven(rows=0, accepted=0, quarantined=0)


def test_a_stopped_load_that_is_gated_anew_goes_on_as_if_it_had_never_stopped(make_shop: MakeShop) -> None:
    few = rule("enough_rows", "expect_table_row_count_to_be_between", min_value=2)
    shop = make_shop([few])
    shop.send("1.csv", good("a"), good("b"))
    shop.send("2.csv", good("c"))
    assert shop.gated.stopped
    shop.send("3.csv", good("c", 2), good("d"))
    shop.send("1.csv", good("a", 5), good("e"))
    assert shop.accepted("id, price") == [("c", "2"), ("d", "1"), ("a", "5"), ("e", "1")]
    shop = make_shop()
    assert redrive(shop.feed, shop.warehouse, "enough_rows") == Redriven(rows=1, accepted=1, quarantined=0)
    # The row of the load that landed first counts now.
    assert shop.accepted("id, price") == [("c", "1"), ("d", "1"), ("a", "5"), ("e", "1")]
    assert shop.statuses() == ["passed"] * 4
    assert shop.findings() == []


def test_a_load_that_a_stricter_rule_stops_gives_back_what_it_had_superseded(make_shop: MakeShop) -> None:
    shop = make_shop()
    shop.send("1.csv", good("a"), good("b"))
    shop.send("1.csv", good("a", 7), good("c", 0))
    assert shop.accepted("id, price") == [("a", "7")]
    shop = make_shop([CHEAP | {"severity": "critical"}])
    redrive(shop.feed, shop.warehouse)
    assert shop.accepted("id, price") == [("a", "1"), ("b", "1")]
    assert shop.balance() == (4, 2, 2)


def test_a_gating_anew_that_fails_leaves_every_mark(make_shop: MakeShop) -> None:
    shop = make_shop([CHEAP])
    shop.send("1.csv", good("a", 7))
    before = shop.marks("*")
    shop = make_shop([rule("is_cheap", "expect_column_values_to_be_betwixt", column="price", max_value=5)])
    with pytest.raises(CatalystError, match="is_cheap"):
        redrive(shop.feed, shop.warehouse)
    assert shop.marks("*") == before


def test_a_warehouse_from_before_loads_had_a_status_goes_on(shop: Shop) -> None:
    shop.send("1.csv", good("a"))
    with shop.warehouse.connect() as connection:
        connection.execute("alter table quality.loads drop column status")
    shop.warehouse.prepare([shop.feed])
    shop.send("2.csv", good("a"), good("b"))
    assert shop.statuses() == ["passed", "passed"]
    assert shop.accepted() == ["a", "b"]


def test_findings_of_others_are_kept_with_those_of_the_gate(shop: Shop) -> None:
    shop.send("1.csv", good("a"))
    record(shop.feed, None, [Finding("_load:missing", "freshness", 0, 0.0, "Nothing came.", ())], shop.warehouse)
    assert shop.findings() == [("_load:missing", "freshness", 0)]


def test_a_file_that_was_touched_keeps_its_rows_when_another_lands(shop: Shop) -> None:
    shop.send("1.csv", good("a"))
    (shop.folder / "1.csv").touch()
    assert shop.send("2.csv", good("b")) == (2, 2, 0)
    assert shop.accepted() == ["a", "b"]


def test_a_file_that_changes_back_counts_once(shop: Shop) -> None:
    shop.send("1.csv", good("a"))
    shop.send("1.csv", good("b"))
    assert shop.send("1.csv", good("a")) == (3, 1, 2)
    assert shop.accepted() == ["a"]
