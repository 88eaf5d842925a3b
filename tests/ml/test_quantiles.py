"""Quantiles from ratios, worked by hand on tables small enough to see."""

import numpy as np
import pytest

from ml.quantiles import RatioQuantiles, weighted_quantile

LEVELS = (0.1, 0.5, 0.9)


def test_quantiles_of_one_bin_are_observed_ratios_times_the_mean() -> None:
    # Ratios 0, 0.5, ..., 4.5: the smallest with at least 10, 50 and 90 % of the rows at or below are 0, 2 and 4.
    actual = np.linspace(0, 9, 10)
    fitted = RatioQuantiles.fit(actual, np.full(10, 2.0), np.arange(1, 11), LEVELS)
    assert fitted.predict(np.array([3.0, 30.0]), np.array([1, 30])).tolist() == [[0.0, 6.0, 12.0], [0.0, 60.0, 120.0]]


def test_ratios_between_two_nodes_are_interpolated_on_the_logarithm_of_the_mean() -> None:
    fitted = RatioQuantiles((0.5,), np.array([1.0, 100.0]), np.tile([[1.0, 3.0]], (4, 1, 1)))
    assert fitted.predict(np.array([0.5, 10.0, 200.0]), np.array([1, 8, 30])) == pytest.approx(
        np.array([[0.5], [20.0], [600.0]])
    )


def test_far_horizons_have_their_own_ratios_where_they_have_enough_rows() -> None:
    horizon = np.repeat([1, 30], 200)
    actual = np.where(horizon == 1, 1.0, np.tile([0.0, 2.0], 200))
    fitted = RatioQuantiles.fit(actual, np.ones(400), horizon, LEVELS)
    assert fitted.predict(np.ones(2), np.array([3, 25])).tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]]


def test_quantiles_never_cross_and_are_never_negative() -> None:
    random = np.random.default_rng(1)
    mean = np.exp(random.normal(1, 2, 20_000))
    horizon = random.integers(1, 31, 20_000)
    fitted = RatioQuantiles.fit(random.poisson(mean).astype(float), mean, horizon, LEVELS)
    quantiles = fitted.predict(np.exp(random.normal(1, 4, 5_000)), random.integers(1, 31, 5_000))
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()


def test_no_held_out_rows_are_an_error() -> None:
    none = np.array([])
    with pytest.raises(ValueError, match="at least one held-out row"):
        RatioQuantiles.fit(none, none, none.astype(np.int64), LEVELS)


def test_the_weighted_quantile_is_the_first_value_that_reaches_the_share() -> None:
    values, weights = np.array([30.0, 10.0, 20.0]), np.array([1.0, 6.0, 3.0])
    assert [weighted_quantile(values, weights, level) for level in (0.5, 0.6, 0.61, 0.95, 1.0)] == [10, 10, 20, 30, 30]
