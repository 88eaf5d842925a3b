"""What is held out lies after what is fitted on."""

import numpy as np

from ml.holdout import latest_origins


def days(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    return np.array(numbers, dtype="datetime64[D]")


def test_the_latest_origins_are_held_out_and_earlier_rows_that_reach_past_them_are_used_by_neither() -> None:
    origin = days(0, 0, 0, 10, 10, 20, 30)
    target = days(1, 2, 3, 11, 25, 21, 31)
    fit, held = latest_origins(origin, target, 2)
    assert held.tolist() == [False, False, False, False, False, True, True]
    assert fit.tolist() == [True, True, True, True, False, False, False]  # target 25 is after origin 20


def test_fewer_origins_are_held_out_where_too_little_would_be_left_to_fit_on() -> None:
    fit, held = latest_origins(days(0, 0, 10, 20), days(1, 2, 11, 21), 3)
    assert held.tolist() == [False, False, True, True]
    assert fit.tolist() == [True, True, False, False]


def test_a_single_origin_spares_the_last_fifth_of_its_days() -> None:
    fit, held = latest_origins(days(*[0] * 10), days(*range(1, 11)), 3)
    assert np.flatnonzero(held).tolist() == [8, 9]
    assert (fit == ~held).all()


def test_a_single_day_leaves_nothing_to_fit_on() -> None:
    fit, held = latest_origins(days(0, 0), days(1, 1), 3)
    assert not fit.any()
    assert held.all()
