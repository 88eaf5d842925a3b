"""What the YAML of the dbt project says of each table, for those who open the published copy and never the project.

dbt itself writes descriptions onto the tables that it builds. Those that Python writes are sources to dbt, so they get
theirs when they are published; keys are the `is_key` tests, which dbt declares nowhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Documented:
    """What is said of a table, of its columns by name, and the columns that name one row (empty where none do)."""

    description: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()


def documented(manifest: Path) -> dict[str, Documented]:
    """Returns what a manifest says of its models, seeds and sources, by `schema.table`."""
    parsed: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    nodes = parsed["nodes"] | parsed["sources"]
    keys = {
        test["depends_on"]["nodes"][0]: tuple(test["test_metadata"]["kwargs"]["columns"])
        for test in parsed["nodes"].values()
        # A key of some of the rows is none of the table.
        if (test.get("test_metadata") or {}).get("name") == "is_key" and not test["config"].get("where")
    }
    return {
        f"{node['schema']}.{node.get('identifier') or node['alias']}": Documented(
            description=_line(node["description"]),
            columns={name: _line(column["description"]) for name, column in node["columns"].items()},
            key=keys.get(unique_id, ()),
        )
        for unique_id, node in nodes.items()
        if node["resource_type"] in {"model", "seed", "source"}
    }


def _line(text: str) -> str:
    return " ".join(text.split())
