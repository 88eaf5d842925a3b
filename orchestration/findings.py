"""What somebody should know about a load: which rules warn, what stops the feed, and examples that show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestration.marks import Load, key_reason, key_rule
from orchestration.promises import Severity
from orchestration.rules import Verdict
from orchestration.sql import literal


@dataclass(frozen=True)
class Finding:
    """Something about a feed that somebody should know.

    Attributes:
        rule: What it is about: a rule of the contract, or what the gate or the landing itself watches.
        severity: `stopped` where nothing of the load goes on, else `warning`; landing has words of its own.
        rows: How many rows it is about.
        share: Their share of the load.
        message: The sentence that says it.
        examples: The first rows that it is about, at most five.
    """

    rule: str
    severity: str
    rows: int
    share: float
    message: str
    examples: tuple[str, ...]


def examples_of(verdicts: Sequence[Verdict], load: Load) -> dict[str, tuple[str, ...]]:
    """The first rows that break each rule, by its id, and those whose key came before."""
    feed = load.feed
    asked: list[tuple[str, str | None, str, bool]] = [
        (v.rule.id, v.flag, v.rule.reason, v.rule.is_personal) for v in verdicts if v.flag
    ]
    if feed.key:
        is_personal = any(column.is_personal for column in feed.columns if column.name in feed.key)
        asked.append((key_rule(feed), None, key_reason(feed), is_personal))
    # They leave the warehouse with the alert, so what tells of a person stays behind.
    hidden = "it breaks {}; the value is personal and stands in quality.quarantine only."
    found = load.examples([(flag, literal(hidden.format(id_)) if hide else why) for id_, flag, why, hide in asked])
    return {id_: rows for (id_, *_), rows in zip(asked, found, strict=True)}


def of_rules(verdicts: Sequence[Verdict], examples: Mapping[str, tuple[str, ...]], landed: int) -> Iterator[Finding]:
    """The findings of rules that warn, and of those that stop the feed."""
    for verdict in verdicts:
        rule = verdict.rule
        if verdict.passed:
            continue
        stops = rule.severity is not Severity.WARNING
        if verdict.rows is None:
            saw = f" It has {verdict.observed}." if verdict.observed else ""
            message = f"The load breaks {rule.id}: {_sentence(rule.description)}{saw}"
            yield Finding(rule.id, "stopped" if stops else "warning", landed, 1.0, message, ())
            continue
        share = verdict.rows / landed
        message = f"{_of(verdict.rows, landed)} break {rule.id}: {_sentence(rule.description)}"
        if rule.severity is Severity.CRITICAL:
            message += " One such row is enough to stop the feed."
        elif rule.stop_above is not None and share > rule.stop_above:
            stops = True
            message += f" The contract allows {_percent(rule.stop_above)}."
        elif stops:
            continue
        yield Finding(rule.id, "stopped" if stops else "warning", verdict.rows, share, message, examples[rule.id])


def of_load(verdicts: Sequence[Verdict], examples: Mapping[str, tuple[str, ...]], load: Load) -> Iterator[Finding]:
    """The finding that more of the load is quarantined than the contract allows."""
    allowed = load.feed.stop_above
    if allowed is None or not load.rows:
        return
    kept_out = load.count_kept_out()
    share = kept_out / load.rows
    if share > allowed:
        counts = [(v.rows or 0, v.rule.id) for v in verdicts if v.flag in load.blocking]
        if load.feed.key:
            counts.append((load.repeated, key_rule(load.feed)))
        rows, rule = max(counts)
        message = (
            f"{_of(kept_out, load.rows)} are quarantined, most often for {rule} ({rows:,}). The contract allows "
            f"{_percent(allowed)}."
        )
        yield Finding("_load:quarantined", "stopped", kept_out, share, message, examples[rule])


def _of(rows: int, landed: int) -> str:
    return f"{rows:,} of {landed:,} rows ({_percent(rows / landed)})"


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _sentence(text: str) -> str:
    return f"{text.rstrip('.')}."
