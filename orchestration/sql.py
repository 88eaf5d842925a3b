"""Names and texts as DuckDB's SQL reads them, whatever is in them."""

from __future__ import annotations

from pathlib import Path


def literal(text: str | Path) -> str:
    """Returns a text, or the text of a path, as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def quoted(*parts: str) -> str:
    """Returns a name, or the parts of a qualified one, as an SQL identifier."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
