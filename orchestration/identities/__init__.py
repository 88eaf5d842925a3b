"""Customers across sources: which records are one person, under one id that stays.

`matching` pairs records, `golden` makes customers of pairs and keeps their ids, and this module reads and writes the
warehouse. What it writes is history: a row says from which as-of date on a record belongs to a customer, and replaces
only those of its own date, so that a run for a past date neither sees nor changes what came later.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from orchestration.identities.golden import Holder, Pair, Record, name, unite
from orchestration.identities.matching import RULES, THRESHOLD, Model, match

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.connections import Connection, Store

_KNOWN = ("record_id", "source_name", "source_customer_id", "is_register", "first_known_at")


@dataclass(frozen=True)
class Resolution:
    """Who is who among some records.

    Attributes:
        customers: The records with the id of their customer.
        matches: Each noteworthy pair with its evidence and what was decided.
        merges: The ids that have gone out of use, with those that stand for them now.
        model: What scored the pairs.
    """

    customers: pa.Table
    matches: pa.Table
    merges: pa.Table
    model: Model


@dataclass(frozen=True)
class Summary:
    """What `refresh` has done."""

    records: int
    customers: int
    changed: int = 0
    merged: int = 0
    model_version: str = ""
    is_unchanged: bool = field(default=False, kw_only=True)


def resolve(records: pa.Table, model: Model | None = None, held: Mapping[str, Holder] | None = None) -> Resolution:
    """Finds the records that are of one customer.

    Args:
        records: One row per record: `record_id`, `source_name`, `source_customer_id`, `is_register`, `first_known_at`,
            and any of the columns in `comparing.COLUMNS`.
        model: The model of the run before; a new one is trained where it does not fit.
        held: The customer id that a record had before.
    """
    import pyarrow as pa

    pairs, used = match(records, model)
    known = [Record(*row) for row in zip(*(records[column].to_pylist() for column in _KNOWN), strict=True)]
    scored = zip(
        *(pairs[column].to_pylist() for column in ("record_id_left", "record_id_right", "match_probability")),
        pairs["is_contradicted"].to_pylist(),
        strict=True,
    )
    together, decisions = unite(
        known, [Pair(left, right, probability >= THRESHOLD, no) for left, right, probability, no in scored]
    )
    named, merges = name(known, together, held or {})
    customers = records.select(["record_id", "source_name", "source_customer_id", "is_register"]).append_column(
        "customer_id", pa.array([named[record.record_id] for record in known], pa.string())
    )
    texts = pa.array([decision.value for decision in decisions], pa.string())
    merged = {"retired_customer_id": list(merges), "customer_id": list(merges.values())}
    return Resolution(
        customers,
        pairs.drop_columns("is_contradicted").append_column("decision", texts),
        pa.table(merged, pa.schema([(column, pa.string()) for column in merged])),
        used,
    )


def refresh(warehouse: Store, as_of: date) -> Summary:
    """Resolves the customers in `intermediate.int_customer_records`, which holds what was known by the as-of date.

    Nothing is done where the records are those of the last resolution.
    """
    records = warehouse.query("select * from intermediate.int_customer_records order by record_id")
    mark = _fingerprint(records)
    with warehouse.connect() as connection:
        last = connection.execute("select as_of_date, fingerprint, customers from identities.resolutions").fetchall()
        if last and last[0][0] <= as_of and last[0][1] == mark:
            return Summary(records.num_rows, int(last[0][2]), is_unchanged=True)
        found = resolve(records, _model(connection, as_of), _held(connection, as_of))
    with warehouse.transaction() as connection:
        changed = _write(connection, as_of, found, mark)
    customers = len(set(found.customers["customer_id"].to_pylist()))
    return Summary(records.num_rows, customers, changed, found.merges.num_rows, found.model.version)


def _fingerprint(records: pa.Table) -> str:
    from pyarrow import csv

    # The rules are part of it: after a change of them, the same records are looked at again.
    content = io.BytesIO(f"{RULES} {THRESHOLD}\n".encode())
    content.seek(0, io.SEEK_END)
    csv.write_csv(records, content)
    return hashlib.sha256(content.getbuffer()).hexdigest()


def _model(connection: Connection, as_of: date) -> Model | None:
    rows = connection.execute(
        """
        select records, columns, settings, rules from identities.models where as_of_date <= ?
        order by as_of_date desc limit 1
        """,
        [as_of],
    ).fetchall()
    return next((Model(int(n), tuple(json.loads(c)), json.loads(s), rules) for n, c, s, rules in rows), None)


def _held(connection: Connection, as_of: date) -> dict[str, Holder]:
    """What was written for the as-of date itself does not count: a second run for it gives what the first one gave."""
    rows = connection.execute(
        """
        select record_id, customer_id, as_of_date from identities.customers where as_of_date < ?
        qualify row_number() over (partition by record_id order by as_of_date desc) = 1
        """,
        [as_of],
    ).fetchall()
    return {record_id: Holder(customer_id, since) for record_id, customer_id, since in rows}


def _write(connection: Connection, as_of: date, found: Resolution, mark: str) -> int:
    model = found.model
    for view in ("customers", "matches", "merges"):
        connection.register(f"resolved_{view}", getattr(found, view))
    for table in ("customers", "merges", "models"):
        connection.execute(f"delete from identities.{table} where as_of_date = ?", [as_of])
    # The audit and the fingerprint are of the last resolution alone.
    for table in ("matches", "resolutions"):
        connection.execute(f"delete from identities.{table} where true")
    kept = ", ".join(found.customers.column_names)
    connection.execute(
        f"""
        insert into identities.customers (as_of_date, {kept})
        with held as (
            select record_id, customer_id from identities.customers where as_of_date < $as_of
            qualify row_number() over (partition by record_id order by as_of_date desc) = 1
        )
        select $as_of as as_of_date, resolved.* from resolved_customers as resolved
        left join held on resolved.record_id = held.record_id
        where resolved.customer_id is distinct from held.customer_id
        """,
        {"as_of": as_of},
    )
    kept = ", ".join(found.merges.column_names)
    connection.execute(
        f"insert into identities.merges (as_of_date, {kept}) select ?, {kept} from resolved_merges", [as_of]
    )
    kept = ", ".join(found.matches.column_names)
    connection.execute(
        f"insert into identities.matches (as_of_date, model_version, {kept}) select ?, ?, {kept} from resolved_matches",
        [as_of, model.version],
    )
    if _model(connection, as_of) != model:
        connection.execute(
            "insert into identities.models values (?, ?, ?, ?, ?, ?)",
            [as_of, model.version, model.records, json.dumps(model.columns), json.dumps(model.settings), model.rules],
        )
    connection.execute(
        "insert into identities.resolutions select ?, ?, ?, count(distinct customer_id) from resolved_customers",
        [as_of, mark, found.customers.num_rows],
    )
    changed = connection.execute("select count(*) from identities.customers where as_of_date = ?", [as_of]).fetchall()
    return int(changed[0][0])
