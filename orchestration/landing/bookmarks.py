"""Where a feed goes on that is asked for what is new since a value of its cursor column.

Values come as text, and are compared as what the contract says that they are: as text, "9" would be more than "10".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from orchestration.contracts import Column, Feed
from orchestration.errors import CatalystError
from orchestration.landing.cursors import behind

# What a clock that runs ahead, or a zone that is not said, may make of now.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Bookmark:
    """The cursor column of a feed, behind whose newest value rows may still come for as long as `late` says."""

    feed: Feed
    column: Column

    def value(self, text: str | None) -> Any:
        """Returns a value that can be compared with others; None for what is none of the column's type."""
        if text is None or not (self.is_time or self.is_number):
            return text
        try:
            if self.is_time:
                moment = datetime.fromisoformat(text.strip())
                return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
            number = Decimal(text)
            return number if number.is_finite() else None
        except (ValueError, OverflowError, InvalidOperation):
            return None

    @property
    def is_time(self) -> bool:
        """Whether the column says when."""
        return self.column.logical_type in ("date", "timestamp")

    @property
    def is_number(self) -> bool:
        """Whether the column counts."""
        return self.column.logical_type in ("integer", "number")

    def newest(self, texts: Iterable[str | None]) -> str | None:
        """Returns the text of the newest value from which to go on.

        A value that cannot be true must not count, or everything that comes before it would never be asked for: one
        beyond the column's `maximum`, or in the future.
        """
        most = self.value(str(self.column.options["maximum"])) if "maximum" in self.column.options else None
        now = datetime.now(UTC).replace(tzinfo=None)
        best: tuple[Any, str] | None = None
        for text in texts:
            value = self.value(text)
            if text is None or value is None or (most is not None and value > most):
                continue
            if self.is_time and value > now + _AHEAD:
                continue
            if best is None or value > best[0]:
                best = (value, text)
        return best and best[1]

    def floor(self, last: str | None) -> Any:
        """Returns the value from which on rows may be new."""
        return None if last is None else self.value(self.asked(last))

    def asked(self, last: str) -> str:
        """Returns the floor as a query asks for it: in the form in which the source itself writes the column."""
        if self.feed.late is None:
            return last
        if self.is_number:
            number = Decimal(last)
            return str(behind(int(number) if number == int(number) else float(number), self.feed))
        shown = str(behind(last.strip(), self.feed))
        return shown.replace("+00:00", "Z") if last.strip().endswith("Z") else shown

    def sql_from(self, last: str | None) -> tuple[str, list[Any]]:
        """Returns an SQL condition, and its parameters, for rows at or above the floor, and some more.

        More, as a cast in the warehouse heeds no time zone and a double holds no more than 15 digits.
        """
        name, floor = self.column.name, self.floor(last)
        if floor is None:
            return "true", []
        if self.is_time:
            return f"coalesce(try_cast({name} as timestamp) >= ?, true)", [floor - _AHEAD]
        if isinstance(floor, Decimal):
            return f"coalesce(try_cast({name} as double) >= ?, true)", [float(floor) - max(1, abs(float(floor)) * 1e-9)]
        return f"coalesce({name} >= ?, true)", [floor]


def bookmark(feed: Feed) -> Bookmark:
    """Returns the bookmark that a contract describes.

    Raises:
        CatalystError: The contract names no cursor, or a `late` that does not fit its type.
    """
    column = next((column for column in feed.columns if column.name == feed.cursor), None)
    if column is None:
        raise CatalystError(
            f"Feed {feed.id} reads an API and so needs the customProperty `cursor` in {feed.path}: a column that grows."
        )
    mark = Bookmark(feed, column)
    # A `late` that does not fit is told now, and not once there is something to be late to.
    mark.asked("0" if mark.is_number else "2000-01-01")
    return mark
