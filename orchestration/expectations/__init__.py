"""Evaluates the rules of a contract as SQL where the rows are; the only package that imports Great Expectations.

The import takes seconds, so this package is imported where a load is gated or a page is made anew, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import sqlalchemy as sa
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.core.metric_function_types import MetricPartialFunctionTypeSuffixes
from great_expectations.exceptions.exceptions import GreatExpectationsError
from great_expectations.execution_engine.sqlalchemy_execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    Expectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.util import get_sqlalchemy_selectable
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import Validator

from orchestration.connections import Connection
from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.expectations.engine import BATCH, validator_on
from orchestration.rules import Rule, Verdict, batch, batch_types, columns_of, rules
from orchestration.warehouse import declared_columns, definitions

BROKEN = "catalyst_broken_rows"

ByRow = ColumnMapExpectation | ColumnPairMapExpectation | MulticolumnMapExpectation

# What comes of a rule that does not fit the columns, or that Great Expectations has no SQL for.
_ERRORS = (GreatExpectationsError, sa.exc.SQLAlchemyError, duckdb.Error, NotImplementedError, ValueError, TypeError)

# What is not the fault of a rule but of the disk; the transaction tells it.
_NOT_OF_A_RULE = (duckdb.IOException, duckdb.TransactionException)


def evaluate(feed: Feed, load_id: str, connection: Connection) -> list[Verdict]:
    """Evaluates the rules of a feed on a load, in one query, and puts the rows that break one into `BROKEN`.

    Args:
        feed: The feed.
        load_id: The load.
        connection: A connection in whose transaction everything happens.

    Raises:
        CatalystError: A rule of the contract cannot be evaluated; its place and the remedy are named.
    """
    checks = rules(feed)
    connection.execute(f"create or replace temp view {BATCH} as {batch(feed, load_id)}")
    validator = validator_on(connection, batch_types(feed))
    expectations = [_expectation(rule, feed) for rule in checks]
    try:
        results = validator.graph_validate(
            configurations=[expectation.configuration for expectation in expectations],
            runtime_configuration={"catch_exceptions": False},
        )
        broken = {
            n: expectation
            for n, (expectation, result) in enumerate(zip(expectations, results, strict=True))
            if not result.success and isinstance(expectation, ByRow)
        }
        rows = _find_broken(broken, validator, connection)
    except _ERRORS as error:
        cause = _root(error)
        if isinstance(cause, _NOT_OF_A_RULE):
            raise cause from error
        check(feed)
        raise CatalystError(
            f"The rules of feed {feed.id} cannot be evaluated on load {load_id} ({_first_line(error)}). "
            f"Look for the rule in {feed.path} that this is about, and correct it."
        ) from error
    return [
        Verdict(
            rule=rule,
            passed=bool(result.success),
            rows=rows.get(n, 0) if isinstance(expectation, ByRow) else None,
            flag=_flag(n) if n in broken else None,
            observed=None if isinstance(expectation, ByRow) else _observed(rule, result),
        )
        for n, (rule, expectation, result) in enumerate(zip(checks, expectations, results, strict=True))
    ]


def check(feed: Feed) -> None:
    """Evaluates each rule of a contract by itself on a table without rows, to find the one that cannot be evaluated.

    Raises:
        CatalystError: A rule names an unknown expectation or column, or cannot be run on a database as it is written.
    """
    with duckdb.connect() as connection:
        connection.execute(f"create schema {feed.schema}")
        connection.execute(f"create table {feed.id} ({definitions(declared_columns(feed))})")
        connection.execute(f"create temp view {BATCH} as {batch(feed, '')}")
        validator = validator_on(connection, batch_types(feed))
        for rule in rules(feed):
            expectation = _expectation(rule, feed)
            try:
                validator.graph_validate(
                    configurations=[expectation.configuration], runtime_configuration={"catch_exceptions": False}
                )
                if isinstance(expectation, ByRow):
                    _find_broken({0: expectation}, validator, connection)
            except _ERRORS as error:
                raise CatalystError(
                    f"Contract {rule.where}: the rule {rule.id} ({rule.type}) cannot be evaluated: "
                    f"{_first_line(error)}. Correct its arguments, or use an expectation that Great Expectations "
                    "runs on a database."
                ) from error


def _expectation(rule: Rule, feed: Feed) -> Expectation:
    known = batch_types(feed)
    for name in columns_of(rule.arguments):
        if name not in known:
            raise CatalystError(
                f"Contract {rule.where}: the rule {rule.id} names the column {name!r}, which the contract does "
                f"not have. Use one of: {', '.join(column.name for column in feed.columns)}."
            )
    # Whole lists of broken values would come into this process; the gate needs yes or no, and finds the rows itself.
    try:
        expectation = _configuration(rule, "BOOLEAN_ONLY").to_domain_obj()
        if not isinstance(expectation, ByRow):
            expectation = _configuration(rule, "BASIC").to_domain_obj()
    except _ERRORS as error:
        raise CatalystError(
            f"Contract {rule.where}: the rule {rule.id} is not an expectation of Great Expectations as it is written "
            f"({_first_line(error)}). Correct its type and kwargs; https://greatexpectations.io/expectations has them."
        ) from error
    return expectation


def _configuration(rule: Rule, result_format: str) -> ExpectationConfiguration:
    return ExpectationConfiguration(
        type=rule.type,
        kwargs={**rule.arguments, "result_format": result_format},
        meta={"rule": rule.id},
        description=rule.description,
    )


def _find_broken(expectations: Mapping[int, ByRow], validator: Validator, connection: Connection) -> dict[int, int]:
    """Fills `BROKEN` with the rows that break an expectation, by conditions of Great Expectations, and counts them."""
    flags = [_flag(n) for n in expectations]
    columns = "".join(f", {flag} boolean" for flag in flags)
    connection.execute(f"create or replace temp table {BROKEN} (_row bigint{columns})")
    if not expectations:
        return {}
    conditions = _conditions(list(expectations.values()), validator)
    rows = sa.select(
        sa.column("_row"),
        *(sa.case((condition, sa.true()), else_=sa.false()) for condition in conditions),
    )
    table = sa.table(BROKEN, sa.column("_row"), *(sa.column(flag) for flag in flags))
    found = rows.select_from(sa.table(BATCH)).where(sa.or_(*conditions))
    _engine(validator).execute_query(sa.insert(table).from_select(["_row", *flags], found))
    counts = ", ".join(f"count(*) filter ({flag})" for flag in flags)
    counted = connection.execute(f"select {counts} from {BROKEN}").fetchall()[0]
    return dict(zip(expectations, counted, strict=True))


def _conditions(expectations: Sequence[ByRow], validator: Validator) -> list[sa.ColumnElement[bool]]:
    """Returns for each expectation the condition over `BATCH` that is true for a row that breaks it."""
    metrics = [_condition_metric(expectation, validator) for expectation in expectations]
    values, _ = validator.metrics_calculator.compute_metrics(metrics)
    return [
        _over_batch(values[metric.id], str(expectation.map_metric), validator)
        for metric, expectation in zip(metrics, expectations, strict=True)
    ]


def _condition_metric(expectation: ByRow, validator: Validator) -> MetricConfiguration:
    dependencies = expectation.get_validation_dependencies(validator.execution_engine)
    counted = dependencies.metric_configurations[f"{expectation.map_metric}.unexpected_count"]
    return MetricConfiguration(
        f"{expectation.map_metric}.{MetricPartialFunctionTypeSuffixes.CONDITION.value}",
        counted.metric_domain_kwargs,
        counted.metric_value_kwargs,
    )


def _over_batch(
    metric: tuple[sa.ColumnElement[bool], Mapping[str, Any], Mapping[str, Any]], name: str, validator: Validator
) -> sa.ColumnElement[bool]:
    condition, domain, columns = metric
    # These two come with a subquery of their own, which counts how often a value occurs.
    if name == "column_values.unique":
        column: sa.ColumnClause[Any] = sa.column(columns["column"])
        return column.in_(sa.select(column).where(condition))
    row: sa.ColumnClause[Any] = sa.column("_row")
    if name == "compound_columns.unique":
        return row.in_(sa.select(row).where(condition))
    if not domain.get("row_condition") and "column" in columns:
        return condition
    # The expectation is about some of the rows only.
    within = get_sqlalchemy_selectable(_engine(validator).get_domain_records({**domain, **columns}))
    return row.in_(sa.select(row).select_from(within).where(condition))


def _observed(rule: Rule, result: ExpectationValidationResult) -> str | None:
    found = result.result or {}
    observed = found.get("observed_value")
    if observed is None:
        observed = found.get("partial_unexpected_list")
    if observed is None or rule.is_personal:
        return None
    return str(observed)[:200]


def _engine(validator: Validator) -> SqlAlchemyExecutionEngine:
    engine = validator.execution_engine
    assert isinstance(engine, SqlAlchemyExecutionEngine)  # noqa: S101  # by `validator_on`; for the type checker
    return engine


def _flag(n: int) -> str:
    return f"_rule_{n}"


def _first_line(error: BaseException) -> str:
    return " ".join(str(_root(error)).split())[:300].rstrip(".")


def _root(error: BaseException) -> BaseException:
    while error.__cause__:
        error = error.__cause__
    return error
