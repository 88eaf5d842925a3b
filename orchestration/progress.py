"""Live progress on the terminal: one line a step with what it did, how many rows and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.status import Status

# Bound to the terminal itself: a run sends what libraries print to a file, and its progress here.
console = Console(file=sys.stdout, highlight=False, soft_wrap=True)


@dataclass
class Step:
    """A piece of work under way; its texts show while it runs and when it is done."""

    name: str
    status: Status
    started: float = field(default_factory=time.monotonic)
    result: str = ""

    def update(self, text: str) -> None:
        """Shows how far the work has come, where someone is watching a terminal."""
        self.status.update(f"{self.name}  [dim]{text}[/dim]")

    @property
    def seconds(self) -> float:
        """The time since the step began."""
        return round(time.monotonic() - self.started, 2)


def warn(sentence: str) -> None:
    """Prints a sentence that somebody has to read."""
    console.print(f"[yellow]![/yellow] {escape(sentence)}")


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Announces a piece of work, and prints its result and duration at the end or the fact that it failed."""
    with console.status(name) as status:
        work = Step(name, status)
        try:
            yield work
        except BaseException:
            console.print(f"[red]✗[/red] {name:<44} [red]failed[/red] after {work.seconds:.1f} s")
            raise
    console.print(f"[green]✓[/green] {name:<44} {work.result:<52} [dim]{work.seconds:>6.1f} s[/dim]")
