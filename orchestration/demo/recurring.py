"""The true monthly recurring revenue, from the lifelines themselves and in exact decimals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from orchestration.demo.bills import rounded
from orchestration.demo.company import Company
from orchestration.demo.lifelines import lifelines
from orchestration.demo.rates import eur_rate
from orchestration.demo.subscriptions import ACTIVE, CURRENCIES, PAST_DUE, Event

_NOTHING = Decimal("0.00")
# How often an interval fits into a year.
_A_YEAR = {"week": 52, "month": 12, "quarter": 4, "year": 1}


@dataclass(frozen=True)
class MonthlyRevenue:
    """What running subscriptions bring in a month.

    Attributes:
        by_payer: Sum of the subscriptions' amounts, each rounded to the currency's smallest unit, by customer and
            currency.
        by_currency: The same by currency.
        eur: The same in EUR at the rates of the day, rounded to the cent at the end only.
        subscriptions: How many subscriptions bring in anything.
    """

    by_payer: dict[tuple[int, str], Decimal]
    by_currency: dict[str, Decimal]
    eur: Decimal
    subscriptions: int


@lru_cache(maxsize=4096)
def monthly_amount(
    interval: str,
    interval_count: int,
    quantity: int,
    unit_amount: float,
    currency: str = "EUR",
    percent_off: int = 0,
    off: float = 0,
) -> Decimal:
    """Returns what a subscription brings in a month: half of the smallest unit is rounded away from zero."""
    bill = Decimal(quantity) * Decimal(str(unit_amount))
    bill -= bill * percent_off / 100 + Decimal(str(off))
    a_month = max(bill, Decimal(0)) * _A_YEAR[interval] / (interval_count * 12)
    return rounded(a_month, currency)


def monthly_mrr(company: Company, month_end: date, known: date | None = None) -> MonthlyRevenue:
    """Returns the recurring revenue at the end of a day, by what is known at the end of another, or that day itself."""
    return mrr_on(company, [month_end], known or month_end)[0]


def mrr_on(company: Company, days: Sequence[date], known: date) -> list[MonthlyRevenue]:
    """Returns the recurring revenue at the end of several days, given in their order.

    Args:
        company: Whose revenue it is.
        days: The days.
        known: The last day whose entries are known: a start may be entered late, a mistake be noticed late.
    """
    first: dict[int, Event] = {}
    last: dict[int, Event] = {}
    entered: list[tuple[int, Event]] = []
    for t in range(company.t(known) + 1):
        for event in lifelines(company).events(t):
            sub = event.subscription
            # The first state holds from the start, whenever it was entered.
            entered.append((event.t if sub in first else event.started_t, event))
            first.setdefault(sub, event)
            last[sub] = event
    mistakes = {sub for sub, event in last.items() if event.deleted}
    # Sorting keeps the order of what holds from the same day on: of several changes the last counts.
    entered.sort(key=lambda entry: entry[0])
    states: dict[int, Event] = {}
    found = []
    place = 0
    for day in days:
        t = company.t(day)
        while place < len(entered) and entered[place][0] <= t:
            states[entered[place][1].subscription] = entered[place][1]
            place += 1
        rates = {currency: eur_rate(company, currency, day) for currency in CURRENCIES}
        found.append(total((state for sub, state in states.items() if sub not in mistakes), t, rates))
    return found


def total(states: Iterable[Event], t: int, rates: Mapping[str, Decimal]) -> MonthlyRevenue:
    """Returns the recurring revenue at the end of a day.

    Args:
        states: The latest state of each subscription.
        t: The day's number.
        rates: What each currency is worth in EUR.
    """
    by_payer: dict[tuple[int, str], Decimal] = {}
    by_currency = dict.fromkeys(CURRENCIES, _NOTHING)
    subscriptions = 0
    for state in states:
        amount = _amount_on(t, state)
        if amount:
            payer = state.customer, state.currency
            by_payer[payer] = by_payer.get(payer, _NOTHING) + amount
            by_currency[state.currency] += amount
            subscriptions += 1
    eur = sum((amount * rates[currency] for currency, amount in by_currency.items()), Decimal(0))
    return MonthlyRevenue(by_payer, by_currency, rounded(eur, "EUR"), subscriptions)


def _amount_on(t: int, state: Event) -> Decimal:
    runs = state.status in (ACTIVE, PAST_DUE) and (state.ends is None or t < state.ends[0])
    if not runs or (state.trial_ends_t is not None and t < state.trial_ends_t):
        return _NOTHING
    coupon = state.coupon if state.coupon is not None and state.coupon.counts_on(t) else None
    plan = state.plan
    return monthly_amount(
        plan.interval,
        plan.interval_count,
        state.quantity,
        state.unit_amount,
        state.currency,
        coupon.percent if coupon else 0,
        coupon.amount if coupon else 0,
    )


def movements(months: Sequence[MonthlyRevenue]) -> list[dict[str, dict[str, Decimal]]]:
    """Returns what each month gained and lost against the one before, by currency and kind of movement.

    A customer who pays nothing in any currency the month before is new, or reactivated if they have paid in an earlier
    one; who pays nothing in any currency now has churned; for everybody else a currency expands or contracts.
    """
    found: list[dict[str, dict[str, Decimal]]] = []
    before: dict[tuple[int, str], Decimal] = {}
    seen: set[int] = set()
    for month in months:
        now = month.by_payer
        paid, pays = ({customer for customer, _ in amounts} for amounts in (before, now))
        moved: dict[str, dict[str, Decimal]] = {}
        for payer in sorted(before.keys() | now.keys()):
            customer, currency = payer
            change = now.get(payer, _NOTHING) - before.get(payer, _NOTHING)
            if not change:
                continue
            if customer not in paid:
                kind = "reactivation" if customer in seen else "new"
            elif customer not in pays:
                kind = "churn"
            else:
                kind = "expansion" if change > 0 else "contraction"
            kinds = moved.setdefault(currency, {})
            kinds[kind] = kinds.get(kind, _NOTHING) + change
        found.append(moved)
        before = now
        seen |= pays
    return found
