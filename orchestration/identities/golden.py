"""Which records are one customer, and which id that customer has and keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


@dataclass(frozen=True)
class Record:
    """A record of a customer in one source.

    Attributes:
        is_register: Whether the source holds a person once, under the id that sales and subscriptions carry.
    """

    record_id: str
    source_name: str
    source_customer_id: str
    is_register: bool
    first_known_at: datetime | None


@dataclass(frozen=True)
class Pair:
    """Two records that may be of one person.

    Attributes:
        is_link: Whether the evidence is enough.
        is_contradicted: Whether they must not come together by way of others either.
    """

    left: str
    right: str
    is_link: bool
    is_contradicted: bool = False


class Decision(StrEnum):
    """What became of a pair."""

    LINKED = "linked"
    UNSURE = "unsure"
    HELD_APART = "held apart"


@dataclass(frozen=True)
class Holder:
    """The customer id that a record has had so far, and since when."""

    customer_id: str
    since: date


def unite(records: Sequence[Record], pairs: Sequence[Pair]) -> tuple[list[frozenset[str]], list[Decision]]:
    """Puts the records of one customer together, the strongest pairs first.

    A chain of links must not make one customer of two whom the register tells apart: a link that would do so is not
    followed, unless the two were linked by themselves. As the strongest links come first, the weakest of a chain gives.

    Args:
        records: All records.
        pairs: The strongest first.

    Returns:
        The customers, as the ids of their records, and what was decided on each pair.
    """
    in_register = {record.record_id for record in records if record.is_register}
    members = {record.record_id: [record.record_id] for record in records}
    root = {record_id: record_id for record_id in members}
    links = {frozenset((pair.left, pair.right)) for pair in pairs if pair.is_link and not pair.is_contradicted}
    opposed: dict[str, set[str]] = defaultdict(set)
    for pair in pairs:
        if pair.is_contradicted:
            opposed[pair.left].add(pair.right)
            opposed[pair.right].add(pair.left)

    def are_two_people(small: str, large: str) -> bool:
        registered = [other for other in members[large] if other in in_register]
        return any(
            any(root[other] == large for other in opposed[one])
            or (one in in_register and any(frozenset((one, other)) not in links for other in registered))
            for one in members[small]
        )

    decisions = []
    for pair in pairs:
        small, large = sorted((root[pair.left], root[pair.right]), key=lambda name: (len(members[name]), name))
        if not pair.is_link:
            decisions.append(Decision.UNSURE)
        elif pair.is_contradicted or (small != large and are_two_people(small, large)):
            decisions.append(Decision.HELD_APART)
        else:
            decisions.append(Decision.LINKED)
            if small != large:
                for one in members[small]:
                    root[one] = large
                members[large] += members.pop(small)
    return [frozenset(ids) for ids in members.values()], decisions


def name(
    records: Sequence[Record], customers: Iterable[frozenset[str]], held: Mapping[str, Holder]
) -> tuple[dict[str, str], dict[str, str]]:
    """Gives every customer an id: one that it has had already, wherever there is one.

    - Of those that its records have had, it keeps the one that is in use for longest.
    - Where the records of one id have come apart, those with the earliest record keep it.
    - A new customer is called as the register calls it, else as the source of its earliest record does.

    Args:
        records: All records.
        customers: The records of each customer.
        held: The id that a record had before.

    Returns:
        The customer id of every record, and the id that now stands for each one that has gone out of use.
    """
    by_id = {record.record_id: record for record in records}
    since: dict[str, date] = {}
    holders: dict[str, list[Record]] = defaultdict(list)
    for record_id, holder in held.items():
        since[holder.customer_id] = min(holder.since, since.get(holder.customer_id, holder.since))
        if record_id in by_id:
            holders[holder.customer_id].append(by_id[record_id])
    heir = {customer_id: min(group, key=_age).record_id for customer_id, group in holders.items()}
    named: dict[str, str] = {}
    unnamed = []
    for customer in sorted(
        (sorted((by_id[one] for one in ids), key=_age) for ids in customers), key=lambda c: _age(c[0])
    ):
        had = {held[record.record_id].customer_id for record in customer if record.record_id in held}
        mine = {record.record_id for record in customer}
        kept = sorted((since[customer_id], customer_id) for customer_id in had if heir[customer_id] in mine)
        if kept:
            named |= dict.fromkeys(mine, kept[0][1])
        else:
            unnamed.append(customer)
    taken = set(named.values()) | set(since)
    registered = {record.source_customer_id for record in by_id.values() if record.is_register}
    for customer in unnamed:
        customer_id = _new_name(customer, taken, registered)
        taken.add(customer_id)
        named |= dict.fromkeys((record.record_id for record in customer), customer_id)
    in_use = set(named.values())
    return named, {old: named[record_id] for old, record_id in sorted(heir.items()) if old not in in_use}


def _new_name(customer: Sequence[Record], taken: set[str], registered: set[str]) -> str:
    """The ids of two sources may be alike and mean two people; the id of a record is no other's."""
    ranked = sorted(customer, key=lambda record: (not record.is_register, _age(record)))
    for record in ranked:
        customer_id = record.source_customer_id
        if customer_id not in taken and (record.is_register or customer_id not in registered):
            return customer_id
    return ranked[0].record_id


def _age(record: Record) -> tuple[str, str]:
    # What nobody dated comes last.
    return record.first_known_at.isoformat() if record.first_known_at else "~", record.record_id
