"""What a contract promises beyond its columns: quality rules with their severities and thresholds, and freshness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from open_data_contract_standard.model import CustomProperty, DataQuality

from orchestration.odcs import Document, Where


class Severity(StrEnum):
    """What becomes of rows that break a rule; a contract says it by the rule's severity."""

    WARNING = "warning"  # they go on, and the breach is reported
    ERROR = "error"  # they are quarantined
    CRITICAL = "critical"  # one of them stops the feed


@dataclass(frozen=True)
class Expectation:
    """A rule of a contract's `quality` blocks, for Great Expectations to evaluate.

    Attributes:
        name: Id of the rule in quality.quarantine, in messages and in `--rule`.
        type: The expectation, such as `expect_column_values_to_be_in_set`.
        arguments: Its keyword arguments; a rule that stands at a column has that column among them.
        stop_above: Share of a load's rows that may break it before the feed stops; None for any share.
        description: The sentence that tells the user what must hold.
        where: Its place in the contract, for messages.
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    severity: Severity
    stop_above: float | None
    description: str
    where: str


# The standard's own abbreviations; it has no m, which would be minutes to some and months to others.
_UNITS = {
    "y": 8760.0,
    "yr": 8760.0,
    "year": 8760.0,
    "mo": 720.0,
    "month": 720.0,
    "w": 168.0,
    "week": 168.0,
    "d": 24.0,
    "day": 24.0,
    "h": 1.0,
    "hour": 1.0,
    "min": 1 / 60,
    "minute": 1 / 60,
}


def expectations(
    rules: Sequence[DataQuality] | None, column: str | None, where: Where, document: Document
) -> Iterable[Expectation]:
    """Reads the `quality` rules of a schema, or of a column.

    Raises:
        CatalystError: A rule is for another engine, has no name, or lacks what Great Expectations needs.
    """
    for position, rule in enumerate(rules or ()):
        place = (*where, position)
        if rule.type != "custom" or rule.engine not in ("greatExpectations", "great-expectations"):
            raise document.error(
                place, "a quality rule needs `type: custom` and `engine: greatExpectations`: no other engine is run."
            )
        how = rule.implementation
        if not isinstance(how, dict) or not isinstance(how.get("type"), str):
            raise document.error(
                place,
                "the implementation of a quality rule needs `type` (such as expect_column_values_to_be_in_set) and "
                "`kwargs`: add them.",
            )
        if not rule.name or not re.fullmatch(r"[a-z][a-z0-9_]*", rule.name):
            raise document.error(place, "a quality rule needs a `name` in lower snake case: people ask for it by that.")
        yield Expectation(
            name=rule.name,
            type=how["type"],
            arguments=({"column": column} if column else {}) | dict(how.get("kwargs") or {}),
            severity=severity_of(rule.severity, place, document),
            stop_above=share(custom(rule.customProperties), place, document),
            description=rule.description or rule.name.replace("_", " "),
            where=f"{document.path}, line {document.line(place)}",
        )


def severity_of(text: str | None, where: Where, document: Document) -> Severity:
    """Reads a severity; without one, broken rows are quarantined."""
    try:
        return Severity(text or Severity.ERROR)
    except ValueError as error:
        raise document.error(
            where,
            f"severity is {text!r}: use warning (report), error (quarantine the row) or critical (stop the feed).",
        ) from error


def share(extra: Mapping[str, str], where: Where, document: Document) -> float | None:
    """Reads `stopAbove`, the share of a load's rows past which the feed stops; None where none is set."""
    text = extra.get("stopAbove")
    if text is None:
        return None
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise document.error(where, f"stopAbove is {text!r}: write a share of the rows between 0 and 1, such as 0.05.")
    return share


def fresh_within(promises: Sequence[Any], document: Document) -> timedelta | None:
    """Adds up in which time new rows are due (`frequency`) and how long they may take to arrive (`latency`)."""
    found: dict[str, timedelta] = {}
    for position, promise in enumerate(promises):
        if promise.property in ("frequency", "latency"):
            unit = str(promise.unit or "d").removesuffix("s")
            if unit not in _UNITS:
                raise document.error(
                    ("slaProperties", position),
                    f"the unit of {promise.property} is {promise.unit!r}: use y, mo, w, d, h or min.",
                )
            found[promise.property] = timedelta(hours=_UNITS[unit]) * float(promise.value)
    return found["frequency"] + found.get("latency", timedelta()) if "frequency" in found else None


def custom(properties: Sequence[CustomProperty] | None) -> dict[str, str]:
    """Returns the custom properties of a part of a contract as text by name."""
    return {str(item.property): str(item.value) for item in properties or () if item.property}
