"""Looks at the first rows of files, local or at an address that fsspec knows."""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pyarrow as pa

from orchestration.contracts import Kind
from orchestration.errors import CatalystError
from orchestration.samples.sample import PLACEHOLDER, SAMPLE_ROWS, Sample, from_objects, landed

_SAMPLE_FILES = 5
_FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"} | {
    ".parquet": "parquet"
}
_PACKED = {".gz": "gzip", ".gzip": "gzip", ".zst": "zstd", ".zstd": "zstd"}
_SAMPLE_BYTES = 32 << 20
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def look(location: str, address: str, scheme: str, file_format: str | None) -> Sample:
    """Reads the start of a few of the files: the first, the last, and some between, which may have other columns.

    Raises:
        CatalystError: There is no file, or one cannot be read as what its name says.
    """
    if scheme in ("", "file"):
        # A contract is read from wherever somebody stands.
        location = location if PLACEHOLDER.search(location) else str(Path(address.removeprefix("file://")).absolute())
        address = PLACEHOLDER.sub(lambda match: os.environ[match[1]], location)
    try:
        filesystem, path = fsspec.core.url_to_fs(address)
        # Landing takes those with such names for uploads that are under way.
        paths = sorted(found for found in filesystem.glob(path) if not Path(found).name.startswith((".", "_")))
        kind = file_format or _format_of(paths)
        every = max(1, -(-len(paths) // _SAMPLE_FILES))
        chosen = [path for path in dict.fromkeys([*paths[::every], *paths[-1:]]) if filesystem.size(path)]
        found = [_READERS[kind](filesystem, path, SAMPLE_ROWS // len(chosen)) for path in chosen]
    except CatalystError:
        raise
    except Exception as error:
        # Every file system raises errors of the libraries that it is made of.
        reason = next(iter(str(error).strip().splitlines()), "no reason given")
        raise CatalystError(
            f"{address} cannot be looked at ({type(error).__name__}: {reason}): check the path, the format and your "
            "access to it."
        ) from error
    if not found:
        what = "are empty" if paths else "are not there"
        raise CatalystError(f"The files at {address} {what}: check the path, and quote it if it holds a *.")
    custom = found[-1][1]
    tables = [table for table, _ in found]
    rows, spellings = landed(pa.concat_tables(tables, promote_options="permissive"))
    notes = []
    if len(paths) == 1 and not re.search(r"[*?\[]", location):
        notes.append(f"The feed is the one file {address}; put a * into the contract's path to take in others like it.")
    if "encoding" in custom:
        notes.append(
            f"The text is not UTF-8, so the contract says encoding {custom['encoding']}: check that it reads well."
        )
    if scheme in ("", "file"):
        server = {"type": "local", "path": location, "format": kind}
    elif scheme == "s3":
        server = {"type": "s3", "location": location, "format": kind}
    else:
        server, custom = {"type": "custom"}, {"location": location, "format": kind} | custom
    return Sample(Kind.FILES, server, custom, rows, spellings, notes=notes)


def _format_of(paths: list[str]) -> str:
    suffixes = [suffix for path in paths[-1:] for suffix in Path(path).suffixes if suffix not in _PACKED]
    if paths and (not suffixes or suffixes[-1] not in _FORMATS):
        raise CatalystError(f"What is in {paths[-1]} cannot be told by its name: say --format csv, jsonl or parquet.")
    return _FORMATS[suffixes[-1]] if paths else ""


def _lines(filesystem: Any, path: str, limit: int) -> list[bytes]:
    packed = _PACKED.get(Path(path).suffix.lower())
    lines: list[bytes] = []
    size = 0
    with filesystem.open(path, "rb") as file:
        for line in io.BufferedReader(pa.CompressedInputStream(file, packed)) if packed else file:
            lines.append(line)
            size += len(line)
            if len(lines) == limit or size >= _SAMPLE_BYTES:
                break
    return lines


def _csv(filesystem: Any, path: str, limit: int) -> tuple[pa.Table, dict[str, str]]:
    custom: dict[str, str] = {}
    content = b"".join(_lines(filesystem, path, limit + 1))
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        # What Windows writes in the west of Europe and America, and what reads any bytes at all.
        custom["encoding"] = "cp1252"
        text = content.decode("cp1252", "replace")
    # The sign that parts the header most often; a comma where it names one column.
    delimiter = max(",;|\t", key=text.partition("\n")[0].count)
    try:
        header, *records = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except (csv.Error, ValueError) as error:
        raise CatalystError(f"{path} cannot be read as CSV ({error}): check that it is text with a header.") from error
    # The last record may be half of one, and what else is too long or too short is for the gate.
    full = [[value or None for value in record] for record in records if len(record) == len(header)]
    columns = {name: pa.array([record[n] for record in full], pa.string()) for n, name in enumerate(header)}
    return pa.table(columns), custom if delimiter == "," else custom | {"delimiter": delimiter}


def _jsonl(filesystem: Any, path: str, limit: int) -> tuple[pa.Table, dict[str, str]]:
    objects = []
    for line in _lines(filesystem, path, limit):
        try:
            item = json.loads(line)
        except ValueError:
            continue
        objects += [item] if isinstance(item, dict) else []
    if not objects:
        raise CatalystError(
            f"No line of {path} is a JSON object: JSON lines hold one object each, on a line of its own."
        )
    return from_objects(objects), {}


def _parquet(filesystem: Any, path: str, limit: int) -> tuple[pa.Table, dict[str, str]]:
    import pyarrow.parquet as pq

    with filesystem.open(path, "rb") as file, pq.ParquetFile(file) as parquet:
        return pa.Table.from_batches(islice(parquet.iter_batches(limit), 1), schema=parquet.schema_arrow), {}


_READERS: dict[str, Callable[[Any, str, int], tuple[pa.Table, dict[str, str]]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}
