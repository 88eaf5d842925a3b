from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.contracts import Feed
from orchestration.demo import Company
from orchestration.demo.contacts import _misspelt, contacts_created_by, contacts_of_day
from orchestration.demo.customers import joined_by
from orchestration.demo.names import FIRST_NAMES, LAST_NAMES, NICKNAMES
from orchestration.demo.particulars import customers_of_block

from .conftest import Home, Record


def test_most_customers_are_known_some_twice_and_strangers_among_them(grown: Company) -> None:
    people = Counter(person for _, person in contacts_created_by(grown, 729))
    customers = [person for person in people if person.startswith("H")]
    assert 0.65 < len(customers) / joined_by(grown, 729) < 0.8
    assert 0.1 < sum(number > 1 for number in people.values()) / len(people) < 0.15
    assert 0.2 < 1 - len(customers) / len(people) < 0.35
    assert max(people.values()) == 2


def test_every_contact_has_an_id_of_its_own_and_appears_once_before_it_changes(grown: Company) -> None:
    versions = [contact for t in range(400) for contact in contacts_of_day(grown, t)]
    created = [contact.number for contact in versions if contact.t == contact.created_t]
    assert len(set(created)) == len(created)
    changed = [contact for contact in versions if contact.t > contact.created_t]
    assert {contact.number for contact in changed} < set(created)
    assert 0.04 < len(changed) / len(created) < 0.15
    assert len(created) == len(contacts_created_by(grown, 399))


def test_contacts_share_something_with_the_person_but_seldom_everything(grown: Company) -> None:
    people = {somebody.person_id: somebody for block in range(3) for somebody in customers_of_block(grown, block)}
    found = [
        contact for t in range(200) for contact in contacts_of_day(grown, t)
        if contact.person_id in people and contact.t == contact.created_t
    ]  # fmt: skip
    same: Counter[str] = Counter()
    for contact in found:
        somebody = people[contact.person_id]
        same["given name"] += contact.given_name == somebody.given_name
        same["nickname"] += contact.given_name == NICKNAMES.get(somebody.given_name)
        same["swapped"] += (contact.given_name, contact.family_name) == (somebody.family_name, somebody.given_name)
        same["mail"] += contact.email == somebody.email
        same["other mail"] += contact.email == somebody.private_email
        same["birthday"] += contact.birth_date == somebody.birth_date
        same["no birthday"] += contact.birth_date is None
        same["phone"] += somebody.phone[1] in "".join(filter(str.isdigit, contact.phone or ""))
        same["street"] += contact.address == somebody.address
    shares = {what: number / len(found) for what, number in same.items()}
    assert shares == {
        "given name": pytest.approx(0.73, abs=0.05),
        "nickname": pytest.approx(0.04, abs=0.02),
        "swapped": pytest.approx(0.022, abs=0.012),
        "mail": pytest.approx(0.58, abs=0.05),
        "other mail": pytest.approx(0.28, abs=0.05),
        "birthday": pytest.approx(0.62, abs=0.05),
        "no birthday": pytest.approx(0.34, abs=0.05),
        "phone": pytest.approx(0.57, abs=0.05),
        "street": pytest.approx(0.67, abs=0.05),
    }


@pytest.mark.parametrize(
    ("luck", "expected"),
    [
        (0.0, "Anan"),  # the letter after the first is swapped with the next
        (0.001, "Ana"),  # left out
        (0.002, "Annna"),  # doubled
        (0.003, "Amna"),  # hit beside
    ],
)
def test_a_misspelt_name_is_one_slip_away(luck: float, expected: str) -> None:
    # The second letter is an n, so swapping it with the next one would show nothing: the third is taken.
    assert _misspelt("Anna", luck + (0.5 if luck == 0.0 else 0.0)) == expected


def test_names_are_many(grown: Company) -> None:
    assert len(set(FIRST_NAMES)) == len(set(LAST_NAMES)) == 90
    people = [somebody for block in range(10) for somebody in customers_of_block(grown, block)]
    assert len(people) == 6000
    alike = Counter((somebody.given_name, somebody.family_name) for somebody in people)
    assert len(alike) > 3500
    assert len({somebody.email for somebody in people}) == len({somebody.person_id for somebody in people}) == 6000


def test_the_truth_names_the_person_behind_every_record(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]],
    judge: Callable[[Feed, list[Record]], list[str]],
) -> None:  # fmt: skip
    truth = {
        row["record_id"]: row["person_id"]
        for row in pq.read_table(small.path / "demo" / "truth" / "identities.parquet").to_pylist()
    }
    found = set()
    for name, prefix, key in (("raw_pos.customers", "pos", "customer_id"), ("raw_crm.contacts", "crm", "contact_id")):
        rows = records(feeds[name], small.path)
        good = [row for row, broken in zip(rows, judge(feeds[name], rows), strict=True) if not broken]
        found |= {f"{prefix}:{row[key]}" for row in good}
    assert set(truth) == found
    tills = [person for record, person in truth.items() if record.startswith("pos:")]
    assert len(set(tills)) == len(tills)
    # Two of the records agree on the mail address now and then, and are then of one person.
    mails: dict[str, set[str]] = {}
    for row in records(feeds["raw_crm.contacts"], small.path):
        if row["contact_id"] and row["email"]:
            mails.setdefault(row["email"], set()).add(truth[f"crm:{row['contact_id']}"])
    assert max(len(people) for mail, people in mails.items() if mail not in ("not-an-address", "unknown")) == 1
