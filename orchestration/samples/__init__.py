"""Looks at the first rows of a source that no contract describes yet, so that one can be proposed."""

from __future__ import annotations

import os

import fsspec  # type: ignore[import-untyped]

from orchestration.errors import CatalystError
from orchestration.samples import database, files, rest, stream
from orchestration.samples.sample import PLACEHOLDER, Sample, shown

__all__ = ["Sample", "look", "shown"]


def look(location: str, source: str, *, table: str | None = None, file_format: str | None = None) -> Sample:
    """Reads the first rows of a source.

    Args:
        location: A path, glob or URL, perhaps with `${NAME}` placeholders, which stay in the contract.
        source: The name of the source, after which its secrets are called.
        table: The table, where the location is a database.
        file_format: csv, jsonl or parquet, where the suffix of the files does not say so.

    Raises:
        CatalystError: It cannot be read, or holds no row.
    """
    missing = [name for name in PLACEHOLDER.findall(location) if name not in os.environ]
    if missing:
        raise CatalystError(
            f"The environment variable {missing[0]} is not set: set it, or add it to secrets.env in CATALYST_HOME."
        )
    address = PLACEHOLDER.sub(lambda match: os.environ[match[1]], location)
    scheme = address.split("://")[0].lower() if "://" in address else ""
    if scheme in ("http", "https"):
        found = rest.look(location, address, source)
    elif scheme == "kafka":
        found = stream.look(location, address)
    elif scheme in ("", *fsspec.available_protocols()):
        found = files.look(location, address, scheme, file_format)
    else:
        found = database.look(location, address, source, table)
    if not found.rows.num_rows:
        raise CatalystError(f"{shown(address)} holds no row to look at: try again once it does.")
    return found
