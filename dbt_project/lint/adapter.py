"""Stands in for dbt's `adapter` while sqlfluff renders a model: the macros' BigQuery side, as that is the linted dialect."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def dispatch(name: str, package: str) -> Callable[..., Any]:
    # sqlfluff has put the sibling module there under this name; it is no installed package.
    macro: Callable[..., Any] = getattr(importlib.import_module(package), f"bigquery__{name}")
    return macro


def quote(name: str) -> str:
    return f"`{name}`"
