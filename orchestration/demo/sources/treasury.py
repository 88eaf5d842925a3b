"""What the treasury files of the central bank's reference rates: one file each business day."""

from __future__ import annotations

from datetime import timedelta

from orchestration.demo.company import Company
from orchestration.demo.mess import Batch, FeedShape, Row, one, promise, spoil
from orchestration.demo.rates import KNOWN_BEFORE_DAYS, MEAN_RATES, eur_rate, is_business_day

RATES = FeedShape(
    "raw_treasury.exchange_rates",
    ("rate_date", "currency", "eur_rate", "published_at"),
    ("currency", "rate_date"),
    (
        *one("eur_rate", "type", "n/a"),
        *one("eur_rate", "range", "0", "-0.92"),
        *one("eur_rate", "required", None),
        *one("currency", "pattern", "usd", "US$"),
        *one("rate_date", "type", "0000-00-00"),
        *promise("published_after_its_day_began", published_at="1999-12-31T14:15:00"),
    ),
    # Two rows a day: with the usual shares there would hardly be a bad one in a year.
    broken=0.02,
    repeated=0.005,
    # A file with nothing but a row from before would lack a currency.
    resent=0.0,
)


def rates_batch(company: Company, t: int) -> Batch:
    """Returns the rates that are published on day number `t`; the first file has those of the days before as well."""
    return spoil(company, RATES, company.day(t), _rates(company, t))


def _rates(company: Company, t: int) -> list[Row]:
    known_from = -KNOWN_BEFORE_DAYS if t == 0 else t
    days = [company.opened + timedelta(days=number) for number in range(known_from, t + 1)]
    return [
        (str(day), currency, str(eur_rate(company, currency, day)), f"{day}T14:15:00")
        for day in days
        if is_business_day(day)
        for currency in MEAN_RATES
    ]
