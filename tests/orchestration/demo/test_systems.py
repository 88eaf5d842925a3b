"""Advancing is a pure function of company and day, and cannot be left half done."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.demo import Company, advance
from orchestration.demo.sources import FORGETFUL, KEPT_DAYS, LOGINS_KEPT_DAYS, whole_day
from orchestration.errors import CatalystError
from orchestration.settings import REPOSITORY

from .conftest import Forget, Home, Record

Contents = Callable[[Path], Record]

OPENED = date(2024, 1, 20)
# Two firsts of months lie in it.
THROUGH = date(2024, 3, 8)
SCALE = 0.03

# Dies by SIGKILL just before the n-th file is put in place.
_DYING = """
import os, signal, sys
from datetime import date
from pathlib import Path
from orchestration.demo import advance

left = int(sys.argv[3])

def watch(event, arguments):
    global left
    if event == "os.rename":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
opened = date.fromisoformat(sys.argv[5]) if sys.argv[5] else None
advance(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), scale=float(sys.argv[4]), opened=opened)
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was advanced in one go."""
    home = tmp_path_factory.mktemp("undisturbed")
    advance(home, THROUGH, scale=SCALE, opened=OPENED)
    return home


@pytest.mark.parametrize("t", [0, 43, 140])
def test_a_day_alone_equals_the_same_day_of_a_full_run(t: int, small: Home, contents: Contents, forget: Forget) -> None:
    forget()
    day = whole_day(replace(small.company), t, small.company.t(small.through))
    full = contents(small.path)
    assert day.files
    for path, content in day.files.items():
        assert full[f"demo/{path}"] == content
    date_of_day = str(small.company.day(t))
    written = {path for path in full if date_of_day in path}
    assert written == {f"demo/{path}" for path in day.files}
    first = int(date_of_day.replace("-", "")) * 1_000_000
    assert {table for _, table in day.tables} == {"sales", "customers", "contacts", "interactions"}
    for (_, table), batch in day.tables.items():
        rows = [row for row in full[table] if first < row[0] <= first + 999_999]
        assert rows == [(first + 1 + i, *row) for i, row in enumerate(batch.rows)]


def test_a_day_does_not_depend_on_days_generated_before_it(small: Home, forget: Forget) -> None:
    company = small.company
    forget()
    forward = [whole_day(company, t) for t in (100, 101)]
    forget()
    backward = [whole_day(company, t) for t in (101, 100)]
    assert forward == backward[::-1]


def test_another_seed_is_another_company() -> None:
    one, other = (whole_day(Company(opened=OPENED, scale=SCALE, seed=seed), 40) for seed in (7, 8))
    assert one.tables["pos.db", "sales"].rows != other.tables["pos.db", "sales"].rows


def test_advancing_twice_changes_nothing(undisturbed: Path, contents: Contents) -> None:
    before = contents(undisturbed)
    times = {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")}
    result = advance(undisturbed, THROUGH, scale=SCALE)
    assert (result.days, result.rows, result.generated_through) == (0, {}, THROUGH)
    assert advance(undisturbed, date(2024, 2, 1), scale=SCALE).generated_through == THROUGH
    assert contents(undisturbed) == before
    assert {path: path.stat().st_mtime_ns for path in undisturbed.rglob("*")} == times


def test_what_a_source_forgets_is_gone_however_the_company_got_there(tmp_path: Path, contents: Contents) -> None:
    once, twice, killed = (tmp_path / name for name in ("once", "twice", "killed"))
    through = OPENED + timedelta(days=70)
    advance(once, through, scale=0.01, opened=OPENED)
    for day in (OPENED + timedelta(days=40), through):
        advance(twice, day, scale=0.01, opened=OPENED)
    assert contents(twice) == contents(once)
    days = sorted(path.name for path in (once / "demo" / "web" / "clicks").iterdir())
    kept_from = through - timedelta(days=KEPT_DAYS - 1)
    assert (days[0], days[-1]) == (f"date={kept_from}", f"date={through}")
    # Of what is gone the truth says nothing.
    bad = pq.read_table(once / "demo" / "truth" / "bad_rows.parquet").to_pylist()
    forgetful = FORGETFUL.keys() - {"raw_app.logins"}
    assert {row["feed"] for row in bad if row["day"] < kept_from}.isdisjoint(forgetful)
    assert {row["feed"] for row in bad if row["day"] >= kept_from} & forgetful
    # Killed before the truth is written, so after the first files were forgotten.
    advance(killed, OPENED + timedelta(days=40), scale=0.01, opened=OPENED)
    written = set(contents(once)) - set(contents(killed)) | {"company.json"}
    _die(killed, through, len(written) + 1, opened=OPENED, scale=0.01)
    assert not (killed / "demo" / "web" / "clicks" / f"date={OPENED}").exists()
    advance(killed, through, scale=0.01)
    assert contents(killed) == contents(once)


def test_log_ins_are_kept_longer_than_clicks_and_positions(small: Home) -> None:
    def fed(age: int) -> set[str]:
        return {batch.shape.id for batch in whole_day(small.company, 1, 1 + age).batches}

    assert fed(0) == fed(KEPT_DAYS - 1)
    assert fed(0) - fed(KEPT_DAYS) == {"raw_web.clicks", "raw_logistics.positions"}
    assert fed(KEPT_DAYS) == fed(LOGINS_KEPT_DAYS - 1)
    assert fed(KEPT_DAYS) - fed(LOGINS_KEPT_DAYS) == {"raw_app.logins"}


def test_two_steps_equal_one(undisturbed: Path, tmp_path: Path, contents: Contents) -> None:
    first = advance(tmp_path, date(2024, 2, 10), scale=SCALE, opened=OPENED)
    assert (first.days, first.generated_through) == (22, date(2024, 2, 10))
    second = advance(tmp_path, THROUGH, scale=SCALE)
    assert second.days == 27
    assert second.company == Company(opened=OPENED, scale=SCALE)
    assert contents(tmp_path) == contents(undisturbed)


@pytest.mark.parametrize(
    ("files_left", "database_is_there"),
    [
        pytest.param(None, False, id="before company.json"),
        pytest.param(1, False, id="on the first day"),
        pytest.param(60, False, id="in the middle"),
        pytest.param(-5, True, id="before the truth, after the databases' commits"),
        pytest.param(-1, True, id="before the last word of company.json"),
    ],
)
def test_a_kill_leaves_nothing_that_another_try_does_not_mend(
    files_left: int | None, database_is_there: bool, undisturbed: Path, tmp_path: Path, contents: Contents
) -> None:
    expected = contents(undisturbed)
    # company.json is put in place twice.
    files = len([path for path in expected if path.startswith("demo/")]) + 1
    kill_at = 1 if files_left is None else 1 + files_left if files_left > 0 else files + 1 + files_left
    _die(tmp_path, THROUGH, kill_at)
    known = tmp_path / "demo" / "company.json"
    assert known.exists() == (files_left is not None)
    if known.exists():
        assert json.loads(known.read_text())["generated_through"] is None
    assert ((tmp_path / "demo" / "pos.db").exists() and _progress(tmp_path) == str(THROUGH)) == database_is_there
    advance(tmp_path, THROUGH, scale=SCALE, opened=OPENED)
    assert contents(tmp_path) == expected


def test_a_kill_while_going_on_is_mended_even_by_a_call_for_an_earlier_day(
    undisturbed: Path, tmp_path: Path, contents: Contents
) -> None:
    advance(tmp_path, date(2024, 2, 25), scale=SCALE, opened=OPENED)
    _die(tmp_path, THROUGH, 20)
    # The killed advance has left files of later days; they are completed rather than left hanging.
    assert advance(tmp_path, date(2024, 2, 26), scale=SCALE).generated_through == THROUGH
    assert contents(tmp_path) == contents(undisturbed)


def test_the_company_is_founded_two_years_before_the_first_day_asked_for(tmp_path: Path) -> None:
    register = tmp_path / "demo" / "company.json"
    _die(tmp_path, date(2025, 6, 30), 2, opened=None)
    founded = json.loads(register.read_text())
    assert (founded["opened"], founded["advancing_to"]) == ("2023-07-01", "2025-06-30")


def test_progress_counts_days(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    advance(
        tmp_path,
        date(2024, 1, 22),
        scale=SCALE,
        opened=OPENED,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_company_so_small_that_nobody_comes_on_most_days_still_runs(tmp_path: Path) -> None:
    result = advance(tmp_path, date(2024, 3, 20), scale=0.0005, opened=OPENED)
    assert result.days == 61
    assert 0 < result.rows["raw_pos.sales"] < 61
    assert len(list((tmp_path / "demo" / "web").rglob("*.parquet"))) < 61


def test_rows_are_counted_by_feed(small: Home, contents: Contents) -> None:
    full = contents(small.path)
    assert small.result.rows["raw_pos.sales"] == len(full["sales"])
    assert small.result.rows["raw_pos.customers"] == len(full["customers"])
    assert small.result.rows["raw_erp.locations"] == 13
    assert small.result.rows["raw_crm.contacts"] == len(full["contacts"])
    assert small.result.rows["raw_crm.interactions"] == len(full["interactions"])
    assert len(small.result.rows) == 18


def test_another_scale_seed_or_opening_is_refused(undisturbed: Path) -> None:
    with pytest.raises(CatalystError, match="has scale 0.03, not 1.0: run with 0.03"):
        advance(undisturbed, THROUGH, scale=1.0)
    with pytest.raises(CatalystError, match="has seed 7, not 8: run with 7"):
        advance(undisturbed, THROUGH, scale=SCALE, seed=8)
    with pytest.raises(CatalystError, match="has opening day 2024-01-20, not 2024-01-21"):
        advance(undisturbed, THROUGH, scale=SCALE, opened=date(2024, 1, 21))


def test_a_day_before_the_opening_is_refused_and_leaves_no_trace(undisturbed: Path, tmp_path: Path) -> None:
    with pytest.raises(CatalystError, match="opened on 2024-01-20, so it has no 2024-01-19"):
        advance(undisturbed, OPENED - timedelta(days=1), scale=SCALE)
    with pytest.raises(CatalystError, match="opened on 2024-01-20"):
        advance(tmp_path, OPENED - timedelta(days=1), opened=OPENED)
    assert not list(tmp_path.iterdir())


def test_papers_that_cannot_be_read_are_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "company.json").write_text("{}")
    with pytest.raises(CatalystError, match=r"company\.json cannot be read .* delete"):
        advance(tmp_path, THROUGH)


def test_the_truth_lists_recurring_revenue_by_month_and_all_that_was_planted(undisturbed: Path) -> None:
    truth = json.loads((undisturbed / "demo" / "truth" / "truth.json").read_text())
    assert list(truth["monthly_mrr"]) == ["2024-01-01", "2024-02-01", "2024-03-01"]
    assert truth["monthly_mrr"]["2024-03-01"]["as_of"] == "2024-03-08"
    assert truth["monthly_mrr"]["2024-02-01"]["subscriptions"] > 0
    for currency in ("EUR", "USD", "JPY"):
        moved = [Decimal(x) for month in truth["movements"].values() for x in month.get(currency, {}).values()]
        assert sum(moved) == Decimal(truth["monthly_mrr"]["2024-03-01"]["by_currency"][currency])
    assert truth["demand"]["price_elasticity"]["Toys"] == 1.8
    assert truth["demand"]["holidays"]["2024-03-31"] == "Easter Sunday"
    assert set(truth) >= {"demand", "churn", "basket_affinities", "lead_times", "monthly_mrr", "movements", "billing"}
    assert pq.read_schema(undisturbed / "demo" / "truth" / "bad_rows.parquet").names == [
        "feed", "day", "key", "rules", "row",
    ]  # fmt: skip


def _die(home: Path, through: date, kill_at: int, *, opened: date | None = OPENED, scale: float = SCALE) -> None:
    arguments = [str(home), str(through), str(kill_at), str(scale), str(opened or "")]
    done = subprocess.run(
        [sys.executable, "-c", _DYING, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -9, done.stderr


def _progress(home: Path) -> str | None:
    with closing(sqlite3.connect(home / "demo" / "pos.db")) as database:
        try:
            return str(database.execute("select generated_through from demo_progress").fetchone()[0])
        except sqlite3.OperationalError:
            return None
