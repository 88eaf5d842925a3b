"""What identifies people beyond their names: birthdays, phones and addresses, of customers and of strangers alike.

All of it has streams of its own: what customers buy does not depend on it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from orchestration.demo.company import BLOCK_DAYS, CUSTOMERS_PER_BLOCK, Company, Ints, block_size
from orchestration.demo.customers import CITIES, COUNTRIES, DOMAINS, customers
from orchestration.demo.names import FIRST_NAMES, LAST_NAMES, STREETS

STRANGERS_SHARE = 0.3
_CALLING_CODES = {"DE": 49, "AT": 43, "NL": 31, "FR": 33, "BE": 32, "US": 1, "ES": 34, "DK": 45}
_POSTAL_CODES = (
    "10###", "20###", "80###", "50###", "1##0", "10## AB", "690##", "2##0", "100##", "606##", "787##", "280##", "2###",
)  # fmt: skip
_PRIVATE = ("mail.example.org", "post.example.net", "home.example.com")


@dataclass(frozen=True)
class Address:
    """Where somebody lives."""

    street: str
    postal_code: str
    city: str
    country: str


@dataclass(frozen=True)
class Person:
    """A human being as they are, whatever the systems know of them.

    Attributes:
        person_id: Known to nobody but the truth.
        phone: Country's code and number.
        private_email: An address that the tills do not have.
        reserve: From 0 to 1 each, how little they like to tell their phone, their address and their day of birth.
    """

    person_id: str
    given_name: str
    family_name: str
    email: str
    private_email: str
    phone: tuple[int, str]
    birth_date: str
    address: Address
    reserve: tuple[float, float, float]


def person(company: Company, index: int, joined_t: int) -> Person:
    """Returns a customer by index, given the day on which they joined."""
    block = joined_t // BLOCK_DAYS
    return customers_of_block(company, block)[index - _first_of_block(company, block)]


@lru_cache(maxsize=256)
def customers_of_block(company: Company, block: int) -> tuple[Person, ...]:
    """Returns the customers who join in a block of days, in order of joining."""
    first = _first_of_block(company, block)
    people = customers(company, block * BLOCK_DAYS)
    here = slice(first, len(people))
    return _people(
        company, "particulars", block, "H", first, people.first_name[here], people.last_name[here], people.city[here],
        people.domain[here], people.birth_year[here],
    )  # fmt: skip


@lru_cache(maxsize=256)
def strangers_of_block(company: Company, block: int) -> tuple[Person, ...]:
    """Returns people who never become customers, though somebody in the company hears of them in a block of days."""
    draw = company.rng("strangers", block)
    size = block_size(round(CUSTOMERS_PER_BLOCK * STRANGERS_SHARE), company.scale, block)
    first = sum(
        block_size(round(CUSTOMERS_PER_BLOCK * STRANGERS_SHARE), company.scale, number) for number in range(block)
    )
    return _people(
        company, "strangers' particulars", block, "X", first, draw.integers(0, len(FIRST_NAMES), size),
        draw.integers(0, len(LAST_NAMES), size), draw.integers(0, len(CITIES), size),
        draw.integers(0, len(DOMAINS), size), np.zeros(size, dtype=np.int64),
    )  # fmt: skip


def address(city: int, luck: float) -> Address:
    """Returns an address in a city, given as its number in CITIES, by a number from 0 to 1."""
    number = int(luck * 1e9)
    code = _POSTAL_CODES[city]
    for digit in f"{number % 1000:03d}":
        code = code.replace("#", digit, 1)
    return Address(
        f"{STREETS[number // 1000 % len(STREETS)]} {number // 100_000 % 140 + 1}",
        code,
        CITIES[city],
        COUNTRIES[city],
    )


@cache
def mailbox(first: str, last: str) -> str:
    """Returns the part of a mail address before any number, without accents and blanks."""
    plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalnum() or letter == ".")


def _first_of_block(company: Company, block: int) -> int:
    return len(customers(company, (block - 1) * BLOCK_DAYS)) if block else 0


def _people(
    company: Company,
    stream: str,
    block: int,
    prefix: str,
    first_number: int,
    first_name: Ints,
    last_name: Ints,
    city: Ints,
    domain: Ints,
    birth_year: Ints,
) -> tuple[Person, ...]:
    draw = company.rng(stream, block)
    size = len(city)
    # Who did not tell the year was born in one all the same.
    years = np.where(birth_year > 0, birth_year, draw.integers(1940, 2007, size))
    new_year: NDArray[np.datetime64] = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    born = new_year + draw.integers(0, 365, size)
    phones = draw.integers(150_000_000, 800_000_000, size).tolist()
    lucks = draw.random(size).tolist()
    mails = draw.integers(0, 1000, size).tolist()
    reserve = draw.random((size, 3)).tolist()
    found = []
    for i, (given, family, place, host) in enumerate(
        zip(first_name.tolist(), last_name.tolist(), city.tolist(), domain.tolist(), strict=True)
    ):
        first, last = FIRST_NAMES[given], LAST_NAMES[family]
        name, number = mailbox(first, last), first_number + i + 1
        found.append(
            Person(
                f"{prefix}{number:06d}",
                first,
                last,
                f"{name}.{number}@{DOMAINS[host]}",
                f"{name.replace('.', '')}{mails[i]:03d}@{_PRIVATE[mails[i] % len(_PRIVATE)]}",
                (_CALLING_CODES[COUNTRIES[place]], f"{phones[i]}"),
                str(born[i]),
                address(place, lucks[i]),
                tuple(reserve[i]),
            )
        )
    return tuple(found)
