"""What the tills and the web shop record of a day: today's purchases, late ones of days before, and returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from orchestration.demo.baskets import ANONYMOUS, RETURN_DAYS, Lines, followed_up, joined, lines
from orchestration.demo.catalogue import CATEGORY_OF, LOCATION_IDS, PRODUCT_IDS, WEB
from orchestration.demo.clock import CLOCK
from orchestration.demo.collected import collected
from orchestration.demo.company import Bools, Company, Ints
from orchestration.demo.customers import COUNTRIES, customer_id
from orchestration.demo.mess import Batch, Fault, FeedShape, Row, one, spelled_or_unknown, spoil_day
from orchestration.demo.promotions import NO_PROMOTION, promotion_id
from orchestration.demo.rates import eur_rate
from orchestration.demo.sources.formats import parquet_bytes

# The web shop began to note the device a year after the opening.
DEVICE_FROM = 365
_DEVICES = ("mobile", "desktop", "tablet", None)
_RECORDED_LAST = "23:58:30"

_PRICES = (
    *one("unit_price", "range", 0.0, 0.0, 10_000_000.0, 10_000_000.0, -4.99),
    *one("unit_price", "required", None),
    *one("quantity", "range", 99_999, -50_000),
    *one("product_id", "required", None, None),
    *one("product_id", "pattern", "???"),
    *one("currency", "pattern", "XXX"),
    Fault({"unit_price": 0.0, "quantity": 99_999}, ("unit_price:range", "quantity:range")),
    Fault({"unit_price": 10_000_000.0, "product_id": None}, ("unit_price:range", "product_id:required")),
)
SALES = FeedShape(
    "raw_pos.sales",
    ("sale_line_id", "receipt_id", "store_id", "sold_at", "product_id", "customer_id", "quantity", "unit_price",
     "currency", "promotion_id", "recorded_at"),
    ("sale_line_id",),
    (*_PRICES, *one("store_id", "pattern", "TEST"), *one("sold_at", "required", None)),
    retry_suffix="-1",
)  # fmt: skip
ORDERS = FeedShape(
    "raw_web.orders",
    ("order_line_id", "order_id", "ordered_at", "product_id", "category", "customer_id", "quantity", "unit_price",
     "currency", "promotion_id", "shipping_country", "recorded_at", "device"),
    ("order_line_id",),
    (*_PRICES, *one("customer_id", "pattern", "guest"), *one("order_id", "required", None)),
    retry_suffix="-1",
)  # fmt: skip
_ORDER_TYPES = {
    "ordered_at": pa.timestamp("us"),
    "recorded_at": pa.timestamp("us"),
    "quantity": pa.int64(),
    "unit_price": pa.float64(),
}


@dataclass(frozen=True)
class _Recorded:
    """Lines as recorded on a day, in order.

    Attributes:
        happened: Second of the day of the sale, or of today if it is a return.
        recorded: Second of today.
    """

    lines: Lines
    is_return: Bools
    happened: Ints
    recorded: Ints


def sales_batch(company: Company, t: int) -> Batch:
    """Returns the rows that the tills record on day number `t`; the database adds entry ids."""
    day = company.day(t)
    last = f"{day} {_RECORDED_LAST}"
    return spoil_day(company, SALES, t, _sales, last)


def orders_batch(company: Company, t: int) -> Batch:
    """Returns the rows that the web shop records on day number `t`, with a device even before it was noted."""
    day = company.day(t)
    last = f"{day} {_RECORDED_LAST}"
    return spoil_day(company, ORDERS, t, _orders, last)


def near_duplicates(company: Company, t: int) -> list[tuple[str, str]]:
    """Returns the sale lines of day number `t` that repeat an order line of the web shop, each with that line."""
    twins, originals = collected(company, t)
    date = f"{company.day(t):%Y%m%d}"
    return [
        (f"SL{date}-{twin}", f"WL{date}-{original}")
        for twin, original in zip(twins["number"].tolist(), originals.tolist(), strict=True)
    ]


def orders_parquet(batch: Batch, t: int) -> bytes:
    """Returns the web shop's file of a day."""
    names = ORDERS.columns if t >= DEVICE_FROM else ORDERS.columns[:-1]
    return parquet_bytes(batch, names, _ORDER_TYPES)


@lru_cache(maxsize=4)
def _sales(company: Company, t: int) -> list[Row]:
    recorded, _ = _recorded(company, t)
    found = recorded.lines
    line_ids, receipt_ids = _ids(company, t, recorded, "S", "R")
    sold_at, recorded_at = _times(company, t, recorded)
    columns = (
        line_ids,
        receipt_ids,
        [LOCATION_IDS[i] for i in found["location"].tolist()],
        sold_at,
        [PRODUCT_IDS[i] for i in found["product"].tolist()],
        _customer_ids(found),
        _quantities(recorded),
        found["price"].tolist(),
        ["EUR"] * len(found),
        _promotion_ids(found),
        recorded_at,
    )
    return list(zip(*columns, strict=True))


@lru_cache(maxsize=4)
def _orders(company: Company, t: int) -> list[Row]:
    _, recorded = _recorded(company, t)
    found = recorded.lines
    line_ids, order_ids = _ids(company, t, recorded, "W", "O")
    ordered_at, recorded_at = _times(company, t, recorded)
    countries = [COUNTRIES[i] for i in found["city"].tolist()]
    in_usd = np.array([country == "US" for country in countries], dtype=bool)
    # What comes back is paid back as it was paid, so the day of the sale counts.
    first = max(t - RETURN_DAYS, 0)
    dollars = np.array([float(eur_rate(company, "USD", company.day(s))) for s in range(first, t + 1)])
    dollar = dollars[found["sold_t"] - first]
    columns = (
        line_ids,
        order_ids,
        ordered_at,
        [PRODUCT_IDS[i] for i in found["product"].tolist()],
        list(map(spelled_or_unknown, CATEGORY_OF[found["product"]].tolist(), found["spelling"].tolist())),
        _customer_ids(found),
        _quantities(recorded),
        np.where(in_usd, np.round(found["price"] / dollar, 2), found["price"]).tolist(),
        ["USD" if country == "US" else "EUR" for country in countries],
        _promotion_ids(found),
        countries,
        recorded_at,
        [_DEVICES[0 if d < 52 else 1 if d < 88 else 2 if d < 97 else 3] for d in found["device"].tolist()],
    )
    return list(zip(*columns, strict=True))


def _ids(company: Company, t: int, recorded: _Recorded, system: str, document: str) -> tuple[list[str], list[str]]:
    """Ids of lines, and of the receipts or orders; those of returns are derived from what was sold."""
    dates = {s: f"{company.day(s):%Y%m%d}" for s in range(max(t - RETURN_DAYS, 0), t + 1)}
    # Lines of one basket may come back on different days, each time with a new document.
    prefixes = {
        (s, back): (f"{system}R{date}-", f"{document}R{dates[t]}-{date[4:]}-")
        if back
        else (f"{system}L{date}-", f"{document}C{date}-")
        for s, date in dates.items()
        for back in (False, True)
    }
    found = [prefixes[key] for key in zip(recorded.lines["sold_t"].tolist(), recorded.is_return.tolist(), strict=True)]
    return (
        [f"{prefix[0]}{number}" for prefix, number in zip(found, recorded.lines["number"].tolist(), strict=True)],
        [f"{prefix[1]}{basket}" for prefix, basket in zip(found, recorded.lines["basket"].tolist(), strict=True)],
    )


def _customer_ids(found: Lines) -> list[str | None]:
    return [None if i == ANONYMOUS else customer_id(i) for i in found["customer"].tolist()]


def _promotion_ids(found: Lines) -> list[str | None]:
    return [None if code == NO_PROMOTION else promotion_id(code) for code in found["promotion"].tolist()]


def _quantities(recorded: _Recorded) -> list[int]:
    quantity = recorded.lines["quantity"]
    signed: list[int] = np.where(recorded.is_return, -quantity, quantity).tolist()
    return signed


def _times(company: Company, t: int, recorded: _Recorded) -> tuple[list[str], list[str]]:
    today = f"{company.day(t)} "
    dates = {s: f"{company.day(s)} " for s in range(max(t - RETURN_DAYS, 0), t + 1)}
    days = np.where(recorded.is_return, t, recorded.lines["sold_t"]).tolist()
    happened = [dates[d] + CLOCK[s] for d, s in zip(days, recorded.happened.tolist(), strict=True)]
    return happened, [today + CLOCK[s] for s in recorded.recorded.tolist()]


@lru_cache(maxsize=4)
def _recorded(company: Company, t: int) -> tuple[_Recorded, _Recorded]:
    """What the tills record on day number `t`, and what the web shop does."""
    found, is_return = _due(company, t)
    return_second = 9 * 3600 + (found["second"] * 7 + found["number"]) % (11 * 3600)
    happened = np.where(is_return, return_second, found["second"])
    # Late tills send by night; everything else is on record within the minute.
    at_night = 2 * 3600 + found["number"] * 37 % (4 * 3600)
    recorded = np.where((found["sold_t"] < t) & ~is_return, at_night, happened + 2 + found["number"] % 40)
    in_web = found["location"] == WEB
    order = np.lexsort((found["number"], found["sold_t"], recorded, in_web))
    found, is_return, happened, recorded = found[order], is_return[order], happened[order], recorded[order]
    tills, web = slice(None, len(order) - int(in_web.sum())), slice(len(order) - int(in_web.sum()), None)
    return (
        _Recorded(found[tills], is_return[tills], happened[tills], recorded[tills]),
        _Recorded(found[web], is_return[web], happened[web], recorded[web]),
    )


def _due(company: Company, t: int) -> tuple[Lines, Bools]:
    """Lines to record on day number `t`, and which of them are returns."""
    today = lines(company, t)
    today = joined([today[today["late"] == 0], collected(company, t)[0]])
    before = [followed_up(company, s) for s in range(max(t - RETURN_DAYS, 0), t)]
    if not before:
        return today, np.zeros(len(today), dtype=np.bool_)
    earlier = joined(before)
    late = earlier[(earlier["late"] > 0) & (earlier["sold_t"] + earlier["late"] == t)]
    back = earlier[(earlier["returned"] > 0) & (earlier["sold_t"] + earlier["returned"] == t)]
    is_return = np.zeros(len(today) + len(late) + len(back), dtype=np.bool_)
    is_return[len(today) + len(late) :] = True
    return joined([today, late, back]), is_return
