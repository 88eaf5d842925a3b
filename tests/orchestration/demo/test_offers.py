from __future__ import annotations

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.contacts import contact_of_customers
from orchestration.demo.lifelines import lifelines
from orchestration.demo.offers import OFFERS_A_DAY, left_of_hazard
from orchestration.demo.subscriptions import ACTIVE, CANCELED

DAYS = 728


def test_an_offer_halves_the_hazard_from_the_day_after_for_thirty_days() -> None:
    assert left_of_hazard(np.array([-1_000_000, 0, 1, 30, 31])).tolist() == [1.0, 1.0, 0.5, 0.5, 1.0]


def test_offers_go_by_lot_to_subscribers_whom_the_crm_system_knows(grown: Company) -> None:
    subscribed: dict[int, bool] = {}
    customer_of: dict[int, int] = {}
    made = reachable = 0
    for t in range(DAYS):
        for event in lifelines(grown).events(t):
            customer_of[event.subscription] = event.customer
            subscribed[event.subscription] = event.status == ACTIVE and event.asked is None
            assert event.status != CANCELED or not subscribed[event.subscription]
        numbers = contact_of_customers(grown, t)
        staying = {customer_of[sub] for sub, stays in subscribed.items() if stays}
        offered = lifelines(grown).offers(t)
        assert set(offered) <= staying
        assert all(numbers[customer] >= 0 for customer in offered)
        made += len(offered)
        reachable += int((numbers[sorted(staying)] >= 0).sum())
    assert made == pytest.approx(reachable * OFFERS_A_DAY, rel=0.15)


def test_of_two_contacts_of_a_customer_the_older_one_is_theirs(grown: Company) -> None:
    before, after = (contact_of_customers(grown, t) for t in (300, 700))
    known = before >= 0
    assert (before[known] == after[: len(before)][known]).all()
    assert (after[: len(before)][~known] >= 0).any()
