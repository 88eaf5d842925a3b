"""Documentation is checked as code is: what a page names exists, and what exists is on a page."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from orchestration.cli import main
from orchestration.settings import REPOSITORY

assert isinstance(main, click.Group)
COMMANDS = main.commands
TARGETS = re.findall(r"^([a-z]+):.*## ", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE)

FENCE = re.compile(r"^ *```.*?^ *```", flags=re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`[^`\n]+`")
MAKE = re.compile(r"(?<![\w./-])make(?: +[A-Z_]+=\S+)* +([a-z][a-z-]*)")
CATALYST = re.compile(r"(?<![\w./-])catalyst +([a-z][a-z-]*)([^\n`|;&#]*)")
OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]*")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|\b(?:href|src)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.+?) *#*$", flags=re.MULTILINE)


def _pages(*patterns: str) -> list[Path]:
    ours = (path for pattern in patterns for path in sorted(REPOSITORY.glob(pattern)))
    return [path for path in ours if not {"dbt_packages", "target"} & set(path.parts)]


GUIDES = _pages("README.md", "CONTRIBUTING.md", "docs/**/*.md")
EVERY_PAGE = [*GUIDES, *_pages("CHANGELOG.md", "examples/**/*.md", "dbt_project/**/*.md")]

every_page = pytest.mark.parametrize("page", EVERY_PAGE, ids=lambda path: str(path.relative_to(REPOSITORY)))


@every_page
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    assert sorted({target for target in _targets(page) if target not in TARGETS}) == []


@every_page
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    unknown = [
        f"catalyst {name} {option}".strip()
        for name, options in _commands(page)
        for option in ["", *options]
        if name not in COMMANDS or (option and option not in _options(name))
    ]
    assert unknown == []


@every_page
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert [link for link in _relative_links(page) if not _leads_somewhere(page, link)] == []


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_is_in_a_guide(target: str) -> None:
    assert any(target in _targets(page) for page in GUIDES), f"No guide shows `make {target}`."


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_a_guide(command: str) -> None:
    assert any(command in dict(_commands(page)) for page in GUIDES), f"No guide shows `catalyst {command}`."


def test_only_code_counts_as_naming_a_target_or_a_command(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Make sure that catalyst works: `make run X=1`.\n\n```\ncatalyst run --as-of x  # make tea\n```\n")
    assert _targets(page) == ["run"]
    assert list(_commands(page)) == [("run", ["--as-of"])]


def _code(page: Path) -> str:
    """The code of a page, without the comments in it."""
    text = page.read_text(encoding="utf-8")
    code = "\n".join([*FENCE.findall(text), *INLINE.findall(FENCE.sub("", text))])
    return re.sub(r"(?m)(?<!\S)#.*$", "", code)


def _targets(page: Path) -> list[str]:
    return MAKE.findall(_code(page))


def _commands(page: Path) -> Iterator[tuple[str, list[str]]]:
    return ((name, OPTION.findall(rest)) for name, rest in CATALYST.findall(_code(page)))


def _options(command: str) -> set[str]:
    found = [COMMANDS[command]]
    found += found[0].commands.values() if isinstance(found[0], click.Group) else []
    return {"--help", *(option for each in found for parameter in each.params for option in parameter.opts)}


def _relative_links(page: Path) -> list[str]:
    prose = INLINE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    links = [markdown or html for markdown, html in LINK.findall(prose)]
    return [link for link in links if not re.match(r"[a-z]+:", link)]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    goal = page.parent / path if path else page
    return goal.exists() and (not anchor or goal.suffix != ".md" or anchor in _anchors(goal))


@cache
def _anchors(page: Path) -> set[str]:
    """What a heading is called in a link: lower case, spaces as dashes, other signs dropped."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
