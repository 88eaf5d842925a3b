from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.catalogue import in_currency, list_prices, offers, products
from orchestration.demo.company import first_of_month, month_number
from orchestration.demo.promotions import discounts, promotion_id, promotions_published, promotions_starting


def test_demand_is_heavy_tailed(grown: Company) -> None:
    rate = products(grown).base_rate
    sold = rate[rate > 0]
    assert 5 < sold.max() <= 9
    assert np.quantile(sold, 0.1) < 0.1
    assert 800 < sold.sum() < 900


def test_twelve_products_come_later_within_two_years(grown: Company) -> None:
    introduced = products(grown).introduced
    assert (introduced > 0).sum() == 12
    assert introduced.max() < 730


@pytest.mark.parametrize("rate", [0.92, 0.8653, 0.9751])
def test_a_price_in_dollars_gives_the_same_euros_back(rate: float) -> None:
    assert in_currency(9.20, 0.92) == 10.00
    for cents in range(1, 100_000, 7):
        assert round(in_currency(cents / 100, rate) * rate, 2) == cents / 100


def test_list_prices_change_now_and_then_on_the_first_of_a_month(grown: Company) -> None:
    months = range(month_number(grown.opened), month_number(grown.opened) + 24)
    prices = np.stack([list_prices(grown, month) for month in months])
    np.testing.assert_array_equal(prices[0], products(grown).base_price)
    changed = (np.diff(prices, axis=0) != 0).mean()
    assert 0.04 < changed < 0.1
    assert ((prices > 0) & (prices < 10_000)).all()


def test_every_product_has_one_main_supplier_with_whole_packs_as_minimum(grown: Company) -> None:
    terms = offers(grown)
    assert np.bincount(terms.product[terms.is_main]).tolist() == [1] * 150
    assert (terms.minimum % terms.pack_size == 0).all()
    assert (terms.lead_days >= 1).all()


def test_promotions_are_published_once_and_before_they_start(grown: Company) -> None:
    published: dict[int, date] = {}
    starts: dict[int, date] = {}
    for t in range(400):
        day = grown.day(t)
        for promotion in promotions_published(grown, day):
            assert promotion.code not in published
            published[promotion.code] = day
            starts[promotion.code] = promotion.starts_on
    assert all(published[code] <= starts[code] for code in published)
    # Whatever starts within the next two months is known on any day.
    day = grown.day(399)
    month = month_number(day)
    soon = [p for m in range(month_number(grown.opened), month + 3) for p in promotions_starting(grown, m)]
    assert {p.code for p in soon if p.starts_on <= day + timedelta(days=59)} <= set(published)


def test_the_highest_discount_holds_on_a_day(grown: Company) -> None:
    found = 0
    for t in range(60, 120):
        day = grown.day(t)
        rate, code = discounts(grown, day)
        month = month_number(day)
        running = [
            p for m in (month - 1, month) for p in promotions_starting(grown, m) if p.starts_on <= day <= p.ends_on
        ]
        for product in range(150):
            best = max(
                (
                    p.discount
                    for p in running
                    if p.product == product or (p.product is None and p.category == product // 15)
                ),
                default=0.0,
            )
            assert rate[product] == best
            assert (code[product] >= 0) == (best > 0)
            found += best > 0
    assert found > 100


def test_promotion_ids_say_their_month() -> None:
    assert promotion_id(month_number(date(2024, 5, 1)) * 100 + 3) == "PR202405-03"
    assert first_of_month(month_number(date(2024, 5, 17))) == date(2024, 5, 1)
