"""The warehouse has what models read before any feed has sent a row, and a partition is written whole or not at all."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pyarrow as pa
import pytest

from orchestration.errors import CatalystError
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column

DAY, NEXT = date(2026, 6, 30), date(2026, 7, 1)
CSV = {"type": "local", "path": "/nowhere/*.csv", "format": "csv"}


def _partition(as_of: date, *units: float) -> pa.Table:
    return pa.table({"as_of_date": [as_of] * len(units), "units": units})


@pytest.fixture
def forecasts(warehouse: Warehouse) -> Warehouse:
    with warehouse.connect() as connection:
        connection.execute("create table forecast (as_of_date date, units double)")
    return warehouse


def _units(warehouse: Warehouse) -> list[tuple[date, float]]:
    with warehouse.connect() as connection:
        return connection.execute("select as_of_date, units from forecast order by all").fetchall()


def test_writing_a_partition_again_replaces_it_and_leaves_the_others(forecasts: Warehouse) -> None:
    forecasts.replace_partition("forecast", DAY, _partition(DAY, 1.0, 2.0))
    forecasts.replace_partition("forecast", NEXT, _partition(NEXT, 3.0))
    assert forecasts.replace_partition("forecast", DAY, _partition(DAY, 4.0)) == 1
    assert _units(forecasts) == [(DAY, 4.0), (NEXT, 3.0)]


def test_an_empty_partition_is_refused_and_the_old_one_stays(forecasts: Warehouse) -> None:
    forecasts.replace_partition("forecast", DAY, _partition(DAY, 1.0))
    with pytest.raises(CatalystError, match="No row came to be written to forecast"):
        forecasts.replace_partition("forecast", DAY, _partition(DAY).slice(0, 0))
    assert _units(forecasts) == [(DAY, 1.0)]


def test_a_partition_that_cannot_be_written_leaves_the_old_one(forecasts: Warehouse) -> None:
    forecasts.replace_partition("forecast", DAY, _partition(DAY, 1.0))
    broken = pa.table({"as_of_date": [DAY], "units": ["many"]})
    with pytest.raises(Exception, match="many"):
        forecasts.replace_partition("forecast", DAY, broken)
    assert _units(forecasts) == [(DAY, 1.0)]


def test_a_column_that_a_contract_gains_is_added_to_the_raw_table(make_feed: MakeFeed, warehouse: Warehouse) -> None:
    warehouse.prepare([make_feed("sales", CSV, [column("id")])])
    with warehouse.connect() as connection:
        connection.execute("insert into raw_shop.sales (id) values ('a')")
    warehouse.prepare([make_feed("sales", CSV, [column("id"), column("note")])])
    with warehouse.connect() as connection:
        assert connection.execute("select id, note from raw_shop.sales").fetchall() == [("a", None)]


def test_a_warehouse_that_another_process_holds_says_what_to_do(warehouse: Warehouse) -> None:
    hold = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(warehouse.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CatalystError, match="Wait for the other process or stop it"), warehouse.connect():
            pass
        holder.kill()
