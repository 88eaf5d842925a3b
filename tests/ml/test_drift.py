"""Drift of single columns, with figures worked out by hand, on the kinds of columns that break such comparisons."""

import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ml import drift
from ml.drift import Bars, Compared, Drift
from ml.errors import ModelInputError

KEYS = ("origin_date", "target_date", "entity")
ROWS = 1000


def frame(values: object, origins: int = 1, **more: object) -> pd.DataFrame:
    """A thousand rows of as many entities, over as many origins as asked for."""
    number = np.arange(ROWS)
    dates = pd.Timestamp("2026-01-01") + pd.to_timedelta(number % origins, "D")
    return pd.DataFrame({"origin_date": dates, "target_date": dates, "entity": number, "x": values, **more})


def compare(reference: pd.DataFrame, current: pd.DataFrame, by: str | None = None) -> Drift:
    return drift.measure(reference, current, [Compared("x", "feature", "x", by)], KEYS)[0]


def test_the_index_is_the_sum_over_bins_as_worked_out_by_hand() -> None:
    reference, current = frame(["a"] * 500 + ["b"] * 500), frame(["a"] * 800 + ["b"] * 200)
    found = compare(reference, current)
    # 0.3 ln(0.8 / 0.5) - 0.3 ln(0.2 / 0.5) = 0.3 ln 4
    assert found.psi == pytest.approx(0.3 * math.log(4))
    assert found.is_drifted
    assert (found.ks, found.reference_rows, found.rows) == (None, ROWS, ROWS)


def test_numbers_are_compared_by_the_quantiles_of_the_reference() -> None:
    reference = frame(np.arange(ROWS) / 10)
    same = compare(reference, frame(np.arange(ROWS)[::-1] / 10))
    assert (same.psi, same.ks, same.is_drifted) == (0, 0, False)
    # Half of it lies above all of the reference: 0.5 further on, one bin with 55 of 100 and nine with 5.
    moved = compare(reference, frame(np.concatenate([np.arange(500) / 5, np.full(500, 1e9)])))
    assert moved.psi == pytest.approx(0.45 * math.log(5.5) + 9 * -0.05 * math.log(0.5))
    assert moved.ks == pytest.approx(0.5)
    assert moved.is_drifted


def test_a_column_that_was_constant_drifts_when_it_is_no_more_and_only_then() -> None:
    constant = frame(np.full(ROWS, 3.0))
    assert compare(constant, constant).psi == 0
    assert compare(constant, frame(np.full(ROWS, 4.0))).is_drifted
    flags = frame([False] * ROWS)
    assert not compare(flags, flags).is_drifted
    assert compare(flags, frame([True] * ROWS)).is_drifted


def test_values_that_go_missing_are_drift_and_those_that_begin_are_none() -> None:
    full, half = np.arange(ROWS, dtype=float), np.arange(ROWS, dtype=float)
    half[::2] = np.nan
    died = compare(frame(full), frame(half))
    # From none, which counts as 0.0001, to half: 0.4999 ln 5000, and 0.5 of those present: 0.5 ln 2.
    assert died.psi == pytest.approx(0.4999 * math.log(5000) + 0.5 * math.log(2))
    assert died.is_drifted
    assert compare(frame(full), frame(np.full(ROWS, np.nan))).is_drifted
    assert not compare(frame(half), frame(half)).is_drifted
    began = compare(frame(half), frame(full))
    assert began.psi == pytest.approx(0, abs=1e-3)
    assert not began.is_drifted
    texts = frame([None, "a"] * 500)
    assert not compare(texts, texts).is_drifted
    assert not compare(texts, frame(["a"] * ROWS)).is_drifted
    assert compare(frame(["a"] * ROWS), texts).is_drifted


def test_a_column_that_never_had_a_value_has_nothing_to_drift_from() -> None:
    empty, empty_texts = frame(np.full(ROWS, np.nan)), frame([None] * ROWS)
    nothing = compare(empty, empty)
    assert (nothing.psi, nothing.ks, nothing.is_drifted) == (0, None, False)
    assert not compare(empty, frame(np.arange(ROWS, dtype=float))).is_drifted
    assert not compare(empty_texts, frame(["a"] * ROWS)).is_drifted


def test_only_rows_and_dates_with_a_value_say_what_values_are_like() -> None:
    # Five dates without any value, then five on which it is 0 and 1 by turns.
    numbers = np.where(np.arange(ROWS) < 500, np.nan, np.arange(ROWS) % 2)
    dates = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(ROWS) // 100, "D")
    reference = frame(numbers).assign(origin_date=dates)
    assert compare(reference, frame(np.arange(ROWS) % 2)).threshold == 0.2
    assert compare(reference, frame(np.arange(ROWS) % 10 == 0).astype({"x": float})).is_drifted
    # 199 values of 1,000 rows are too few to say anything, though not too few to be missed.
    few = np.where(np.arange(ROWS) < 199, 0.0, np.nan)
    assert not compare(frame(few), frame(few + 1)).is_drifted
    # A chance of 199 entities on either side: 10.83 * 2 / 199 is less than 0.2; of 20 it is 1.08.
    score = np.where(np.arange(ROWS) < 20, np.arange(ROWS) % 2, np.nan)
    assert compare(frame(score), frame(score)).threshold == pytest.approx(1.0828, abs=1e-3)


def test_no_rows_are_an_error_and_not_no_drift() -> None:
    with pytest.raises(ModelInputError, match="current data has no rows"):
        compare(frame(1.0), frame(1.0).head(0))
    with pytest.raises(ModelInputError, match="lacks x"):
        compare(frame(1.0), frame(1.0).drop(columns="x"))


def test_a_column_that_differs_from_date_to_date_may_differ_today_as_well() -> None:
    # Ten weeks of the year in turn: no date is like all of them.
    reference = frame(np.arange(ROWS) % 10, origins=10)
    assert not compare(reference, frame(np.full(ROWS, 4))).is_drifted
    # What has been the same on all dates has no such excuse.
    steady = frame(np.arange(ROWS) // 100, origins=10)
    assert compare(steady, frame(np.full(ROWS, 4))).is_drifted


def test_a_rise_here_and_a_fall_there_show_in_the_mix() -> None:
    parts = ["toys", "books"] * 500
    reference = frame([10.0, 20.0] * 500, part=parts)
    turned = frame([20.0, 10.0] * 500, part=parts)
    assert compare(reference, turned).psi == 0
    mixed = compare(reference, turned, by="part")
    # Toys from a third to two thirds, books the other way: 2 * 1/3 ln 2.
    assert mixed.psi == pytest.approx(2 / 3 * math.log(2))
    assert mixed.is_drifted


def test_few_entities_may_differ_by_chance() -> None:
    few = [frame([left] * 500 + ["b"] * 500).assign(entity=np.arange(ROWS) % 20) for left in ("a", "a")]
    few[1].loc[500:799, "x"] = "a"
    # As above, but 20 entities: chi-square of one degree of freedom at 99.9 % is 10.83, times 2 / 20.
    found = compare(few[0], few[1])
    assert found.psi == pytest.approx(0.3 * math.log(4))
    assert found.threshold == pytest.approx(1.0828, abs=1e-3)
    assert not found.is_drifted
    tiny = drift.measure(frame("a"), frame("b").head(199), [Compared("x", "feature", "x")], KEYS)[0]
    assert not tiny.is_drifted


_PAGE = """
import socket
def refuse(*_): raise AssertionError("a connection is tried")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
import pandas as pd
from ml import drift
from evidently.legacy.calculations.stattests.psi import _psi
old = pd.DataFrame({"x": [float(n % 97) for n in range(1000)], "kind": ["a", "b"] * 500})
new = pd.DataFrame({"x": [float(n % 50) for n in range(1000)], "kind": ["a", "b", "b"] * 330 + [None] * 10})
page = drift.report(old, new, ["x", "kind"])
ours = drift.measure(
    old.assign(o=1, t=1, e=range(1000)), new.assign(o=1, t=1, e=range(1000)),
    [drift.Compared(name, "feature", name) for name in ("x", "kind")], ("o", "t", "e"),
)
pairs = [drift.binned(old[name], new[name]) for name in ("x", "kind")]
theirs = [_psi(*(side.dropna() for side in pair), "cat", 0.2)[0] for pair in pairs]
assert all(abs(one.psi - other) < 1e-12 for one, other in zip(ours, theirs)), (ours, theirs)
assert "up to" in page and "kind missing" in page and "x missing" not in page
assert "<script src=" not in page and "<link" not in page.lower()
print(len(page))
"""


def test_evidently_shows_the_same_figures_and_asks_nobody() -> None:
    environment = {**os.environ, "DO_NOT_TRACK": "1"}
    done = subprocess.run([sys.executable, "-c", _PAGE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.strip().splitlines()[-1]) > 100_000


def test_a_bar_may_be_given() -> None:
    reference, current = frame(["a"] * 500 + ["b"] * 500), frame(["a"] * 800 + ["b"] * 200)
    found = drift.measure(reference, current, [Compared("x", "feature", "x")], KEYS, Bars(psi=0.5))[0]
    assert (found.threshold, found.is_drifted) == (0.5, False)
