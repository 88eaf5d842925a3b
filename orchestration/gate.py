"""The gate between raw and staging: holds each landed load against its contract, and marks the rows that break it.

Raw keeps every row. A mark in `quality.quarantine` says which rules a row breaks; staging reads the rows of gated loads
that bear no mark. So rows landed = accepted + quarantined holds by construction, downstream keeps the last good data
when a load is stopped, and a rule that was mended is applied by deleting marks and gating again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestration import data_docs
from orchestration.connections import Connection, Store
from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.findings import Finding, examples_of, of_load, of_rules
from orchestration.landing import pipeline_name
from orchestration.marks import NOW, STOPPED, SUPERSEDED, Load, has_table, scalar
from orchestration.promises import Severity
from orchestration.settling import settle
from orchestration.sql import literal

__all__ = ["Finding", "Gated", "Redriven", "check_balance", "gate", "record", "redrive", "totals"]


@dataclass(frozen=True)
class Gated:
    """What the gate found in the loads of a feed that it had not seen before."""

    feed: str
    loads: int
    landed: int
    accepted: int
    quarantined: int
    findings: tuple[Finding, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether a load was stopped."""
        return any(finding.severity == "stopped" for finding in self.findings)


@dataclass(frozen=True)
class Redriven:
    """What became of marked rows that were gated anew.

    Attributes:
        rows: The rows that had the marks in question.
        accepted: Those of them that go on now.
        quarantined: Those of them that are marked again.
    """

    rows: int
    accepted: int
    quarantined: int


def gate(feed: Feed, warehouse: Store) -> Gated:
    """Gates every completed load of a feed that has not been gated, oldest first, each in one transaction.

    Raises:
        CatalystError: A rule of the contract cannot be evaluated; the load waits for the next time.
    """
    before = totals(feed, warehouse)
    loads = _waiting(feed, warehouse)
    findings: list[Finding] = []
    for load_id in loads:
        with warehouse.transaction() as connection:
            findings += _gate_load(feed, load_id, connection)
            settle(feed, connection)
    if not loads:
        # A file may have become empty, which is no load.
        with warehouse.transaction() as connection:
            settle(feed, connection)
    after = totals(feed, warehouse)
    return Gated(
        feed.id,
        len(loads),
        after.landed - before.landed,
        after.accepted - before.accepted,
        after.quarantined - before.quarantined,
        tuple(findings),
    )


def redrive(feed: Feed, warehouse: Store, rule: str | None = None) -> Redriven:
    """Gates marked rows anew, after a rule, a mapping or the contract was mended, so that those that are good go on.

    The loads that hold such rows are gated as a whole, in one transaction: a stopped load is judged again by today's
    thresholds, and what follows for the rows of other loads is settled with it.

    Args:
        feed: The feed, with its contract as it is now.
        warehouse: Where its loads are.
        rule: Only loads with rows that break this rule, or that were stopped for it; None for all with marked rows.

    Raises:
        CatalystError: A rule of the contract cannot be evaluated; all marks stay as they were.
    """
    with warehouse.transaction() as connection:
        connection.execute(
            f"""
            create or replace temp table catalyst_redriven as
            with loads as (
                select load_id from quality.quarantine
                where feed = $feed and rules != $superseded
                    and ($rule is null or list_contains(string_split(rules, ','), $rule))
                union
                select load_id from quality.findings
                where feed = $feed and severity = 'stopped' and ($rule is null or rule = $rule)
            )
            select load_id, row_number from quality.quarantine inner join loads using (load_id)
            where feed = $feed and rules != $superseded
                -- Rows that raw no longer has cannot be gated again.
                and load_id in (select _dlt_load_id from {feed.id})
                and ($rule is null or rules = $stopped or list_contains(string_split(rules, ','), $rule))
            """,
            {"feed": feed.id, "rule": rule, "stopped": STOPPED, "superseded": SUPERSEDED},
        )
        loads = [
            row[0]
            for row in connection.execute("select distinct load_id from catalyst_redriven order by load_id").fetchall()
        ]
        if not loads:
            return Redriven(0, 0, 0)
        these = ", ".join(map(literal, loads))
        for table, only in (("quarantine", ""), ("loads", ""), ("findings", "and severity in ('warning', 'stopped')")):
            connection.execute(f"delete from quality.{table} where feed = ? and load_id in ({these}) {only}", [feed.id])
        for load_id in loads:
            _gate_load(feed, load_id, connection)
        settle(feed, connection, anew=loads)
        rows = scalar(connection, "select count(*) from catalyst_redriven")
        marked = scalar(
            connection,
            """
            select count(*) from catalyst_redriven
            inner join quality.quarantine using (load_id, row_number)
            where feed = ?
            """,
            feed.id,
        )
    return Redriven(rows, rows - marked, marked)


def record(feed: Feed, load_id: str | None, findings: Sequence[Finding], warehouse: Store) -> None:
    """Writes findings into quality.findings, for people and reports; the gate's own are there already."""
    if findings:
        with warehouse.transaction() as connection:
            _record(feed, load_id, findings, connection)


def totals(feed: Feed, warehouse: Store) -> Gated:
    """Returns the counts over all gated loads of a feed."""
    with warehouse.connect() as connection:
        row = connection.execute(
            """
            select count(*), coalesce(sum(rows_landed), 0), coalesce(sum(rows_accepted), 0),
                coalesce(sum(rows_quarantined), 0)
            from quality.loads where feed = ?
            """,
            [feed.id],
        ).fetchall()[0]
    loads, landed, accepted, quarantined = (int(value) for value in row)
    return Gated(feed.id, loads, landed, accepted, quarantined)


def check_balance(feed: Feed, warehouse: Store) -> Gated:
    """Counts the raw rows themselves and holds them against what the gate has accepted and quarantined.

    Raises:
        CatalystError: The feed has no row at all, or a row is neither accepted nor quarantined.
    """
    counted = totals(feed, warehouse)
    with warehouse.connect() as connection:
        raw = _raw_rows(feed, connection, warehouse.raw_kept_days)
        marks = scalar(connection, "select count(*) from quality.quarantine where feed = ?", feed.id)
    if raw == 0:
        raise CatalystError(
            f"Feed {feed.id} has not sent a single row, which is not a pass: check its source in {feed.path}."
        )
    if not (raw == counted.landed == counted.accepted + counted.quarantined and marks == counted.quarantined):
        raise CatalystError(
            f"Feed {feed.id} does not balance: {raw} raw rows, {counted.landed} gated, {counted.accepted} accepted, "
            f"{counted.quarantined} counted as quarantined, {marks} marks. Run again; if it stays, compare "
            "quality.loads with quality.quarantine for this feed."
        )
    return counted


def _raw_rows(feed: Feed, connection: Connection, kept_days: int | None) -> int:
    """The raw rows; where they go after some days, those of loads as old count as if they were there."""
    if kept_days is None:
        return scalar(connection, f"select count(*) from {feed.id}")
    # Two days early, as a load may go on past midnight.
    gone = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=kept_days - 2)
    old = f"from quality.loads where feed = {literal(feed.id)} and landed_at < ?"
    rows = scalar(
        connection,
        f"select count(*) from {feed.id} where _dlt_load_id not in (select load_id {old})",
        gone,
    )
    return rows + scalar(connection, f"select coalesce(sum(rows_landed), 0) {old}", gone)


def _waiting(feed: Feed, warehouse: Store) -> list[str]:
    with warehouse.connect() as connection:
        if not has_table(connection, feed.schema, "_dlt_loads"):
            return []
        found = connection.execute(
            f"""
            select load_id from {feed.schema}._dlt_loads
            where status = 0 and schema_name = ?
                and load_id not in (select load_id from quality.loads where feed = ?)
            order by load_id
            """,
            [pipeline_name(feed), feed.id],
        ).fetchall()
    return [row[0] for row in found]


def _gate_load(feed: Feed, load_id: str, connection: Connection) -> list[Finding]:
    from orchestration import expectations

    verdicts = expectations.evaluate(feed, load_id, connection)
    blocking = tuple(v.flag for v in verdicts if v.flag and v.rule.severity is not Severity.WARNING)
    load = Load(feed, load_id, connection, expectations.BROKEN, blocking)
    load.find_repeated()
    examples = examples_of(verdicts, load)
    findings = [*of_rules(verdicts, examples, load.rows), *of_load(verdicts, examples, load)]
    stops = [finding for finding in findings if finding.severity == "stopped"]
    stopping = {finding.rule for finding in stops}
    load.mark([(v.flag, v.rule) for v in verdicts if v.flag and (v.flag in blocking or v.rule.id in stopping)])
    if stops:
        load.hold_back(" ".join(finding.message for finding in stops))
    load.register("stopped" if stops else "passed")
    _record(feed, load_id, findings, connection)
    data_docs.keep(load, verdicts, examples)
    return findings


def _record(feed: Feed, load_id: str | None, findings: Sequence[Finding], connection: Connection) -> None:
    for found in findings:
        connection.execute(
            f"insert into quality.findings values (?, ?, ?, ?, ?, ?, ?, {NOW})",
            [feed.id, load_id, found.rule, found.severity, found.rows, found.share, found.message],
        )
