"""How well people are recognized where the truth is known; the truth scores and does nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.identities import DATA_SETS, febrl, febrl_score, score
from orchestration import identities
from orchestration.demo import truth
from orchestration.demo.company import Company
from orchestration.demo.mess import Batch
from orchestration.demo.sources.crm import contacts_batch
from orchestration.demo.sources.people import customers_batch
from tests.orchestration.identities.people import record, table

OPENED, THROUGH = date(2024, 7, 1), date(2026, 6, 30)


@pytest.mark.parametrize("files", DATA_SETS.values(), ids=list(DATA_SETS))
def test_febrl_data_sets_are_resolved(files: tuple[str, ...], shared_data: Path) -> None:
    found = identities.resolve(febrl([shared_data / "febrl" / file for file in files]))
    reached = febrl_score(found.customers)
    assert reached.f1 >= 0.97
    assert reached.precision >= 0.999


def test_customers_of_the_simulated_company_are_found_among_its_contacts() -> None:
    company = Company(opened=OPENED, seed=42, scale=0.25)
    register = _latest(company, customers_batch, "customer_id")
    contacts = _latest(company, contacts_batch, "contact_id")
    records = [_record(f"pos:{key}", row) for key, row in register.items()]
    records += [_record(f"crm:{key}", row) for key, row in contacts.items()]
    found = identities.resolve(table(records)).customers.to_pydict()
    people = dict(zip(*truth.identities(company, THROUGH).to_pydict().values(), strict=True))
    reached = score([people[record_id] for record_id in found["record_id"]], found["customer_id"])
    # One contact in twelve has little more than a name and a city, which several customers share.
    assert reached.precision >= 0.995
    assert reached.recall >= 0.9


def _latest(company: Company, batch: Callable[[Company, int], Batch], key: str) -> dict[str, dict[str, Any]]:
    """The newest good row of each id, with what the first one said of e-mail and postal code."""
    found: dict[str, dict[str, Any]] = {}
    for t in range(company.t(THROUGH) + 1):
        day = batch(company, t)
        for place, values in enumerate(day.rows):
            if place not in day.bad:
                row = dict(zip(day.shape.columns, values, strict=True))
                first = found.get(
                    str(row[key]), {"former_email": row["email"], "former_postal_code": row["postal_code"]}
                )
                kept = {column: first[column] for column in ("former_email", "former_postal_code")}
                found[str(row[key])] = row | kept
    return found


def _record(record_id: str, row: dict[str, Any]) -> dict[str, Any]:
    if "full_name" in row:
        row["given_name"], _, row["family_name"] = row["full_name"].partition(" ")
    known_at = datetime.fromisoformat(row.get("signed_up_at") or row["created_at"])
    return record(record_id) | row | {"first_known_at": known_at}


def test_scores_count_pairs() -> None:
    # People aaab and customers 1122: three true pairs, two found, of which one (the first two) is right.
    reached = score(list("aaab"), list("1122"))
    assert (reached.true, reached.found, reached.right) == (3, 2, 1)
    assert (reached.precision, reached.recall) == (1 / 2, 1 / 3)
    assert reached.f1 == pytest.approx(0.4)
    assert score(list("abc"), list("123")).f1 == 0
