"""Who is who among the customers of all sources, as assets between their records and the marts."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration.defs.run import ENGINE, Run
from orchestration.progress import step

_RECORDS = dg.AssetKey(["intermediate", "int_customer_records"])
_TABLES = {
    "customers": "The customer that each record is of, from an as-of date on, under an id that stays.",
    "matches": "Pairs of records that may be of one person, with the evidence and what was decided on them.",
    "merges": "Customer ids that have gone out of use, and which ones stand for them now.",
}


@dg.multi_asset(
    name="identities",
    specs=[
        dg.AssetSpec(["identities", name], deps=[_RECORDS], group_name="identities", description=text, kinds={ENGINE})
        for name, text in _TABLES.items()
    ],
)
def resolved(run: Run) -> Iterator[dg.MaterializeResult[Any]]:
    """Resolves the records of customers, where they have changed since the last time."""
    from orchestration import identities

    with step("resolve customer identities") as work:
        done = identities.refresh(run.warehouse, run.as_of_date)
        work.result = f"{done.records:,} records of {done.customers:,} customers" + (
            ", unchanged" if done.is_unchanged else ""
        )
    counts = {"seconds": work.seconds, "records": done.records, "customers": done.customers}
    if not done.is_unchanged:
        counts |= {"records_changed": done.changed, "ids_retired": done.merged}
    for name in _TABLES:
        yield dg.MaterializeResult(asset_key=["identities", name], metadata=counts)


assets = [resolved]
