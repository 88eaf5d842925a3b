"""Where the carrier's trucks are: from suppliers to warehouses, and from warehouses to the stores that they serve.

A truck takes the straight way with a detour, rests after hours at the wheel, and may lose reception for a while; what
it measured then arrives together.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import pyarrow as pa

from orchestration.demo.catalogue import LOCATION_IDS, SERVED_BY, STORES, SUPPLIER_IDS, WAREHOUSE_IDS
from orchestration.demo.clock import CLOCK
from orchestration.demo.company import Company
from orchestration.demo.mess import Batch, FeedShape, Row, one, promise, spoil_day

PLACES = {
    "S01": (52.52, 13.40), "S02": (53.55, 9.99), "S03": (48.14, 11.58), "S04": (50.94, 6.96), "S05": (48.21, 16.37),
    "S06": (52.37, 4.90), "S07": (45.76, 4.84), "S08": (51.22, 4.40), "W1": (51.34, 12.37), "W2": (52.09, 5.12),
    "W3": (50.11, 8.68), "V01": (54.35, 18.65), "V02": (49.20, 16.61), "V03": (45.46, 9.19), "V04": (50.63, 3.06),
    "V05": (53.08, 8.80), "V06": (56.16, 10.20), "V07": (48.31, 14.29), "V08": (51.44, 5.48), "V09": (47.38, 8.54),
    "V10": (43.60, 1.44), "V11": (52.23, 21.01), "V12": (50.08, 14.44),
}  # fmt: skip
DETOUR = 1.25
SPEED_KMH = 68.0
EVERY_SECONDS = 600
# After so long at the wheel a driver rests for so long.
WHEEL_SECONDS, REST_SECONDS = 4.5 * 3600, 2700
SUPPLIES_A_DAY = 3.0
DELIVERED_SHARE = 0.75
OFFLINE_SHARE, LONGEST_OFFLINE_SECONDS = 0.12, 3 * 3600
TRUCKS, COOLED_EVERY = 30, 3
# No way takes longer, rests and lost reception included.
_LONGEST_DAYS = 2
POSITIONS = FeedShape(
    "raw_logistics.positions",
    ("position_id", "shipment_id", "vehicle_id", "origin_location_id", "destination_location_id", "status", "latitude",
     "longitude", "speed_kmh", "temperature_c", "recorded_at", "received_at"),
    ("position_id",),
    (
        *one("latitude", "range", 999.0),
        *one("longitude", "range", -999.0),
        *one("latitude", "required", None),
        *one("speed_kmh", "range", -1.0, 400.0),
        *one("temperature_c", "range", 451.0),
        *one("status", "pattern", "lost"),
        *one("shipment_id", "required", None),
        *promise("received_after_it_was_recorded", received_at="1999-12-31 23:59:59"),
        *promise("destination_differs_from_origin", origin_location_id="W1", destination_location_id="W1"),
    ),
    retry_suffix="-x",
)  # fmt: skip
POSITION_TYPES = {
    "latitude": pa.float64(),
    "longitude": pa.float64(),
    "speed_kmh": pa.float64(),
    "temperature_c": pa.float64(),
    "recorded_at": pa.timestamp("us"),
    "received_at": pa.timestamp("us"),
}


def positions_batch(company: Company, t: int) -> Batch:
    """Returns the positions that reach the carrier on day number `t`."""
    return spoil_day(company, POSITIONS, t, _received)


@lru_cache(maxsize=4)
def _received(company: Company, t: int) -> list[Row]:
    today = str(company.day(t))
    departures = range(max(t - _LONGEST_DAYS, 0), t + 1)
    rows = [row for s in departures for row in _departing(company, s) if str(row[-1]).startswith(today)]
    return sorted(rows, key=lambda row: (str(row[-1]), str(row[0])))


@lru_cache(maxsize=8)
def _departing(company: Company, t: int) -> list[Row]:
    """All positions of the shipments that depart on day number `t`, whenever they arrive."""
    day = company.day(t)
    # Trucks do not depart on Sundays.
    if day.weekday() == 6:
        return []
    draw = company.rng("shipments", day.toordinal())
    served = draw.random(len(STORES)) < DELIVERED_SHARE
    ways = [(WAREHOUSE_IDS[SERVED_BY[store]], LOCATION_IDS[store]) for store in np.flatnonzero(served).tolist()]
    ways += [
        (SUPPLIER_IDS[draw.integers(len(SUPPLIER_IDS))], WAREHOUSE_IDS[draw.integers(len(WAREHOUSE_IDS))])
        for _ in range(int(draw.poisson(SUPPLIES_A_DAY)))
    ]
    # Each truck departs on every third day only, when it is back from wherever it was.
    trucks = t % (_LONGEST_DAYS + 1) * TRUCKS + draw.permutation(TRUCKS)
    return [
        row
        for number, (origin, destination) in enumerate(ways)
        for row in _journey(company, t, number, int(trucks[number % TRUCKS]), origin, destination, draw)
    ]


def _journey(
    company: Company, t: int, number: int, truck: int, origin: str, destination: str, draw: np.random.Generator
) -> list[Row]:
    begin, end = PLACES[origin], PLACES[destination]
    wheel = _kilometres(begin, end) * DETOUR / (SPEED_KMH * draw.uniform(0.88, 1.08)) * 3600
    whole = wheel + wheel // WHEEL_SECONDS * REST_SECONDS
    since = np.append(np.arange(0.0, whole, EVERY_SECONDS), whole)
    round_of_wheel = since // (WHEEL_SECONDS + REST_SECONDS)
    driven = round_of_wheel * WHEEL_SECONDS + np.minimum(since % (WHEEL_SECONDS + REST_SECONDS), WHEEL_SECONDS)
    resting = since % (WHEEL_SECONDS + REST_SECONDS) > WHEEL_SECONDS
    share = np.minimum(driven / wheel, 1.0)
    # The way bends aside, and a fix is some metres off.
    aside = 0.1 * np.sin(math.pi * share) * draw.normal(0.0, 1.0)
    latitude = begin[0] + share * (end[0] - begin[0]) + aside + draw.normal(0.0, 0.0002, len(since))
    longitude = begin[1] + share * (end[1] - begin[1]) - aside + draw.normal(0.0, 0.0002, len(since))
    speed = np.where(resting, 0.0, np.clip(draw.normal(SPEED_KMH + 4.0, 9.0, len(since)), 15.0, 95.0))
    speed[[0, -1]] = 0.0
    cool = draw.normal(4.0, 0.6, len(since)).round(1).tolist()
    recorded = (int(draw.integers(4 * 3600, 16 * 3600)) + since).astype(np.int64)
    received = recorded + draw.integers(1, 20, len(since))
    if draw.random() < OFFLINE_SHARE:
        lost = int(recorded[int(draw.integers(len(since)))])
        back = lost + int(draw.integers(1800, LONGEST_OFFLINE_SECONDS))
        received = np.where((recorded >= lost) & (recorded < back), back + np.arange(len(since)), received)
    status = ["stopped" if rests else "moving" for rests in resting.tolist()]
    status[0], status[-1] = "departed", "delivered"
    days = [f"{company.day(t + number)} " for number in range(_LONGEST_DAYS + 1)]
    shipment = f"SH{company.day(t):%Y%m%d}-{number}"
    return [
        (
            f"{shipment}-{place:03d}",
            shipment,
            f"T{truck + 1:03d}",
            origin,
            destination,
            status[place],
            *where,
            cool[place] if truck % COOLED_EVERY == 0 else None,
            days[measured // 86400] + CLOCK[measured % 86400],
            days[arrived // 86400] + CLOCK[arrived % 86400],
        )
        for place, (*where, measured, arrived) in enumerate(
            zip(
                latitude.round(5).tolist(), longitude.round(5).tolist(), speed.round(1).tolist(),
                recorded.tolist(), received.tolist(), strict=True,
            )
        )
    ]  # fmt: skip


def _kilometres(begin: tuple[float, float], end: tuple[float, float]) -> float:
    """The distance on a sphere."""
    (a, b), (c, d) = (tuple(map(math.radians, place)) for place in (begin, end))
    h = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(h))
