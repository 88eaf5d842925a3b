"""What the commands have in common: their options, their tables, and where a problem is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.table import Column, Table

from orchestration.errors import CatalystError
from orchestration.progress import console
from orchestration.reading import Reading, open_newest
from orchestration.settings import Settings

as_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON list, and nothing else.")

# Columns whose values people give to the next command.
_COPIED = ("name", "feed", "rule", "run id")


@contextmanager
def problems(as_json: bool) -> Iterator[None]:
    """Where a program reads the output, problems go to the other stream.

    Raises:
        CatalystError: There is a problem, and a person reads the output.
    """
    try:
        yield
    except CatalystError as error:
        if as_json:
            raise click.ClickException(str(error)) from error
        raise


@contextmanager
def reading(chosen: Settings, as_json: bool) -> Iterator[Reading]:
    """Opens the newest data that can be read, with its problems told as above."""
    with problems(as_json), open_newest(chosen) as found:
        if found.note:
            click.echo(found.note, err=True)
        yield found


def table(title: str, *columns: str, numbers: Sequence[str] = ()) -> Table:
    """Returns an empty table; the columns among `numbers` are set to the right."""
    headers = [
        Column(name, justify="right" if name in numbers else "left", overflow="fold", no_wrap=name in _COPIED)
        for name in columns
    ]
    return Table(*headers, title=title, title_justify="left")


def show(filled: Table) -> None:
    """Prints a table without cutting anything off."""
    # What is cut cannot be copied or searched for, so a narrow terminal, or a pipe, gets longer lines.
    console.width = max(console.width, 160)
    console.print(filled)


def rows(number: int) -> str:
    """Returns a number of rows in words."""
    return f"{number:,} row{'' if number == 1 else 's'}"
