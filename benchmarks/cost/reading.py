"""What a statement makes BigQuery read: which columns of which tables, and which of their partitions.

BigQuery charges for the columns that a query needs, over all rows of the partitions that constants in its conditions
leave; a table that a query names twice is read once. What clustering saves is known only afterwards and counts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp, parse
from sqlglot.optimizer.pushdown_predicates import pushdown_predicates
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

# `or` as well: all columns of such a condition are the partition's.
_COMPARISONS = (exp.EQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Or)


@dataclass(frozen=True)
class Partition:
    """The column by which a table is partitioned, and how long a partition is (`day`, `month`)."""

    column: str
    unit: str = "day"


@dataclass(frozen=True)
class Catalog:
    """What there is to read, each table under the name `schema.table`.

    Attributes:
        columns: The columns of each table.
        partitions: How a table is partitioned, if it is.
        views: What each view selects, in the order in which they were made.
    """

    columns: dict[str, list[str]]
    partitions: dict[str, Partition] = field(default_factory=dict)
    views: dict[str, exp.Query] = field(default_factory=dict)

    def note(self, statement: exp.Expr) -> None:
        """Takes note of the view or the partitioned table that a statement makes."""
        if not isinstance(statement, exp.Create):
            return
        made = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
        if (target := target_of(name_of(made))) in self.columns:
            self.columns[name_of(made)] = self.columns[target]
        if statement.kind == "VIEW" and isinstance(statement.expression, exp.Query):
            self.views[name_of(made)] = statement.expression
        by = statement.find(exp.PartitionedByProperty)
        column = by.find(exp.Column, exp.Identifier) if by else None
        if by and column:
            unit = by.this.args.get("unit")
            self.partitions[name_of(made)] = Partition(column.name, unit.name.lower() if unit else "day")


@dataclass(frozen=True)
class Scan:
    """What a statement reads of a table.

    Attributes:
        table: Its name, `schema.table`.
        columns: The columns that are read.
        kept: The conditions, any of which keeps a partition; None reads them all.
    """

    table: str
    columns: frozenset[str]
    kept: frozenset[str] | None = None


def name_of(table: exp.Table) -> str:
    """Returns the name of a table without its project."""
    return f"{table.db}.{table.name}".lower()


def target_of(table: str) -> str:
    """Returns the table that the temporary one of dbt is merged into."""
    return table.partition("__dbt_tmp")[0]


def statements(script: str) -> list[exp.Expr]:
    """Returns the statements of a script."""
    return [statement for statement in parse(script, dialect="bigquery") if statement is not None]


def scans(statement: exp.Expr, catalog: Catalog) -> list[Scan]:
    """Returns what a statement reads, once for each table.

    A view is read through; to make one reads nothing. Who deletes or merges reads all columns of what the conditions on
    the partitions leave of the target.
    """
    if isinstance(statement, exp.Delete) and _drops_days(statement, catalog):
        return []
    found: list[Scan] = []
    for query in _queries(statement):
        found += _of_query(query, catalog)
    if isinstance(statement, exp.Delete | exp.Merge | exp.Update) and isinstance(statement.this, exp.Table):
        found += _of_target(statement, catalog)
    return _united(found)


def rows_deleted(statement: exp.Delete, catalog: Catalog) -> Scan:
    """Returns the rows that a statement deletes."""
    [found] = _of_target(statement, catalog)
    return found


def _queries(statement: exp.Expr) -> Iterator[exp.Query]:
    """The queries of a statement, each as if it stood alone."""
    if isinstance(statement, exp.Query):
        yield statement
    elif isinstance(statement, exp.Create):
        if statement.kind == "TABLE" and isinstance(statement.expression, exp.Query):
            yield statement.expression
    elif isinstance(statement, exp.Insert):
        if isinstance(statement.expression, exp.Query):
            yield statement.expression
    elif isinstance(statement, exp.Merge):
        using = statement.args["using"]
        yield using.this if isinstance(using, exp.Subquery) else exp.select("*").from_(using.copy())
    elif isinstance(statement, exp.Delete | exp.Update) and statement.args.get("where"):
        # Subqueries of the condition may name the target: as a query over it, each name has its table.
        target = statement.this.copy()
        yield exp.select("1").from_(target).where(statement.args["where"].this.copy())
    elif isinstance(statement, exp.Set):
        for item in statement.expressions:
            yield from item.find_all(exp.Select) if item.find(exp.Table) else ()


def _of_query(query: exp.Query, catalog: Catalog) -> Iterator[Scan]:
    plain = _without_projects(query)
    # A view may read another; those that are made later are put in first.
    for name, text in reversed(catalog.views.items()):
        for table in [table for table in plain.find_all(exp.Table) if name_of(table) == name]:
            table.replace(exp.alias_(_without_projects(text).subquery(), table.alias_or_name, table=True))
    schema: dict[str, Any] = {}
    for name, columns in catalog.columns.items():
        # Which type a column has makes no difference to who reads it.
        schema.setdefault(name.partition(".")[0], {})[name.partition(".")[2]] = dict.fromkeys(columns, "string")
    qualified = qualify(
        plain,
        dialect="bigquery",
        schema=MappingSchema(schema, dialect="bigquery"),
        validate_qualify_columns=False,
        quote_identifiers=False,
    )
    for move in list(qualified.find_all(exp.IntervalOp)):
        # Such as the grace that a policy does not give; sqlglot cannot simplify a move by null.
        if isinstance(move.args["expression"].unnest(), exp.Null):
            move.replace(exp.null())
    needed = pushdown_predicates(pushdown_projections(qualified), dialect="bigquery")
    for scope in traverse_scope(needed):
        for alias, source in scope.sources.items():
            if isinstance(source, exp.Table) and source.db:
                yield _of_table(scope, alias, name_of(source), catalog)


def _without_projects(query: exp.Query) -> exp.Query:
    plain = query.copy()
    for table in plain.find_all(exp.Table):
        table.set("catalog", None)
    return plain


def _of_table(scope: Scope, alias: str, table: str, catalog: Catalog) -> Scan:
    known = catalog.columns.get(table, [])
    read = {column.name for column in scope.columns if column.table == alias}
    partition = catalog.partitions.get(table)
    where = scope.expression.args.get("where")
    conditions = [where.this] if where else []
    # A condition of the join counts for what it joins, unless rows without a partner are kept.
    conditions += [
        join.args["on"]
        for join in scope.expression.args.get("joins") or []
        if join.alias_or_name == alias and join.side not in ("RIGHT", "FULL") and join.args.get("on")
    ]
    return Scan(table, frozenset(read & set(known)), _kept(conditions, partition, alias))


def _of_target(statement: exp.Delete | exp.Merge | exp.Update, catalog: Catalog) -> Iterator[Scan]:
    table, alias = name_of(statement.this), statement.this.alias_or_name
    partition = catalog.partitions.get(table)
    where = statement.args.get("where")
    conditions = [where.this] if where else []
    if isinstance(statement, exp.Merge):
        # `on false`: what is deleted is said where there is no partner.
        conditions = [] if isinstance(statement.args["on"], exp.Boolean) else [statement.args["on"]]
        whens = statement.args["whens"].expressions if statement.args.get("whens") else []
        changed = [when for when in whens if not isinstance(when.args.get("then"), exp.Insert)]
        if not changed:
            return
        conditions += [when.args["condition"] for when in changed if when.args.get("condition")]
    kept = _kept(conditions, partition, alias)
    yield Scan(table, frozenset(catalog.columns.get(table, [])), kept)


def _drops_days(statement: exp.Delete, catalog: Catalog) -> bool:
    """Whether whole partitions go, which BigQuery drops unread."""
    partition, where = catalog.partitions.get(name_of(statement.this)), statement.args.get("where")
    if partition is None or partition.unit != "day" or where is None:
        return False
    return all(_is_constant(part, partition, statement.this.alias_or_name) for part in _parts(where.this))


def _kept(conditions: Sequence[exp.Expr], partition: Partition | None, alias: str) -> frozenset[str] | None:
    """The conditions by which partitions are left out: those that compare the partition's column with constants."""
    if partition is None:
        return None
    parts = [part for condition in conditions for part in _parts(condition)]
    found = [_plain(part) for part in parts if _is_constant(part, partition, alias)]
    return frozenset({" and ".join(sorted(found))}) if found else None


def _parts(condition: exp.Expr) -> list[exp.Expr]:
    return [part.unnest() for part in (condition.flatten() if isinstance(condition, exp.And) else [condition])]


def _is_constant(part: exp.Expr, partition: Partition, alias: str) -> bool:
    if isinstance(part, exp.Boolean):
        return not part.this
    columns = list(part.find_all(exp.Column))
    of_partition = all(column.name == partition.column and column.table in ("", alias) for column in columns)
    return isinstance(part, _COMPARISONS) and bool(columns) and of_partition and not part.find(exp.Query)


def _plain(condition: exp.Expr) -> str:
    bare = condition.copy()
    for column in bare.find_all(exp.Column):
        column.set("table", None)
    return f"({bare.sql('bigquery')})"


def _united(found: Sequence[Scan]) -> list[Scan]:
    """One scan for each table: its columns together, and all partitions that any of the scans reads."""
    united: dict[str, Scan] = {}
    for scan in found:
        have = united.get(scan.table)
        if have is None:
            united[scan.table] = scan
            continue
        kept = have.kept | scan.kept if have.kept is not None and scan.kept is not None else None
        united[scan.table] = Scan(scan.table, have.columns | scan.columns, kept)
    return list(united.values())
