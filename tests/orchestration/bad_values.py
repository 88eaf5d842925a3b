"""Values that sources really send and that no contract can let through, and texts that look dangerous and are fine."""

from __future__ import annotations

import json
import re
from datetime import date
from typing import Any

from hypothesis import strategies as st

from tests.orchestration.conftest import column

COLUMNS = [
    column("id", primaryKey=True),
    column("tag"),
    column("amount", "number", logicalTypeOptions={"minimum": 0, "maximum": 1_000_000}),
    column("quantity", "integer", logicalTypeOptions={"minimum": -100, "maximum": 100}),
    column("day", "date", logicalTypeOptions={"minimum": "2000-01-01", "maximum": "2099-12-31"}),
    column("seen_at", "timestamp", logicalTypeOptions={"minimum": "2000-01-01", "maximum": "2099-12-31 23:59:59"}),
    column("flag", "boolean"),
    column("code", logicalTypeOptions={"pattern": "^[A-Z]{2}$"}),
    column("note"),
]

GOOD = {
    "amount": ("0", "12.50", "1000000", "1e3", ".5"),
    "quantity": ("0", "-100", "100", "7"),
    "day": ("2000-01-01", "2024-02-29", "2099-12-31"),
    "seen_at": ("2000-01-01 00:00:00", "2024-02-29T23:59:59", "2024-06-30 12:00:00.123456"),
    "flag": ("true", "false"),
    "code": ("AB", "ZZ"),
}

SQL = (
    "'; drop table quality.loads; --",
    "Robert'); delete from quality.quarantine;--",
    "x' or '1'='1",
    '" or ""="',
    "1); attach 'x.duckdb'; --",
    "'||(select version())||'",
    "/* */ union all select null",
    "$$;$$",
    "{{ ref('x') }}",
    "${HOME}",
    "%s%n%(x)s",
    "\\'; --",
    "{0.__class__}",
    ":name ? $1 @p",
)
ODD_TEXT = (
    "a,b;c\td|e",
    'say "hi"',
    "first line\nsecond line",
    "\ttabs\t",
    " leading and trailing ",
    "\\N",
    "\\",
    "'",
    "null",
    "NaN",
    "<html><body>502</body></html>",
    '{"id": 1}',
    "é ß 漢字 🙂 \u202eRTL\u202c e\u0301 \u2028 \ufeff",
    "=cmd|' /C calc'!A0",
    "x" * 2_000,
)

# Any text of Unicode that a file in UTF-8 can hold. NUL and lone carriage returns are tried in files of their own.
_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), min_size=1, max_size=40)
good_notes = st.sampled_from(SQL + ODD_TEXT) | _text

_words = _text.filter(
    lambda text: not re.search(r"\d", text) and not re.fullmatch(r"\W*(nan|inf|infinity|epoch|\W*)\W*", text.lower())
)
_never = st.sampled_from(
    (*SQL, "n/a", "-", "?", "NULL", "None", "#REF!", "€5", "1,5", "1.234.567,89", "1 000", "٣", "½", "１２")
)

_huge = st.integers(20, 400).map(lambda digits: "9" * digits)
_number = st.one_of(
    _never,
    _words,
    _huge,
    st.sampled_from(("NaN", "inf", "-inf", "Infinity", "1e309", "-1e309", "1e", "--1", "1.2.3", "1000000.01", "-0.01")),
    st.integers(1_000_001, 10**18).map(str),
    st.integers(-(10**18), -1).map(str),
)
_integer = st.one_of(
    _never,
    _words,
    _huge,
    st.sampled_from(("NaN", "inf", "1.5", "0.1", "-2.75", "1e30", "9223372036854775808", "-9223372036854775809")),
    st.integers(101, 2**63 - 1).map(str),
    st.integers(-(2**63), -101).map(str),
)
_day = st.one_of(
    _never,
    _words,
    st.dates(max_value=date(1999, 12, 31)).map(lambda day: day.isoformat()),
    st.integers(2100, 9999).map(lambda year: f"{year}-06-30"),
    st.tuples(st.integers(2000, 2099), st.integers(13, 99), st.integers(1, 28)).map(lambda d: "{}-{}-{:02}".format(*d)),
    st.tuples(st.integers(2000, 2099), st.integers(1, 12), st.integers(32, 99)).map(lambda d: "{}-{:02}-{}".format(*d)),
    st.integers(10_000, 10**9).map(lambda year: f"{year}-01-01"),
    st.sampled_from(
        (
            "0000-01-01",
            "0000-00-00",
            "0001-01-01",
            "-0001-01-01",
            "2023-02-29",
            "2100-02-29",
            "infinity",
            "-infinity",
            "1900-01-00",
            "20240630",
            "30.06.2024",
            "06/30/2024",
            "2024-W26-7",
            "2024-06",
            "yesterday",
            "now()",
        )
    ),
)
_moment = st.one_of(
    _day,
    st.integers(25, 99).map(lambda hour: f"2024-06-30 {hour}:00:00"),
    st.integers(60, 99).map(lambda minute: f"2024-06-30 12:{minute}:00"),
    # clocks that run decades ahead or have lost their battery
    st.integers(0, 29 * 365).map(lambda day: f"{1970 + day // 365}-01-01 00:00:{day % 60:02}"),
    st.integers(2100, 9998).map(lambda year: f"{year}-01-01T00:00:00Z"),
    st.sampled_from(("1719748800", "2024-06-30 12:00:00 PM PM", "2024-06-30T", "12:00:00", "0000-00-00 00:00:00")),
)
_code = st.one_of(
    _never,
    _text.filter(lambda text: not re.fullmatch(r"[A-Z]{2}", text) and text.strip()),
    st.sampled_from(("ab", "ABC", "A", "A1", " AB", "AB ", "ÀB", "AB\u200b", "АВ", "AB\nAB", "AB\n")),
)
_flag = st.one_of(
    _never, _words.filter(lambda text: len(text.strip()) > 5), st.sampled_from(("truefalse", "maybe", "vrai"))
)

bad_texts: dict[str, st.SearchStrategy[str]] = {
    "amount": _number,
    "quantity": _integer,
    "day": _day,
    "seen_at": _moment,
    "code": _code,
    "flag": _flag,
}

# What JSON can say beside text: a structure, a truth value or a number where something else is due.
_json: st.SearchStrategy[Any] = st.one_of(
    st.lists(st.integers(), max_size=3), st.dictionaries(st.sampled_from("abc"), st.booleans(), max_size=2)
)
bad_json: dict[str, st.SearchStrategy[Any]] = {
    "amount": st.one_of(_json, st.booleans(), st.integers(10**7, 10**60), st.floats(1.1e6, 1e300)),
    "quantity": st.one_of(_json, st.booleans(), st.integers(101, 10**60)),
    "day": st.one_of(_json, st.booleans(), st.integers(10**9, 10**12)),
    "seen_at": st.one_of(_json, st.booleans(), st.integers(10**9, 10**12)),
    "code": st.one_of(_json, st.booleans(), st.integers()),
    "flag": st.one_of(_json, st.floats(1.1, 1e300)),
    "id": st.none(),
}


def is_broken(line: bytes) -> bool:
    """Whether a line says something that is no JSON object; Python reads more than the standard has, so less counts."""
    if set(b"\r\n") & set(line) or not line.strip() or not line.decode("utf-8", "replace").strip():
        return False
    try:
        return not isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return True


# Lines among JSON lines that are none, but for a few by chance: cut off, of another format or encoding, or noise.
_object = json.dumps({"id": "x", "tag": "<cut>", "note": "é 漢", "amount": 1}, ensure_ascii=False).encode()
broken_lines = st.one_of(
    st.binary(min_size=1, max_size=60),
    _text.map(str.encode),
    st.integers(1, len(_object) - 1).map(lambda length: _object[:length]),
    st.tuples(st.integers(1, len(_object) - 2), st.binary(min_size=1, max_size=3)).map(
        lambda at: _object[: at[0]] + b"\xff" + at[1] + _object[at[0] :]
    ),
    st.sampled_from(("utf-16", "utf-32")).map('{"id": "x"}'.encode),
    st.integers(1, 3000).map(lambda depth: b"[" * depth),
    st.integers(2, 3000).map(lambda depth: b"[" * depth + b"]" * depth),
    st.sampled_from(
        (
            b"null", b"[]", b"[{}]", b"1", b"true", b'"text"', b"NaN", b"{'id': 'x'}", b'{"id" "x"}',
            b'{"id": "x"} {"id": "y"}', b'{"id": "x"},', b"{id: 'x'}", b'{"id": NaN}', b'{"id": 0x10}', b'{"id": 01}',
            b"<html><body><h1>502 Bad Gateway</h1></body></html>", b"<?xml version='1.0'?>", b"id,tag,amount", b"---",
            b"\x1f\x8b\x08\x00", b"PAR1", b"\xff\xfe{\x00}\x00", b"\xc3\x28", b"\xed\xa0\x80", b"\xc0\x80", b"\x00",
            b"// comment", b"# comment", b"Traceback (most recent call last):", b"'; drop table quality.loads; --",
        )
    ),
)  # fmt: skip
