"""What a contract's columns demand of a row, as SQL conditions that the gate runs on a landed load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestration.contracts import Column, Feed
from orchestration.errors import CatalystError

# What a logical type of the standard is in the warehouse.
SQL_TYPES = {
    "string": "varchar",
    "integer": "bigint",
    "number": "double",
    "date": "date",
    "timestamp": "timestamp",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a row.

    Attributes:
        id: `<columns>:<what>`, as it stands in quality.quarantine.
        broken: SQL condition over the batch that is true for a row that breaks the rule.
        reason: SQL expression for the sentence that tells the user.
    """

    id: str
    broken: str
    reason: str


def rules(feed: Feed) -> list[Rule]:
    """Returns the row rules that a contract's columns imply, in the order of their names."""
    found = [rule for column in feed.columns for rule in _column_rules(column)]
    found.append(
        Rule(
            "_malformed:syntax",
            "_malformed is not null",
            "concat('The line is not a JSON object: ', substr(_malformed, 1, 200), '.')",
        )
    )
    return sorted(found, key=lambda rule: rule.id)


def _column_rules(column: Column) -> list[Rule]:
    name, options = column.name, column.options
    sql_type = SQL_TYPES.get(column.logical_type)
    if sql_type is None:
        raise CatalystError(f"Column {name} has the logicalType {column.logical_type!r}; use one of {list(SQL_TYPES)}.")
    shown = f"coalesce(cast({name} as varchar), 'null')"
    value = _typed(column)
    found = []
    if column.required:
        found.append(Rule(f"{name}:required", f"{name} is null", f"'{name} is missing.'"))
    if sql_type != "varchar":
        kind = "an" if column.logical_type[0] in "aeiou" else "a"
        found.append(
            Rule(
                f"{name}:type",
                f"{name} is not null and {value} is null",
                f"concat('{name} is ', {shown}, ', which is not {kind} {column.logical_type}.')",
            )
        )
    bounds = [
        (f"{value} {operator} {_bound(options[option], sql_type)}", f"{words} {options[option]}")
        for option, operator, words in (
            ("minimum", "<", "at least"),
            ("exclusiveMinimum", "<=", "above"),
            ("maximum", ">", "at most"),
            ("exclusiveMaximum", ">=", "below"),
        )
        if option in options
    ]
    if bounds:
        allowed = " and ".join(words for _, words in bounds)
        found.append(
            Rule(
                f"{name}:range",
                " or ".join(condition for condition, _ in bounds),
                f"concat('{name} is ', {shown}, ', but must be {allowed}.')",
            )
        )
    if "pattern" in options:
        pattern = str(options["pattern"]).replace("'", "''")
        found.append(
            Rule(
                f"{name}:pattern",
                f"{name} is not null and not regexp_matches({name}, '{pattern}')",
                f"concat('{name} is ', {shown}, ', which does not match {pattern}.')",
            )
        )
    return found


def _typed(column: Column) -> str:
    sql_type = SQL_TYPES[column.logical_type]
    if sql_type == "varchar" or sql_type == column.physical_type.lower():
        return column.name
    return f"try_cast({column.name} as {sql_type})"


def _bound(value: Any, sql_type: str) -> str:
    return f"cast('{value}' as {sql_type})" if sql_type in ("date", "timestamp") else str(float(value))
