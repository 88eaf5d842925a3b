"""What visitors click in the web shop: the sessions that end in the orders of the day, and many that do not."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from orchestration.demo.baskets import ANONYMOUS, Lines, lines
from orchestration.demo.catalogue import PRODUCT_IDS, WEB, products
from orchestration.demo.clock import CLOCK
from orchestration.demo.company import Company, Floats, Ints
from orchestration.demo.customers import customer_id, joined_by
from orchestration.demo.mess import Batch, FeedShape, Row, one, promise, spoil_day

# So many sessions end without an order for each one that ends in one.
IDLE_SESSIONS = 10
LOGGED_IN_SHARE = 0.25
# Phones without reception send later, up to three hours.
OFFLINE_SHARE, LONGEST_OFFLINE_SECONDS = 0.02, 3 * 3600
EVENTS = ("view", "search", "add_to_cart", "checkout", "purchase")
_VIEW, _SEARCH, _CART, _CHECKOUT, _PURCHASE = range(len(EVENTS))
_REFERRERS = ("direct", "search", "social", "newsletter", "partner")
_REFERRER_SHARES = (0.38, 0.32, 0.14, 0.10, 0.06)
_DEVICES = ("mobile", "desktop", "tablet", None)
_LAST_SECOND = 23 * 3600 + 58 * 60
CLICKS = FeedShape(
    "raw_web.clicks",
    ("event_id", "session_id", "customer_id", "event_type", "product_id", "order_id", "occurred_at", "received_at",
     "device", "referrer"),
    ("event_id",),
    (
        *one("event_type", "pattern", "hover"),
        *one("event_type", "required", None),
        *one("session_id", "required", None),
        *one("product_id", "pattern", "undefined"),
        *one("customer_id", "pattern", "guest"),
        *one("occurred_at", "type", "0000-00-00T00:00:00"),
        *promise("received_after_it_occurred", received_at="1999-12-31T23:59:59"),
    ),
    retry_suffix="-1",
)  # fmt: skip


def clicks_batch(company: Company, t: int) -> Batch:
    """Returns the clicks that the web shop receives on day number `t`."""
    return spoil_day(company, CLICKS, t, _clicks)


@lru_cache(maxsize=4)
def _clicks(company: Company, t: int) -> list[Row]:
    day_lines = lines(company, t)
    orders = day_lines[day_lines["location"] == WEB]
    draw = company.rng("clicks", company.day(t).toordinal())
    # Orders have numbers of their own within the day, from 0; idle sessions are numbered after them.
    first, order = np.unique(orders["basket"], return_index=True, return_inverse=True)[1:]
    bought, idle = len(first), len(first) * IDLE_SESSIONS
    customer = np.append(orders["customer"][first], _idle_customers(company, t, idle, draw))
    device = np.append(orders["device"][first], draw.integers(0, 100, idle))
    referrer = draw.choice(len(_REFERRERS), bought + idle, p=_REFERRER_SHARES)
    session, kind, product, second = (
        np.concatenate(parts)
        for parts in zip(_buying(orders, order, first, draw), _idling(company, t, bought, idle, draw), strict=True)
    )
    offline = draw.random(bought + idle) < OFFLINE_SHARE
    delay = np.where(offline[session], draw.integers(60, LONGEST_OFFLINE_SECONDS, bought + idle)[session], 1)
    received = np.minimum(second + delay, _LAST_SECOND)
    place = np.lexsort((kind, second, session, received))
    date = company.day(t)
    prefix, stamp = f"{date:%Y%m%d}-", f"{date}T"
    # The number of a session must not tell whether it ends in an order.
    shuffled = draw.permutation(bought + idle)
    sessions = [f"Z{prefix}{number}" for number in shuffled.tolist()]
    owners = [None if i == ANONYMOUS else customer_id(i) for i in customer.tolist()]
    devices = [_DEVICES[0 if d < 52 else 1 if d < 88 else 2 if d < 97 else 3] for d in device.tolist()]
    documents = [f"OC{prefix}{basket}" for basket in orders["basket"][first].tolist()]
    names = [_REFERRERS[i] for i in referrer.tolist()]
    return [
        (
            f"E{prefix}{number}",
            sessions[s],
            owners[s],
            EVENTS[k],
            PRODUCT_IDS[p] if p >= 0 else None,
            documents[s] if k == _PURCHASE else None,
            stamp + CLOCK[at],
            stamp + CLOCK[arrived],
            devices[s],
            names[s],
        )
        for number, (s, k, p, at, arrived) in enumerate(
            zip(*(column[place].tolist() for column in (session, kind, product, second, received)), strict=True)
        )
    ]


def _idle_customers(company: Company, t: int, idle: int, draw: np.random.Generator) -> Ints:
    known = joined_by(company, t)
    anybody = draw.integers(0, max(known, 1), idle)
    return np.where((draw.random(idle) < LOGGED_IN_SHARE) & (known > 0), anybody, ANONYMOUS)


def _buying(orders: Lines, order: Ints, first: Ints, draw: np.random.Generator) -> tuple[Ints, Ints, Ints, Ints]:
    """Session, kind, product and second of the clicks that lead to an order, which happens at the order's own time."""
    count, done = len(orders), orders["second"]
    # Each product is looked at and put into the cart; the checkout comes once, the purchase with every line.
    before = draw.integers(90, 1200, count)
    carted = draw.integers(45, 90, count)
    searches = first[draw.random(len(first)) < 0.5]
    none = np.full(len(first), -1)
    session = np.concatenate([order, order, order[first], order, order[searches]])
    kind = np.repeat([_VIEW, _CART, _CHECKOUT, _PURCHASE, _SEARCH], [count, count, len(first), count, len(searches)])
    product = np.concatenate([orders["product"], orders["product"], none, orders["product"], none[: len(searches)]])
    second = np.concatenate([done - before, done - carted, done[first] - 30, done, done[searches] - 1250])
    return session, kind, product, second


def _idling(
    company: Company, t: int, bought: int, idle: int, draw: np.random.Generator
) -> tuple[Ints, Ints, Ints, Ints]:
    """The same of sessions without an order, most of which are a click or two."""
    clicks = np.minimum(draw.geometric(0.62, idle), 12)
    session = np.repeat(bought + np.arange(idle), clicks)
    luck = draw.random(len(session))
    kind = np.select([luck < 0.16, luck < 0.24, luck < 0.25], [_SEARCH, _CART, _CHECKOUT], _VIEW)
    product = np.where(np.isin(kind, (_VIEW, _CART)), _looked_at(company, t, len(session), draw), -1)
    # Half an hour without a click would be the end of a session, so clicks follow each other within minutes.
    begins = draw.integers(6 * 3600, 23 * 3600, idle)
    nth = np.arange(len(session)) - np.repeat(np.cumsum(clicks) - clicks, clicks)
    second = begins[session - bought] + nth * 150 + draw.integers(0, 120, len(session))
    return session, kind, product, second


def _looked_at(company: Company, t: int, number: int, draw: np.random.Generator) -> Ints:
    goods = products(company)
    rate: Floats = np.where(goods.introduced <= t, goods.base_rate[WEB] + 1e-9, 0.0)
    return np.asarray(draw.choice(len(PRODUCT_IDS), number, p=rate / rate.sum()), dtype=np.int64)
