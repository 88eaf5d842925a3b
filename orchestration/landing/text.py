"""How text files are to be read, by the contract and by their first bytes, and a reader that no content can stop.

DuckDB reads what is well formed, and refuses the rest as a whole. What it refuses is read here, line by line.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.contracts import Feed
from orchestration.errors import CatalystError

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_UNDECODABLE = re.compile("[\udc80-\udcff]")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """What the server of a contract says of its text files."""

    delimiter: str
    quote: str
    escape: str
    header: bool
    encoding: str

    @classmethod
    def of(cls, feed: Feed) -> Dialect:
        """Reads the dialect of a feed.

        Raises:
            CatalystError: A setting is not one that can be read by.
        """
        quote = feed.setting("quote", '"')
        dialect = cls(
            delimiter=feed.setting("delimiter", ",").replace("\\t", "\t"),
            quote=quote,
            escape=feed.setting("escape", quote),
            header=feed.setting("header", "true").lower() == "true",
            encoding=feed.setting("encoding", "utf-8"),
        )
        for name, sign in (("delimiter", dialect.delimiter), ("quote", quote), ("escape", dialect.escape)):
            if len(sign) > 1 or (not sign and name == "delimiter") or sign in ("\n", "\r"):
                raise CatalystError(
                    f"Feed {feed.id} has the {name} {sign!r}, which is not a single sign: correct it in {feed.path}."
                )
        try:
            codecs.lookup(dialect.encoding)
        except LookupError as error:
            raise CatalystError(
                f"Feed {feed.id} has the encoding {dialect.encoding!r}, which is not known: write one such as utf-8, "
                f"latin-1, cp1252 or utf-16 in {feed.path}."
            ) from error
        return dialect


def encoding_of(path: Path, said: str) -> str:
    """Returns the encoding of a file: what its first bytes say, or else what the contract does."""
    with path.open("rb") as file:
        start = file.read(4)
    # The mark of UTF-32 begins with that of UTF-16, and comes first in the list.
    return next((encoding for mark, encoding in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), said)


def in_utf8(path: Path, said: str, target: Path) -> Path:
    """Returns a copy of a text file in UTF-8, or the file itself where it claims to be that.

    Raises:
        UnicodeError: It is not in the encoding that it should be in.
    """
    encoding = encoding_of(path, said)
    if codecs.lookup(encoding).name in ("utf-8", "ascii"):
        return path
    with path.open(encoding=encoding, newline="") as source, target.open("w", encoding="utf-8", newline="") as copy:
        while chunk := source.read(_CHUNK):
            copy.write(chunk)
    return target


def physical_lines(path: Path) -> Iterator[tuple[str, bool]]:
    r"""Yields the lines of a file in UTF-8, ended by \n, \r\n or \r, and whether each is readable.

    Bytes that are not UTF-8 are shown as escapes.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        for line in file:
            if _UNDECODABLE.search(line):
                yield line.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), False
            else:
                yield line, True
