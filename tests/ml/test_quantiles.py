"""Quantiles from ratios, worked by hand on tables small enough to see."""

import numpy as np
import pytest

from ml.quantiles import CountQuantiles, counts, share_within, weighted_quantile

LEVELS = (0.1, 0.5, 0.9)


def test_a_count_is_spread_evenly_over_the_stretch_around_it() -> None:
    # Two days in three sell nothing: 0 takes the levels to 2/3, so that of 10 % lies 0.15 into its stretch from -0.5 to
    # 0.5, that of 50 % 0.75, and that of 90 % (0.9 - 2/3) / (1/3) = 0.7 into the stretch of 1.
    actual = np.tile([0.0, 0.0, 1.0], 20_000)
    fitted = CountQuantiles.fit(actual, np.full(60_000, 1 / 3), np.full(60_000, 1), LEVELS)
    spread = fitted.predict(np.array([1 / 3]), np.array([1]))
    assert spread[0] == pytest.approx([-0.35, 0.25, 1.2], abs=0.02)
    assert counts(spread).tolist() == [[0.0, 0.0, 1.0]]
    # 0.85 of each 0 and 0.7 of each 1.
    low, high = np.full(60_000, spread[0, 0]), np.full(60_000, spread[0, 2])
    assert share_within(actual, low, high) == pytest.approx(0.8, abs=0.01)


def test_an_interval_holds_a_part_of_a_count_all_of_it_or_none() -> None:
    low, high = np.full(4, 0.75), np.full(4, 2.5)
    # From 0.75 on: nothing of 0, three quarters of 1, all of 2, nothing of 3.
    assert share_within(np.array([0.0, 1.0, 2.0, 3.0]), low, high) == pytest.approx(1.75 / 4)
    assert np.isnan(share_within(np.array([]), np.array([]), np.array([])))


def test_ratios_between_two_nodes_are_interpolated_on_the_logarithm_of_the_mean() -> None:
    # Means and nodes have 1/2 more; half a unit goes off the quantile again.
    fitted = CountQuantiles((0.5,), np.array([1.0, 100.0]), np.tile([[1.0, 3.0]], (4, 1, 1)))
    assert fitted.predict(np.array([0.0, 9.5, 199.5]), np.array([1, 8, 30])) == pytest.approx(
        np.array([[0.0], [19.5], [599.5]])
    )


def test_far_horizons_have_their_own_ratios_where_they_have_enough_rows() -> None:
    horizon = np.repeat([1, 30], 200)
    actual = np.where(horizon == 1, 1.0, np.tile([0.0, 2.0], 200))
    fitted = CountQuantiles.fit(actual, np.ones(400), horizon, LEVELS)
    assert counts(fitted.predict(np.ones(2), np.array([3, 25])))[:, [0, 2]].tolist() == [[1.0, 1.0], [0.0, 2.0]]


def test_quantiles_never_cross_and_are_never_negative() -> None:
    random = np.random.default_rng(1)
    mean = np.exp(random.normal(1, 2, 20_000))
    horizon = random.integers(1, 31, 20_000)
    fitted = CountQuantiles.fit(random.poisson(mean).astype(float), mean, horizon, LEVELS)
    spread = fitted.predict(np.exp(random.normal(1, 4, 5_000)), random.integers(1, 31, 5_000))
    assert (np.diff(spread, axis=1) >= 0).all()
    assert (spread >= -0.5).all()
    assert (counts(spread) >= 0).all()


def test_no_held_out_rows_are_an_error() -> None:
    none = np.array([])
    with pytest.raises(ValueError, match="at least one held-out row"):
        CountQuantiles.fit(none, none, none.astype(np.int64), LEVELS)


def test_the_weighted_quantile_is_the_first_value_that_reaches_the_share() -> None:
    values, weights = np.array([30.0, 10.0, 20.0]), np.array([1.0, 6.0, 3.0])
    assert [weighted_quantile(values, weights, level) for level in (0.5, 0.6, 0.61, 0.95, 1.0)] == [10, 10, 20, 30, 30]
