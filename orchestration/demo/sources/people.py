"""The till system's list of customers: a row when somebody joins, and a new one whenever they move."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache

import numpy as np

from orchestration.demo.company import Company
from orchestration.demo.customers import (
    CITIES,
    COUNTRIES,
    DOMAINS,
    FIRST_NAMES,
    LAST_NAMES,
    customer_id,
    customers,
    joined_by,
)
from orchestration.demo.mess import Batch, FeedShape, Row, one, spoil

CHANGES_A_YEAR = 0.3
CUSTOMERS = FeedShape(
    "raw_pos.customers",
    ("customer_id", "full_name", "email", "city", "country", "birth_year", "signed_up_at", "updated_at"),
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
)


def customers_batch(company: Company, t: int) -> Batch:
    """Returns the rows that the list of customers gains on day number `t`; the database adds entry ids."""
    return spoil(company, CUSTOMERS, company.day(t), _versions(company, t), _versions(company, t - 1) if t else ())


@lru_cache(maxsize=4)
def _versions(company: Company, t: int) -> list[Row]:
    people = customers(company, t)
    day = company.day(t)
    known, before = joined_by(company, t), joined_by(company, t - 1) if t else 0
    found = []
    for i in range(before, known):
        at = signed_up_at(company, i, t)
        found.append(_row(company, i, t, int(people.city[i]), int(people.domain[i]), "", at))
    draw = company.rng("customer changes", day.toordinal())
    changed = np.flatnonzero(draw.random(before) < CHANGES_A_YEAR / 365.25)
    for i in changed.tolist():
        # People move within their country: the currency of what they buy stays.
        country = COUNTRIES[int(people.city[i])]
        cities = [number for number, name in enumerate(COUNTRIES) if name == country]
        second = int(draw.integers(8 * 3600, 21 * 3600))
        city, domain = int(draw.choice(cities)), int(draw.integers(len(DOMAINS)))
        found.append(_row(company, i, t, city, domain, f".{day:%y%m}", _at(company, t, second)))
    return sorted(found, key=lambda row: (str(row[-1]), str(row[0])))


def signed_up_at(company: Company, index: int, joined_t: int) -> str:
    """Returns when a customer signed up: in the early morning, before anything can be bought."""
    return _at(company, joined_t, 5 * 3600 + index * 101 % 7000)


def _row(company: Company, index: int, t: int, city: int, domain: int, suffix: str, updated_at: str) -> Row:
    people = customers(company, t)
    first, last = FIRST_NAMES[int(people.first_name[index])], LAST_NAMES[int(people.last_name[index])]
    return (
        customer_id(index),
        f"{first} {last}",
        f"{_mailbox(first, last)}.{index + 1}{suffix}@{DOMAINS[domain]}",
        CITIES[city],
        COUNTRIES[city],
        int(people.birth_year[index]) or None,
        signed_up_at(company, index, int(people.joined[index])),
        updated_at,
    )


@cache
def _mailbox(first: str, last: str) -> str:
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum() or letter == ".")


def _at(company: Company, t: int, second: int) -> str:
    return f"{company.day(t)} {second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
