"""Whom the CRM system knows: customers, some of them twice, and strangers; all as somebody happened to type them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from orchestration.demo.company import BLOCK_DAYS, Company, Ints
from orchestration.demo.customers import CITIES, customers
from orchestration.demo.names import NICKNAMES
from orchestration.demo.particulars import Address, Person, address, customers_of_block, strangers_of_block

KNOWN_SHARE = 0.78
TWICE_SHARE = 0.13
CHANGED_SHARE = 0.15
# Who signs up for the newsletter first becomes a customer within so many days.
AHEAD_SHARE, LONGEST_AHEAD_DAYS = 0.3, 30
SOURCES = ("newsletter", "support", "event", "import")
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Contact:
    """What the CRM system holds of somebody from a day on.

    Attributes:
        t: Day number from which it holds.
        created_t: Day number on which the contact came to be.
        number: Place among all contacts, of which the id is made.
    """

    t: int
    created_t: int
    number: int
    person_id: str
    given_name: str | None
    family_name: str
    email: str | None
    phone: str | None
    birth_date: str | None
    address: Address | None
    has_street: bool
    source: str


def contact_id(number: int) -> str:
    """Returns the id under which the CRM system knows a contact."""
    return f"K{number + 1:06d}"


def contacts_of_day(company: Company, t: int) -> list[Contact]:
    """Returns the contacts that are created or changed on day number `t`, by number."""
    last = (t + LONGEST_AHEAD_DAYS) // BLOCK_DAYS
    found = [contact for block in range(last + 1) for contact in _by_day(company, block).get(t, ())]
    return sorted(found, key=lambda contact: contact.number)


def contacts_created_by(company: Company, t: int) -> list[tuple[str, str]]:
    """Returns contact_id and person_id of all contacts that exist at the end of day number `t`."""
    last = (t + LONGEST_AHEAD_DAYS) // BLOCK_DAYS
    return [
        (contact_id(contact.number), contact.person_id)
        for block in range(last + 1)
        for contact in _contacts(company, block)
        if contact.t == contact.created_t <= t
    ]


def contact_of_customers(company: Company, t: int) -> Ints:
    """Returns by which number the CRM system knows each customer of `customers` on day number `t`, -1 for unknown.

    Of customers with two contacts it is that of the older one.
    """
    since, numbers = np.concatenate([_first_contacts(company, block) for block in range(t // BLOCK_DAYS + 1)], axis=1)
    return np.where(since <= t, numbers, -1)


@lru_cache(maxsize=256)
def _first_contacts(company: Company, block: int) -> Ints:
    """Day number and number of the first contact of each customer who joins in a block of days."""
    places = {somebody.person_id: i for i, somebody in enumerate(customers_of_block(company, block))}
    found = np.full((2, len(places)), _NEVER)
    for contact in _contacts(company, block):
        place = places.get(contact.person_id)
        if place is not None and contact.created_t < found[0, place]:
            found[:, place] = contact.created_t, contact.number
    return found


@lru_cache(maxsize=256)
def _by_day(company: Company, block: int) -> dict[int, list[Contact]]:
    found: dict[int, list[Contact]] = {}
    for contact in _contacts(company, block):
        found.setdefault(contact.t, []).append(contact)
    return found


@lru_cache(maxsize=256)
def _contacts(company: Company, block: int) -> tuple[Contact, ...]:
    """The contacts of the people of a block of days, each followed by its change, if any."""
    draw = company.rng("contacts", block)
    people = [*customers_of_block(company, block), *strangers_of_block(company, block)]
    size = len(people)
    joined = customers(company, block * BLOCK_DAYS).joined
    own = joined[len(joined) - len(customers_of_block(company, block)) :]
    met = np.append(own, block * BLOCK_DAYS + draw.integers(0, BLOCK_DAYS, size - len(own)))
    ahead = draw.integers(1, LONGEST_AHEAD_DAYS + 1, size)
    created = met + np.where(draw.random(size) < AHEAD_SHARE, -ahead, draw.exponential(40.0, size).astype(np.int64))
    again = np.maximum(created, 0) + 1 + draw.exponential(90.0, size).astype(np.int64)
    known = draw.random(size) < np.where(np.arange(size) < len(own), KNOWN_SHARE, 1.0)
    twice = known & (draw.random(size) < TWICE_SHARE)
    whose = np.concatenate([np.flatnonzero(known), np.flatnonzero(twice)])
    since = np.concatenate([np.maximum(created, 0)[known], again[twice]])
    numbers = _first_number(company, block) + draw.permutation(len(whose))
    changes = np.where(draw.random(len(whose)) < CHANGED_SHARE, since + 20, 0)
    changes += np.where(changes > 0, draw.exponential(150.0, len(whose)).astype(np.int64), 0)
    found: list[Contact] = []
    for i, luck in enumerate(draw.random((len(whose), 18)).tolist()):
        contact = _typed(people[int(whose[i])], int(since[i]), int(numbers[i]), luck)
        found.append(contact)
        if changes[i]:
            found.append(_changed(people[int(whose[i])], contact, int(changes[i]), luck))
    return tuple(found)


@lru_cache(maxsize=256)
def _first_number(company: Company, block: int) -> int:
    if not block:
        return 0
    created = sum(contact.t == contact.created_t for contact in _contacts(company, block - 1))
    return _first_number(company, block - 1) + created


def _typed(somebody: Person, t: int, number: int, luck: Sequence[float]) -> Contact:
    """A person as a contact: each field right, wrong, or missing, by chances of its own."""
    given: str | None = somebody.given_name
    family = somebody.family_name
    if luck[0] < 0.10 and somebody.given_name in NICKNAMES:
        given = NICKNAMES[somebody.given_name]
    elif luck[0] < 0.17:
        given = _misspelt(somebody.given_name, luck[1])
    elif luck[0] > 0.98:
        given = None
    if luck[2] < 0.09:
        family = _misspelt(family, luck[3])
    if luck[4] < 0.025 and given:
        given, family = family, given
    if luck[4] > 0.96:
        given, family = given and given.upper(), family.upper()
    elif luck[4] > 0.92:
        given, family = given and given.lower(), family.lower()
    return Contact(
        t=t,
        created_t=t,
        number=number,
        person_id=somebody.person_id,
        given_name=given,
        family_name=family,
        email=_pick(luck[5], (0.58, somebody.email), (0.28, somebody.private_email)),
        phone=_phone(somebody, luck[6], luck[7]),
        birth_date=_birth_date(somebody.birth_date, luck[8]),
        address=_address(somebody, luck[9], luck[10]),
        has_street=luck[11] < 0.85,
        source=SOURCES[min(int(luck[12] * len(SOURCES)), len(SOURCES) - 1)],
    )


def _changed(somebody: Person, before: Contact, t: int, luck: Sequence[float]) -> Contact:
    if luck[13] < 0.4:
        fresh = somebody.private_email if before.email == somebody.email else somebody.email
        return replace(before, t=t, email=fresh)
    if luck[13] < 0.7:
        place = CITIES.index(somebody.address.city)
        return replace(before, t=t, address=address(place, luck[14]), has_street=True)
    return replace(before, t=t, phone=_phone(somebody, 0.0, luck[15]))


def _pick(luck: float, *choices: tuple[float, str]) -> str | None:
    for share, value in choices:
        if luck < share:
            return value
        luck -= share
    return None


def _phone(somebody: Person, luck: float, notation: float) -> str | None:
    code, number = somebody.phone
    if luck > 0.65:
        return None
    if luck > 0.57:
        # A number at work, or the one of somebody in the family.
        number = f"{int(number) * 7 % 650_000_000 + 150_000_000}"
    forms = (
        f"+{code} {number[:3]} {number[3:]}",
        f"+{code}{number}",
        f"00{code}{number}",
        f"0{number[:3]} {number[3:]}",
        f"0{number[:3]}/{number[3:]}",
        f"(0{number[:3]}) {number[3:6]}-{number[6:]}",
    )
    return forms[min(int(notation * len(forms)), len(forms) - 1)]


def _birth_date(born: str, luck: float) -> str | None:
    year, month, day = born.split("-")
    if luck < 0.62:
        return born
    if luck < 0.65 and int(day) <= 12:
        return f"{year}-{day}-{month}"
    if luck < 0.67:
        return f"{int(year) + (1 if luck < 0.66 else -10)}-{month}-{min(int(day), 28):02d}"
    return None


def _address(somebody: Person, luck: float, where: float) -> Address | None:
    if luck < 0.72:
        street = somebody.address.street
        short = street.replace("straße", "str.").replace("Straße", "Str.")
        return replace(somebody.address, street=short if luck < 0.2 else street)
    if luck < 0.82:
        return address(CITIES.index(somebody.address.city), where)
    return None


def _misspelt(name: str, luck: float) -> str:
    """A slip of the finger: two letters swapped, one left out, one doubled, or one for its neighbour."""
    place = 1 + int(luck * (len(name) - 2))
    before, letter, after = name[:place], name[place], name[place + 1 :]
    match int(luck * 1000) % 4:
        case 0:
            return f"{before}{after[:1]}{letter}{after[1:]}"
        case 1:
            return before + after
        case 2:
            return before + letter * 2 + after
        case _:
            return before + {"a": "s", "e": "r", "i": "o", "n": "m", "s": "a", "r": "t"}.get(letter, "e") + after
