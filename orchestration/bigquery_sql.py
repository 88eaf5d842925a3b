"""Says in BigQuery's SQL what a statement says in DuckDB's; sqlglot does most of it, and this the rest.

A timestamp of DuckDB has no zone and means UTC. In a statement that is BigQuery's DATETIME, which compares with the
bounds that Great Expectations sends; in a table it is a TIMESTAMP, as whatever else writes there has it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlglot
from sqlglot import exp

# How a moment of BigQuery is written as DuckDB writes it: no zone, and no more decimals than it has.
_MOMENTS = {"TIMESTAMP": "FORMAT_TIMESTAMP", "DATETIME": "FORMAT_DATETIME"}
_MOMENT_FORMAT = "%F %H:%M:%E6S"
# BigQuery tells of its types by their names of old, too.
_FLOATS = ("FLOAT", "FLOAT64")

# The types of the columns of the raw table that a statement reads.
Kinds = Mapping[str, str]


def parse(sql: str) -> exp.Expr:
    """Returns a statement of DuckDB's SQL as a tree."""
    return sqlglot.parse_one(sql, read="duckdb")


def tables(tree: exp.Expr) -> set[str]:
    """Returns the qualified tables of a statement."""
    return {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db}


def columns(definition: str) -> list[tuple[str, str, bool]]:
    """Returns each column of a table's definition with its type and whether it has to have a value."""
    tree = parse(f"create table t ({definition})")
    return [
        (
            column.name,
            _column_definition(column, {}).args["kind"].sql(dialect="bigquery"),
            any(isinstance(constraint.kind, exp.NotNullColumnConstraint) for constraint in column.constraints),
        )
        for column in tree.find_all(exp.ColumnDef)
    ]


def place(tree: exp.Expr, tables: Mapping[str, tuple[str, str]]) -> None:
    """Puts tables, each with its schema, in place of names without one."""
    for table in tree.find_all(exp.Table):
        if not table.db and table.name in tables:
            schema, name = tables[table.name]
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            table.set("db", exp.to_identifier(schema))
            table.set("this", exp.to_identifier(name))


def write(tree: exp.Expr, kinds: Kinds) -> str:
    """Returns a statement in BigQuery's SQL.

    Args:
        tree: The statement.
        kinds: Types of columns of raw tables, by their names.
    """
    _place_catalog(tree)
    # From the leaves on: what is rewritten holds what has been rewritten.
    for node in reversed(list(tree.dfs())):
        for kind, rewrite in _REWRITES.items():
            if isinstance(node, kind):
                node.replace(rewrite(node, kinds))
                break
    return str(tree.sql(dialect="bigquery", identify=True))


def _place_catalog(tree: exp.Expr) -> None:
    """Turns to the catalogs of the datasets that a statement asks for: BigQuery has one for each."""
    for table in list(tree.find_all(exp.Table)):
        if table.db == "information_schema":
            asked = next(
                [value.name for value in (node.expressions if isinstance(node, exp.In) else [node.expression])]
                for node in tree.find_all(exp.EQ, exp.In)
                if node.this.name == "table_schema"
            )
            catalogs = [exp.table_(table.name.upper(), "INFORMATION_SCHEMA", schema) for schema in asked]
            if len(catalogs) == 1:
                table.replace(catalogs[0])
            else:
                # Without asterisks, so that the words keep their place: each of them has these two columns.
                named = [exp.select("table_schema", "table_name").from_(catalog) for catalog in catalogs]
                table.replace(exp.union(*named, distinct=False).subquery("found"))


def _create(node: exp.Expr, _: Kinds) -> exp.Expr:
    # It has no temporary views; as a table, a load is read once for all expectations.
    if node.args["kind"] == "VIEW":
        node.set("kind", "TABLE")
    return node


def _column_definition(node: exp.Expr, _: Kinds) -> exp.Expr:
    kind = node.args.get("kind")
    if kind is not None and kind.is_type(exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ):
        node.set("kind", exp.DataType.build("timestamptz"))
    if kind is not None and kind.is_type(exp.DType.DECIMAL, exp.DType.INT128):
        # By API a type has no digits in its name. NUMERIC has 29 before the point and 9 behind it.
        digits = [int(part.name) for part in kind.expressions] or ([39] if kind.is_type(exp.DType.INT128) else [18, 3])
        behind = digits[1] if len(digits) > 1 else 0
        fits = behind <= 9 and digits[0] - behind <= 29
        node.set("kind", exp.DataType.build("numeric" if fits else "bignumeric", dialect="bigquery"))
    return node


def _cast(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """Text of a column that did not land as text, as DuckDB writes it: `1.0`, where BigQuery would write `1`."""
    target = node.args["to"]
    if target.is_type(exp.DType.DECIMAL):
        # A cast names no digits; NUMERIC has 38 anyway, 9 of them decimals.
        target.set("expressions", [])
    kind = kinds.get(node.this.name) if isinstance(node.this, exp.Column) else None
    if kind is None or not target.is_type(*exp.DataType.TEXT_TYPES):
        return node
    if kind in _MOMENTS:
        return _moment(node.this, kind)
    if kind in _FLOATS:
        text = exp.func("FORMAT", exp.Literal.string("%t"), node.this.copy(), dialect="bigquery")
        return exp.case().when(node.this.copy().is_(exp.null()).not_(), text)
    return node


def _moment(column: exp.Expr, kind: str) -> exp.Expr:
    text: exp.Expr = exp.Anonymous(this=_MOMENTS[kind], expressions=[exp.Literal.string(_MOMENT_FORMAT), column.copy()])
    for zero in "0.":
        text = exp.Anonymous(this="RTRIM", expressions=[text, exp.Literal.string(zero)])
    return text


def _contains(node: exp.Expr, _: Kinds) -> exp.Expr:
    # Its own CONTAINS_SUBSTR takes no notice of case and accents.
    return exp.StrPosition(this=node.this, substr=node.expression) > exp.Literal.number(0)


def _in(node: exp.Expr, _: Kinds) -> exp.Expr:
    """Pairs of columns among those of a query: BigQuery compares structs, so the query has to return one."""
    query = node.args.get("query")
    if query is not None and isinstance(node.this, exp.Tuple):
        select = query.this
        select.set("expressions", [exp.Tuple(expressions=[part.copy() for part in select.expressions])])
    return node


def _full_match(node: exp.Expr, _: Kinds) -> exp.Expr:
    whole = exp.Literal.string(f"^(?:{node.expression.name})$")
    return exp.RegexpLike(this=node.this, expression=whole)


def _first(node: exp.Expr, _: Kinds) -> exp.Expr:
    """The first of several values in an order, which BigQuery has for windows only."""
    ordered = node.this
    for part in ordered.expressions:
        part.set("nulls_first", not part.args.get("desc"))
    firsts = f"ARRAY_AGG({ordered.sql(dialect='bigquery', identify=True)} LIMIT 1)[OFFSET(0)]"
    return sqlglot.parse_one(firsts, read="bigquery")


def _function(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    rewrite = _FUNCTIONS.get(node.name.lower())
    return rewrite(node, kinds) if rewrite else node


def _is_finite(node: exp.Expr, _: Kinds) -> exp.Expr:
    (number,) = node.expressions
    largest = exp.Literal.number("1.7976931348623157e308")
    return exp.Paren(this=exp.Abs(this=number) <= largest)


def _try_strptime(node: exp.Expr, _: Kinds) -> exp.Expr:
    text, form = node.expressions
    return exp.Anonymous(this="SAFE.PARSE_DATETIME", expressions=[form, exp.Trim(this=text)])


def _now(_: exp.Expr, __: Kinds) -> exp.Expr:
    return exp.Anonymous(this="CURRENT_TIMESTAMP")


def _epoch(node: exp.Expr, _: Kinds) -> exp.Expr:
    return exp.Anonymous(this="UNIX_MICROS", expressions=node.expressions)


def _to_json(node: exp.Expr, kinds: Kinds) -> exp.Expr:
    """A row as JSON with its moments as DuckDB writes them."""
    (row,) = node.expressions
    parts = []
    for name, kind in kinds.items():
        column = exp.column(name, table=row.name)
        parts.append(exp.alias_(_moment(column, kind) if kind in _MOMENTS else column, name))
    struct = exp.Anonymous(this="STRUCT", expressions=parts)
    return exp.Anonymous(this="TO_JSON_STRING", expressions=[struct])


_REWRITES: dict[type[exp.Expr], Callable[[exp.Expr, Kinds], exp.Expr]] = {
    exp.Create: _create,
    exp.ColumnDef: _column_definition,
    exp.Cast: _cast,
    exp.Contains: _contains,
    exp.In: _in,
    exp.First: _first,
    exp.RegexpFullMatch: _full_match,
    exp.Anonymous: _function,
}

_FUNCTIONS: dict[str, Callable[[exp.Expr, Kinds], exp.Expr]] = {
    "isfinite": _is_finite,
    "try_strptime": _try_strptime,
    "now": _now,
    "epoch_us": _epoch,
    "to_json": _to_json,
}
