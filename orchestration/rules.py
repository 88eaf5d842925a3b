"""What a contract demands of a load: expectations for Great Expectations, each with the sentence for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from orchestration.contracts import Column, Feed
from orchestration.errors import CatalystError
from orchestration.promises import Expectation, Severity
from orchestration.sql import literal, quoted
from orchestration.values import SQL_TYPES, value_of


@dataclass(frozen=True)
class Rule:
    """One thing that a load must hold to.

    Attributes:
        id: Its name in quality.quarantine: `<column>:<what>`, or that of a rule of the contract's `quality` blocks.
        type: The expectation.
        arguments: Its keyword arguments, over the columns of `batch`.
        reason: SQL expression over the raw row for the sentence that says how a row breaks it.
        severity: What becomes of rows that break it.
        stop_above: Share of a load's rows that may break it before the feed stops; None for any share.
        description: What must hold, for people.
        where: Its place in the contract.
        is_personal: Whether the values that it is about tell of a person.
    """

    id: str
    type: str
    arguments: Mapping[str, Any]
    reason: str
    severity: Severity
    stop_above: float | None
    description: str
    where: str
    is_personal: bool = False


@dataclass(frozen=True)
class Verdict:
    """What was found of one rule on one load.

    Attributes:
        rows: How many rows break it; None for a rule that is about the load as a whole.
        flag: Column of the table of broken rows that says whether a row breaks this rule; None where none does.
        observed: What a rule about the load as a whole saw.
    """

    rule: Rule
    passed: bool
    rows: int | None
    flag: str | None
    observed: str | None


def rules(feed: Feed) -> list[Rule]:
    """Returns the rules of a contract, those that its columns imply and those of its `quality` blocks, by id."""
    syntax = Rule(
        id="_malformed:syntax",
        type="expect_column_values_to_be_null",
        arguments={"column": "_malformed"},
        reason="concat('The line is not a JSON object: ', substr(_malformed, 1, 200), '.')",
        severity=Severity.ERROR,
        stop_above=None,
        description="Every line is a JSON object.",
        where=str(feed.path),
        is_personal=any(column.is_personal for column in feed.columns),
    )
    implied = [rule for column in feed.columns for rule in _column_rules(column, str(feed.path))]
    own = [_quality_rule(rule, feed) for rule in feed.expectations]
    return sorted([syntax, *implied, *own], key=lambda rule: rule.id)


def batch(feed: Feed, load_id: str) -> str:
    """Returns the query of a load as expectations see it.

    Each column of the contract stands there under its name in its logical type, null where the landed value cannot be
    read as that. For all but text, `<name>__as_sent` has the value as it landed, `<name>__unreadable` the text of one
    that cannot be read.
    """
    columns = [part for column in feed.columns for part in _batch_columns(column)]
    return f"select {', '.join(columns)}, _row, _malformed from {feed.id} where _dlt_load_id = {literal(load_id)}"


def batch_types(feed: Feed) -> dict[str, str]:
    """Returns the columns of `batch` with their types."""
    types = {"_row": "bigint", "_malformed": "varchar"}
    for column in feed.columns:
        types[column.name] = SQL_TYPES[column.logical_type]
        if column.logical_type != "string":
            types[f"{column.name}__as_sent"] = column.physical_type.lower()
            types[f"{column.name}__unreadable"] = "varchar"
    return types


def columns_of(arguments: Mapping[str, Any]) -> list[str]:
    """Returns the names of the columns that an expectation is about, in the order in which it names them."""
    named = [arguments.get("column"), arguments.get("column_A"), arguments.get("column_B")]
    several = arguments.get("column_list")
    return [str(name) for name in [*named, *(several if isinstance(several, list | tuple) else ())] if name is not None]


def _batch_columns(column: Column) -> Iterator[str]:
    name, sent = column.name, quoted(column.name)
    if column.logical_type == "string":
        yield f"{value_of(column, sent)} as {sent}"
        return
    # Words that stand in place of a value on purpose are no value, but not an unreadable one either.
    raw = sent
    if column.statuses is not None:
        raw = f"(case when not regexp_full_match(cast({sent} as varchar), {literal(column.statuses)}) then {sent} end)"
    readable = value_of(column, raw)
    yield f"{readable} as {sent}"
    yield f"{sent} as {quoted(f'{name}__as_sent')}"
    yield f"case when {readable} is null then cast({raw} as varchar) end as {quoted(f'{name}__unreadable')}"


def _column_rules(column: Column, where: str) -> Iterator[Rule]:
    name, options = column.name, column.options
    is_text = column.logical_type == "string"
    as_sent = name if is_text else f"{name}__as_sent"
    shown = _shown(name)

    def rule(what: str, type_: str, arguments: Mapping[str, Any], reason: str, description: str) -> Rule:
        return Rule(
            id=f"{name}:{what}",
            type=type_,
            arguments=arguments,
            reason=reason,
            severity=column.severity,
            stop_above=column.stop_above,
            description=description,
            where=where,
            is_personal=column.is_personal,
        )

    if column.required:
        yield rule(
            "required",
            "expect_column_values_to_not_be_null",
            {"column": as_sent},
            literal(f"{name} is missing."),
            f"{name} is there.",
        )
    if not is_text:
        kind = f"{'an' if column.logical_type[0] in 'aeiou' else 'a'} {column.logical_type}"
        yield rule(
            "type",
            "expect_column_values_to_be_null",
            {"column": f"{name}__unreadable"},
            f"concat({literal(f'{name} is ')}, {shown}, {literal(f', which is not {kind}.')})",
            f"{name} is {kind}.",
        )
    bounds, allowed = _bounds(column, where)
    if bounds:
        yield rule(
            "range",
            "expect_column_values_to_be_between",
            {"column": name, **bounds},
            f"concat({literal(f'{name} is ')}, {shown}, {literal(f', but must be {allowed}.')})",
            f"{name} is {allowed}.",
        )
    if "pattern" in options:
        pattern = str(options["pattern"])
        yield rule(
            "pattern",
            "expect_column_values_to_match_regex",
            {"column": as_sent, "regex": pattern},
            f"concat({literal(f'{name} is ')}, {shown}, {literal(f', which does not match {pattern}.')})",
            f"{name} matches {pattern}",
        )


def _bounds(column: Column, where: str) -> tuple[dict[str, Any], str]:
    """The arguments and the words for the bounds that a column has."""
    found = {option: _bound(column, column.options[option], where) for option in _WORDS if option in column.options}
    lower = [(found[option], option == "exclusiveMinimum") for option in found if _WORDS[option][0] == "min"]
    upper = [(found[option], option != "exclusiveMaximum") for option in found if _WORDS[option][0] == "max"]
    arguments: dict[str, Any] = {}
    if lower:
        arguments["min_value"], arguments["strict_min"] = max(lower)
    if upper:
        arguments["max_value"], inclusive = min(upper)
        arguments["strict_max"] = not inclusive
    return arguments, " and ".join(f"{_WORDS[option][1]} {column.options[option]}" for option in found)


_WORDS = {
    "minimum": ("min", "at least"),
    "exclusiveMinimum": ("min", "above"),
    "maximum": ("max", "at most"),
    "exclusiveMaximum": ("max", "below"),
}


def _bound(column: Column, value: Any, where: str) -> Any:
    try:
        match column.logical_type:
            case "integer" | "number":
                return value
            case "date":
                return date.fromisoformat(str(value)[:10])
            case "timestamp":
                moment = datetime.fromisoformat(str(value))
                return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except ValueError as error:
        raise CatalystError(
            f"Contract {where}: the bound {value!r} of column {column.name} is not a {column.logical_type}: correct it."
        ) from error
    raise CatalystError(
        f"Contract {where}: column {column.name} is a {column.logical_type}, which has no minimum or maximum: "
        "remove it."
    )


def _quality_rule(rule: Expectation, feed: Feed) -> Rule:
    about = {name.removesuffix("__as_sent").removesuffix("__unreadable") for name in columns_of(rule.arguments)}
    columns = [column for column in feed.columns if column.name in about]
    says = f"which breaks {rule.name}: {rule.description.rstrip('.')}."
    values = [part for column in columns for part in (literal(f"{column.name} is "), _shown(column.name), "', '")]
    return Rule(
        id=rule.name,
        type=rule.type,
        arguments=rule.arguments,
        reason=f"concat({', '.join([*values, literal(says)])})",
        severity=rule.severity,
        stop_above=rule.stop_above,
        description=rule.description,
        where=rule.where,
        is_personal=any(column.is_personal for column in columns),
    )


def _shown(name: str) -> str:
    # A value may be as long as a file; the payload has it whole.
    return f"coalesce(substr(cast({quoted(name)} as varchar), 1, 200), 'null')"
