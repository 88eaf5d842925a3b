"""Metrics against figures worked by hand."""

import math

import numpy as np
import pytest

from ml.metrics import bias, coverage, pinball, wape

ACTUAL = np.array([0.0, 2.0, 8.0])
FORECAST = np.array([1.0, 2.0, 5.0])


def test_wape_is_the_sum_of_absolute_errors_over_the_sum_of_actual_units() -> None:
    assert wape(ACTUAL, FORECAST) == pytest.approx((1 + 0 + 3) / 10)


def test_bias_is_the_relative_error_of_the_sum() -> None:
    assert bias(ACTUAL, FORECAST) == pytest.approx(8 / 10 - 1)


def test_coverage_counts_both_ends_of_the_interval() -> None:
    low, high = np.array([0.0, 0.0, 0.0]), np.array([1.0, 2.0, 7.0])
    assert coverage(ACTUAL, low, high) == pytest.approx(2 / 3)


def test_pinball_weighs_misses_on_either_side_by_the_level() -> None:
    # Errors -1, 0, 3. At 0.9: 0.1, 0, 2.7 (mean 2.8 / 3); at 0.5: 0.5, 0, 1.5 (mean 2 / 3).
    assert pinball(ACTUAL, {0.9: FORECAST, 0.5: FORECAST}) == pytest.approx((2.8 / 3 + 2 / 3) / 2)


def test_relative_errors_of_no_sales_and_figures_of_no_rows_are_unknown_instead_of_zero() -> None:
    none = np.array([])
    assert math.isnan(wape(np.zeros(2), np.ones(2)))
    assert math.isnan(bias(np.zeros(2), np.ones(2)))
    assert math.isnan(coverage(none, none, none))
    assert math.isnan(pinball(none, {0.5: none}))
