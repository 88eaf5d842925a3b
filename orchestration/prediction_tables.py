"""The tables that models write, as the YAML beside their features declares them, so that a new model edits nothing."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from orchestration.errors import CatalystError
from orchestration.settings import REPOSITORY

_FOLDER = REPOSITORY / "dbt_project" / "models" / "feature_store"
# C's parser takes a tenth of the time; some installations come without it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def prediction_columns() -> dict[str, dict[str, str]]:
    """Returns each table of `predictions` with the types of its columns, in the order of the YAML.

    Raises:
        CatalystError: A column has no `data_type`.
    """
    found: dict[str, dict[str, str]] = {}
    for path in sorted(_FOLDER.glob("*_features.yml")):
        declared = yaml.load(path.read_text(encoding="utf-8"), _LOADER) or {}  # noqa: S506 - a safe loader
        for table in _tables(declared):
            kinds = {column["name"]: column.get("data_type", "") for column in table["columns"]}
            for name in [name for name, kind in kinds.items() if not kind]:
                raise CatalystError(
                    f"The column {name} of predictions.{table['name']} in {path} has no data_type: add it, such as "
                    "`data_type: double`."
                )
            found[f"predictions.{table['name']}"] = kinds
    return found


def prediction_tables() -> dict[str, str]:
    """Returns each table of `predictions` with its definition; every column has a value in every row."""
    return {
        table: ", ".join(f"{name} {kind} not null" for name, kind in kinds.items())
        for table, kinds in prediction_columns().items()
    }


def _tables(declared: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        table for source in declared.get("sources", []) if source["name"] == "predictions" for table in source["tables"]
    ]
