from __future__ import annotations

import pytest

from benchmarks.cost.reading import Catalog, Scan, scans, statements, target_of

SALES = ["sold_date", "product_id", "units", "note"]
CATALOG = Catalog(
    columns={
        "marts.sales": SALES,
        "marts.products": ["product_id", "category"],
        "marts.months": ["month", "units", "note"],
    },
)
for made in statements(
    """
    create table `p`.`marts`.`sales` partition by sold_date as (select 1);
    create table marts.months partition by date_trunc(month, month) as (select 1);
    create or replace view `p`.staging.sales as select * from `p`.`marts`.`sales` where note is null;
    create view staging.toys as select product_id from staging.sales where units > 0
    """
):
    CATALOG.note(made)


def _read(sql: str) -> dict[str, tuple[set[str], set[str] | None]]:
    found = [scan for statement in statements(sql) for scan in scans(statement, CATALOG)]
    return {scan.table: (set(scan.columns), None if scan.kept is None else set(scan.kept)) for scan in found}


def test_only_the_columns_that_are_needed_in_the_end_are_read() -> None:
    sql = """
        with all_sales as (select * from `p`.`marts`.`sales`),
        summed as (select product_id, sum(units) as units, max(note) as note from all_sales group by product_id)
        select product_id, units from summed
    """
    assert _read(sql) == {"marts.sales": ({"product_id", "units"}, None)}


def test_counting_rows_reads_no_column() -> None:
    assert _read("select count(*) as n from marts.sales") == {"marts.sales": (set(), None)}


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("sold_date in (date '2026-06-29', '2026-06-30')", "(sold_date IN (CAST('2026-06-29' AS DATE), '2026-06-30'))"),
        ("units > 0 and sold_date = date '2026-06-29'", "(sold_date = CAST('2026-06-29' AS DATE))"),
        (
            "sold_date >= date '2026-06-01' and sold_date < date '2026-07-01'",
            "(sold_date < CAST('2026-07-01' AS DATE)) and (sold_date >= CAST('2026-06-01' AS DATE))",
        ),
        (
            "sold_date between '2026-06-01' and '2026-06-09'",
            "(sold_date <= '2026-06-09') and (sold_date >= '2026-06-01')",
        ),
        ("sold_date = date '2026-06-01' or units = 1", None),
        ("sold_date in (select month from marts.months)", None),
        ("sold_date = date(note)", None),
        ("product_id = 'P1'", None),
        ("date_add(sold_date, interval (null) day) <= date '2026-06-30'", None),
    ],
)
def test_only_constants_leave_partitions_out(condition: str, kept: str | None) -> None:
    _, found = _read(f"with s as (select * from marts.sales) select units from s where {condition}")["marts.sales"]
    assert found == (None if kept is None else {kept})


def test_a_table_that_is_named_twice_is_read_once_with_the_columns_and_partitions_of_both() -> None:
    sql = """
        select a.units, b.note from marts.sales as a
        inner join marts.sales as b on a.product_id = b.product_id and b.sold_date = date '2026-06-02'
        where a.sold_date = date '2026-06-01'
    """
    days = {"(sold_date = CAST('2026-06-01' AS DATE))", "(sold_date = CAST('2026-06-02' AS DATE))"}
    assert _read(sql) == {"marts.sales": ({"sold_date", "product_id", "units", "note"}, days)}


def test_all_partitions_are_read_where_one_of_two_names_asks_for_all() -> None:
    sql = """
        select units from marts.sales where sold_date = date '2026-06-01'
        union all select units from marts.sales
    """
    assert _read(sql) == {"marts.sales": ({"sold_date", "units"}, None)}


def test_a_view_is_read_through_down_to_its_tables() -> None:
    sql = "select p.category from staging.toys as t inner join marts.products as p on t.product_id = p.product_id"
    assert _read(sql) == {
        "marts.sales": ({"product_id", "units", "note"}, None),
        "marts.products": ({"product_id", "category"}, None),
    }


def test_a_condition_on_a_view_leaves_out_partitions_of_its_table() -> None:
    sql = "select units from staging.sales where sold_date = date '2026-06-01'"
    assert _read(sql) == {
        "marts.sales": ({"sold_date", "units", "note"}, {"(sold_date = CAST('2026-06-01' AS DATE))"}),
    }


def test_making_a_table_reads_what_it_selects_and_making_a_view_nothing() -> None:
    assert _read("create or replace table x.y as select units from marts.sales") == {"marts.sales": ({"units"}, None)}
    assert _read("create or replace view x.y as select units from marts.sales") == {}


def test_who_replaces_partitions_reads_all_columns_of_those() -> None:
    sql = """
        merge into marts.months as target
        using (select sold_date as month, units from marts.sales where sold_date = date '2026-06-01') as source
        on false
        when not matched by source and month in (date '2026-06-01') then delete
        when not matched then insert (month, units) values (month, units)
    """
    assert _read(sql) == {
        "marts.sales": ({"sold_date", "units"}, {"(sold_date = CAST('2026-06-01' AS DATE))"}),
        "marts.months": ({"month", "units", "note"}, {"(month IN (CAST('2026-06-01' AS DATE)))"}),
    }


def test_who_deletes_reads_all_columns_and_those_of_the_condition() -> None:
    sql = "delete from marts.months as m where not exists (select 1 from marts.sales as s where s.sold_date = m.month)"
    assert _read(sql) == {
        "marts.months": ({"month", "units", "note"}, None),
        "marts.sales": ({"sold_date"}, None),
    }


def test_whole_days_are_deleted_unread_and_months_are_not() -> None:
    assert _read("delete from `p`.`marts`.`sales` where sold_date in (date '2026-06-01')") == {}
    kept = {"(month IN (CAST('2026-06-01' AS DATE)))"}
    assert _read("delete from marts.months where month in (date '2026-06-01')") == {
        "marts.months": ({"month", "units", "note"}, kept)
    }


def test_a_day_on_which_nothing_has_changed_reads_nothing() -> None:
    assert _read("select units from marts.sales where false") == {"marts.sales": ({"units"}, {"(FALSE)"})}


def test_who_only_adds_rows_reads_nothing_of_the_target() -> None:
    sql = "insert into marts.months (month, units) select sold_date, units from marts.sales"
    assert _read(sql) == {"marts.sales": ({"sold_date", "units"}, None)}


def test_a_scan_of_a_table_without_partitions_reads_it_whole() -> None:
    [found] = scans(statements("select category from marts.products where product_id = 'P1'")[0], CATALOG)
    assert found == Scan("marts.products", frozenset({"product_id", "category"}))


def test_what_is_merged_by_way_of_a_temporary_table_is_read_there_by_the_columns_of_the_target() -> None:
    through = Catalog({"marts.months": ["month", "units"], "marts.sales": SALES})
    made, merged = statements(
        """
        create or replace table marts.months__dbt_tmp as select sold_date as month, units from marts.sales;
        merge into marts.months as target using (select * from marts.months__dbt_tmp) as source on false
        when not matched then insert (month, units) values (month, units)
        """
    )
    through.note(made)
    assert scans(merged, through) == [Scan("marts.months__dbt_tmp", frozenset({"month", "units"}))]
    assert target_of("marts.months__dbt_tmp") == "marts.months"
