from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from orchestration.contracts import Feed
from orchestration.demo.rates import eur_rate
from tests.orchestration.demo.conftest import Home, Record


def test_each_business_day_has_one_rate_of_each_currency_from_ten_days_before_the_opening(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]],
    judge: Callable[[Feed, list[Record]], list[str]],
) -> None:  # fmt: skip
    feed = feeds["raw_treasury.exchange_rates"]
    rows = records(feed, small.path)
    good = [row for row, broken in zip(rows, judge(feed, rows), strict=True) if not broken]
    published = {(row["currency"], date.fromisoformat(row["rate_date"])): Decimal(row["eur_rate"]) for row in good}
    assert len(published) == len(good)
    opened = small.company.opened
    days = [opened + timedelta(days=number) for number in range(-10, (small.through - opened).days + 1)]
    closed = {date(2023, 12, 25), date(2023, 12, 26), date(2024, 1, 1), date(2024, 3, 29), date(2024, 4, 1)}
    closed |= {date(2024, 5, 1)}
    business = [day for day in days if day.weekday() < 5 and day not in closed]
    assert published == {
        (currency, day): eur_rate(small.company, currency, day)
        for currency in ("USD", "GBP", "JPY")
        for day in business
    }
    # The opening, a Sunday, has a file with the rates of the days before it; each business day has its own.
    files = sorted(path.stem.removeprefix("rates_") for path in small.path.glob("demo/treasury/rates/month=*/*.csv"))
    assert files == [str(opened), *(str(day) for day in business if day > opened)]


def test_a_rate_is_published_on_its_day(
    small: Home, feeds: dict[str, Feed], records: Callable[[Feed, Path], list[Record]]
) -> None:
    for row in records(feeds["raw_treasury.exchange_rates"], small.path):
        if row["rate_date"] != "0000-00-00" and not row["published_at"].startswith("1999"):
            assert row["published_at"] == f"{row['rate_date']}T14:15:00"
