"""Files that are broken as a whole: each is reported by its name, and the good files beside it land."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import CatalystError
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.bad_source import FORMATS, Row, Source, write_csv, write_jsonl, write_parquet
from tests.orchestration.conftest import MakeFeed

HTML = b"<!DOCTYPE html>\n<html><head><title>502</title></head>\n<body>\n<h1>Bad Gateway</h1>\n</body></html>\n"
NOISE = random.Random(7).randbytes(2_000)
JSON_DOCUMENT = b'{\n  "data": [\n    {"id": "x"}\n  ],\n  "next": null\n}\n'


def _take_in(source: Source) -> dict[str, str]:
    """Lands and gates, without each file that stops the feed; returns what was said of every file that did not land."""
    said: dict[str, str] = {}
    while True:
        try:
            landing = land(source.feed, source.warehouse)
            break
        except CatalystError as error:
            named = [path for path in source.folder.iterdir() if path.name in str(error)]
            if not named:
                raise
            for path in named:
                said[path.name] = str(error)
                path.unlink()
    said |= {Path(problem.file).name: problem.message for problem in landing.problems}
    gate(source.feed, source.warehouse)
    check_balance(source.feed, source.warehouse)
    return said


def _tags(source: Source, accepted: bool) -> list[str]:
    return sorted(tag for tag, _ in source.rows(accepted=accepted) if tag)


def _cuts(content: bytes, pieces: int = 40) -> Iterable[bytes]:
    """The content cut off at many places, in the middle of its head and its tail among them."""
    places = {*range(1, 12), *range(0, len(content), max(1, len(content) // pieces)), *range(-12, 0)}
    return (content[:place] for place in sorted({place % len(content) for place in places}) if place)


@pytest.mark.parametrize("suffix", ["csv.gz", "jsonl.gz", "csv.zst", "jsonl.zst", "parquet"])
def test_a_file_that_was_cut_off_is_reported_and_the_good_ones_land(
    suffix: str, make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", suffix)
    source.put(f"000.{suffix}", FORMATS[suffix][1]([source.good_row("first") for _ in range(20)]))
    whole = FORMATS[suffix][1]([source.row("cut", note=NOISE.hex()[n : n + 50]) for n in range(200)])
    broken = {f"cut{n:03}.{suffix}": content for n, content in enumerate(_cuts(whole))}
    broken |= {
        f"html.{suffix}": HTML,
        f"noise.{suffix}": NOISE,
        f"text.{suffix}": b"not found",
        f"tail.{suffix}": whole[len(whole) // 2 :],
        f"head.{suffix}": b"\x00" * 64 + whole[64:],
    }
    for name, content in broken.items():
        source.put(name, content)
    source.put(f"zzz.{suffix}", FORMATS[suffix][1]([source.good_row("last") for _ in range(20)]))
    said = _take_in(source)
    assert sorted(said.keys() ^ broken.keys()) == []
    assert [name for name, message in said.items() if name not in message] == []
    assert _tags(source, accepted=True) == sorted(source.good)
    assert _tags(source, accepted=False) == []
    # Once the file is whole it lands: nothing of the cut one is in the ledger.
    source.put("cut010." + suffix, FORMATS[suffix][1]([source.good_row("whole now")]))
    _take_in(source)
    assert _tags(source, accepted=True) == sorted(source.good)


def test_what_is_no_json_lines_at_all_is_kept_as_text_or_reported(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", "jsonl")
    files = {
        "html": HTML,
        "document": JSON_DOCUMENT,
        "array": b'[{"id": "x"},\n{"id": "y"}]\n',
        "csv": write_csv([source.row("csv")]),
        "parquet": write_parquet([source.row("parquet")]),
        "gzip": gzip.compress(write_jsonl([source.row("gzip")])),
        "noise": NOISE,
        "xml": b"<?xml version='1.0'?><rows><row id='1'/></rows>",
        # Their first bytes tell how these two are to be read.
        "utf16": write_jsonl([source.good_row("wide")]).decode().encode("utf-16"),
        "utf32": write_jsonl([source.good_row("wider")]).decode().encode("utf-32"),
        "nul": b"\x00" * 500,
        "cut": write_jsonl([source.row("cut")])[:-20],
    }
    quiet = {"empty": b"", "blank": b"\n\n  \n", "newline": b"\n"}
    for name, content in (files | quiet).items():
        source.put(f"{name}.jsonl", content)
    source.put("zzz.jsonl", write_jsonl([source.good_row("good")]))
    said = _take_in(source)
    kept = _files(source)
    assert [name for name in files if f"{name}.jsonl" not in kept | said.keys()] == []
    assert _tags(source, accepted=True) == sorted(source.good)


def test_what_is_no_csv_at_all_is_kept_as_text_or_reported(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", "csv")
    files = {
        "html": HTML,
        "json": JSON_DOCUMENT,
        "jsonl": write_jsonl([source.row("jsonl")]),
        "parquet": write_parquet([source.row("parquet")]),
        "noise": NOISE,
        "no_header": write_csv([source.row("headless")]).split(b"\n", 1)[1],
        "other_header": b"a,b,c\n1,2,3\n",
        "semicolons": write_csv([source.row("semicolon")]).replace(b",", b";"),
        "nul": b"\x00" * 500,
    }
    quiet = {"empty": b"", "blank": b"\n\n", "only_header": write_csv([])}
    for name, content in (files | quiet).items():
        source.put(f"{name}.csv", content)
    source.put("zzz.csv", write_csv([source.good_row("good")]))
    said = _take_in(source)
    kept = _files(source)
    assert [name for name in files if f"{name}.csv" not in kept | said.keys()] == []
    assert _tags(source, accepted=True) == sorted(source.good)


def test_broken_lines_of_csv_are_kept_and_the_lines_around_them_go_on(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", "csv")

    def line(row: Row) -> bytes:
        return write_csv([row]).split(b"\n", 1)[1]

    def broken(name: str, change: tuple[bytes, bytes]) -> None:
        row = source.bad_row(note="NOTE")
        changed = line(row).replace(*change)
        assert changed != line(row)
        around = [line(source.good_row(f"{side} {name}")) for side in ("before", "after")]
        source.put(f"{name}.csv", write_csv([]) + around[0] + changed + around[1])

    for name, change in {
        "one_more": (b"NOTE", b"NOTE,x"),
        "many_more": (b"NOTE", b"x," * 50),
        "one_less": (b",NOTE", b""),
        "latin_1": (b"NOTE", "é".encode("latin-1")),
        "windows": (b"NOTE", b"\x80\x93\x94"),
        "cut_utf_8": (b"NOTE", "漢".encode()[:2]),
        "surrogate": (b"NOTE", b"\xed\xa0\x80"),
    }.items():
        broken(name, change)
    said = _take_in(source)
    assert said == {}
    assert _tags(source, accepted=True) == sorted(source.good)
    payloads = " ".join(payload for (payload,) in _query(source, "select payload from quality.quarantine"))
    assert [tag for tag in source.bad if tag not in payloads] == []


def test_csv_of_other_systems_lands_whole(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", "csv")
    mark = b"\xef\xbb\xbf"
    ways: dict[str, Callable[[bytes], bytes]] = {
        "windows": lambda text: text.replace(b"\n", b"\r\n"),
        "byte_order_mark": lambda text: mark + text,
        "excel": lambda text: mark + text.replace(b"\n", b"\r\n"),
        "no_last_newline": lambda text: text.rstrip(b"\n"),
        "blank_lines_at_the_end": lambda text: text + b"\n\n",
        "quoted": lambda text: text.replace(b",note\n", b',"note"\n'),
    }
    for name, written in ways.items():
        source.put(f"{name}.csv", written(write_csv([source.good_row(name), source.good_row("second")])))
    assert _take_in(source) == {}
    assert _tags(source, accepted=True) == sorted(source.good)


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_line_of_a_hundred_megabytes_takes_no_good_line_with_it(
    suffix: str, make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", suffix)
    write = FORMATS[suffix][1]
    rows = [source.good_row("before"), source.row("huge", note="x" * 100_000_000), source.good_row("after")]
    source.put(f"huge.{suffix}", write(rows))
    source.put(f"other.{suffix}", write([source.good_row("other")]))
    said = _take_in(source)
    if said:
        assert "huge" in " ".join(said)
        return
    assert set(_tags(source, accepted=True)) >= source.good.keys()
    [[raw]] = _query(source, f"select count(*) from {source.feed.id}")
    assert raw == 4


def test_large_csv_with_line_breaks_in_quotes_lands_whole(
    make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", "csv")
    source.send(source.good_row("one line\nanother\n" + "x" * 400) for _ in range(40_000))
    assert _take_in(source) == {}
    assert len(_tags(source, accepted=True)) == 40_000


def test_clocks_that_are_wrong_hide_no_file(make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path) -> None:
    """A file's time of change may lie in 1970 or in 2100, and may go back when the file is written anew."""
    source = Source.of(make_feed, warehouse, tmp_path / "in", "csv")
    for second in (0, 4_102_444_800):
        path = source.put(f"{second}.csv", write_csv([source.good_row("dated")]))
        os.utime(path, (second, second))
    assert _take_in(source) == {}
    path = source.put("4102444800.csv", write_csv([source.good_row("anew"), source.good_row("and more")]))
    os.utime(path, (0, 0))
    assert _take_in(source) == {}
    assert sorted(note or "" for _, note in source.rows(accepted=True)) == ["and more", "anew", "dated"]


def _files(source: Source) -> set[str]:
    return {name for (name,) in _query(source, f"select distinct _file from {source.feed.id}")}


def _query(source: Source, sql: str) -> list[tuple[Any, ...]]:
    with source.warehouse.connect() as connection:
        return connection.execute(sql).fetchall()
