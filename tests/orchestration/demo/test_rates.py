from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.rates import LARGEST_SWING, MEAN_RATES, eur_rate, is_business_day


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2024, 6, 15), date(2024, 6, 14)),  # a Saturday
        (date(2024, 6, 16), date(2024, 6, 14)),
        (date(2024, 4, 1), date(2024, 3, 28)),  # Easter Monday, after Good Friday
        (date(2023, 1, 1), date(2022, 12, 30)),  # a Sunday, after the end of the year
        (date(2024, 12, 26), date(2024, 12, 24)),
    ],
)
def test_on_a_day_without_a_rate_the_last_one_before_holds(grown: Company, day: date, before: date) -> None:
    assert not is_business_day(day)
    assert is_business_day(before)
    assert eur_rate(grown, "USD", day) == eur_rate(grown, "USD", before)


def test_rates_wander_slowly_around_their_mean(grown: Company) -> None:
    days = [date(2022, 9, 1) + timedelta(days=number) for number in range(1500)]
    for currency, mean in MEAN_RATES.items():
        rates = np.array([float(eur_rate(grown, currency, day)) for day in days if is_business_day(day)])
        assert np.abs(rates / mean - 1).max() <= LARGEST_SWING
        assert rates.mean() == pytest.approx(mean, rel=0.02)
        assert 0.008 < (rates / mean).std() < 0.03
        # From one business day to the next, weekends and months' ends among them.
        assert np.abs(np.diff(rates) / mean).max() < 0.025


def test_a_rate_has_four_decimals_or_six_of_the_yen_and_the_euro_is_worth_one(grown: Company) -> None:
    assert eur_rate(grown, "EUR", date(2024, 5, 5)) == Decimal(1)
    assert eur_rate(grown, "GBP", date(2024, 5, 6)).as_tuple().exponent == -4
    assert eur_rate(grown, "JPY", date(2024, 5, 6)).as_tuple().exponent == -6


def test_companies_of_one_seed_live_in_the_same_world(grown: Company) -> None:
    day = date(2024, 5, 6)
    assert eur_rate(Company(opened=date(2024, 5, 1)), "USD", day) == eur_rate(grown, "USD", day)
    assert eur_rate(Company(opened=date(2024, 5, 1), seed=8), "USD", day) != eur_rate(grown, "USD", day)
