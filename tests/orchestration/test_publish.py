"""Readers see one whole version or another, never a mixture, whatever happens to the run that publishes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from orchestration import published_copy
from orchestration.documented import Documented
from orchestration.errors import CatalystError
from orchestration.publish import PublishResult, fingerprint, open_published, publish, published_url

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 3, 31)

SQL = """
create schema staging; create schema core_analytics; create schema predictions; create schema decisions;
create schema monitoring; create schema quality;
create table staging.secret as select 'not for readers' as note;
create table core_analytics.products as select 'P1' as product_id, 'Kettle' as product_name;
create table core_analytics.sales as
    from (values ('L2', 2, 10.0::double), ('L1', 1, 5.0), ('L3', 1, 7.5)) as t(sale_line_id, quantity, amount);
create table core_analytics.daily_product_sales as select date '2026-03-31' as sold_date, 4 as units;
create view core_analytics.sales_totals as select sum(amount) as total from warehouse.core_analytics.sales;
create table core_analytics.sales__dbt_backup as select 1 as half_built;
create table predictions.demand_forecast as
    select date '2026-03-31' as as_of_date, 'P1' as product_id, 4.0::double as mean_units, 'run-1' as run_id,
           timestamp '2026-04-01 06:00:00' as predicted_at;
create table decisions.purchase_recommendations as select 'P1' as product_id, 12 as quantity;
create table monitoring.forecast_accuracy as select 'all' as scope, 0.4::double as wape;
create table quality.loads as
    select 'raw_pos.sales' as feed, 'load-1' as load_id, 4 as rows_landed, timestamp '2026-04-01 05:00:00' as landed_at;
create table quality.quarantine as
    select 'raw_pos.sales' as feed, 'load-1' as load_id, '{"_dlt_load_id":"load-1","price":"0"}' as payload,
           timestamp '2026-04-01 05:01:00' as gated_at;
create table quality.runs as select 'run-1' as run_id, date '2026-03-31' as as_of_date, 'running' as status;
comment on table core_analytics.sales is 'One row per sale line; it''s the grain.';
comment on column core_analytics.sales.amount is 'Euro.';
comment on view core_analytics.sales_totals is 'Everything sold.';
comment on column core_analytics.sales_totals.total is 'Euro, all of it.';
"""


def change(warehouse: Path, sql: str) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(sql)


def amounts(published_dir: Path) -> list[float]:
    with open_published(published_dir) as connection:
        return [row[0] for row in connection.execute("select amount from core_analytics.sales").fetchall()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "warehouse.duckdb"
    change(path, SQL)
    return path


@pytest.fixture
def warehouse(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path))


@pytest.fixture
def published_dir(tmp_path: Path) -> Path:
    return tmp_path / "published"


@pytest.fixture
def first(warehouse: Path, published_dir: Path) -> PublishResult:
    """One version is out, and the warehouse has moved on since."""
    result = publish(warehouse, published_dir, as_of=DAY, run_id="run-1")
    change(warehouse, "update core_analytics.sales set amount = amount + 1000")
    return result


def test_published_schemas_are_copied_with_views_as_tables_and_nothing_else(
    warehouse: Path, published_dir: Path
) -> None:
    result = publish(warehouse, published_dir, as_of=DAY, run_id="run-1")

    assert result.tables == {
        "core_analytics.daily_product_sales": 1,
        "core_analytics.products": 1,
        "core_analytics.sales": 3,
        "core_analytics.sales_totals": 1,
        "decisions.purchase_recommendations": 1,
        "monitoring.forecast_accuracy": 1,
        "predictions.demand_forecast": 1,
        "quality.loads": 1,
        "quality.quarantine": 1,
        "quality.runs": 1,
    }
    assert result.version == "2026-03-31-run-1"
    assert result.seconds > 0
    with duckdb.connect(str(result.path), read_only=True) as connection:
        found = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
        assert {row[0] for row in found} == set(result.tables)
        assert connection.execute("select count(*) from duckdb_views() where not internal").fetchone() == (0,)
        assert connection.execute("select total from core_analytics.sales_totals").fetchall() == [(22.5,)]


def test_table_and_column_comments_are_carried_over(first: PublishResult) -> None:
    with duckdb.connect(str(first.path), read_only=True) as connection:
        tables = connection.execute(
            "select table_name, comment from duckdb_tables() where comment is not null"
        ).fetchall()
        columns = connection.execute(
            "select table_name, column_name, comment from duckdb_columns() where comment is not null"
        ).fetchall()
    assert dict(tables) == {"sales": "One row per sale line; it's the grain.", "sales_totals": "Everything sold."}
    assert sorted(columns) == [("sales", "amount", "Euro."), ("sales_totals", "total", "Euro, all of it.")]


@pytest.mark.usefixtures("first")
def test_rows_are_published_in_the_order_of_their_keys(published_dir: Path) -> None:
    assert amounts(published_dir) == [5.0, 10.0, 7.5]


def test_a_client_that_stays_open_sees_the_new_data_at_its_next_checkout(
    warehouse: Path, published_dir: Path, first: PublishResult
) -> None:
    engine = create_engine(published_url(published_dir))
    query = text("select amount from catalyst.core_analytics.sales order by sale_line_id")
    held = engine.connect()
    assert held.execute(query).scalars().all() == [5.0, 10.0, 7.5]
    schemas_before = inspect(engine).get_schema_names()

    publish(warehouse, published_dir, as_of=DAY, run_id="run-2")

    with engine.connect() as connection:
        assert connection.execute(query).scalars().all() == [1005.0, 1010.0, 1007.5]
    assert held.execute(query).scalars().all() == [5.0, 10.0, 7.5]
    assert inspect(engine).get_schema_names() == schemas_before
    assert "catalyst.core_analytics" in schemas_before

    # Two more, so that the file of the held connection is removed.
    publish(warehouse, published_dir, as_of=DAY, run_id="run-3")
    publish(warehouse, published_dir, as_of=DAY, run_id="run-4")
    assert not first.path.exists()
    assert held.execute(query).scalars().all() == [5.0, 10.0, 7.5]
    held.close()


@pytest.mark.usefixtures("first")
def test_a_client_of_the_documented_address_cannot_write(published_dir: Path) -> None:
    with (
        create_engine(published_url(published_dir)).connect() as connection,
        pytest.raises(DBAPIError, match="read-only"),
    ):
        connection.execute(text("delete from core_analytics.sales"))


@pytest.mark.usefixtures("first")
def test_our_own_readers_work_beside_a_sqlalchemy_client_of_the_same_process(
    warehouse: Path, published_dir: Path
) -> None:
    with create_engine(published_url(published_dir)).connect() as connection:
        connection.execute(text("select 1"))
        assert amounts(published_dir) == [5.0, 10.0, 7.5]
    with open_published(published_dir) as reader:
        publish(warehouse, published_dir, as_of=DAY, run_id="run-2")
        assert reader.execute("select sum(amount) from core_analytics.sales").fetchall() == [(22.5,)]
    assert sum(amounts(published_dir)) == 3022.5


@pytest.mark.usefixtures("first")
def test_the_folder_can_be_moved(published_dir: Path) -> None:
    moved = published_dir.rename(published_dir.with_name("elsewhere"))
    assert amounts(moved) == [5.0, 10.0, 7.5]


@pytest.mark.usefixtures("first")
def test_the_current_and_the_previous_version_are_kept_and_leftovers_cleared(
    warehouse: Path, published_dir: Path
) -> None:
    versions = published_dir / "versions"
    for leftover in ("2026-03-01-orphan", ".building-2026-03-30-killed"):
        (versions / leftover).mkdir()
        (versions / leftover / "catalyst.duckdb.wal").write_text("half a page")
    (published_dir / ".catalyst.duckdb.next").symlink_to("nowhere")

    publish(warehouse, published_dir, as_of=DAY, run_id="run-2")
    assert names(versions) == ["2026-03-31-run-1", "2026-03-31-run-2"]
    publish(warehouse, published_dir, as_of=DAY, run_id="run-3")
    assert names(versions) == ["2026-03-31-run-2", "2026-03-31-run-3"]
    assert names(versions / "2026-03-31-run-3") == ["catalyst.duckdb"]
    assert names(published_dir) == [".lock", "catalyst.duckdb", "versions"]


@pytest.mark.usefixtures("first")
def test_a_run_that_publishes_again_gets_a_new_version(warehouse: Path, published_dir: Path) -> None:
    versions = [publish(warehouse, published_dir, as_of=DAY, run_id="run-1").version for _ in range(3)]
    assert versions == ["2026-03-31-run-1.2", "2026-03-31-run-1.3", "2026-03-31-run-1.4"]
    assert sum(amounts(published_dir)) == 3022.5


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        ("drop schema decisions cascade", "has no decisions, so nothing was published"),
        ("drop table core_analytics.daily_product_sales", "has no core_analytics.daily_product_sales"),
        ("delete from core_analytics.sales", "has no row in core_analytics.sales"),
        ("create view decisions.broken as select error('no such supplier') as x", "no such supplier"),
    ],
)
@pytest.mark.usefixtures("first")
def test_a_warehouse_that_is_not_fit_leaves_the_previous_version_in_place(
    warehouse: Path, published_dir: Path, damage: str, sentence: str
) -> None:
    change(warehouse, damage)
    with pytest.raises(CatalystError, match=sentence):
        publish(warehouse, published_dir, as_of=DAY, run_id="run-2")
    assert names(published_dir / "versions") == ["2026-03-31-run-1"]
    assert amounts(published_dir) == [5.0, 10.0, 7.5]


@pytest.mark.usefixtures("first")
def test_a_warehouse_that_is_missing_or_open_for_writing_is_a_sentence(warehouse: Path, published_dir: Path) -> None:
    with pytest.raises(CatalystError, match="There is no warehouse at"):
        publish(warehouse.with_name("nothing.duckdb"), published_dir, as_of=DAY, run_id="run-2")
    with duckdb.connect(str(warehouse)), pytest.raises(CatalystError, match="could not be published"):
        publish(warehouse, published_dir, as_of=DAY, run_id="run-2")
    assert amounts(published_dir) == [5.0, 10.0, 7.5]


def test_reading_before_anything_was_published_is_a_sentence(published_dir: Path) -> None:
    with pytest.raises(CatalystError, match="Nothing is published"), open_published(published_dir):
        pass


KILLED_AT_EVERY_STEP = """
import os, shutil, signal, sys
from datetime import date
from pathlib import Path
from orchestration.publish import publish

warehouse, published_dir, copies = map(Path, sys.argv[1:])
for step in range(100):
    target = copies / f"{step:02d}"
    shutil.copytree(published_dir, target, symlinks=True)
    child = os.fork()
    if child == 0:
        seen = 0
        def kill(event, arguments):
            global seen
            if event in {"os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "shutil.rmtree"}:
                seen += 1
                if seen > step:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(kill)
        publish(warehouse, target, as_of=date(2026, 3, 31), run_id="run-3")
        os._exit(0)
    if os.WIFEXITED(os.waitpid(child, 0)[1]):
        break
"""


@pytest.mark.usefixtures("first")
def test_killed_before_any_change_of_the_disk_it_leaves_one_whole_version_and_the_next_run_clears_up(
    warehouse: Path, published_dir: Path, tmp_path: Path
) -> None:
    change(warehouse, "update core_analytics.sales set amount = amount - 1000")
    publish(warehouse, published_dir, as_of=DAY, run_id="run-2")
    change(warehouse, "update core_analytics.sales set amount = amount + 1000")
    copies = tmp_path / "copies"
    copies.mkdir()
    subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVERY_STEP, str(warehouse), str(published_dir), str(copies)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
    )

    seen = [sum(amounts(copy)) for copy in sorted(copies.iterdir())]
    assert seen == sorted(seen), "the switch happens once"
    assert set(seen) == {22.5, 3022.5}
    assert len(seen) > 6
    left_behind = {tuple(sorted(file.name for file in copy.rglob("*"))): copy for copy in copies.iterdir()}
    assert len(left_behind) > 4
    for copy in left_behind.values():
        publish(warehouse, copy, as_of=DAY, run_id="run-4")
        assert sum(amounts(copy)) == 3022.5
        assert names(copy) == [".lock", "catalyst.duckdb", "versions"]
        assert len(names(copy / "versions")) == 2


@pytest.mark.usefixtures("first")
def test_killed_while_copying_it_leaves_the_previous_version(warehouse: Path, published_dir: Path) -> None:
    # The view takes minutes; the tables before it have been copied by then.
    change(
        warehouse,
        "create view core_analytics.endless as select sum(a.range * b.range) from range(10000000) a, range(100000) b",
    )
    program = (
        "import sys; from datetime import date; from pathlib import Path; from orchestration.publish import publish\n"
        "publish(Path(sys.argv[1]), Path(sys.argv[2]), as_of=date(2026, 3, 31), run_id='run-2')"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(warehouse), str(published_dir)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    building = published_dir / "versions" / ".building-2026-03-31-run-2" / "catalyst.duckdb"
    while not building.exists():
        assert child.poll() is None
    child.send_signal(signal.SIGSTOP)
    with pytest.raises(CatalystError, match="Another run is publishing"):
        publish(warehouse, published_dir, as_of=DAY, run_id="run-3")
    child.kill()
    child.wait()
    assert amounts(published_dir) == [5.0, 10.0, 7.5]

    change(warehouse, "drop view core_analytics.endless")
    publish(warehouse, published_dir, as_of=DAY, run_id="run-3")
    assert amounts(published_dir) == [1005.0, 1010.0, 1007.5]
    assert names(published_dir / "versions") == ["2026-03-31-run-1", "2026-03-31-run-3"]


def test_a_rerun_over_the_same_data_has_the_same_fingerprint(warehouse: Path, published_dir: Path) -> None:
    before = fingerprint(publish(warehouse, published_dir, as_of=DAY, run_id="run-1").path)
    change(
        warehouse,
        """
        create or replace table core_analytics.sales as select * from core_analytics.sales order by amount;
        update core_analytics.sales set amount = amount + 1e-12;
        update predictions.demand_forecast set run_id = 'run-2', predicted_at = predicted_at + interval 1 day;
        update quality.loads set load_id = 'load-2', landed_at = landed_at + interval 1 day;
        update quality.quarantine
            set load_id = 'load-2', gated_at = gated_at + interval 1 day, payload = replace(payload, '-1', '-2');
        insert into quality.runs values ('run-2', date '2026-03-31', 'running');
        """,
    )
    publish(warehouse, published_dir, as_of=DAY, run_id="run-2")
    assert fingerprint(published_dir) == before
    assert "quality.loads" in before
    assert "quality.runs" not in before


@pytest.mark.parametrize(
    "difference",
    [
        "update core_analytics.sales set amount = amount + 0.01 where sale_line_id = 'L1'",
        "delete from core_analytics.sales where sale_line_id = 'L1'",
        "update core_analytics.sales set quantity = null where sale_line_id = 'L1'",
        "update core_analytics.sales set amount = case sale_line_id when 'L1' then 10 when 'L2' then 5 else amount end",
        "insert into core_analytics.sales from core_analytics.sales where sale_line_id = 'L1'",
        "insert into core_analytics.sales select 'L9', 1, 1 from range(2)",
        "alter table core_analytics.sales rename column amount to total",
        "alter table core_analytics.sales alter column quantity type bigint",
    ],
)
def test_any_difference_in_a_table_changes_its_fingerprint_and_no_other(warehouse: Path, difference: str) -> None:
    change(warehouse, "drop view core_analytics.sales_totals")
    before = fingerprint(warehouse)
    change(warehouse, difference)
    after = fingerprint(warehouse)
    assert {table for table in before if before[table] != after[table]} == {"core_analytics.sales"}


SAID = {
    "core_analytics.sales": Documented("Not this: the warehouse says it.", {"amount": "Nor this."}, ("sale_line_id",)),
    "quality.quarantine": Documented("Marks.", {"payload": "The row.", "gone": "No such column."}, ()),
    "decisions.purchase_recommendations": Documented(key=("product_id", "quantity")),
    "core_analytics.not_built": Documented("Switched off.", {}, ("id",)),
}


def test_what_the_warehouse_does_not_say_is_taken_from_the_documentation_with_keys(
    warehouse: Path, published_dir: Path
) -> None:
    publish(warehouse, published_dir, as_of=DAY, run_id="run-1", documentation=SAID)
    reflected = inspect(create_engine(published_url(published_dir)))
    assert reflected.get_table_comment("sales", "core_analytics") == {"text": "One row per sale line; it's the grain."}
    assert reflected.get_table_comment("quarantine", "quality") == {"text": "Marks."}
    comments = {column["name"]: column["comment"] for column in reflected.get_columns("quarantine", "quality")}
    assert comments == {"feed": None, "load_id": None, "payload": "The row.", "gated_at": None}
    keys = {
        table: reflected.get_pk_constraint(table, schema)["constrained_columns"]
        for schema, table in [("core_analytics", "sales"), ("quality", "quarantine")]
    }
    assert keys == {"sales": ["sale_line_id"], "quarantine": []}
    two = reflected.get_pk_constraint("purchase_recommendations", "decisions")["constrained_columns"]
    assert two == ["product_id", "quantity"]
    assert sum(amounts(published_dir)) == 22.5


@pytest.mark.parametrize("row", ["('L1', 3, 9.0)", "(null, 3, 9.0)"])
@pytest.mark.usefixtures("first")
def test_a_key_that_does_not_hold_is_a_sentence_and_nothing_is_published(
    warehouse: Path, published_dir: Path, row: str
) -> None:
    change(warehouse, f"insert into core_analytics.sales values {row}")
    with pytest.raises(CatalystError, match=r"sale_line_id is not the key of core_analytics\.sales \(.*: 1\)"):
        publish(warehouse, published_dir, as_of=DAY, run_id="run-2", documentation=SAID)
    assert amounts(published_dir) == [5.0, 10.0, 7.5]


def test_a_table_whose_index_would_cost_too_much_has_no_key(
    warehouse: Path, published_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published_copy, "_KEYED_UP_TO", 2)
    publish(warehouse, published_dir, as_of=DAY, run_id="run-1", documentation=SAID)
    reflected = inspect(create_engine(published_url(published_dir)))
    assert reflected.get_pk_constraint("sales", "core_analytics")["constrained_columns"] == []
