"""Every way in which the engines are known to differ is found where it is written, and what is meant well is not."""

from __future__ import annotations

import pytest

from tests.dbt_project.engines import findings

# As the architecture lists them: what each engine makes of it, and where it is found.
WRITTEN = {
    # bigint: the other knows no such cast, and no such name of a type
    "select a::int from t": "a cast by ::",
    "select cast(a as varchar) from t": "a type's name",
    "select try_cast(a as date) from t": "a cast that gives null",
    "select distinct on (a) a from t": "distinct on",
    "select * exclude (a) from t": "columns left out of *",
    "select * except (a) from t": "columns left out of *",
    "from t select a": "a from before its select",
    "with x as (from t select a) select 1": "a from before its select",
    "select a from t group by 1": "grouping or ordering by position or all",
    "select a from t group by all": "grouping or ordering by position or all",
    # a timestamp here, a date there
    "select date_trunc('month', a) from t": "date arithmetic",
    "select a + interval 1 day from t": "date arithmetic",
    "select date_add(a, interval 1 day) from t": "date arithmetic",
    "select date '2024-01-01' + 1": "date arithmetic",
    # Sunday is 0 here and 1 there
    "select extract(dow from a) from t": "an ISO part or a day of the week of a date",
    "select extract(dayofweek from a) from t": "an ISO part or a day of the week of a date",
    "select dayofweek(a) from t": "an ISO part or a day of the week of a date",
    "select strftime(a, '%y') from t": "date formats",
    "select current_date": "a clock",
    "select now()": "a clock",
    "select x from unnest([1]) as t(x)": "lists and structs",
    "select a from t where a ilike 'b'": "comparing without case",
    "{% if target.type == 'duckdb' %}": "a switch on the target",
    # nulls last here, first there
    "select a from t order by a": "no nulls first or last: a",
    "select sum(a) over (order by f(b, c) desc nulls last, d asc rows between 1 preceding and current row)": (
        "no nulls first or last: d asc"
    ),
}
MEANT = {
    # 1 / 0 is infinity here and an error there
    "select a / b as c from t": "division without safe_divide: a / b",
    "select a / nullif(b, 0) as c from t": None,
    "select a / (2 * 60) as c from t": None,
    # 1 here, null there
    "select least(1, a) as b from t": "null in least: a",
    "select greatest(coalesce(a, 0), b + 1) as c from t": "null in greatest: b + 1",
    "select least(1, coalesce(a, b)) as c from t": "null in least: coalesce(a, b)",
    "select least(1, coalesce(a, 0)) as c from t": None,
    "select least(known, case when a then 1 else known end) as c from t": None,
    # a here, null there; by || null on both, but a null is seldom meant
    "select concat('a', b) as c from t": "null in concat: b",
    "select concat('a', coalesce(b, ''), known) as c from t": None,
    "-- never null: b\nselect concat('a', b) as c from t": None,
    # works here, is refused there
    "select a + 1 as b, b + 1 as c from t": "a name of the same select: b",
    "select a + 1 as b from t where b > 1": "a name of the same select: b",
    "select coalesce(b, 0) as b, b + 1 as c from t": None,
    "with t as (select a, b from raw) select a + 1 as b, t.b + 1 as c, b + 1 as d from t": None,
    # hugeint here, which pandas reads as a float, int64 there
    "select sum(units) as units from t": "a sum that is not cast: sum(units)",
    "select coalesce(sum(units), 0) as units from t": "a sum that is not cast: sum(units)",
    "select sum(units) over (order by a asc nulls last) as units from t": "a sum that is not cast: sum(units)",
    "with x as (select sum(units) as units from t) select x.* from x": "a sum that is not cast: sum(units)",
    "with x as (select sum(units) as units from t) select cast(units as int64) as units from x": None,
    "select sum(amount_eur) as amount_eur from t": None,
    "select a from t group by a having sum(units) > 0": None,
}


@pytest.mark.parametrize("sql", WRITTEN)
def test_what_only_one_engine_runs_is_found_in_models_and_macros(sql: str) -> None:
    assert WRITTEN[sql] in findings(sql)


@pytest.mark.parametrize("sql", MEANT)
def test_what_both_engines_run_with_other_results_is_found_in_models(sql: str) -> None:
    comment = sql.partition("\n")[0] if sql.startswith("--") else "-- never null: known"
    expected = MEANT[sql]
    assert findings(comment, sql) == ([expected] if expected else [])


def test_comments_are_no_sql() -> None:
    assert findings("{# a::int #} select a from t -- order by 1") == []
