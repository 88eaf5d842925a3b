from __future__ import annotations

import numpy as np

from orchestration.demo import Company
from orchestration.demo.baskets import ANONYMOUS, Lines, affinities, lines
from orchestration.demo.catalogue import LOCATIONS, PRODUCTS, WEB
from orchestration.demo.categories import CATEGORIES
from orchestration.demo.customers import FIRST_WEB_ONLY_CITY, customers, visitors
from orchestration.demo.demand import units


def test_the_lines_of_a_day_hold_exactly_the_units_of_the_day(grown: Company) -> None:
    for t in (0, 105, 500):
        found = lines(grown, t)
        counted = np.zeros((LOCATIONS, PRODUCTS), dtype=np.int64)
        np.add.at(counted, (found["location"], found["product"]), found["quantity"])
        np.testing.assert_array_equal(counted, units(grown, grown.day(t)))


def test_a_basket_has_one_place_customer_and_time(grown: Company) -> None:
    found = lines(grown, 400)
    for name in ("location", "customer", "second", "late", "city"):
        assert len(set(zip(found["basket"].tolist(), found[name].tolist(), strict=True))) == found["basket"].max() + 1
    size = np.bincount(found["basket"])
    assert size.min() == 1
    assert 1.6 < size.mean() < 2.4


def test_every_visitor_of_a_day_has_a_basket_and_nobody_else(grown: Company) -> None:
    # Christmas Day is the 104th, New Year the 111th: the stores are closed.
    for t in (0, 60, 104, 111, 301, 700):
        buyers = set(lines(grown, t)["customer"].tolist()) - {ANONYMOUS}
        assert buyers == set(visitors(grown, t).tolist())


def test_who_lives_far_from_any_store_buys_in_the_web_shop(sold: Lines, grown: Company) -> None:
    known = sold[sold["customer"] != ANONYMOUS]
    far = customers(grown, 727).city[known["customer"]] >= FIRST_WEB_ONLY_CITY
    assert (known["location"][far] == WEB).mean() > 0.99
    assert 0.2 < (known["location"] == WEB).mean() < 0.5


def test_planted_affinities_are_found_in_the_baskets(sold: Lines, grown: Company) -> None:
    place = sold["sold_t"] * LOCATIONS + sold["location"]
    basket = place * 10_000 + sold["basket"]
    for anchor, companion, share in affinities(grown):
        leads, follows = sold["product"] == anchor, sold["product"] == companion
        could = follows & np.isin(place, place[leads])
        together = np.isin(basket[could], basket[leads]).mean()
        # Chance adds a little to what was planted.
        assert share - 0.03 < together < share + 0.06


def test_returns_come_in_the_planted_share_and_after_the_sale_is_recorded(sold: Lines) -> None:
    clothing = sold["product"] // 15 == [c.name for c in CATEGORIES].index("Clothing")
    assert abs((sold["returned"][clothing] > 0).mean() - 0.12) < 0.01
    back = sold["returned"] > 0
    assert (sold["returned"][back] > sold["late"][back]).all()
    assert sold["late"].max() == 5
