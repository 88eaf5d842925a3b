"""How far behind its cursor a feed is read again, because rows may still appear there."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from orchestration.contracts import Feed
from orchestration.errors import CatalystError

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "h": timedelta(hours=1),
    "day": timedelta(days=1),
    "d": timedelta(days=1),
    "week": timedelta(weeks=1),
    "w": timedelta(weeks=1),
}


def behind(last: Any, feed: Feed) -> Any:
    """Returns the cursor value from which to read again, so that rows which appeared late are seen.

    Args:
        last: The newest value that has landed: a number, or text such as a date, a timestamp or a code.
        feed: The feed; its `late` is a number for a numeric cursor, or a time such as "2 days".

    Raises:
        CatalystError: `late` is neither, or not one for such a cursor.
    """
    if feed.late is None:
        return last
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*?)s?\s*", feed.late.lower())
    amount, unit = (match[1], match[2]) if match else ("", "")
    if isinstance(last, int | float) and amount and not unit:
        return last - (int(amount) if amount.isdigit() and isinstance(last, int) else float(amount))
    if isinstance(last, str) and amount and unit in _UNITS:
        try:
            before = datetime.fromisoformat(last) - float(amount) * _UNITS[unit]
        except (ValueError, OverflowError):
            before = None
        if before is not None:
            separator = "T" if "T" in last else " "
            precision = "microseconds" if "." in last else "auto"
            shown = before.isoformat(sep=separator, timespec=precision)
            return shown[: len(last)] if len(last) == len("2026-01-31") else shown
    raise CatalystError(
        f"Feed {feed.id} has late: {feed.late!r} for a cursor such as {last!r}: write a number for a cursor of "
        f"numbers, or a time such as 2 days for one of dates, in {feed.path}."
    )
