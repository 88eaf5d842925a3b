"""The till system's list of customers: a row when somebody joins, and a new one whenever they move."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from orchestration.demo.clock import CLOCK
from orchestration.demo.company import Company
from orchestration.demo.customers import COUNTRIES, DOMAINS, customer_id, customers, joined_by
from orchestration.demo.mess import Batch, FeedShape, Row, one, spoil_day
from orchestration.demo.particulars import Address, Person, address, mailbox, person

CHANGES_A_YEAR = 0.3
# Of phones, addresses and days of birth.
TOLD_SHARES = (0.65, 0.8, 0.7)
CUSTOMERS = FeedShape(
    "raw_pos.customers",
    ("customer_id", "full_name", "email", "phone", "street", "postal_code", "city", "country", "birth_year",
     "birth_date", "signed_up_at", "updated_at"),
    ("customer_id", "updated_at"),
    (
        *one("birth_year", "range", 1850, 3020),
        *one("email", "pattern", "not-an-address", "none"),
        *one("country", "pattern", "Germany"),
        *one("customer_id", "required", None),
        *one("full_name", "required", None),
        *one("signed_up_at", "required", None),
    ),
    broken=0.0030,
)  # fmt: skip


def customers_batch(company: Company, t: int) -> Batch:
    """Returns the rows that the list of customers gains on day number `t`; the database adds entry ids."""
    return spoil_day(company, CUSTOMERS, t, _versions)


@lru_cache(maxsize=4)
def _versions(company: Company, t: int) -> list[Row]:
    people = customers(company, t)
    day = company.day(t)
    known, before = joined_by(company, t), joined_by(company, t - 1) if t else 0
    found = []
    for i in range(before, known):
        at = signed_up_at(company, i, t)
        somebody = person(company, i, t)
        found.append(_row(company, i, somebody, t, somebody.address, somebody.email, at))
    draw, moves = company.rng("customer changes", day.toordinal()), company.rng("moves", day.toordinal())
    changed = np.flatnonzero(draw.random(before) < CHANGES_A_YEAR / 365.25)
    for i in changed.tolist():
        # People move within their country: the currency of what they buy stays.
        country = COUNTRIES[int(people.city[i])]
        cities = [number for number, name in enumerate(COUNTRIES) if name == country]
        second = int(draw.integers(8 * 3600, 21 * 3600))
        city, domain = int(draw.choice(cities)), int(draw.integers(len(DOMAINS)))
        somebody = person(company, i, int(people.joined[i]))
        email = f"{mailbox(somebody.given_name, somebody.family_name)}.{i + 1}.{day:%y%m}@{DOMAINS[domain]}"
        home = address(city, float(moves.random()))
        found.append(_row(company, i, somebody, t, home, email, _at(company, t, second)))
    return sorted(found, key=lambda row: (str(row[-1]), str(row[0])))


def signed_up_at(company: Company, index: int, joined_t: int) -> str:
    """Returns when a customer signed up: in the early morning, before anything can be bought."""
    return _at(company, joined_t, 5 * 3600 + index * 101 % 7000)


def _row(company: Company, index: int, somebody: Person, t: int, home: Address, email: str, updated_at: str) -> Row:
    people = customers(company, t)
    tells = [reserve < share for reserve, share in zip(somebody.reserve, TOLD_SHARES, strict=True)]
    year = int(people.birth_year[index])
    code, number = somebody.phone
    return (
        customer_id(index),
        f"{somebody.given_name} {somebody.family_name}",
        email,
        f"+{code} {number[:3]} {number[3:]}" if tells[0] else None,
        home.street if tells[1] else None,
        home.postal_code if tells[1] else None,
        home.city,
        home.country,
        year or None,
        somebody.birth_date if year and tells[2] else None,
        signed_up_at(company, index, int(people.joined[index])),
        updated_at,
    )


def _at(company: Company, t: int, second: int) -> str:
    return f"{company.day(t)} {CLOCK[second]}"
