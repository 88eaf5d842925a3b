"""The CRM system: its list of contacts, and what the service desk and the retention team talk about with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from orchestration.demo.clock import CLOCK
from orchestration.demo.company import Company
from orchestration.demo.contacts import contact_id, contact_of_customers, contacts_of_day
from orchestration.demo.customers import visitors
from orchestration.demo.lifelines import lifelines
from orchestration.demo.mess import Batch, FeedShape, Row, Value, one, promise, spoil_day
from orchestration.demo.subscriptions import PAST_DUE

# Of those who bought the day before, and of those whose payment failed then.
BUYERS_SHARE, FAILED_SHARE = 0.01, 0.25
CALL_SHARE = 0.6
# What nobody found the time to enter on the day comes one to three days later.
LATE_SHARE, LATEST_DAYS = 0.08, 3
CONTACTS = FeedShape(
    "raw_crm.contacts",
    ("contact_id", "given_name", "family_name", "email", "phone", "birth_date", "street", "postal_code", "city",
     "country", "source", "created_at", "updated_at"),
    ("contact_id", "updated_at"),
    (
        *one("email", "pattern", "not-an-address", "unknown"),
        *one("birth_date", "type", "1985-02-30", "31.12.1979"),
        *one("phone", "pattern", "call me"),
        *one("country", "pattern", "Germany"),
        *one("source", "pattern", "fax"),
        *one("family_name", "required", None),
        *one("contact_id", "required", None),
        *promise("updated_after_it_was_created", created_at="2099-01-01 00:00:00"),
    ),
    broken=0.0030,
)  # fmt: skip
INTERACTIONS = FeedShape(
    "raw_crm.interactions",
    ("interaction_id", "contact_id", "interaction_at", "kind", "channel", "topic", "recorded_at"),
    ("interaction_id",),
    (
        *one("contact_id", "pattern", "walk-in", "C000001"),
        *one("contact_id", "required", None),
        *one("interaction_at", "type", "2024-02-30T10:00:00+01:00", "yesterday"),
        *one("interaction_at", "required", None),
        *one("kind", "pattern", "fax"),
        *promise("channel_is_known", channel="pigeon"),
    ),
    retry_suffix="-1",
    broken=0.0150,
    repeated=0.0050,
)
_CHANNELS = {
    "support_call": ("phone",),
    "support_email": ("email", "email", "web_form"),
    "retention_offer": ("email", "phone", "app"),
}
_DESK = ZoneInfo("Europe/Berlin")
_OPEN_SECONDS = 12 * 3600
_LAST_SECOND = 23 * 3600


class _Talk(NamedTuple):
    """With which contact, by number, about one of which topics, and whether it is us who make an offer."""

    contact: int
    topics: tuple[str, ...]
    is_offer: bool = False


def contacts_batch(company: Company, t: int) -> Batch:
    """Returns the rows that the list of contacts gains on day number `t`; the database adds entry ids."""
    return spoil_day(company, CONTACTS, t, _versions)


def interactions_batch(company: Company, t: int) -> Batch:
    """Returns the calls, mails and offers that are recorded on day number `t`; the database adds entry ids."""
    return spoil_day(company, INTERACTIONS, t, _recorded, f"{company.day(t)} {CLOCK[_LAST_SECOND]}")


@lru_cache(maxsize=4)
def _versions(company: Company, t: int) -> list[Row]:
    found: list[Row] = []
    for contact in contacts_of_day(company, t):
        home = contact.address
        where: tuple[Value, ...] = (None, None, None, None)
        if home:
            street = home.street if contact.has_street else None
            where = (street, home.postal_code, home.city, home.country)
        found.append(
            (
                contact_id(contact.number),
                contact.given_name,
                contact.family_name,
                contact.email,
                contact.phone,
                contact.birth_date,
                *where,
                contact.source,
                _at(company, contact.created_t, contact.number),
                _at(company, contact.t, contact.number),
            )
        )
    return sorted(found, key=lambda row: (str(row[-1]), str(row[0])))


def _at(company: Company, t: int, number: int) -> str:
    second = 7 * 3600 + number * 7919 % (14 * 3600)
    return f"{company.day(t)} {CLOCK[second]}"


@lru_cache(maxsize=4)
def _recorded(company: Company, t: int) -> list[Row]:
    days = range(min(t, LATEST_DAYS) + 1)
    found = [row for late in days for days_late, row in _interactions(company, t - late) if days_late == late]
    return sorted(found, key=lambda row: (str(row[-1]), str(row[0])))


@lru_cache(maxsize=8)
def _interactions(company: Company, t: int) -> list[tuple[int, Row]]:
    """What happened on a day, each with the days until it is recorded."""
    day = company.day(t)
    found: list[tuple[int, Row]] = []
    opening = datetime(day.year, day.month, day.day, 8, tzinfo=_DESK)
    talks = _talks(company, t)
    draw = company.rng("interactions", day.toordinal())
    for place, (talk, luck) in enumerate(zip(talks, draw.random((len(talks), 6)).tolist(), strict=True)):
        kind = "retention_offer" if talk.is_offer else "support_call" if luck[0] < CALL_SHARE else "support_email"
        at = opening + timedelta(seconds=int(luck[1] * _OPEN_SECONDS))
        days_late = 1 + int(luck[2] / LATE_SHARE * LATEST_DAYS) if luck[2] < LATE_SHARE else 0
        recorded = at.astimezone(UTC) + timedelta(seconds=30 + int(luck[3] * 900), days=days_late)
        row = (
            f"I{day:%Y%m%d}-{place}",
            contact_id(talk.contact),
            at.isoformat(),
            kind,
            _CHANNELS[kind][int(luck[4] * len(_CHANNELS[kind]))],
            # Who is in a hurry does not note what it was about.
            None if luck[5] > 0.95 else talk.topics[int(luck[5] / 0.95 * len(talk.topics)) % len(talk.topics)],
            f"{recorded:%Y-%m-%d %H:%M:%S}",
        )
        found.append((days_late, row))
    return found


def _talks(company: Company, t: int) -> list[_Talk]:
    """Who talks with whom on a day; only who is a contact by then is noted."""
    numbers = contact_of_customers(company, t)
    draw = company.rng("support", company.day(t).toordinal())
    created = [contact for contact in contacts_of_day(company, t) if contact.t == contact.created_t]
    talks = [_Talk(contact.number, ("product", "account")) for contact in created if contact.source == "support"]
    if t:
        buyers = visitors(company, t - 1)
        failed = np.array([e.customer for e in lifelines(company).events(t - 1) if e.status == PAST_DUE], np.int64)
        for whose, share, topics in (
            (buyers, BUYERS_SHARE, ("delivery", "return", "product")),
            (failed, FAILED_SHARE, ("payment",)),
        ):
            asking = numbers[whose[draw.random(len(whose)) < share]]
            talks += [_Talk(number, topics) for number in asking[asking >= 0].tolist()]
    offered = numbers[np.array(lifelines(company).offers(t), np.int64)].tolist()
    return talks + [_Talk(number, ("discount", "free_month"), is_offer=True) for number in offered]
