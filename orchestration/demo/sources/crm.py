"""The CRM system's list of contacts: a row when somebody gets in touch, and a new one for each change."""

from __future__ import annotations

from functools import lru_cache

from orchestration.demo.clock import CLOCK
from orchestration.demo.company import Company
from orchestration.demo.contacts import contact_id, contacts_of_day
from orchestration.demo.mess import Batch, FeedShape, Row, Value, one, promise, spoil_day

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


def contacts_batch(company: Company, t: int) -> Batch:
    """Returns the rows that the list of contacts gains on day number `t`; the database adds entry ids."""
    return spoil_day(company, CONTACTS, t, _versions)


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
