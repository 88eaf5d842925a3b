"""Lets sqlfluff, which does not run dbt, resolve `catalyst.<macro>`: macros name their package to work in other projects too."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment

MACROS = Path(__file__).resolve().parents[1] / "macros"


def as_of_date() -> str:
    return "2000-01-01"


def refuse_policy(*_: Any) -> str:
    # sqlfluff gives every var the same word.
    return ""


def changed_periods(*_: Any, **__: Any) -> dict[str, bool]:
    return {"is_whole": True}


def near_duplicate_days() -> int:
    # Rendered as a macro it would be text.
    return 1


@cache
def _module() -> Any:
    source = "".join(path.read_text() for path in sorted(MACROS.rglob("*.sql")))
    names = {
        "adapter": importlib.import_module("adapter"),
        "catalyst": importlib.import_module("catalyst"),
        "dbt": SimpleNamespace(hash=lambda text: f"to_hex(md5(cast({text} as string)))"),
        "return": lambda value: value,
        "source": lambda schema, table: f"{schema}.{table}",
    }
    return Environment(autoescape=False, extensions=["jinja2.ext.do"]).from_string(source).make_module(names)  # noqa: S701


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(_module(), name)
