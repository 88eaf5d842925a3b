"""The true monthly recurring revenue, from the lifelines themselves and in exact decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from orchestration.demo.company import Company
from orchestration.demo.lifelines import lifelines
from orchestration.demo.rates import eur_rate
from orchestration.demo.subscriptions import CANCELED, Event

_CENT = Decimal("0.01")
_CURRENCIES = ("EUR", "USD")
# How often an interval fits into a year.
_A_YEAR = {"week": 52, "month": 12, "quarter": 4, "year": 1}


@dataclass(frozen=True)
class MonthlyRevenue:
    """What running subscriptions bring in a month.

    Attributes:
        by_currency: Sum of the subscriptions' amounts, each rounded to the cent, in their own currency.
        eur: The same in EUR at the rates of the day, rounded to the cent at the end only.
        subscriptions: How many subscriptions run.
    """

    by_currency: dict[str, Decimal]
    eur: Decimal
    subscriptions: int


@lru_cache(maxsize=1024)
def monthly_amount(interval: str, interval_count: int, quantity: int, unit_amount: float) -> Decimal:
    """Returns what a subscription brings in a month: half cents are rounded away from zero."""
    a_year = Decimal(quantity) * Decimal(str(unit_amount)) * _A_YEAR[interval] / interval_count
    return (a_year / 12).quantize(_CENT, ROUND_HALF_UP)


def monthly_mrr(company: Company, month_end: date) -> MonthlyRevenue:
    """Returns the recurring revenue of the subscriptions that run (or are past due) at the end of a day."""
    return mrr_on(company, [month_end])[0]


def mrr_on(company: Company, days: Sequence[date]) -> list[MonthlyRevenue]:
    """Returns the recurring revenue at the end of several days, given in their order."""
    latest: dict[int, Event] = {}
    found = []
    t = 0
    for day in days:
        while t <= company.t(day):
            latest.update({event.subscription: event for event in lifelines(company).events(t)})
            t += 1
        rates = {currency: eur_rate(company, currency, day) for currency in _CURRENCIES}
        found.append(total(latest.values(), rates))
    return found


def total(states: Iterable[Event], rates: Mapping[str, Decimal]) -> MonthlyRevenue:
    """Returns the recurring revenue of subscriptions in given states, by what each currency is worth in EUR."""
    running = [state for state in states if state.status != CANCELED]
    by_currency = dict.fromkeys(_CURRENCIES, Decimal("0.00"))
    for state in running:
        plan = state.plan
        amount = monthly_amount(plan.interval, plan.interval_count, state.quantity, state.unit_amount)
        by_currency[state.currency] += amount
    eur = sum((amount * rates[currency] for currency, amount in by_currency.items()), Decimal(0))
    return MonthlyRevenue(by_currency, eur.quantize(_CENT, ROUND_HALF_UP), len(running))
