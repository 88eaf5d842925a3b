"""Rules, severities, thresholds and freshness of a contract are read as it means them, or refused with their line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.contracts import Feed, read_feed
from orchestration.errors import CatalystError
from orchestration.promises import Severity
from tests.orchestration.conftest import column, contract

CSV = {"type": "local", "path": "shop/*.csv", "format": "csv"}
RULE = {
    "name": "paid_after_ordered",
    "type": "custom",
    "engine": "greatExpectations",
    "description": "An order is paid after it was placed.",
    "implementation": {"type": "expect_column_values_to_be_in_set", "kwargs": {"value_set": ["a", "b"]}},
}


def _write(tmp_path: Path, document: dict[str, Any]) -> tuple[Path, str]:
    path = tmp_path / "a.odcs.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path, path.read_text(encoding="utf-8")


def _read(tmp_path: Path, *columns: dict[str, Any], quality: list[dict[str, Any]] | None = None, **more: Any) -> Feed:
    document = contract("a", CSV, columns) | more
    if quality is not None:
        document["schema"][0]["quality"] = quality
    return read_feed(_write(tmp_path, document)[0])


def _refused(tmp_path: Path, *columns: dict[str, Any], quality: list[dict[str, Any]] | None = None, **more: Any) -> str:
    with pytest.raises(CatalystError) as caught:
        _read(tmp_path, *columns, quality=quality, **more)
    return str(caught.value)


def test_a_rule_at_a_column_is_about_that_column(tmp_path: Path) -> None:
    feed = _read(tmp_path, column("id"), column("status", quality=[RULE]))
    (rule,) = feed.expectations
    assert rule.arguments == {"column": "status", "value_set": ["a", "b"]}
    assert (rule.name, rule.severity, rule.stop_above) == ("paid_after_ordered", Severity.ERROR, None)


def test_a_rule_of_the_table_has_its_severity_and_threshold(tmp_path: Path) -> None:
    threshold = [{"property": "stopAbove", "value": 0.25}]
    feed = _read(tmp_path, column("id"), quality=[RULE | {"severity": "warning", "customProperties": threshold}])
    (rule,) = feed.expectations
    assert (rule.severity, rule.stop_above) == (Severity.WARNING, 0.25)
    assert rule.where.endswith(f"line {_line(tmp_path, 'paid_after_ordered')}")


def test_severity_and_threshold_of_a_column_are_those_of_its_own_rules(tmp_path: Path) -> None:
    custom = [{"property": "severity", "value": "critical"}, {"property": "stopAbove", "value": 0}]
    feed = _read(tmp_path, column("id", customProperties=custom), column("email", classification="pii"))
    assert (feed.columns[0].severity, feed.columns[0].stop_above) == (Severity.CRITICAL, 0.0)
    assert [item.is_personal for item in feed.columns] == [False, True]


def test_rows_are_due_within_frequency_and_latency_together(tmp_path: Path) -> None:
    promises = [
        {"property": "frequency", "value": 1, "unit": "d"},
        {"property": "latency", "value": 90, "unit": "min"},
    ]
    assert _read(tmp_path, column("id"), slaProperties=promises).fresh_within == timedelta(hours=25, minutes=30)
    assert _read(tmp_path, column("id")).fresh_within is None


def test_what_cannot_be_meant_is_refused_with_its_line_and_the_remedy(tmp_path: Path) -> None:
    assert "no other engine is run" in _refused(tmp_path, column("id"), quality=[RULE | {"engine": "soda"}])
    assert "needs `type`" in _refused(tmp_path, column("id"), quality=[RULE | {"implementation": "expect"}])
    assert "lower snake case" in _refused(tmp_path, column("id"), quality=[RULE | {"name": "Paid: after"}])
    said = _refused(tmp_path, column("id"), quality=[RULE | {"severity": "fatal"}])
    assert f"line {_line(tmp_path, 'paid_after_ordered')}: severity is 'fatal': use warning" in said
    said = _refused(tmp_path, column("id"), customProperties=[{"property": "stopAbove", "value": 5}])
    assert "stopAbove is '5': write a share of the rows between 0 and 1" in said
    promises = [{"property": "frequency", "value": 1, "unit": "fortnight"}]
    assert "the unit of frequency is 'fortnight'" in _refused(tmp_path, column("id"), slaProperties=promises)
    assert "two quality rules are named" in _refused(tmp_path, column("id"), quality=[RULE, RULE])


def _line(tmp_path: Path, text: str) -> int:
    lines = (tmp_path / "a.odcs.yaml").read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
