"""The rules of a contract are run by Great Expectations, and one that cannot be run is named with its line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration import expectations
from orchestration.contracts import Feed, read_feed
from orchestration.errors import CatalystError
from orchestration.rules import rules
from tests.orchestration.conftest import column, contract

COLUMNS = [
    column("id", primaryKey=True),
    column("price", "number", logicalTypeOptions={"minimum": 0, "maximum": 10}),
    column("at", "timestamp"),
    column("order", logicalTypeOptions={"pattern": "^[a-z]+$"}),
]


def make_feed(folder: Path, *rules: dict[str, Any], columns: list[dict[str, Any]] = COLUMNS) -> Feed:
    document = contract("sales", {"type": "local", "path": "/nowhere/*.csv", "format": "csv"}, columns)
    document["schema"][0]["quality"] = list(rules)
    path = folder / "sales.odcs.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return read_feed(path)


def rule(expectation: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "type": "custom",
        "engine": "greatExpectations",
        "name": "my_rule",
        "implementation": {"type": expectation, "kwargs": kwargs},
    }


@pytest.fixture
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    """A raw table with four rows in load 1, in a transaction."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema raw_shop;
            create table raw_shop.sales (
                id varchar, price varchar, "at" varchar, "order" varchar,
                _row bigint, _malformed varchar, _dlt_load_id varchar
            );
            insert into raw_shop.sales values
                ('a', '1', '2021-01-01 00:00:00', 'x', 0, null, '1'),
                ('b', '11', '2021-01-01T00:00:00Z', 'y', 1, null, '1'),
                ('c', 'n/a', 'soon', 'Z', 2, null, '1'),
                (null, null, null, null, 3, '{', '1'),
                ('later', 'n/a', null, null, 0, null, '2');
            begin
            """
        )
        yield connection


def broken(feed: Feed, raw: duckdb.DuckDBPyConnection) -> dict[str, list[int]]:
    """The rows that break each rule."""
    return {
        verdict.rule.id: [
            row[0]
            for row in raw.execute(
                f"select _row from {expectations.BROKEN} where {verdict.flag} order by _row"
            ).fetchall()
        ]
        for verdict in expectations.evaluate(feed, "1", raw)
        if verdict.flag
    }


def test_what_the_columns_of_a_contract_imply_is_run_on_the_rows_of_the_load_alone(
    tmp_path: Path, raw: duckdb.DuckDBPyConnection
) -> None:
    assert broken(make_feed(tmp_path), raw) == {
        "_malformed:syntax": [3],
        "at:type": [2],
        "id:required": [3],
        "order:pattern": [2],
        "price:range": [1],
        "price:type": [2],
    }


def test_all_counts_of_a_load_come_from_one_query(
    tmp_path: Path, raw: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums: list[str] = []
    create = sa.create_engine

    def create_engine(*arguments: Any, **options: Any) -> sa.Engine:
        engine = create(*arguments, **options)
        sa.event.listen(
            engine, "before_cursor_execute", lambda _c, _d, sql, *_: sums.append(sql) if "sum(" in sql else None
        )
        return engine

    monkeypatch.setattr(sa, "create_engine", create_engine)
    expectations.evaluate(make_feed(tmp_path), "1", raw)
    assert len(sums) == 1
    assert sums[0].count("unexpected_count") >= 7


def test_a_rule_sees_typed_values_and_the_text_that_was_sent(tmp_path: Path, raw: duckdb.DuckDBPyConnection) -> None:
    typed = make_feed(tmp_path, rule("expect_column_values_to_be_between", column="price", max_value=1.5))
    assert broken(typed, raw)["my_rule"] == [1]
    sent = make_feed(tmp_path, rule("expect_column_values_to_match_regex", column="price__as_sent", regex="^[0-9]+$"))
    assert broken(sent, raw)["my_rule"] == [2]


def test_a_rule_about_the_load_says_what_it_saw(tmp_path: Path, raw: duckdb.DuckDBPyConnection) -> None:
    feed = make_feed(tmp_path, rule("expect_column_mean_to_be_between", column="price", max_value=1))
    (verdict,) = (v for v in expectations.evaluate(feed, "1", raw) if v.rule.id == "my_rule")
    assert (verdict.passed, verdict.rows, verdict.flag, verdict.observed) == (False, None, None, "6.0")


def test_a_load_without_rows_breaks_no_rule_of_a_row(tmp_path: Path, raw: duckdb.DuckDBPyConnection) -> None:
    verdicts = expectations.evaluate(make_feed(tmp_path), "no such load", raw)
    assert all(verdict.passed and not verdict.rows for verdict in verdicts)


def test_evaluating_leaves_the_transaction_to_the_gate(tmp_path: Path, raw: duckdb.DuckDBPyConnection) -> None:
    raw.execute("insert into raw_shop.sales (id, _row, _dlt_load_id) values ('d', 4, '1')")
    expectations.evaluate(make_feed(tmp_path), "1", raw)
    raw.rollback()
    assert raw.execute("select count(*) from raw_shop.sales").fetchall() == [(5,)]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (rule("expect_column_values_to_be_betwixt", column="price"), "expect_column_values_to_be_betwixt not found"),
        (rule("expect_column_values_to_be_between", column="prize", max_value=1), "names the column 'prize'"),
        (rule("expect_column_values_to_be_between", column="price", maximum=1), "maximum"),
        (rule("expect_column_values_to_be_in_set", column="price"), "value_set"),
        (rule("expect_column_values_to_match_regex", column="price", regex="^1"), "regexp_matches(DOUBLE"),
        (rule("expect_column_values_to_match_regex", column="order", regex="(["), "missing ]"),
        (rule("expect_column_values_to_be_increasing", column="price"), "column_values.increasing"),
        (rule("expect_column_values_to_match_strftime_format", column="at", strftime_format="%Y"), "strftime"),
    ],
)
def test_a_rule_that_cannot_be_run_is_named_with_its_line_and_the_reason(
    tmp_path: Path, raw: duckdb.DuckDBPyConnection, wrong: dict[str, Any], says: str
) -> None:
    feed = make_feed(tmp_path, wrong)
    text = (tmp_path / "sales.odcs.yaml").read_text(encoding="utf-8").splitlines()
    line = next(n for n, content in enumerate(text, start=1) if content.strip().startswith("- type: custom"))
    with pytest.raises(CatalystError) as raised:
        expectations.evaluate(feed, "1", raw)
    assert f"sales.odcs.yaml, line {line}: the rule my_rule" in str(raised.value)
    assert says in str(raised.value)
    with pytest.raises(CatalystError, match="the rule my_rule"):
        expectations.check(feed)


def test_a_broken_pattern_of_a_column_is_named(tmp_path: Path) -> None:
    feed = make_feed(tmp_path, columns=[column("id", logicalTypeOptions={"pattern": "(["})])
    with pytest.raises(CatalystError, match="the rule id:pattern .* cannot be evaluated: .*missing \\]"):
        expectations.check(feed)


def test_a_contract_that_can_be_run_passes_the_check(tmp_path: Path) -> None:
    expectations.check(make_feed(tmp_path, rule("expect_column_max_to_be_between", column="price", max_value=1)))


# Lone surrogates are left out, as no text in UTF-8 has them.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "",
        " ",
        "NaN",
        "-inf",
        "1e400",
        "9" * 400,
        "0x1F",
        "1_000",
        "٣",
        "0000-01-01",
        "infinity",
        "24:00",
        "(",
        "\\",
        "'",
        '"',
    ]
)
Row = tuple[str | None, ...]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(*[st.none() | TEXTS] * 5), min_size=1, max_size=30))
def test_whatever_the_values_are_each_rule_says_yes_or_no_of_each_row(tmp_path: Path, rows: list[Row]) -> None:
    columns = [
        column("text", logicalTypeOptions={"pattern": r"^[^'\"\\(%:;]*$"}),
        column("number", "number", logicalTypeOptions={"minimum": -1, "maximum": 1}),
        column("integer", "integer", logicalTypeOptions={"minimum": 0}),
        column("day", "date", logicalTypeOptions={"minimum": "2000-01-01"}),
        column("moment", "timestamp"),
    ]
    feed = make_feed(tmp_path, columns=columns)
    with duckdb.connect() as connection:
        connection.execute("create schema raw_shop")
        connection.execute(
            "create table raw_shop.sales (text varchar, number varchar, integer varchar, day varchar, moment varchar, "
            "_row bigint, _malformed varchar, _dlt_load_id varchar)"
        )
        connection.executemany(
            "insert into raw_shop.sales values (?, ?, ?, ?, ?, ?, null, '1')", [(*row, n) for n, row in enumerate(rows)]
        )
        found = broken(feed, connection)
        reasons = {
            rule.id: connection.execute(f"select {rule.reason} from raw_shop.sales").fetchall() for rule in rules(feed)
        }
    pattern = [n for n, (text, *_) in enumerate(rows) if text is not None and set(text) & set("'\"\\(%:;")]
    assert found.get("text:pattern", []) == pattern
    # A value is unreadable, or held against its bounds, but never both.
    for name in ("number", "integer", "day"):
        assert not set(found.get(f"{name}:type", [])) & set(found.get(f"{name}:range", []))
    for n, (_, number, *_) in enumerate(rows):
        if n not in found.get("number:type", []) and number is not None:
            assert reasons["number:type"][n][0].startswith(f"number is {number[:200]}")
