from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from orchestration.demo import Company
from orchestration.demo.customers import CITIES, customers
from orchestration.demo.sources.app import interest, logins_batch


def test_local_times_are_those_of_the_customers_city_and_of_the_day_by_utc(grown: Company) -> None:
    # Two weeks of March in which America has summer time and Europe has not yet; Europe's begins on the last day.
    seen: dict[str, set[str]] = {}
    for t in range(grown.t(date(2024, 3, 12)), grown.t(date(2024, 3, 31)) + 1):
        batch = logins_batch(grown, t)
        for place, row in enumerate(batch.rows):
            if place not in batch.bad:
                at = datetime.fromisoformat(str(row[2]))
                assert at.astimezone(UTC).date() == grown.day(t)
                recorded = datetime.fromisoformat(str(row[6])).replace(tzinfo=UTC)
                assert 1 <= (recorded - at).total_seconds() <= 10
                city = CITIES[customers(grown, t).city[int(str(row[1])[1:]) - 1]]
                seen.setdefault(city, set()).add(str(row[2])[-6:] if grown.day(t).day < 31 else "last day")
                assert 6 <= at.hour <= 23
    assert seen["New York"] == {"-04:00", "last day"}
    assert seen["Chicago"] == seen["Austin"] == {"-05:00", "last day"}
    assert seen["Berlin"] == seen["Madrid"] == {"+01:00", "last day"}


def test_log_ins_fall_off_before_a_customer_lapses(grown: Company) -> None:
    lapses = customers(grown, 700).lapses
    made = np.zeros((len(lapses), 700), dtype=np.int64)
    for t in range(500, 700):
        batch = logins_batch(grown, t)
        for place, row in enumerate(batch.rows):
            if place not in batch.bad:
                made[int(str(row[1])[1:]) - 1, t] += 1
    # Who lapses in a month from the middle of those days.
    leaving = np.flatnonzero((lapses >= 585) & (lapses < 615))
    before = np.mean([made[i, lapses[i] - 80 : lapses[i] - 21].mean() for i in leaving])
    week = np.mean([made[i, lapses[i] - 3 : lapses[i] + 4].mean() for i in leaving])
    after = np.mean([made[i, lapses[i] + 7 : lapses[i] + 67].mean() for i in leaving])
    # A quarter of the way is left in the week of the lapse: 1 - 0.9 * 21 / 28 = 0.325.
    assert 0.2 < week / before < 0.45
    assert 0.06 < after / before < 0.14


def test_interest_falls_evenly_to_a_tenth(grown: Company) -> None:
    lapses = int(customers(grown, 700).lapses[0])
    found = [interest(grown, lapses + days)[0] for days in (-30, -21, -7, 0, 7, 90)]
    assert found == pytest.approx([1.0, 1.0, 0.55, 0.325, 0.1, 0.1])
