"""The planted truth must be found again in what was sold."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.baskets import Lines
from orchestration.demo.catalogue import CATEGORY_OF, LOCATIONS, PRODUCTS, WEB, list_prices, products
from orchestration.demo.categories import CATEGORIES, NAMES
from orchestration.demo.company import Floats, month_number
from orchestration.demo.demand import DISPERSION, mean_demand, mean_demand_table
from orchestration.demo.promotions import discounts
from orchestration.demo.seasons import holidays, weekday_factors

DAYS = 728


@pytest.fixture(scope="module")
def units_sold(sold: Lines) -> Floats:
    """Units [day, location, product]."""
    place = (sold["sold_t"] * LOCATIONS + sold["location"]) * PRODUCTS + sold["product"]
    counts = np.bincount(place, weights=sold["quantity"], minlength=DAYS * LOCATIONS * PRODUCTS)
    return counts.astype(np.float64).reshape(DAYS, LOCATIONS, PRODUCTS)


@pytest.fixture(scope="module")
def means(grown: Company) -> Floats:
    """True mean units [day, location, product]."""
    return np.stack([mean_demand(grown, grown.day(t)) for t in range(DAYS)])


def test_seven_to_nine_hundred_lines_are_sold_a_day(sold: Lines) -> None:
    assert 700 < len(sold) / DAYS < 900
    assert 550_000 < len(sold) < 650_000


def test_units_scatter_around_the_true_mean_as_planted(units_sold: Floats, means: Floats) -> None:
    assert units_sold.sum() / means.sum() == pytest.approx(1.0, abs=0.005)
    fast = means > 4
    squared = (units_sold[fast] - means[fast]) ** 2
    planted = means[fast] + DISPERSION * means[fast] ** 2
    assert squared.sum() / planted.sum() == pytest.approx(1.0, abs=0.05)


def test_the_week_of_a_category_is_found_again(grown: Company, units_sold: Floats) -> None:
    planted = weekday_factors()
    days = [grown.day(t) for t in range(DAYS)]
    # Whole weeks without holidays or their run-up.
    calm = [w for w in range(DAYS // 7) if not any(_near_holiday(days[7 * w + i]) for i in range(7))]
    assert len(calm) > 60
    for channel, locations in ((0, slice(0, WEB)), (1, slice(WEB, None))):
        by_day = units_sold[:, locations].sum(axis=1)
        for category, name in enumerate(NAMES):
            weeks = by_day[:, category == CATEGORY_OF].sum(axis=1).reshape(-1, 7)[calm]
            found = weeks.sum(axis=0) / weeks.sum() * 7
            np.testing.assert_allclose(found, planted[channel, category], rtol=0.15 if channel else 0.08, err_msg=name)


def test_gardens_sell_in_may_and_hardly_in_november(grown: Company, units_sold: Floats) -> None:
    months = np.array([grown.day(t).month for t in range(DAYS)])
    garden = units_sold[:, :, NAMES.index("Garden") == CATEGORY_OF].sum(axis=(1, 2))
    ratio = garden[months == 5].mean() / garden[months == 11].mean()
    # 1.55 / 0.45 at the peaks, a little less over whole months, and promotions on top.
    assert 2.4 < ratio < 4.2


def test_the_uplift_of_promotions_is_found_by_comparing_with_the_weeks_around(
    grown: Company, units_sold: Floats
) -> None:
    rates = np.stack([discounts(grown, grown.day(t))[0] for t in range(DAYS)])
    by_day = units_sold.sum(axis=1)
    errors = []
    for category, traits in enumerate(CATEGORIES):
        promoted = expected = 0.0
        for product in np.flatnonzero(category == CATEGORY_OF):
            for t in np.flatnonzero(rates[:, product] > 0):
                # The same weekday one to three weeks before and after, without promotion.
                around = [t + 7 * w for w in (-3, -2, -1, 1, 2, 3) if 0 <= t + 7 * w < DAYS]
                around = [other for other in around if rates[other, product] == 0]
                if around:
                    promoted += by_day[t, product]
                    expected += by_day[around, product].mean() * (1 - rates[t, product]) ** -traits.elasticity
        errors.append(promoted / expected / traits.uplift - 1)
    assert np.abs(errors).max() < 0.2
    assert np.abs(np.mean(errors)) < 0.06


def test_price_elasticity_is_found_from_changes_of_list_prices(
    grown: Company, units_sold: Floats, means: Floats
) -> None:
    base = products(grown).base_price
    ratio = np.stack([list_prices(grown, month_number(grown.day(t))) for t in range(DAYS)]) / base
    errors = []
    for category, traits in enumerate(CATEGORIES):
        members = category == CATEGORY_OF
        r = ratio[:, members]
        # What would have been sold at the base price; then one step of Newton's method from no elasticity's truth.
        at_base = (means.sum(axis=1)[:, members]) * r**traits.elasticity
        found = units_sold.sum(axis=1)[:, members]
        slope = 0.0
        for _ in range(20):
            fitted = at_base * r**-slope
            slope += ((fitted - found) * np.log(r)).sum() / (fitted * np.log(r) ** 2).sum()
        errors.append(slope - traits.elasticity)
    assert np.abs(errors).max() < 0.3
    assert abs(float(np.mean(errors))) < 0.1


def test_the_table_of_means_has_a_row_for_each_day_store_and_product(grown: Company) -> None:
    days = [date(2023, 5, 1), date(2023, 5, 2)]
    table = mean_demand_table(grown, days)
    assert table.num_rows == 2 * LOCATIONS * PRODUCTS
    row = table.slice(1 * LOCATIONS * PRODUCTS + 8 * PRODUCTS + 3, 1).to_pylist()[0]
    assert (row["sold_date"], row["store_id"], row["product_id"]) == (date(2023, 5, 2), "WEB", "P0004")
    assert row["mean_units"] == mean_demand(grown, days[1])[8, 3]
    assert mean_demand_table(grown, []).num_rows == 0


def test_what_is_not_yet_introduced_does_not_sell(grown: Company, units_sold: Floats) -> None:
    introduced = products(grown).introduced
    for product in np.flatnonzero(introduced > 0):
        assert units_sold[: introduced[product], :, product].sum() == 0
        assert units_sold[introduced[product] :, :, product].sum() > 0


def _near_holiday(day: date) -> bool:
    return any(-1 <= (other - day).days <= 6 for year in (day.year, day.year + 1) for other in holidays(year))
