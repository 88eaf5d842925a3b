"""The rule of promotion on rows made by hand: 40 series with 10 rows each, of which every row is 10 units."""

import numpy as np
import pandas as pd
import pytest

from ml.promotion import Bars, Cost, Verdict, decide, gain_over

CHEAP = Cost(seconds=0.01, megabytes=1.0)


def rows(error: float, naive_error: float = 5.0, series: int = 40, days: int = 10, spread: float = 0.0) -> pd.DataFrame:
    """Forecasts that are too high by `error` units on even days and too low on odd ones."""
    number = np.arange(series * days)
    sign = np.where(number % 2 == 0, 1.0, -1.0)
    errors = error + spread * np.random.default_rng(1).standard_normal(series * days)
    return pd.DataFrame(
        {
            "entity": [f"S{one // days:02d}" for one in number],
            "segment": np.where(number < series * days / 2, "Toys", "Books"),
            "actual": 10.0,
            "forecast": 10.0 + sign * errors,
            "loss": np.abs(errors),
            "naive": 10.0 + sign * naive_error,
            "naive_loss": naive_error,
        }
    )


def test_the_first_version_is_promoted_where_it_beats_the_naive_forecast_and_says_so() -> None:
    assert decide(rows(4.0), None, CHEAP) == Verdict(
        True, "the first version: its error is 0.800 of the naive baseline's"
    )


def test_a_first_version_as_bad_as_the_naive_forecast_is_archived() -> None:
    verdict = decide(rows(5.0), None, CHEAP)
    assert not verdict.is_promoted
    assert verdict.reason == "its error is 1.000 of the naive baseline's, not below it"


def test_two_percent_less_error_is_enough_and_less_is_not() -> None:
    # 3.92 is 2 % below 4; with the same error in every row no draw of series gives another gain.
    enough = decide(rows(3.92), rows(4.0), CHEAP)
    assert enough.is_promoted
    assert enough.gain == pytest.approx(0.02)
    assert enough.interval == pytest.approx((0.02, 0.02))
    assert enough.reason == "2.0% lower error than the champion (95% interval +2.0% to +2.0%)"
    less = decide(rows(3.93), rows(4.0), CHEAP)
    assert not less.is_promoted
    assert less.reason.endswith("; 2% lower is asked for")


def test_a_gain_that_a_few_series_make_is_taken_for_chance() -> None:
    champion, challenger = rows(4.0), rows(4.2)
    # One series of 40 is foretold exactly, and the champion was far off there: 6 % less in sum, by one series.
    lucky = challenger["entity"] == "S00"
    champion.loc[lucky, "loss"] = 24.0
    challenger.loc[lucky, "loss"] = 0.0
    # Sums: champion 390 x 4 + 10 x 24 = 1800, challenger 390 x 4.2 = 1638: 9 % less.
    verdict = decide(challenger, champion, CHEAP)
    assert verdict.gain == pytest.approx(0.09)
    assert not verdict.is_promoted
    assert verdict.reason.endswith("which may be chance")


def test_the_interval_is_the_same_in_every_run_and_narrows_with_more_series() -> None:
    narrow = gain_over(rows(4.0, series=400, spread=1.0), rows(3.8, series=400), Bars())
    assert narrow == gain_over(rows(4.0, series=400, spread=1.0), rows(3.8, series=400), Bars())
    wide = gain_over(rows(4.0, series=40, spread=1.0), rows(3.8, series=40), Bars())
    assert wide[1][1] - wide[1][0] > 2 * (narrow[1][1] - narrow[1][0])


def test_an_empty_or_tiny_holdout_promotes_nothing() -> None:
    for few in (rows(1.0).iloc[:0], rows(1.0, series=40, days=4), rows(1.0, series=19, days=40)):
        verdict = decide(few, None, CHEAP)
        assert not verdict.is_promoted
        assert "are the least to judge by" in verdict.reason
    assert decide(rows(1.0, series=20, days=10), None, CHEAP).is_promoted


def test_rows_without_an_error_promote_nothing() -> None:
    unknown = rows(1.0)
    unknown.loc[3, "forecast"] = np.nan
    assert decide(unknown, None, CHEAP) == Verdict(False, "1 rows of the hold-out have no error")


def test_a_better_error_does_not_pay_for_a_segment_that_is_far_off() -> None:
    champion, challenger = rows(4.0), rows(3.0)
    books = challenger["segment"] == "Books"
    challenger.loc[books, "forecast"] = 13.0
    verdict = decide(challenger, champion, CHEAP)
    assert not verdict.is_promoted
    assert "its sum for Books is +30% off" in verdict.reason
    # What is further off already is no reason to keep it.
    champion.loc[books, "forecast"] = 14.0
    assert decide(challenger, champion, CHEAP).is_promoted


def test_a_segment_that_may_be_off_by_chance_is_no_fault() -> None:
    # One in ten leaves, foretold as 0.15, which is 50 % too many.
    def leavers(customers: int) -> pd.DataFrame:
        actual = np.where(np.arange(customers) % 10 == 0, 1.0, 0.0)
        found = {"entity": np.arange(customers), "segment": "month", "actual": actual, "forecast": 0.15}
        return pd.DataFrame({**found, "loss": 0.1, "naive": 0.1, "naive_loss": 0.2})

    # 200: 10 too many, deviation sqrt(20 x 0.85^2 + 180 x 0.15^2) = 4.3, which is 2.3 times; 100: 5 and 3.0, 1.6 times.
    bars = Bars(least_rows=100)
    assert decide(leavers(100), None, CHEAP, bars).is_promoted
    assert "its sum for month is +50% off" in decide(leavers(200), None, CHEAP, bars).reason


def test_a_small_segment_is_not_looked_at() -> None:
    challenger = rows(3.0)
    challenger["segment"] = np.where(challenger.index < 19, "Rare", "Toys")
    challenger.loc[challenger["segment"] == "Rare", "forecast"] = 13.0
    # 19 rows of 400 are 4.75 % of the units.
    assert decide(challenger, rows(4.0), CHEAP).is_promoted


def test_a_model_that_is_slow_or_large_is_archived() -> None:
    assert "6.0 s to predict 1,000 rows" in decide(rows(1.0), rows(4.0), Cost(6.0, 1.0)).reason
    assert "it has 201 MB" in decide(rows(1.0), rows(4.0), Cost(0.1, 201.0)).reason


def test_two_models_measured_on_different_rows_are_not_compared() -> None:
    with pytest.raises(ValueError, match="use one hold-out"):
        decide(rows(1.0), rows(4.0, days=11), CHEAP)
