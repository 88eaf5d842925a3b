"""What the gate says in DuckDB's SQL is said to BigQuery in its own."""

from __future__ import annotations

import pytest

from orchestration.bigquery_sql import parse, tables, write


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("select 'it''s \\' as \"order\"", r"SELECT 'it\'s \\' AS `order`"),
        # A moment in a statement has no zone; in a table it has.
        ("select try_cast(a as timestamp)", "SELECT SAFE_CAST(`a` AS DATETIME)"),
        ("create or replace temp table t (at timestamp)", "CREATE OR REPLACE TEMPORARY TABLE `t` (`at` TIMESTAMP)"),
        # There are no temporary views.
        ("create or replace temp view v as select 1 as a", "CREATE OR REPLACE TEMPORARY TABLE `v` AS SELECT 1 AS `a`"),
        ("select contains(a, 'x')", "SELECT INSTR(`a`, 'x') > 0"),
        ("select regexp_full_match(a, 'x|y')", "SELECT REGEXP_CONTAINS(`a`, '^(?:x|y)$')"),
        ("select try_strptime(a, '%d.%m.%Y')", "SELECT SAFE.PARSE_DATETIME('%d.%m.%Y', TRIM(`a`))"),
        # What is inside of what is rewritten is rewritten too.
        ("select isfinite(try_cast(n as double))", "SELECT (ABS(SAFE_CAST(`n` AS FLOAT64)) <= 1.7976931348623157e308)"),
        (
            "select isfinite(cast(contains(a, 'x') as double))",
            "SELECT (ABS(CAST(INSTR(`a`, 'x') > 0 AS FLOAT64)) <= 1.7976931348623157e308)",
        ),
        ("select (a, b) in (select c, d from t)", "SELECT (`a`, `b`) IN (SELECT (`c`, `d`) FROM `t`)"),
        (
            "select table_name from information_schema.tables where table_schema = 'raw_x'",
            "SELECT `table_name` FROM `raw_x`.`INFORMATION_SCHEMA`.`TABLES` WHERE `table_schema` = 'raw_x'",
        ),
        (
            "select first(a order by (b != c), d) from t",
            "SELECT ARRAY_AGG(`a` ORDER BY (`b` <> `c`), `d` LIMIT 1)[OFFSET(0)] FROM `t`",
        ),
        ("select $a, ?", "SELECT @a, ?"),
    ],
)
def test_a_statement_is_said_in_the_words_of_bigquery(said: str, means: str) -> None:
    assert write(parse(said), {}) == means


def test_the_text_of_a_number_or_a_moment_is_written_as_duckdb_writes_it() -> None:
    kinds = {"weight": "FLOAT", "at": "TIMESTAMP", "name": "STRING"}
    moment = "RTRIM(RTRIM(FORMAT_TIMESTAMP('%F %H:%M:%E6S', {}), '0'), '.')"
    written = write(parse("select cast(weight as varchar), cast(at as varchar), cast(name as varchar)"), kinds)
    assert written == (
        "SELECT CASE WHEN NOT `weight` IS NULL THEN FORMAT('%t', `weight`) END, "
        f"{moment.format('`at`')}, CAST(`name` AS STRING)"
    )
    assert write(parse("select to_json(raw) from raw_shop.sales as raw"), {"at": "TIMESTAMP", "name": "STRING"}) == (
        f"SELECT TO_JSON_STRING(STRUCT({moment.format('`raw`.`at`')} AS `at`, `raw`.`name` AS `name`)) "
        "FROM `raw_shop`.`sales` AS `raw`"
    )


def test_the_tables_of_a_statement_are_those_of_a_dataset() -> None:
    assert tables(parse("insert into quality.loads select * from raw_shop.sales as raw join scratch using (a)")) == {
        "quality.loads",
        "raw_shop.sales",
    }
