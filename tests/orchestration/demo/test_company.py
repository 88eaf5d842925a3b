from __future__ import annotations

from datetime import date

import pytest

from orchestration.demo import Company
from orchestration.demo.company import block_size, first_of_month, month_number
from orchestration.demo.customers import customers, joined_by, visitors
from orchestration.demo.lifelines import lifelines
from orchestration.demo.subscriptions import Event
from orchestration.errors import CatalystError

OPENED = date(2024, 1, 1)


def test_a_stream_gives_the_same_numbers_whatever_was_drawn_before() -> None:
    company = Company(opened=OPENED)
    first = company.rng("demand", 5).random(3).tolist()
    company.rng("demand", 6).random(100)
    assert company.rng("demand", 5).random(3).tolist() == first
    assert company.rng("demand", 6).random(3).tolist() != first
    assert company.rng("visits", 5).random(3).tolist() != first
    assert Company(opened=OPENED, seed=8).rng("demand", 5).random(3).tolist() != first


def test_days_are_numbered_from_the_opening() -> None:
    company = Company(opened=OPENED)
    assert company.t(date(2024, 3, 1)) == 60
    assert company.day(60) == date(2024, 3, 1)
    with pytest.raises(CatalystError, match="opened on 2024-01-01, so it has no 2023-12-31"):
        company.t(date(2023, 12, 31))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_must_be_a_positive_number(scale: float) -> None:
    with pytest.raises(CatalystError, match="number above 0"):
        Company(opened=OPENED, scale=scale)


def test_a_seed_must_not_be_negative() -> None:
    with pytest.raises(CatalystError, match="from 0 up"):
        Company(opened=OPENED, seed=-1)


def test_blocks_share_what_does_not_divide() -> None:
    assert [block_size(5, 0.5, block) for block in range(4)] == [2, 3, 2, 3]


def test_months_count_on_over_the_turn_of_the_year() -> None:
    assert month_number(date(2024, 1, 31)) - month_number(date(2023, 12, 1)) == 1
    assert first_of_month(month_number(date(2023, 12, 9)) + 1) == date(2024, 1, 1)


def test_six_thousand_customers_join_in_two_years_and_as_many_in_the_next_two(grown: Company) -> None:
    assert joined_by(grown, 729) == 6000
    assert joined_by(grown, 1459) == 12000


def test_three_thousand_subscriptions_start_in_two_years_and_some_are_of_returners(grown: Company) -> None:
    first: dict[int, Event] = {}
    for t in range(730):
        for event in lifelines(grown).events(t):
            first.setdefault(event.subscription, event)
    starts = list(first.values())
    assert len(starts) == 3000
    assert sorted(event.subscription for event in starts) == list(range(3000))
    assert 2500 < len({event.customer for event in starts}) < 2900


def test_who_joins_buys_on_that_day(grown: Company) -> None:
    for t in (0, 72, 73, 400):
        new = set((customers(grown, t).joined == t).nonzero()[0].tolist())
        assert new
        assert new <= set(visitors(grown, t).tolist())
