"""Finds SQL that one engine refuses or reads otherwise than another, outside of macros/dialect; part of `make lint`.

sqlfluff accepts what BigQuery's grammar has, and DuckDB runs nearly all of that. What both run with other results is
found here by how it is written, as neither types nor nulls are known; a line `-- never null: a, b` in a file tells of
columns that they hold none.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import sqlglot
from sqlglot import exp

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt_project"
DIALECT = PROJECT / "macros" / "dialect"

# As it is written, in models, tests and macros alike.
_WRITTEN = {
    "a cast by ::": r"::",
    "distinct on": r"\bdistinct\s+on\b",
    "columns left out of *": r"\*\s*(exclude|except|replace|rename)\b",
    "grouping or ordering by position or all": r"\b(group|order)\s+by\s+(all\b|\d)",
    "a from before its select": r"(^|\()\s*from\b",
    "a cast that gives null": r"\b(try|safe)_cast\b",
    "a type's name": (
        r"\bas\s+((var)?char|string|text|(big)?int|integer|int64|double|float(64)?|numeric|decimal|bool(ean)?)\s*[()]"
    ),
    "date arithmetic": (
        r"\b(date|datetime|timestamp)_?(trunc|add|sub|diff|part)\s*\(|\binterval\s+[\d('\"{]"
        r"|\bdate\s*'[^']*'\s*[+-]|[+-]\s*interval\b"
    ),
    "date formats": r"\b(str[fp]time|parse_(date|timestamp)|format_(date|timestamp))\s*\(",
    "an ISO part or a day of the week of a date": (
        r"\bextract\s*\(\s*(isodow|isoweek|dayofweek|weekday|week|dow)\b|\b(dayofweek|weekday|isodow|weekofyear)\s*\("
    ),
    "a clock": r"\b(current_(date|time|timestamp)|now|today|getdate)\b",
    "lists and structs": r"\b(unnest|generate_(series|array|date_array)|range|list_\w+|array_agg|struct|list)\s*\(",
    "text formats": r"\b(printf|format|regexp_\w+)\s*\(",
    "comparing without case": r"\bilike\b",
    "a switch on the target": r"\btarget\.(type|name)\b",
}
_NULLS = r"\b(asc|desc)\s+nulls\s+(first|last)\s*$"
_NEVER_NULL = re.compile(r"--\s*never null:\s*([\w., ]+)", re.IGNORECASE)
# What the macros below are given may be divided by nothing, and a sum of theirs is cast.
_COMBINES = (exp.Least, exp.Greatest, exp.Concat, exp.DPipe)
_NOT_NULL = (exp.Literal, exp.Count, exp.Boolean, exp.RowNumber)


def findings(template: str, rendered: str = "") -> list[str]:
    """Returns what is engine-specific in a file.

    Args:
        template: The file.
        rendered: Its SQL for BigQuery, where it is a whole statement.
    """
    code = _code(template)
    found = [what for what, pattern in _WRITTEN.items() if re.search(pattern, code)]
    found += [f"no nulls first or last: {key}" for key in _keys_without_nulls(code)]
    if not rendered:
        return found
    not_null = {name.strip().lower() for names in _NEVER_NULL.findall(template) for name in names.split(",")}
    tree = sqlglot.parse_one(rendered, read="bigquery")
    found += [
        f"division without safe_divide: {_text(node)}" for node in tree.find_all(exp.Div) if _may_be_by_zero(node)
    ]
    for node in tree.find_all(*_COMBINES):
        if not isinstance(node.parent, exp.DPipe):
            found += [f"null in {node.key}: {_text(part)}" for part in _nullable(node, not_null)]
    found += sorted({f"a sum that is not cast: {_text(node)}" for node in _totals(tree)})
    for select in tree.find_all(exp.Select):
        found += [f"a name of the same select: {name}" for name in _lateral(select)]
    return found


def _code(text: str) -> str:
    return re.sub(r"--[^\n]*", "", re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)).lower()


def _text(node: exp.Expr) -> str:
    return " ".join(node.sql(dialect="bigquery").split())[:80]


def _keys_without_nulls(code: str) -> Iterator[str]:
    for start in (match.end() for match in re.finditer(r"\border\s+by\b", code)):
        depth, keys = 0, [""]
        for character in code[start:]:
            depth += {"(": 1, ")": -1}.get(character, 0)
            # The end of a subquery, of text within a macro's call, or of a macro.
            if depth < 0 or character in '"{':
                break
            if character == "," and depth == 0:
                keys.append("")
            else:
                keys[-1] += character
        keys[-1] = re.split(r"\b(?:rows|range|limit)\b", keys[-1])[0]
        yield from (key.strip() for key in keys if not re.search(_NULLS, key.strip()))


def _may_be_by_zero(division: exp.Div) -> bool:
    """One engine gives infinity, another an error; a literal is none, and null gives null on both."""
    by = division.expression.unnest()
    return not isinstance(by, exp.Nullif) and by.find(exp.Column) is not None


def _nullable(node: exp.Expr, not_null: set[str]) -> Iterator[exp.Expr]:
    """One engine leaves nulls out, another gives null."""
    parts = node.flatten() if isinstance(node, exp.DPipe) else node.iter_expressions()
    return (part for part in parts if not _holds_value(part.unnest(), not_null))


def _holds_value(part: exp.Expr, not_null: set[str]) -> bool:
    if isinstance(part, exp.Coalesce):
        # Of columns alone it may be null as well.
        return any(_holds_value(one.unnest(), not_null) for one in part.iter_expressions())
    if isinstance(part, exp.Column):
        return part.name.lower() in not_null
    if isinstance(part, exp.Window):
        return _holds_value(part.this, not_null)
    if isinstance(part, exp.Case):
        branches = [one.args["true"] for one in part.args["ifs"]] + [part.args.get("default") or exp.null()]
        return all(_holds_value(one.unnest(), not_null) for one in branches)
    if isinstance(part, _NOT_NULL):
        return True
    inner = [one for one in part.iter_expressions() if not isinstance(one, exp.DataType | exp.Var | exp.Interval)]
    return bool(inner) and all(_holds_value(one.unnest(), not_null) for one in inner)


def _totals(select: exp.Expr, name: str = "") -> Iterator[exp.Sum]:
    """Sums that come out of a select as they are; a sum of integers is of another type on each engine."""
    for part, inside in _parts(select, name):
        if isinstance(part, exp.Sum | exp.Window | exp.Coalesce | exp.Paren | exp.Add | exp.Sub | exp.Mul | exp.Neg):
            totals = [part.this] if isinstance(part, exp.Window) else part.find_all(exp.Sum)
            yield from (one for one in totals if isinstance(one, exp.Sum) and not _is_exact(one.this, inside))
        elif isinstance(part, exp.Column):
            for source in _sources(inside, part.table):
                yield from _totals(source, part.name)


def _is_exact(part: exp.Expr, select: exp.Expr) -> bool:
    """By its name, or being cast or a quotient, it is a numeric or a double: its sum is of one type on both."""
    part = part.unnest()
    if isinstance(part, exp.Column) and not re.search(r"amount|_eur", part.name):
        read = [one for source in _sources(select, part.table) for one in _parts(source, part.name)]
        return bool(read) and all(_is_exact(one, inside) for one, inside in read)
    return bool(re.search(r"amount|_eur", part.sql())) or isinstance(part, exp.Div | exp.Cast | exp.Round)


def _parts(select: exp.Expr, name: str = "") -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """What a select calls by a name, or all that it has, each with the select in which it stands."""
    if isinstance(select, exp.SetOperation):
        for branch in (select.this, select.expression):
            yield from _parts(branch, name)
    for part in select.expressions if isinstance(select, exp.Select) else ():
        if isinstance(part, exp.Star) or (isinstance(part, exp.Column) and isinstance(part.this, exp.Star)):
            for source in _sources(select, getattr(part, "table", "")):
                yield from _parts(source, name)
        elif not name or part.alias_or_name == name:
            yield part.unalias(), select


def _sources(select: exp.Expr, alias: str) -> Iterator[exp.Expr]:
    """The common table expressions that a select reads; one may be named as the table that it reads itself."""
    within = select.find_ancestor(exp.CTE)
    earlier = takewhile(lambda cte: cte is not within, select.root().find_all(exp.CTE, bfs=False))
    named = {cte.alias: cte.this for cte in earlier}
    for table in select.find_all(exp.Table):
        if table.find_ancestor(exp.Select) is select and table.name in named and alias in ("", table.alias_or_name):
            yield named[table.name]


def _lateral(select: exp.Select) -> Iterator[str]:
    """Names that the select defines and reads, and which none of the tables that it reads is known to have."""
    own: set[str] = set()
    for part in [*select.expressions, *filter(None, [select.args.get("where")])]:
        for column in part.find_all(exp.Column):
            is_own = not column.table and column.name in own and column.find_ancestor(exp.Select) is select
            if is_own and not any(list(_parts(source, column.name)) for source in _sources(select, "")):
                yield column.name
        # One that is made of a column of its own name is that column.
        if isinstance(part, exp.Alias) and part.alias not in {one.name for one in part.find_all(exp.Column)}:
            own.add(part.alias)


def sql_files() -> list[Path]:
    """The files to look through: of this project, but for the dialect's, and of the examples."""
    folders = [PROJECT / name for name in ("models", "tests", "macros")]
    folders += [path for name in ("models", "tests", "macros") for path in REPOSITORY.glob(f"examples/*/{name}")]
    return sorted(path for folder in folders for path in folder.rglob("*.sql") if DIALECT not in path.parents)


def rendered_sql(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yields the SQL of each model and test, as sqlfluff renders them; of a file of macros there is none."""
    from sqlfluff.core import FluffConfig, Linter

    config = FluffConfig.from_root()
    linter = Linter(config=config)
    for path in paths:
        if "macros" in path.relative_to(REPOSITORY).parts or "generic" in path.parts:
            yield path, ""
            continue
        done = linter.render_file(str(path), config)
        if not done.templated_variants:
            raise SystemExit(f"{path.relative_to(REPOSITORY)} cannot be rendered: {done.templater_violations}")
        yield path, str(done.templated_variants[0].templated_str)


def main() -> None:
    """Prints what is found, file by file, and fails where that is anything."""
    lines = [
        f"{path.relative_to(REPOSITORY)}: {what}"
        for path, sql in rendered_sql(sql_files())
        for what in findings(path.read_text(), sql)
        # Of a test only the count of its rows is read.
        if "tests" not in path.relative_to(REPOSITORY).parts or not what.startswith("a sum")
    ]
    if lines:
        sys.exit(
            "\n".join([*lines, "Engines differ on these: macros/dialect/ has what they agree on, or coalesce first."])
        )


if __name__ == "__main__":
    main()
