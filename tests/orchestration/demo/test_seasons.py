from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from orchestration.demo.categories import NAMES
from orchestration.demo.seasons import holiday_factors, holidays, weekday_factors, yearly_factors


@pytest.mark.parametrize(
    ("year", "easter", "black_friday"),
    [
        (2023, date(2023, 4, 9), date(2023, 11, 24)),
        (2024, date(2024, 3, 31), date(2024, 11, 29)),
        (2025, date(2025, 4, 20), date(2025, 11, 28)),
        (2038, date(2038, 4, 25), date(2038, 11, 26)),
    ],
)
def test_movable_holidays_fall_on_their_dates(year: int, easter: date, black_friday: date) -> None:
    found = {name: day for day, name in holidays(year).items()}
    assert (found["Easter Sunday"], found["Black Friday"]) == (easter, black_friday)
    assert len(found) == 10


def test_a_week_averages_one_in_every_category() -> None:
    assert weekday_factors().shape == (2, len(NAMES), 7)
    np.testing.assert_allclose(weekday_factors().mean(axis=2), 1.0)


def test_a_year_averages_one_in_every_category() -> None:
    mean = np.mean([yearly_factors(day) for day in range(1, 366)], axis=0)
    np.testing.assert_allclose(mean, 1.0, atol=0.002)


def test_stores_are_closed_at_christmas_and_toys_sell_before() -> None:
    christmas = holiday_factors(date(2024, 12, 25))
    assert christmas[0].max() == 0.0
    assert christmas[1].min() > 0.0
    before = dict(zip(NAMES, holiday_factors(date(2024, 12, 20))[0].tolist(), strict=True))
    assert before["Toys"] == 1.60
    assert before["Home"] == 1.15
    # 17 December is a week ahead, and no run-up lasts that long.
    np.testing.assert_array_equal(holiday_factors(date(2024, 12, 17)), 1.0)


def test_black_friday_is_for_electronics() -> None:
    stores = dict(zip(NAMES, holiday_factors(date(2024, 11, 29))[0].tolist(), strict=True))
    assert stores["Electronics"] == pytest.approx(1.8 * 1.5)
    assert stores["Grocery"] == pytest.approx(1.8 * 0.6)
