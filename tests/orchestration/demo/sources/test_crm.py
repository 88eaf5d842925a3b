from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from orchestration.demo import Company
from orchestration.demo.contacts import contact_id, contact_of_customers, contacts_of_day
from orchestration.demo.customers import visitors
from orchestration.demo.lifelines import lifelines
from orchestration.demo.mess import Row
from orchestration.demo.sources.crm import interactions_batch

DAYS = 400


@pytest.fixture(scope="module")
def recorded(grown: Company) -> list[tuple[int, Row]]:
    """What was recorded of more than a year, with the day number of the record; without bad rows."""
    batches = [(t, interactions_batch(grown, t)) for t in range(DAYS)]
    return [(t, row) for t, batch in batches for place, row in enumerate(batch.rows) if place not in batch.bad]


def test_interactions_happen_by_day_in_berlin_and_some_are_recorded_up_to_three_days_later(
    grown: Company, recorded: list[tuple[int, Row]]
) -> None:
    late: Counter[int] = Counter()
    offsets: defaultdict[int, set[str]] = defaultdict(set)
    for t, row in recorded:
        at = datetime.fromisoformat(str(row[2]))
        entered = datetime.fromisoformat(str(row[6])).replace(tzinfo=UTC)
        assert 8 <= at.hour < 20
        assert entered > at
        assert entered.date() == grown.day(t)
        late[(entered.date() - at.date()).days] += 1
        offsets[at.month] |= {str(row[2])[-6:]}
    # The clocks change in March and October.
    assert [sorted(offsets[month]) for month in (1, 3, 7)] == [["+01:00"], ["+01:00", "+02:00"], ["+02:00"]]
    assert sorted(late) == [0, 1, 2, 3]
    assert 0.05 < 1 - late[0] / late.total() < 0.11
    assert len({row[0] for _, row in recorded}) == len(recorded)


def test_everybody_in_an_interaction_is_a_contact_by_then(grown: Company, recorded: list[tuple[int, Row]]) -> None:
    since = {
        contact_id(contact.number): contact.created_t for t in range(DAYS) for contact in contacts_of_day(grown, t)
    }
    for _, row in recorded:
        assert grown.day(since[str(row[1])]) <= datetime.fromisoformat(str(row[2])).date()


def test_buyers_and_those_whose_payment_failed_ask_for_help_and_offers_go_to_whom_they_were_made(
    grown: Company, recorded: list[tuple[int, Row]]
) -> None:
    kinds = Counter(row[3] for _, row in recorded)
    assert set(kinds) == {"support_call", "support_email", "retention_offer"}
    assert kinds["support_call"] / (kinds["support_call"] + kinds["support_email"]) == pytest.approx(0.6, abs=0.06)
    topics = Counter(row[5] for _, row in recorded)
    bought = sum(len(visitors(grown, t)) for t in range(DAYS))
    # One buyer in a hundred, of whom four in five are contacts or will be; one answer in twenty is not noted.
    assert 0.5 < (topics["delivery"] + topics["return"]) / (0.01 * 0.95 * bought * 2 / 3) < 0.8
    assert topics["payment"] > 5
    made = Counter(
        contact_id(int(contact_of_customers(grown, t)[customer]))
        for t in range(DAYS - 4)
        for customer in lifelines(grown).offers(t)
    )
    offered = Counter(row[1] for _, row in recorded if row[3] == "retention_offer")
    assert made.total() > 50
    assert made <= offered
