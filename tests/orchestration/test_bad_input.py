"""Whatever a source sends: no stack trace, every good row goes on once, and every bad one is kept with a reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.warehouse import Warehouse
from tests.orchestration.bad_source import Source
from tests.orchestration.bad_values import bad_json, bad_texts, broken_lines, good_notes, is_broken
from tests.orchestration.conftest import MakeFeed

# A landing takes a second, so each brings in many rows; the same ones on every machine and day.
PER_LANDING = 100
many = settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def _values(suffix: str) -> st.SearchStrategy[tuple[str, Any]]:
    """A column and what is wrong with it."""
    texts = [st.tuples(st.just(name), values) for name, values in bad_texts.items()]
    natives = [st.tuples(st.just(name), values) for name, values in bad_json.items()]
    return st.one_of(*texts, *(natives if suffix.startswith("jsonl") else []))


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_four_hundred_kinds_of_bad_values_are_quarantined_and_the_good_rows_around_them_go_on(
    suffix: str, make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", suffix)
    kinds: set[str] = set()

    @many
    @given(
        st.lists(_values(suffix), min_size=PER_LANDING, max_size=PER_LANDING, unique_by=repr),
        st.lists(good_notes, min_size=8, max_size=8),
    )
    def check(bad: list[tuple[str, Any]], notes: list[str]) -> None:
        rows = [source.bad_row(**{name: value}) for name, value in bad]
        kinds.update(map(repr, bad))
        for position, note in enumerate(notes):
            rows.insert(position * PER_LANDING // 8, source.good_row(note))
        # A key that comes again: in the same file, and from one that has landed before.
        rows += [source.bad_row(id=next(iter(source.good.values()))["id"]), source.bad_row(id=rows[0]["id"])]
        source.send(rows)
        source.take_in()

    check()
    assert len(kinds) >= 400


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz"])
def test_broken_lines_of_json_are_kept_as_text_and_the_lines_around_them_go_on(
    suffix: str, make_feed: MakeFeed, warehouse: Warehouse, tmp_path: Path
) -> None:
    source = Source.of(make_feed, warehouse, tmp_path / "in", suffix)
    lines = 0

    @settings(many, max_examples=3)
    @given(st.lists(broken_lines, min_size=PER_LANDING, max_size=PER_LANDING))
    def check(drawn: list[bytes]) -> None:
        nonlocal lines
        # Sorted out here and not in the strategy, which would give up a whole list for the sake of a line.
        broken = [line for line in dict.fromkeys(drawn) if is_broken(line)]
        lines += len(broken)
        whole = [json.dumps(source.good_row("between")).encode() for _ in broken]
        content = b"\n".join(line for pair in zip(whole, broken, strict=True) for line in pair)
        source.put(f"{lines:06}.{suffix}", gzip.compress(content) if suffix.endswith("gz") else content)
        source.take_in(malformed=lines)

    check()
    assert lines >= 150
