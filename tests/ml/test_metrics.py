"""Metrics against figures worked by hand."""

import math

import numpy as np
import pytest

from ml.metrics import auc, bias, calibration_error, coverage, lift, log_losses, pinball, probability_metrics, wape

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


OUTCOMES = np.array([1.0, 0.0, 1.0, 0.0])
CHANCES = np.array([0.8, 0.6, 0.6, 0.2])


def test_auc_is_the_share_of_pairs_in_the_right_order_and_a_tie_is_half() -> None:
    # 0.8 beats 0.6 and 0.2; 0.6 ties with 0.6 and beats 0.2: 3.5 of 4.
    assert auc(OUTCOMES, CHANCES) == pytest.approx(3.5 / 4)
    assert math.isnan(auc(np.ones(4), CHANCES))


def test_log_loss_of_a_certain_mistake_is_large_and_finite() -> None:
    assert log_losses(OUTCOMES, CHANCES) == pytest.approx(-np.log([0.8, 0.4, 0.6, 0.8]))
    assert np.isfinite(log_losses(np.array([1.0, 0.0]), np.array([0.0, 1.0]))).all()


def test_lift_compares_the_top_with_all() -> None:
    # The top quarter is one row, which left; of all, every second did.
    assert lift(OUTCOMES, CHANCES, share=0.25) == 2
    assert math.isnan(lift(np.zeros(4), CHANCES))


def test_the_calibration_error_is_the_distance_of_means_over_bins() -> None:
    # In two bins: 0.2 and 0.6 of which none came, 0.6 and 0.8 of which both came: 0.4 and 0.3.
    assert calibration_error(OUTCOMES, CHANCES, bins=2) == pytest.approx((0.4 + 0.3) / 2)
    assert probability_metrics(OUTCOMES, CHANCES, np.full(4, 0.5))["base_log_loss"] == pytest.approx(np.log(2))
