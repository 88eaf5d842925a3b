"""Hundreds of invoices and credit notes of every length, spread by the SQL and by dates counted one by one."""

from __future__ import annotations

import random
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import duckdb
import pytest

from tests.dbt_project.raw_warehouse import create_tables, insert, land, run_dbt

AS_OF = date(2025, 6, 15)
MINOR_UNITS = {"EUR": 2, "USD": 2, "JPY": 0}
Document = dict[str, str]


def _documents() -> tuple[list[Document], list[Document]]:
    """Regular periods of weeks, months and years, and any others; a third of them given back in part."""
    draw = random.Random(7)
    invoices: list[Document] = []
    notes: list[Document] = []
    for number in range(600):
        start = date(2023, 1, 1) + timedelta(days=draw.randrange(880))
        months = draw.choice([0, 1, 1, 2, 3, 6, 12, 24])
        end = _later(start, months) - timedelta(days=1) if months else start + timedelta(days=draw.randrange(800))
        currency = draw.choice(list(MINOR_UNITS))
        amount = Decimal(draw.randrange(1, 200_000)).scaleb(-MINOR_UNITS[currency])
        issued = min(start + timedelta(days=draw.randrange(40)), AS_OF + timedelta(days=20))
        document = {
            "customer_id": f"C{number % 50:06d}",
            "currency": currency,
            "issued_at": f"{issued} 10:00:00",
            "period_start": str(start),
            "period_end": str(end),
            "amount": str(amount),
        }
        status = draw.choice(["paid", "paid", "paid", "paid", "open", "void", "uncollectible"])
        invoices.append(document | {"invoice_id": f"I{number}", "status": status})
        if number % 3 == 0:
            # From any of its days on, as refunds are.
            given = start + timedelta(days=draw.randrange((end - start).days + 1))
            notes.append(document | {"credit_note_id": f"N{number}", "period_start": str(given), "reason": "refund"})
    return invoices, notes


@pytest.fixture(scope="module")
def warehouse(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with these documents and nothing else."""
    path = home / "warehouse.duckdb"
    invoices, notes = _documents()
    with duckdb.connect(str(path)) as connection:
        create_tables(connection)
        land(connection, "raw_billing.invoices", invoices)
        land(connection, "raw_billing.credit_notes", notes)
        run = {"run_id": "1", "as_of_date": AS_OF, "started_at": "2025-06-16 05:00:00", "status": "running"}
        insert(connection, "quality.runs", [run])
    # Its tests among them, of which one adds up the shares.
    done = run_dbt(["build", "--select", "+invoiced_recurring_revenue", "--exclude-resource-type", "unit_test"], home)
    assert done.returncode == 0, done.stdout + done.stderr
    (home / "invoiced").mkdir()
    connection = duckdb.connect(str(path.rename(home / "invoiced" / path.name)), read_only=True)
    yield connection
    connection.close()


def test_every_document_is_spread_as_its_service_months_are_counted_one_by_one(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    invoices, notes = _documents()
    expected = {
        (document["invoice_id"], *share)
        for document in invoices
        if document["status"] == "paid"
        for share in _spread(document)
    } | {(document["credit_note_id"], month, -amount) for document in notes for month, amount in _spread(document)}
    found = warehouse.execute("select document_id, month, amount from intermediate.int_invoices_spread").fetchall()
    assert len(found) > 1500
    assert set(found) == expected
    assert len(set(found)) == len(found)


def test_the_mart_adds_up_the_shares_up_to_the_month_of_the_as_of_date(warehouse: duckdb.DuckDBPyConnection) -> None:
    invoices, notes = _documents()
    expected: dict[tuple[date, str, str], Decimal] = {}
    for sign, documents in ((1, [i for i in invoices if i["status"] == "paid"]), (-1, notes)):
        for document in documents:
            for month, amount in _spread(document):
                key = (month, document["customer_id"], document["currency"])
                expected[key] = expected.get(key, Decimal(0)) + sign * amount
    found = warehouse.execute(
        "select month, customer_id, currency, amount from core_analytics.invoiced_recurring_revenue"
    ).fetchall()
    assert {(month, customer, currency): amount for month, customer, currency, amount in found} == {
        key: amount for key, amount in expected.items() if amount and key[0] <= AS_OF
    }


def _spread(document: Document) -> list[tuple[date, Decimal]]:
    """Months and shares of a document, none of one that was issued later."""
    if document["issued_at"][:10] > str(AS_OF):
        return []
    start, end = (date.fromisoformat(document[name]) for name in ("period_start", "period_end"))
    begins = [start]
    # A service month has more than three days.
    while _later(start, len(begins)) + timedelta(days=3) <= end:
        begins.append(_later(start, len(begins)))
    amount, smallest = Decimal(document["amount"]), Decimal(1).scaleb(-MINOR_UNITS[document["currency"]])
    due = [(amount * k / len(begins)).quantize(smallest, ROUND_HALF_UP) for k in range(len(begins) + 1)]
    return [
        (begin.replace(day=1), after - before) for begin, before, after in zip(begins, due[:-1], due[1:], strict=True)
    ]


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
