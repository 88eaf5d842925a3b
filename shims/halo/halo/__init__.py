"""The spinner that dbt-metricflow's command line shows while it works, drawn by rich.

dbt-metricflow needs `halo`, of which the registry has no wheel for Python 3, and installing runs no code of other
people's packages. This package stands in its place with the part of it that dbt-metricflow calls.
"""

from __future__ import annotations

from rich.console import Console
from rich.status import Status


class Halo:
    """A line on the standard error output that turns until it succeeds or fails."""

    def __init__(self, text: str = "", spinner: str = "dots") -> None:
        self._text = text
        self._console = Console(stderr=True, highlight=False)
        self._status = Status(text, spinner=spinner, console=self._console)

    def start(self) -> Halo:
        """Begins to turn."""
        self._status.start()
        return self

    def succeed(self, text: str | None = None) -> Halo:
        """Ends with a tick before a text, or before the first one."""
        return self._end("✔", text)

    def fail(self, text: str | None = None) -> Halo:
        """Ends with a cross before a text, or before the first one."""
        return self._end("✖", text)

    def _end(self, sign: str, text: str | None) -> Halo:
        self._status.stop()
        self._console.print(f"{sign} {text or self._text}", markup=False, soft_wrap=True)
        return self
