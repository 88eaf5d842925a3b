"""Retention offers: some subscribers are asked to stay, and for a month fewer of them ask to cancel.

They are drawn by lot, by a stream of its own, whoever seems to be about to leave or not: so what an offer does can be
told from the data, and whoever learns from them who leaves has to set aside what an offer may have changed.
"""

from __future__ import annotations

import numpy as np

from orchestration.demo.books import Standing
from orchestration.demo.company import Company, Floats, Ints
from orchestration.demo.contacts import contact_of_customers
from orchestration.demo.subscriptions import ACTIVE

# About one subscriber in fifty each month.
OFFERS_A_DAY = 1 / 1500
OFFER_DAYS = 30
OFFER_EFFECT = 0.5


def left_of_hazard(days_since_offer: Ints) -> Floats:
    """Returns what an offer leaves of the chance to ask to cancel, by the days since; it works from the next day on."""
    works = (days_since_offer >= 1) & (days_since_offer <= OFFER_DAYS)
    return np.where(works, OFFER_EFFECT, 1.0)


def offered(company: Company, t: int, known: Standing) -> Ints:
    """Returns the subscriptions whose holders get an offer on day number `t`: those whom the CRM system can reach."""
    staying = np.flatnonzero((known.status == ACTIVE) & ~known.leaving)
    luck = company.rng("retention offers", company.day(t).toordinal()).random(len(staying))
    chosen = staying[luck < OFFERS_A_DAY]
    return np.asarray(chosen[contact_of_customers(company, t)[known.customer[chosen]] >= 0])
