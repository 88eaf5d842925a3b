"""The warehouses' stock at the end of each day, kept by a buyer who orders a little too late.

Stock falls by what the served stores and the web shop sell. When position (on hand and on order) has fallen to a level
somewhat below the point where one should order, the usual quantity is ordered and arrives a lead time later. So a
saw-tooth over units sold gives the level of any day, and at any time some products wait for an order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from orchestration.demo.catalogue import (
    PRODUCT_IDS,
    PRODUCTS,
    SERVED_BY,
    WAREHOUSE_IDS,
    offers,
    products,
)
from orchestration.demo.company import Company, Floats, Ints
from orchestration.demo.demand import DISPERSION, units
from orchestration.demo.mess import Batch, FeedShape, one, spoil

USUAL_DAYS = 28.0
INVENTORY = FeedShape(
    "raw_wms.inventory",
    ("snapshot_date", "warehouse_id", "product_id", "on_hand", "on_order", "recorded_at"),
    ("snapshot_date", "warehouse_id", "product_id"),
    (
        *one("on_hand", "required", None),
        *one("on_hand", "range", -999_999, 9_999_999),
        *one("on_hand", "type", "n/a"),
        *one("on_order", "range", -1),
        *one("product_id", "pattern", "unknown"),
    ),
    resent=0.0,
)


@dataclass(frozen=True)
class Policy:
    """How the buyer keeps stock [warehouse, product].

    Attributes:
        lowest: Position at which the usual quantity is ordered.
        usual: That quantity.
        phase: How much of a cycle had passed at the opening, in units.
        lead_days: Days from order to arrival, by product.
    """

    lowest: Ints
    usual: Ints
    phase: Ints
    lead_days: Ints


@lru_cache(maxsize=8)
def policy(company: Company) -> Policy:
    """Returns the buyer's policy, fixed at the opening by mean demand and the main supplier's terms."""
    draw = company.rng("stock policy")
    terms = offers(company)
    main = np.flatnonzero(terms.is_main)
    lead, minimum, pack = (values[main] for values in (terms.lead_days, terms.minimum, terms.pack_size))
    mean = _by_warehouse(products(company).base_rate)
    spread = np.sqrt(lead * (mean + DISPERSION * mean**2) + (mean * terms.lead_sd[main]) ** 2)
    should_order = mean * (lead + 1) + 1.28 * spread
    usual = np.maximum(np.ceil(mean * USUAL_DAYS / pack) * pack, minimum)
    too_late = draw.uniform(0.0, 0.45, mean.shape) * usual
    return Policy(
        lowest=np.maximum(np.round(should_order - too_late), 0).astype(np.int64),
        usual=usual.astype(np.int64),
        phase=(draw.random(mean.shape) * usual).astype(np.int64),
        lead_days=lead,
    )


def stock(company: Company, t: int) -> tuple[Ints, Ints]:
    """Returns units on hand and on order at the end of day number `t` [warehouse, product]."""
    rule, history = policy(company), _history(company)
    sold = history.sold_through(t) + rule.phase
    # An order is on its way for the lead time of its product; orders from before the opening have arrived.
    ordered_before = history.sold_a_while_ago(t, rule.lead_days) + rule.phase
    on_order = (sold // rule.usual - ordered_before // rule.usual) * rule.usual
    position = rule.lowest + rule.usual - sold % rule.usual
    return np.maximum(position - on_order, 0), on_order


def inventory_batch(company: Company, t: int) -> Batch:
    """Returns the snapshot of all warehouses at the end of day number `t`."""
    day = company.day(t)
    on_hand, on_order = stock(company, t)
    sold = products(company).introduced <= t
    ids = [PRODUCT_IDS[i] for i in np.flatnonzero(sold).tolist()]
    number = len(ids) * len(WAREHOUSE_IDS)
    columns = (
        [str(day)] * number,
        [warehouse for warehouse in WAREHOUSE_IDS for _ in ids],
        ids * len(WAREHOUSE_IDS),
        on_hand[:, sold].ravel().tolist(),
        on_order[:, sold].ravel().tolist(),
        [f"{day}T23:30:00"] * number,
    )
    return spoil(company, INVENTORY, day, list(zip(*columns, strict=True)))


class _History:
    """Units sold since the opening [day, warehouse, product], added up once for each day; entry 0 is the day before."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._known = 0
        self._sold = np.zeros((1024, len(WAREHOUSE_IDS), PRODUCTS), dtype=np.int64)

    def sold_through(self, t: int) -> Ints:
        while self._known <= t:
            if self._known + 1 == len(self._sold):
                self._sold = np.concatenate([self._sold, np.zeros_like(self._sold)])
            today = _by_warehouse(units(self._company, self._company.day(self._known)))
            self._sold[self._known + 1] = self._sold[self._known] + today
            self._known += 1
        return np.asarray(self._sold[t + 1])

    def sold_a_while_ago(self, t: int, days: Ints) -> Ints:
        """The same, for each product as of its own number of days before `t`."""
        entry = np.maximum(t + 1 - days, 0)
        return np.asarray(self._sold[entry, :, np.arange(PRODUCTS)].T)


@lru_cache(maxsize=4)
def _history(company: Company) -> _History:
    return _History(company)


_Numbers = TypeVar("_Numbers", Ints, Floats)
# Locations are in the order of the warehouses that serve them.
_FIRST_SERVED = np.searchsorted(SERVED_BY, np.arange(len(WAREHOUSE_IDS)))


def _by_warehouse(values: _Numbers) -> _Numbers:
    return np.add.reduceat(values, _FIRST_SERVED, axis=0)
