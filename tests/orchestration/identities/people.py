"""Records of made-up people, written down twice: in the register as they are, in the CRM with slips and gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

COLUMNS = {
    "record_id": pa.string(),
    "source_name": pa.string(),
    "source_customer_id": pa.string(),
    "is_register": pa.bool_(),
    "given_name": pa.string(),
    "family_name": pa.string(),
    "email": pa.string(),
    "former_email": pa.string(),
    "phone": pa.string(),
    "birth_date": pa.string(),
    "birth_year": pa.int64(),
    "street": pa.string(),
    "postal_code": pa.string(),
    "former_postal_code": pa.string(),
    "city": pa.string(),
    "first_known_at": pa.timestamp("us"),
}
OPENED = datetime(2024, 1, 1)  # noqa: DTZ001  # the warehouse stores UTC without a zone
SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sa", "te", "vo", "da", "bri", "fen", "gor")


def record(record_id: str, **known: Any) -> dict[str, Any]:
    """One record; `pos:C1` is of the register, `crm:K1` is not, and what is not said is not known."""
    source, own = record_id.split(":")
    first_known_at = OPENED + timedelta(days=known.pop("day", 0))
    given = {"record_id": record_id, "source_name": source, "source_customer_id": own, "is_register": source == "pos"}
    return given | {"first_known_at": first_known_at} | known


def table(records: Sequence[dict[str, Any]]) -> pa.Table:
    """The records as `int_customer_records` gives them."""
    return pa.Table.from_pylist(list(records), pa.schema(COLUMNS))


def ada(record_id: str, **known: Any) -> dict[str, Any]:
    """A record of Ada, about whom everything is known."""
    return record(
        record_id,
        **{
            "given_name": "Ada",
            "family_name": "Lovelace",
            "email": "ada@lovelace.example",
            "phone": "+44 20 7946 0001",
            "birth_date": "1985-12-10",
            "street": "Main Street 12",
            "postal_code": "10115",
            "city": "Berlin",
        }
        | known,
    )


def crowd(people: int) -> list[dict[str, Any]]:
    """A register of so many people, each second of whom is in the CRM too: C7 is K7."""
    draw = np.random.default_rng(7)

    def name(syllables: int) -> str:
        return "".join(draw.choice(SYLLABLES, syllables)).title()

    found = []
    for number in range(people):
        person = {
            "given_name": name(2),
            "family_name": name(3),
            "phone": f"+49 {draw.integers(100_000_000, 999_999_999)}",
            "birth_date": f"{draw.integers(1940, 2006)}-{draw.integers(1, 13):02d}-{draw.integers(1, 29):02d}",
            "street": f"{name(3)} {draw.integers(1, 90)}",
            "postal_code": f"{draw.integers(10_000, 10_400)}",
            "city": "Berlin",
        }
        person["email"] = f"{person['given_name']}.{person['family_name']}.{number}@mail.example".lower()
        found.append(record(f"pos:C{number}", day=number % 300, **person))
        if number % 2:
            luck = draw.random(5)
            typed: dict[str, Any] = dict(person)
            if luck[0] < 0.2:
                typed["family_name"] = typed["family_name"][:3] + typed["family_name"][4:]
            if luck[1] < 0.3:
                typed["email"] = f"someone{number}@new.example"
            for column, share in (("phone", 0.3), ("birth_date", 0.2), ("street", 0.2)):
                if luck[2] < share:
                    typed[column] = None
            found.append(record(f"crm:K{number}", day=300 + number % 50, **typed))
    return found
