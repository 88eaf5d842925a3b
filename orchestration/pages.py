"""Pages of HTML, made by templates that escape what they are given, and written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def environment(folder: Path) -> Environment:
    """Returns the environment of the templates in a folder; a name that a template lacks is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write(path: Path, html: str) -> Path:
    """Writes a page so that whoever opens it sees the whole of it or the one before, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".html.part")
    unfinished.write_text(html, encoding="utf-8")
    return unfinished.replace(path)
