"""Opens what people ask about, without waiting for a run and without keeping one waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from orchestration import runs
from orchestration.connections import Connection
from orchestration.errors import CatalystError
from orchestration.publish import POINTER, open_published
from orchestration.settings import Settings
from orchestration.sql import literal
from orchestration.warehouse import warehouse_of


@dataclass(frozen=True)
class Reading:
    """What was opened.

    Attributes:
        connection: Where the tables are, read-only; None before the first run, when there are none.
        note: A sentence about how old they are, where they are not the newest.
    """

    connection: Connection | None
    note: str = ""


@contextmanager
def open_newest(settings: Settings) -> Iterator[Reading]:
    """Opens the warehouse read-only or, while a run has it locked, the published copy; BigQuery locks nobody out.

    Raises:
        CatalystError: A run has the warehouse and nothing has been published yet, or a file cannot be read.
    """
    if settings.target == "prod":
        with warehouse_of(settings).connect() as warehouse:
            yield Reading(warehouse)
        return
    if not settings.warehouse.exists():
        yield Reading(None)
        return
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        try:
            connection.execute(f"attach {literal(settings.warehouse)} as warehouse (read_only)")
            is_open = True
        except duckdb.IOException as error:
            is_open = False
            if "lock" not in str(error):
                raise CatalystError(
                    f"The warehouse {settings.warehouse} cannot be read ({str(error).splitlines()[0]}): mend that, or "
                    "move the file away and run `catalyst run`."
                ) from error
        if is_open:
            connection.execute("use warehouse")
            yield Reading(connection)
            return
    owner = runs.running(settings) or "another one"
    if not (settings.published / POINTER).exists():
        raise CatalystError(
            f"Process {owner} has the warehouse {settings.warehouse} open, and nothing has been published yet: wait "
            "until it ends, then ask again."
        )
    with open_published(settings.published) as published:
        yield Reading(published, f"Process {owner} is at work on the warehouse; this is what was published before it.")
