"""What the app's API knows of log-ins: customers who drift away open the app less, before they buy less and leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from orchestration.demo.clock import CLOCK
from orchestration.demo.company import BLOCK_DAYS, Company, Floats, Ints
from orchestration.demo.customers import CITIES, COUNTRIES, customer_id, customers, joined_by
from orchestration.demo.mess import Batch, FeedShape, Row, one, promise, spoil_day

APP_SHARE = 0.45
MEAN_LOGINS_A_DAY = 0.25
# Interest falls evenly from three weeks before the customer lapses to a week after, down to a tenth.
DRIFTS_BEFORE_DAYS, DRIFTS_FOR_DAYS, LEFT_OF_INTEREST = 21, 28, 0.1
PLATFORMS = ("android", "ios", "web")
_PLATFORM_SHARES = (0.52, 0.36, 0.12)
_ZONES = {"New York": "America/New_York", "Chicago": "America/Chicago", "Austin": "America/Chicago"}
_LAST_SECOND = 23 * 3600 + 58 * 60
LOGINS = FeedShape(
    "raw_app.logins",
    ("login_id", "customer_id", "logged_in_at", "session_seconds", "app_version", "platform", "recorded_at"),
    ("login_id",),
    (
        *one("customer_id", "pattern", "anonymous"),
        *one("customer_id", "required", None),
        *one("logged_in_at", "type", "2024-02-30T10:00:00+01:00"),
        *one("logged_in_at", "required", None),
        *one("session_seconds", "range", -1, 999_999),
        *one("session_seconds", "type", "long"),
        *promise("platform_is_known", platform="toaster"),
    ),
    retry_suffix="-1",
)


def logins_batch(company: Company, t: int) -> Batch:
    """Returns the log-ins that are recorded on day number `t`, in UTC."""
    day = company.day(t)
    last = f"{day}T{CLOCK[_LAST_SECOND + 30]}"
    return spoil_day(company, LOGINS, t, _logins, last)


def interest(company: Company, t: int) -> Floats:
    """Returns the share of their usual log-ins that each customer makes on day number `t`."""
    drift = (t - customers(company, t).lapses + DRIFTS_BEFORE_DAYS) / DRIFTS_FOR_DAYS
    return np.asarray(1.0 - (1.0 - LEFT_OF_INTEREST) * np.clip(drift, 0.0, 1.0))


@lru_cache(maxsize=4)
def _logins(company: Company, t: int) -> list[Row]:
    day = company.day(t)
    draw = company.rng("logins", day.toordinal())
    known = joined_by(company, t)
    usual, platform = _users(company, t // BLOCK_DAYS)
    expected = usual * interest(company, t)
    number = draw.poisson(expected)
    who = np.repeat(np.arange(known), number[:known])
    zones = [_zone(city) for city in customers(company, t).city[who].tolist()]
    # Nobody logs in by night, where they live.
    local = (6.5 + 16.0 * draw.beta(2.0, 1.6, len(who))) * 3600
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    ahead = np.array([_seconds_ahead(zone, midnight) for zone in zones], dtype=np.int64)
    second = np.minimum((local.astype(np.int64) - ahead) % 86400, _LAST_SECOND - 10)
    recorded = second + 1 + draw.integers(0, 9, len(who))
    length = np.minimum(draw.lognormal(5.0, 0.9, len(who)), 7200).astype(np.int64).tolist()
    behind = draw.geometric(0.7, len(who)) - 1
    unsent = (draw.random(len(who)) < 0.03).tolist()
    found: list[Row] = []
    for place, i in enumerate(np.lexsort((who, recorded)).tolist()):
        at = (midnight + timedelta(seconds=int(second[i]))).astimezone(zones[i])
        found.append(
            (
                f"L{day:%Y%m%d}-{place}",
                customer_id(int(who[i])),
                at.isoformat(),
                length[i],
                None if unsent[i] else _version(t // 21 - int(behind[i])),
                PLATFORMS[platform[who[i]]],
                f"{day}T{CLOCK[int(recorded[i])]}",
            )
        )
    return found


@lru_cache(maxsize=64)
def _users(company: Company, block: int) -> tuple[Floats, Ints]:
    """The usual log-ins a day of everyone who joined up to a block of days, 0 without the app; and the platform."""
    sizes = np.bincount(customers(company, block * BLOCK_DAYS).joined // BLOCK_DAYS, minlength=block + 1)
    usual, platform = [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for number, size in enumerate(sizes.tolist()):
        draw = company.rng("app users", number)
        usual.append(np.where(draw.random(size) < APP_SHARE, draw.gamma(2.0, MEAN_LOGINS_A_DAY / 2.0, size), 0.0))
        platform.append(draw.choice(len(PLATFORMS), size, p=_PLATFORM_SHARES))
    return np.concatenate(usual), np.concatenate(platform)


def _version(release: int) -> str:
    return f"{4 + max(release, 0) // 12}.{max(release, 0) % 12}.0"


@lru_cache(maxsize=64)
def _zone(city: int) -> ZoneInfo:
    name = CITIES[city]
    return ZoneInfo(_ZONES.get(name, "Europe/Berlin")) if COUNTRIES[city] == "US" else ZoneInfo("Europe/Berlin")


@lru_cache(maxsize=256)
def _seconds_ahead(zone: ZoneInfo, midnight: datetime) -> int:
    offset = midnight.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds())
