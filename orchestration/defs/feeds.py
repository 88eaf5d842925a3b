"""One asset for each contract: it lands what the feed has gained and gates it; and the quarantine that they fill."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from orchestration import settings
from orchestration.contracts import Feed, load_feeds
from orchestration.defs.run import Run
from orchestration.progress import step, warn

SOURCE_SYSTEMS = dg.AssetKey(["demo", "source_systems"])
QUARANTINE = dg.AssetKey(["quality", "quarantine"])
LOADS = dg.AssetKey(["quality", "loads"])
RUNS = dg.AssetKey(["quality", "runs"])


def _key(feed: Feed) -> dg.AssetKey:
    return dg.AssetKey([feed.schema, feed.table])


_FEEDS = load_feeds(settings.load().feeds)
_gated = [_key(feed) for feed in _FEEDS]


def feed_asset(feed: Feed) -> dg.AssetsDefinition:
    """Returns the asset of a feed, with the check that its rows balance."""

    @dg.asset(
        key=_key(feed),
        group_name="raw",
        deps=[SOURCE_SYSTEMS] if feed.server == "demo" else [RUNS],
        description=f"Rows as received from {feed.kind}, by the contract {feed.path.name}.",
        kinds={"dlt", str(feed.kind)},
        check_specs=[
            dg.AssetCheckSpec(
                "gate",
                asset=_key(feed),
                blocking=True,
                description="No threshold is passed, the feed has rows, and rows landed = accepted + quarantined.",
            ),
            dg.AssetCheckSpec(
                "freshness", asset=_key(feed), description="Rows have come as often as the contract promises."
            ),
        ],
    )
    def asset(run: Run) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a parameter for one output
        from orchestration import intake

        with step(f"land and gate {feed.id}") as work:
            taken = intake.take_in(feed, run.settings)
            work.result = taken.outcome
        for finding in taken.findings:
            warn(f"{feed.id}: {finding.message}")
        for said in taken.landing.notes:
            warn(f"{feed.id}: {said}")
        for receiver in taken.undelivered:
            warn(f"An alert about {feed.id} was not delivered to {receiver}")
        new, total = taken.gated, taken.total
        counts: dict[str, Any] = {
            "rows_new": new.landed,
            "rows_new_quarantined": new.quarantined,
            "dagster/row_count": total.landed,
            "rows_accepted": total.accepted,
            "rows_quarantined": total.quarantined,
            "seconds": work.seconds,
            "data docs": dg.MetadataValue.url((run.settings.data_docs / f"{feed.id}.html").as_uri()),
        }
        if taken.findings:
            lines = [f"- **{f.rule}** ({f.severity}): {f.message}" for f in taken.findings]
            counts["findings"] = dg.MetadataValue.md("\n".join(lines))
        return dg.MaterializeResult(
            metadata=counts,
            check_results=[
                dg.AssetCheckResult(
                    check_name="gate",
                    passed=total.accepted > 0 and not new.stopped,
                    description=taken.stop_message,
                    metadata=counts,
                ),
                dg.AssetCheckResult(
                    check_name="freshness", passed=not taken.is_overdue, severity=dg.AssetCheckSeverity.WARN
                ),
            ],
        )

    return asset


@dg.asset(key=SOURCE_SYSTEMS, group_name="demo", deps=[RUNS], kinds={"python"})
def source_systems(run: Run) -> dg.MaterializeResult[None]:
    """The systems of the simulated company (tills, web shop, ERP, billing, ...), advanced to the as-of date."""
    from orchestration.demo import systems

    with step("advance the simulated company") as work:
        result = systems.advance(
            run.settings.home,
            run.as_of_date,
            scale=run.scale,
            on_progress=lambda done, total: work.update(f"day {done:,} of {total:,}"),
        )
        work.result = f"{result.days:,} new days"
    return dg.MaterializeResult(metadata={"days": result.days, "seconds": work.seconds})


@dg.multi_asset(
    name="gate_results",
    group_name="quality",
    specs=[
        dg.AssetSpec(
            LOADS, deps=_gated, description="Each gated load of a feed, with its rows landed, accepted and quarantined."
        ),
        dg.AssetSpec(
            QUARANTINE,
            deps=_gated,
            description="Marks on the raw rows that break their contract, with the rules, the reasons and the payload.",
        ),
    ],
)
def gate_results(run: Run) -> Iterator[dg.MaterializeResult[None]]:
    """What the gate wrote while the feeds landed, counted over all of them."""
    loads = run.warehouse.query(
        "select count(*) as loads, sum(rows_landed) as landed, sum(rows_accepted) as accepted from quality.loads"
    ).to_pylist()[0]
    marks = run.warehouse.query(
        "select feed, rules, count(*) as n from quality.quarantine group by feed, rules order by feed, rules"
    ).to_pylist()
    lines = ["| feed | rules | rows |", "|---|---|---|", *(f"| {m['feed']} | {m['rules']} | {m['n']} |" for m in marks)]
    yield dg.MaterializeResult(
        asset_key=LOADS,
        metadata={
            "dagster/row_count": loads["loads"],
            "rows_landed": int(loads["landed"]),
            "rows_accepted": int(loads["accepted"]),
        },
    )
    yield dg.MaterializeResult(
        asset_key=QUARANTINE,
        metadata={
            "dagster/row_count": sum(mark["n"] for mark in marks),
            "by rule": dg.MetadataValue.md("\n".join(lines)),
            "data docs": dg.MetadataValue.url((run.settings.data_docs / "index.html").as_uri()),
        },
    )


assets = [
    gate_results,
    *(feed_asset(feed) for feed in _FEEDS),
    *([source_systems] if any(feed.server == "demo" for feed in _FEEDS) else []),
]
