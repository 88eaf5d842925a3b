"""The public playbook's 121 subscription periods, through the whole chain and through plain Python.

The Python knows the definitions of docs/mrr.md and none of the SQL: what customers pay at the moment of a month, and a
class for each change. The data hold neither concurrent periods nor open ones nor a second currency, so they come in
three times: as they are; with the periods that last to the end of the data left open; and with the 55 customers folded
into 9 who pay in two currencies.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt_project.raw_warehouse import create_tables, insert, land, run_dbt

AS_OF = date(2020, 2, 29)
# The data end on 1 February; whoever is there in January may well have stayed.
LAST_ENDS = (date(2020, 1, 1), date(2020, 2, 1))
MONTHS = [date(2017 + number // 12, number % 12 + 1, 1) for number in range(8, 38)]
MOMENTS = {month: (month + timedelta(days=31)).replace(day=1) - timedelta(days=1) for month in MONTHS}

Rows = Mapping[tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Period:
    """A subscription with one amount for all its time."""

    subscription: str
    customer: str
    start: date
    end: date | None
    amount: Decimal
    currency: str = "EUR"

    def holds_on(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


def rate(currency: str, month: date) -> Decimal:
    """The rate of a month, published on its first day; the dollar wanders from 0.80 to 0.86."""
    return Decimal(1) if currency == "EUR" else Decimal("0.80") + MONTHS.index(month) % 7 * Decimal("0.01")


def paid(periods: Sequence[Period]) -> dict[str, list[dict[str, Decimal]]]:
    """Returns what each customer pays, by currency, at the moment of each month."""
    found: dict[str, list[dict[str, Decimal]]] = defaultdict(lambda: [defaultdict(Decimal) for _ in MONTHS])
    for period in periods:
        for number, month in enumerate(MONTHS):
            if period.holds_on(MOMENTS[month]):
                found[period.customer][number][period.currency] += period.amount
    return found


def movements(periods: Sequence[Period]) -> Rows:
    """Returns amount and EUR of each movement, by month, customer, currency and movement."""
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for customer, history in paid(periods).items():
        before: Mapping[str, Decimal] = {}
        has_paid = False
        for month, now in zip(MONTHS, history, strict=True):
            for currency in before.keys() | now.keys():
                opening, closing = before.get(currency, Decimal(0)), now.get(currency, Decimal(0))
                change = closing - opening
                if not before:
                    movement = "reactivation" if has_paid else "new"
                elif not now:
                    movement = "churn"
                else:
                    movement = "expansion" if change > 0 else "contraction"
                change_eur = change * rate(currency, month)
                if change:
                    found[month, customer, currency, movement] = (change, change_eur)
                if opening:
                    previous = MONTHS[MONTHS.index(month) - 1]
                    fx = closing * rate(currency, month) - opening * rate(currency, previous) - change_eur
                    if fx:
                        found[month, customer, currency, "fx"] = (Decimal(0), fx)
            before, has_paid = now, has_paid or bool(now)
    return found


def cohorts(periods: Sequence[Period]) -> Rows:
    """Returns customers, active ones and their revenue in EUR at the last month's rate, by cohort and month."""
    rates = {currency: rate(currency, MONTHS[-1]) for currency in ("EUR", "USD")}
    starting: dict[date, list[list[dict[str, Decimal]]]] = defaultdict(list)
    for history in paid(periods).values():
        starting[next(month for month, now in zip(MONTHS, history, strict=True) if now)].append(history)
    return {
        (cohort, month): (
            len(histories),
            sum(bool(history[number]) for history in histories),
            sum(amount * rates[currency] for history in histories for currency, amount in history[number].items()),
        )
        for cohort, histories in starting.items()
        for number, month in enumerate(MONTHS)
        if month >= cohort
    }


def playbook_class(history: Sequence[Mapping[str, Decimal]]) -> dict[date, str]:
    """Returns the playbook's own categories, by their definitions: a first month, then on and off, then up and down."""
    amounts = [sum(now.values(), Decimal(0)) for now in history]
    first = next(number for number, amount in enumerate(amounts) if amount)
    found = {MONTHS[first]: "new"}
    for number in range(first + 1, len(MONTHS)):
        before, now = amounts[number - 1 : number + 1]
        if before and not now:
            found[MONTHS[number]] = "churn"
        elif now and not before:
            found[MONTHS[number]] = "reactivation"
        elif now != before:
            found[MONTHS[number]] = "upgrade" if now > before else "downgrade"
    return found


def _read(path: Path) -> list[Period]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Period(
                row["subscription_id"],
                f"C1{int(row['customer_id']):05}",
                date.fromisoformat(row["start_date"]),
                date.fromisoformat(row["end_date"]),
                Decimal(row["monthly_amount"]),
            )
            for row in csv.DictReader(file)
        ]


def _open(period: Period) -> Period:
    end = None if period.end in LAST_ENDS else period.end
    return replace(period, subscription=f"open {period.subscription}", customer=f"C2{period.customer[2:]}", end=end)


def _folded(period: Period) -> Period:
    number = int(period.customer[2:])
    return replace(
        period,
        subscription=f"folded {period.subscription}",
        customer=f"C3{number % 9:05}",
        currency="EUR" if number // 9 % 2 else "USD",
    )


def _states(period: Period) -> Iterator[dict[str, object]]:
    state: dict[str, object] = {
        "subscription_id": period.subscription,
        "customer_id": period.customer,
        "plan_id": "plan",
        "status": "active",
        "interval": "month",
        "interval_count": "1",
        "quantity": "1",
        "unit_amount": str(period.amount),
        "currency": period.currency,
        "started_at": f"{period.start}T08:00:00Z",
        "updated_at": f"{period.start}T08:00:00Z",
    }
    yield state
    if period.end:
        end = f"{period.end}T08:00:00Z"
        yield state | {"status": "canceled", "ended_at": end, "updated_at": end}


@pytest.fixture(scope="module")
def given(shared_data: Path) -> list[Period]:
    path = shared_data / "mrr_playbook_seed" / "subscription_periods.csv"
    if not path.is_file():
        pytest.skip(f"{path} is absent; CATALYST_SHARED_DATA names the folder of the optional data sets.")
    return _read(path)


@pytest.fixture(scope="module")
def periods(given: list[Period]) -> list[Period]:
    return [*given, *map(_open, given), *map(_folded, given)]


@pytest.fixture(scope="module")
def built(home: Path, periods: list[Period]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse with all three, built and tested by dbt: the invariants hold on it too."""
    warehouse = home / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        create_tables(connection)
        insert(
            connection,
            "quality.runs",
            [{"run_id": "1", "as_of_date": AS_OF, "started_at": "2020-03-01 05:00:00", "status": "running"}],
        )
        land(connection, "raw_billing.subscriptions", [row for period in periods for row in _states(period)])
        land(
            connection,
            "raw_treasury.exchange_rates",
            [
                {"rate_date": str(month), "currency": "USD", "eur_rate": str(rate("USD", month))}
                | {"published_at": f"{month} 15:00:00"}
                for month in MONTHS
            ],
        )
    chosen = ["+mrr_kpis", "+cohort_retention", "+mrr_restatements"]
    done = run_dbt(
        ["build", "--exclude-resource-type", "unit_test", "--indirect-selection", "cautious", "--select", *chosen], home
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (home / "playbook").mkdir()
    with duckdb.connect(str(warehouse.rename(home / "playbook" / warehouse.name)), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def found(built: duckdb.DuckDBPyConnection) -> Rows:
    rows = built.execute(
        "select month, customer_id, currency, movement, amount, amount_eur from core_analytics.mrr_movements"
    ).fetchall()
    return {row[:4]: row[4:] for row in rows}


def test_the_data_are_those_that_the_test_is_about(given: list[Period]) -> None:
    assert (len(given), len({period.customer for period in given})) == (121, 55)
    assert sum(period.end in LAST_ENDS for period in given) == 32
    assert {MOMENTS[month] for month in (MONTHS[0], MONTHS[-1])} == {date(2017, 9, 30), AS_OF}
    folded = [_folded(period) for period in given]
    assert max(len(now) for history in paid(folded).values() for now in history) == 2
    at_once = Counter((period.customer, period.currency) for period in folded if period.holds_on(date(2019, 6, 30)))
    assert max(at_once.values()) > 1


def test_every_movement_of_every_customer_and_month_is_that_of_the_definitions(
    found: Rows, periods: list[Period]
) -> None:
    assert found == movements(periods)


def test_one_other_amount_is_one_customer_who_differs(found: Rows, periods: list[Period]) -> None:
    changed = replace(periods[50], amount=periods[50].amount + 1)
    expected = movements([*periods[:50], changed, *periods[51:]])
    assert {key[1] for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)} == {
        periods[50].customer
    }


def test_every_kind_of_movement_is_met_many_times(found: Rows) -> None:
    for movement in ("new", "expansion", "contraction", "churn", "reactivation", "fx"):
        assert sum(key[3] == movement for key in found) >= 10, movement


def test_the_classes_are_those_of_the_playbook_under_other_names(found: Rows, given: list[Period]) -> None:
    names = {"upgrade": "expansion", "downgrade": "contraction"}
    expected = {
        (month, customer): names.get(category, category)
        for customer, history in paid(given).items()
        for month, category in playbook_class(history).items()
    }
    assert {key[:2]: key[3] for key in found if key[1].startswith("C1")} == expected


def test_the_key_figures_of_the_company_follow_from_the_movements(
    built: duckdb.DuckDBPyConnection, periods: list[Period]
) -> None:
    histories = paid(periods).values()
    moved = movements(periods)
    rows = built.execute(
        """
        select month, opening_mrr_eur, closing_mrr_eur, opening_customers, closing_customers, churned_customers,
            nrr, grr, quick_ratio
        from core_analytics.mrr_kpis where segment = 'all' order by month
        """
    ).fetchall()
    assert [row[0] for row in rows] == MONTHS
    opening = Decimal(0)
    for number, (month, *figures) in enumerate(rows):
        eur: dict[str, Decimal] = defaultdict(Decimal)
        for key, (_, amount_eur) in moved.items():
            if key[0] == month:
                eur[key[3]] += amount_eur
        closing = sum((a * rate(c, month) for history in histories for c, a in history[number].items()), Decimal(0))
        base, lost = opening + eur["fx"], eur["churn"] + eur["contraction"]
        gained = eur["new"] + eur["expansion"] + eur["reactivation"]
        assert figures[:2] == [opening, closing]
        assert figures[2:4] == [
            sum(bool(history[number - 1]) for history in histories) if number else 0,
            sum(bool(history[number]) for history in histories),
        ]
        assert figures[4] == len({key[1] for key in moved if key[0] == month and key[3] == "churn"})
        assert figures[5:] == [
            None if not base else pytest.approx(round((base + eur["expansion"] + lost) / base, 6)),
            None if not base else pytest.approx(round((base + lost) / base, 6)),
            None if not lost else pytest.approx(round(gained / -lost, 6)),
        ]
        opening = closing


def test_cohorts_keep_whom_the_periods_say(built: duckdb.DuckDBPyConnection, periods: list[Period]) -> None:
    rows = built.execute(
        "select cohort_month, month, customers, active_customers, mrr_eur from core_analytics.cohort_retention"
    ).fetchall()
    assert {row[:2]: row[2:] for row in rows} == cohorts(periods)
