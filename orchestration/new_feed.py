"""Writes the two files that a feed is made of, its contract and its staging model, as a proposal for people to edit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import duckdb
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from orchestration.contracts import read_feed
from orchestration.errors import CatalystError
from orchestration.proposals import Proposal, ProposedColumn, propose
from orchestration.samples import Sample, look
from orchestration.settings import Settings

_TEMPLATES = Path(__file__).with_name("templates")
# Reserved words of BigQuery, beside DuckDB's own, which DuckDB lists.
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        """
        array contains cube current define enum escape exclude extract following grouping groups hash if ignore interval
        lookup merge new no of over partition preceding proto range respect rollup rows set struct treat unbounded
        within
        """,
    )
)


@dataclass(frozen=True)
class NewFeed:
    """A feed that has been added.

    Attributes:
        feed: Its name.
        written: The files that were written or added to.
        found: What the sample held, in a few words.
        notes: What the user has to know or to decide.
    """

    feed: str
    written: tuple[Path, ...]
    found: str
    notes: tuple[str, ...]


def add_feed(
    name: str,
    location: str,
    settings: Settings,
    *,
    table: str | None = None,
    file_format: str | None = None,
    folder: Path | None = None,
) -> NewFeed:
    """Looks at a sample of a source and writes a contract and a staging model for it.

    Args:
        name: `<source>.<table>`.
        location: Where the source is: a path, glob or URL.
        settings: Whose project gets the files.
        table: The table, where the location is a database.
        file_format: The format, where the names of the files do not say it.
        folder: Gets the files in place of the project.

    Raises:
        CatalystError: The name is no name, a file is there already, or the source cannot be read.
    """
    match = re.fullmatch(r"(?:raw_)?([a-z][a-z0-9_]*)\.([a-z][a-z0-9_]*)", name)
    if match is None:
        raise CatalystError(f"{name!r} is no name for a feed: write <source>.<table>, such as shop.orders.")
    source, entity = match.groups()
    contract = (folder / "feeds" if folder else settings.feeds) / source / f"{entity}.odcs.yaml"
    staging = (folder or settings.project) / "models" / "staging" / source
    model, described = staging / f"stg_{source}__{entity}.sql", staging / f"_{source}.yml"
    for path in (contract, model):
        if path.exists():
            raise CatalystError(f"{path} is there already: edit it, or remove it and run this again.")
    sample = look(location, source, table=table, file_format=file_format)
    if not sample.spellings:
        raise CatalystError(f"No column of {location} has a name that a contract can hold: check that it has a header.")
    proposal = propose(sample, entity)
    about: dict[str, Any] = {
        "source": source,
        "table": entity,
        "sample": sample,
        "proposal": proposal,
        # A project of one's own has Catalyst's macros by the name of the package.
        "prefix": "" if settings.is_default_project and not folder else "catalyst.",
        "sections": list(_sections(proposal)),
        "staged_key": [_alias(name) for name in proposal.key],
    }
    contract_text, model_text = (_template(kind).render(about) for kind in ("contract.odcs.yaml", "staging.sql"))
    described_text = _described(described, about)
    for path, text in ((contract, contract_text), (model, model_text), (described, described_text)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    read_feed(contract)
    return NewFeed(
        f"raw_{source}.{entity}",
        (contract, model, described),
        f"{sample.kind}: {sample.rows.num_rows:,} rows, {len(proposal.columns)} columns",
        tuple(_notes(sample, proposal, contract)),
    )


def _notes(sample: Sample, proposal: Proposal, contract: Path) -> Iterator[str]:
    yield from sample.notes
    if proposal.key:
        yield f"The key is {' and '.join(proposal.key)}, unique in the sample: check that it always is."
    else:
        also = f"; {', '.join(proposal.key_candidates)} would fit" if proposal.key_candidates else ""
        yield f"No column surely is a key{also}: set primaryKey in {contract}, or rows that come twice count twice."
    if str(sample.kind) in ("database", "rest"):
        yield (
            f"The feed is read on by {proposal.cursor}: check that it only grows."
            if proposal.cursor
            else f"No column grows: set `cursor` in {contract}, as this kind of feed is read on by one."
        )
    if not proposal.known_at:
        yield f"No column says when a row became known: set knownAt in {contract}, and the filter in the model."
    personal = [column.name for column in proposal.columns if column.is_personal]
    if personal:
        yield f"Marked as personal data by their names: {', '.join(personal)}."


def _sections(proposal: Proposal) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The columns of the staging model, in the order that all of them have."""
    kinds: dict[str, list[dict[str, str]]] = {
        name: [] for name in ("ids", "strings", "numerics", "booleans", "dates", "timestamps")
    }
    for column in proposal.columns:
        kind, macro, more = _staged(column)
        alias = _alias(column.name)
        named = f'"{column.name}"' if alias == column.name else f'adapter.quote("{column.name}")'
        kinds[kind].append({"call": f"{macro}({named}{more})", "alias": alias})
    yield from ((kind, columns) for kind, columns in kinds.items() if columns)


def _staged(column: ProposedColumn) -> tuple[str, str, str]:
    """The section of a column, and the macro that types it with its further arguments."""
    if column.is_id:
        return "ids", "identifier", ""
    if column.date_format:
        return "dates", "date_from_formats", f', ["{column.date_format}"]'
    section, kind = {
        "integer": ("numerics", "bigint"),
        "number": ("numerics", "double"),
        "boolean": ("booleans", "boolean"),
        "date": ("dates", "date"),
        "timestamp": ("timestamps", "timestamp"),
    }.get(column.logical_type, ("strings", ""))
    return (section, "cast_or_null", f', "{kind}"') if kind else (section, "text_or_null", "")


def _alias(name: str) -> str:
    """The staged name of a column; a word of SQL itself would have to be quoted wherever it is used."""
    return f"{name}_value" if name in _reserved() else name


@cache
def _reserved() -> frozenset[str]:
    with duckdb.connect() as connection:
        words = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category != 'unreserved'"
        ).fetchall()
    return _RESERVED | {row[0] for row in words}


def _described(path: Path, about: dict[str, Any]) -> str:
    """The YAML of the source's staging models: a new file, or the present text with the table and the model put in."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    source = f"raw_{about['source']}"
    tables = _listed(lines, path, "sources", source, "tables")
    if tables:
        _insert(lines, path, tables, _lines("table.yml", about))
    else:
        nested = ["    " + line for line in _lines("table.yml", about)]
        _insert(lines, path, _listed(lines, path, "sources"), [*_lines("source.yml", about), *nested], "sources")
    _insert(lines, path, _listed(lines, path, "models"), ["", *_lines("model.yml", about)], "models")
    return "\n".join(lines) + "\n"


def _lines(template: str, about: dict[str, Any]) -> list[str]:
    return _template(template).render(about).splitlines()


def _listed(lines: Sequence[str], path: Path, top: str, item: str = "", within: str = "") -> yaml.SequenceNode | None:
    """The list below a key of the file; or that below a key of one of its items, known by its name."""
    try:
        node = _value(yaml.compose("\n".join([*lines, ""]), Loader=yaml.SafeLoader), top)
    except yaml.YAMLError as error:
        raise CatalystError(f"{path} is not YAML, so nothing can be added to it: correct it first.") from error
    if item and isinstance(node, yaml.SequenceNode):
        node = next((_value(part, within) for part in node.value if _name(part) == item), None)
    return node if isinstance(node, yaml.SequenceNode) and node.value else None


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _name(node: yaml.Node) -> str | None:
    named = _value(node, "name")
    return named.value if isinstance(named, yaml.ScalarNode) else None


def _insert(
    lines: list[str], path: Path, after: yaml.SequenceNode | None, block: Sequence[str], top: str = "models"
) -> None:
    """Puts a block behind the last item of a list, or at the end below a key of its own; comments stay as they are."""
    if after is None:
        if any(line.startswith(f"{top}:") for line in lines):
            raise CatalystError(f"{path} has an empty list of {top}, into which nothing can be put: remove it first.")
        own = [f"{top}:", *(f"  {line}".rstrip() for line in block if line or block.index(line))]
        lines += ["", *own] if lines else own
        return
    if after.flow_style:
        raise CatalystError(f"{path} lists its {top} in brackets: write one a line, then run this again.")
    end = after.value[-1].end_mark.line
    # The end of an item is where the next thing begins.
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#"):
        end -= 1
    indent = " " * after.start_mark.column
    lines[end:end] = [f"{indent}{line}".rstrip() for line in block]


@cache
def _template(name: str) -> Template:
    # dbt has the usual braces.
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 (YAML and SQL, not HTML)
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.filters["scalar"] = _scalar
    environment.filters["json"] = partial(json.dumps, ensure_ascii=False)
    return environment.get_template(f"{name}.jinja")


def _scalar(text: str) -> str:
    """Text as YAML, in quotes only where it needs them; JSON is YAML."""
    is_plain = re.fullmatch(r"[A-Za-z/$][\w ${}./:*=-]*[\w}*]", text) and ": " not in text
    return text if is_plain and yaml.safe_load(text) == text else json.dumps(text, ensure_ascii=False)
