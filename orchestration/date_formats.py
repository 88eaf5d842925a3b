"""The `format` of a date in a contract, which the standard writes in Java's letters, in those of the warehouse."""

from __future__ import annotations

import calendar
import re

from orchestration.contracts import Column
from orchestration.errors import CatalystError

_PARTS = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%m",
    "dd": "%d",
    "d": "%d",
    "HH": "%H",
    "H": "%H",
    "mm": "%M",
    "m": "%M",
    "ss": "%S",
    "s": "%S",
    "'T'": "T",
}

# How engines differ in what they take for each: years of one digit, short names of months for long ones, blanks.
_PATTERNS = {
    "%Y": "[0-9]{4}",
    "%B": f"(?i:{'|'.join(calendar.month_name[1:])})",
    "%b": f"(?i:{'|'.join(calendar.month_abbr[1:])})",
    "%%": "%",
} | dict.fromkeys(("%y", "%m", "%d", "%H", "%M", "%S"), "[0-9]{1,2}")


def strptime_format(column: Column) -> str:
    """Returns the format by which the text of a column is read: `%d-%b-%y` for `d-MMM-yy`.

    Raises:
        CatalystError: The format has a part that is not known here.
    """
    wanted = str(column.options["format"])
    parts = re.findall(r"'[^']*'|[A-Za-z]+|[^A-Za-z']+", wanted)
    unknown = [part for part in parts if part not in _PARTS and re.search("[A-Za-z]", part)]
    if unknown or "".join(parts) != wanted:
        raise CatalystError(
            f"Column {column.name} has the format {wanted!r}, in which "
            f"{(unknown or [chr(39)])[0]} is not known: make it of "
            f"{', '.join(_PARTS)} and the signs between them."
        )
    return "".join(_PARTS.get(part, part.replace("%", "%%")) for part in parts)


def pattern_of(column: Column) -> str:
    """Returns the pattern of the texts that the format of a column is about; whether there is such a day is left open.

    Raises:
        CatalystError: The format has a part that is not known here.
    """
    parts = re.split("(%.)", strptime_format(column))
    return "".join(_PATTERNS.get(part) or re.escape(part) for part in parts)
