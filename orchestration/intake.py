"""Takes in what a feed has gained: lands it, gates it, and says what people have to know about it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestration import alerts, data_docs, gate, landing
from orchestration.connections import Store
from orchestration.contracts import Feed, Kind
from orchestration.errors import CatalystError
from orchestration.feed_status import statuses
from orchestration.gate import Finding, Gated
from orchestration.landing import Landing
from orchestration.settings import Settings
from orchestration.warehouse import warehouse_of


@dataclass(frozen=True)
class Intake:
    """What came of taking in a feed.

    Attributes:
        landing: What was landed.
        gated: What the gate found in the loads that it had not seen before.
        total: The counts over all loads of the feed.
        findings: Everything that somebody should know: broken thresholds, drift, broken files, rows that are overdue.
        undelivered: Receivers of alerts that could not be reached.
    """

    landing: Landing
    gated: Gated
    total: Gated
    findings: tuple[Finding, ...]
    undelivered: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """What happened, in a few words."""
        if self.gated.stopped:
            return f"stopped: {self.gated.landed:,} new rows held back ({self.total.landed:,} in all)"
        new = f"{self.gated.landed:,} new rows, {self.gated.quarantined:,} quarantined"
        return f"{new if self.gated.landed else 'no new rows'} ({self.total.landed:,} in all)"

    @property
    def stop_message(self) -> str:
        """Why the feed has stopped and what to do; empty where it has not."""
        if not self.gated.stopped:
            return ""
        why = " ".join(finding.message for finding in self.gated.findings if finding.severity == "stopped")
        name = self.gated.feed
        return (
            f"Feed {name} has stopped: {why} Nothing of this load goes on. Look at it (`catalyst quarantine {name}`); "
            f"once the source or the contract is mended, `catalyst redrive {name}`. `catalyst run` goes on without it, "
            "on the last good data."
        )

    @property
    def is_overdue(self) -> bool:
        """Whether the feed owes rows."""
        return any(finding.severity == "freshness" for finding in self.findings)


def take_in(feed: Feed, settings: Settings) -> Intake:
    """Lands and gates one feed, and sends an alert where a person is needed.

    Args:
        feed: The feed; `warehouse.prepare` has created its table.
        settings: Where the warehouse is and where alerts go.

    Raises:
        CatalystError: The source cannot be read, its columns are not those of the contract, or nothing ever came.
    """
    os.environ["CATALYST_HOME"] = str(settings.home)
    warehouse = warehouse_of(settings)
    problems: list[str] = []
    try:
        # Held open, DuckDB writes its log into the file once at the end, and not after each of a dozen statements.
        with warehouse.connect(), _source_running(feed, settings):
            landed = landing.land(feed, warehouse)
            problems += [problem.message for problem in landed.problems]
            gated = gate.gate(feed, warehouse)
            total = gate.check_balance(feed, warehouse)
            others = tuple(_of_landing(feed, landed, warehouse))
            gate.record(feed, landed.load_id, others, warehouse)
            if gated.loads:
                data_docs.build(warehouse, settings.data_docs)
    except CatalystError as error:
        told = type(error)(" ".join([str(error), *problems]))
        body = f"{told}\n\nThen run: `catalyst land {feed.id}`"
        alerts.send(alerts.Alert(feed.id, f"Feed {feed.id} failed", body), settings)
        raise told from error
    findings = gated.findings + others
    if not findings:
        return Intake(landed, gated, total, ())
    sent = alerts.send(_alert(feed, gated, findings, settings), settings)
    return Intake(landed, gated, total, findings, sent.undelivered)


@contextmanager
def _source_running(feed: Feed, settings: Settings) -> Iterator[None]:
    """The simulated company serves its own API while a feed reads it."""
    if feed.server == "demo" and feed.kind is Kind.REST:
        from orchestration.demo import api

        with api.serve(settings.home) as url:
            os.environ["CATALYST_DEMO_API"] = url
            yield
    else:
        yield


def _of_landing(feed: Feed, landed: Landing, warehouse: Store) -> Iterator[Finding]:
    if landed.new_columns:
        names = ", ".join(landed.new_columns)
        yield Finding(
            "_schema:new_column",
            "drift",
            landed.rows,
            1.0,
            f"{feed.id} sends columns that its contract does not name: {names}. They have landed; "
            f"add them to {feed.path}.",
            (),
        )
    for problem in landed.problems:
        yield Finding("_source:problem", "problem", 0, 0.0, problem.message, ())
    if not landed.rows:
        overdue = _overdue(feed, warehouse)
        if overdue:
            yield Finding("_load:missing", "freshness", 0, 0.0, overdue, ())


def _overdue(feed: Feed, warehouse: Store) -> str:
    with warehouse.connect() as connection:
        (status,) = statuses([feed], connection, datetime.now(UTC))
    if status.last_load_at is None or status.is_fresh or feed.fresh_within is None:
        return ""
    return (
        f"{feed.id} has sent nothing since {status.last_load_at:%Y-%m-%d %H:%M} UTC, and its contract promises rows "
        f"within {_said(feed.fresh_within)}: ask {feed.owner}, or look at the source named in {feed.path}."
    )


def _said(length: timedelta) -> str:
    hours = length.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"


def _alert(feed: Feed, gated: Gated, findings: Sequence[Finding], settings: Settings) -> alerts.Alert:
    what = "stopped" if gated.stopped else "needs a look"
    counts = f"{gated.landed:,} rows landed: {gated.accepted:,} accepted, {gated.quarantined:,} quarantined."
    lines = [f"{counts} Owner: {feed.owner}.", ""]
    for finding in findings:
        lines += [f"- **{finding.rule}** ({finding.severity}): {finding.message}"]
        lines += [f"    - {example}" for example in finding.examples[:5]]
    lines += ["", f"Look: `catalyst quarantine {feed.id}`, or {settings.data_docs / f'{feed.id}.html'}"]
    if gated.stopped:
        lines += [
            f"Once the source or {feed.path} is mended: `catalyst redrive {feed.id}`, then `catalyst run`.",
            "To go on without this load, on the last good data: `catalyst run`.",
        ]
    return alerts.Alert(feed.id, f"Feed {feed.id} {what}", "\n".join(lines))
