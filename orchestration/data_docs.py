"""The data docs: what the gate expects of every feed and what it last found, as pages that Great Expectations renders.

Its own site asks half a dozen hosts on the internet for styles, scripts and its logo, shows no list of pages without
them, and puts landed values into its HTML as they are. So only its sections are taken, into pages of ours that need
nothing else.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Template

from orchestration import pages
from orchestration.connections import Store
from orchestration.marks import NOW, Load, key_reason, key_rule
from orchestration.promises import Severity
from orchestration.rules import Rule, Verdict

TEMPLATE = Path(__file__).with_name("data_docs.html")


def keep(load: Load, verdicts: Sequence[Verdict], examples: Mapping[str, Sequence[str]]) -> None:
    """Keeps what was found on a load, in place of what was found on the feed's load before it.

    Args:
        load: The load, while it is gated.
        verdicts: What was found on each rule.
        examples: Sentences about rows that break a rule, by the rule's id.
    """
    results = [
        {
            "type": verdict.rule.type,
            "arguments": _arguments(verdict.rule),
            "description": f"{verdict.rule.id}: {verdict.rule.description}",
            "passed": verdict.passed,
            "result": _result(verdict, load.rows, examples),
        }
        for verdict in [*verdicts, *_of_key(load)]
    ]
    feed, connection, load_id = load.feed, load.connection, load.id
    connection.execute("delete from quality.validations where feed = ? and load_id <= ?", [feed.id, load_id])
    connection.execute(
        f"""
        insert into quality.validations
        select $feed, $load_id, {NOW}, $result from (select 1) as one
        where not exists (select 1 from quality.validations where feed = $feed)
        """,
        {"feed": feed.id, "load_id": load_id, "result": json.dumps(results, default=str)},
    )


def build(warehouse: Store, folder: Path) -> Path:
    """Brings the pages up to date, those that changed and the list of them, and returns the path of the list."""
    with warehouse.connect() as connection:
        found = connection.execute(
            """
            select feed, load_id, validated_at, rows_landed, rows_accepted, rows_quarantined, status, result
            from quality.validations inner join quality.loads using (feed, load_id)
            order by feed
            """
        )
        names = [column[0] for column in found.description]
        loads = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    for load in loads:
        results = json.loads(load.pop("result"))
        load["rules"], load["broken"] = len(results), sum(not result["passed"] for result in results)
        page = folder / f"{load['feed']}.html"
        # What the page was made of stands in it, so that it is made anew when that is something else.
        made_of = html.escape(json.dumps(load, default=str))
        if not page.exists() or made_of not in page.read_text(encoding="utf-8"):
            from orchestration.expectations import rendering

            _write(page, load=load, made_of=made_of, sections=list(rendering.render(results)), loads=None)
    index = folder / "index.html"
    _write(index, load=None, made_of="", sections=[], loads=loads)
    return index


def _arguments(rule: Rule) -> dict[str, Any]:
    """The arguments with the contract's own names of columns, so that everything about one stands together."""
    return {
        name: value.removesuffix("__as_sent").removesuffix("__unreadable") if name == "column" else value
        for name, value in rule.arguments.items()
    }


def _of_key(load: Load) -> Iterator[Verdict]:
    """The gate looks for repeated keys in all loads; that is shown as the expectation which says so of one."""
    feed = load.feed
    if feed.key:
        alone = len(feed.key) == 1
        rule = Rule(
            id=key_rule(feed),
            type="expect_column_values_to_be_unique" if alone else "expect_compound_columns_to_be_unique",
            arguments={"column": feed.key[0]} if alone else {"column_list": list(feed.key)},
            reason=key_reason(feed),
            severity=Severity.ERROR,
            stop_above=None,
            description=f"{' and '.join(feed.key)} {'comes' if alone else 'come together'} once, in all loads.",
            where=str(feed.path),
        )
        yield Verdict(rule, load.repeated == 0, load.repeated, None, None)


def _result(verdict: Verdict, rows: int, examples: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    if verdict.rows is None:
        return {"observed_value": verdict.observed}
    return {
        "element_count": rows,
        "unexpected_count": verdict.rows,
        "unexpected_percent": 100 * verdict.rows / rows if rows else 0.0,
        "partial_unexpected_list": list(examples.get(verdict.rule.id, ())),
    }


def _write(path: Path, **content: Any) -> None:
    pages.write(path, _template().render(**content))


@cache
def _template() -> Template:
    return pages.environment(TEMPLATE.parent).get_template(TEMPLATE.name)
