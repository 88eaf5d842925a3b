"""A feed of files for the tests of bad input, which knows what was sent and holds it against what came out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.contracts import Feed
from orchestration.gate import check_balance, gate
from orchestration.landing import land
from orchestration.warehouse import Warehouse
from tests.orchestration.bad_values import COLUMNS, GOOD
from tests.orchestration.conftest import MakeFeed

Row = dict[str, Any]
NAMES = [column["name"] for column in COLUMNS]


def write_csv(rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, NAMES, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def write_jsonl(rows: Iterable[Row]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def write_parquet(rows: Iterable[Row]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), pa.schema([(name, pa.string()) for name in NAMES])), sink)
    return sink.getvalue()


def compressed(write: Callable[[Iterable[Row]], bytes], codec: str) -> Callable[[Iterable[Row]], bytes]:
    return lambda rows: pa.compress(write(rows), codec, asbytes=True)


# How a file is written and what its contract calls the format.
FORMATS: dict[str, tuple[str, Callable[[Iterable[Row]], bytes]]] = {
    "csv": ("csv", write_csv),
    "jsonl": ("jsonl", write_jsonl),
    "parquet": ("parquet", write_parquet),
    "csv.gz": ("csv", compressed(write_csv, "gzip")),
    "jsonl.gz": ("jsonl", compressed(write_jsonl, "gzip")),
    "csv.zst": ("csv", compressed(write_csv, "zstd")),
    "jsonl.zst": ("jsonl", compressed(write_jsonl, "zstd")),
}


@dataclass
class Source:
    """A feed of files of one format, and what has been sent that must come out."""

    feed: Feed
    warehouse: Warehouse
    folder: Path
    suffix: str
    good: dict[str, Row] = field(default_factory=dict)
    bad: dict[str, Row] = field(default_factory=dict)
    numbers: count[int] = field(default_factory=count)

    @classmethod
    def of(cls, make_feed: MakeFeed, warehouse: Warehouse, folder: Path, suffix: str, pattern: str = "") -> Source:
        """A feed of the files in a folder that end in a suffix, or fit a pattern, with the suffix's format."""
        folder.mkdir()
        server = {"type": "local", "path": f"{folder}/{pattern or f'*.{suffix}'}", "format": FORMATS[suffix][0]}
        feed = make_feed("events", server, COLUMNS)
        warehouse.prepare([feed])
        return cls(feed, warehouse, folder, suffix)

    def row(self, kind: str, **values: Any) -> Row:
        """A row that is right but for the values given; its tag is known nowhere else."""
        number = next(self.numbers)
        usual = {name: choices[number % len(choices)] for name, choices in GOOD.items()}
        return {"id": f"i{number}", "tag": f"<{kind}{number}>", **usual, "note": "", **values}

    def good_row(self, note: str) -> Row:
        row = self.row("good", note=note)
        self.good[row["tag"]] = row
        return row

    def bad_row(self, **values: Any) -> Row:
        row = self.row("bad", **values)
        self.bad[row["tag"]] = row
        return row

    def send(self, rows: Iterable[Row], suffix: str = "") -> None:
        suffix = suffix or self.suffix
        self.put(f"{next(self.numbers):06}.{suffix}", FORMATS[suffix][1](rows))

    def put(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path

    def take_in(self, malformed: int = 0) -> None:
        """Lands and gates what was sent, and holds it against what was meant; anything else raised is a defect.

        Args:
            malformed: How many lines there are in all that are no rows, and so have no tag.
        """
        landing = land(self.feed, self.warehouse)
        gate(self.feed, self.warehouse)
        total = check_balance(self.feed, self.warehouse)
        assert landing.problems == ()
        accepted, refused = self.rows(accepted=True), self.rows(accepted=False)
        notes = dict(accepted)
        assert [row for tag, row in self.bad.items() if tag in notes] == [], "bad rows went on"
        assert [row for tag, row in self.good.items() if tag not in notes] == [], "good rows did not go on"
        assert len(accepted) == len(self.good), "each good row goes on once"
        assert sorted(tag for tag, _ in refused if tag) == sorted(self.bad), "each bad row is kept once"
        assert sum(tag is None for tag, _ in refused) == malformed, "each broken line is kept once"
        assert total.landed == len(accepted) + len(refused)
        sent = {tag: row["note"] for tag, row in self.good.items()}
        assert {tag: (note, notes[tag]) for tag, note in sent.items() if note != notes[tag]} == {}, "text is as sent"

    def rows(self, accepted: bool) -> list[tuple[str, str | None]]:
        condition = "not exists" if accepted else "exists"
        with self.warehouse.connect() as connection:
            return connection.execute(
                f"""
                select tag, note from {self.feed.id} as raw where {condition} (
                    select 1 from quality.quarantine as mark
                    where mark.feed = '{self.feed.id}' and mark.load_id = raw._dlt_load_id
                        and mark.row_number = raw._row
                )
                """
            ).fetchall()
