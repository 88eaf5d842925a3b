"""What the readers of every kind of feed share: the form in which they hand over what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from orchestration.contracts import Feed
from orchestration.landing.target import Target

if TYPE_CHECKING:
    from dlt.extract import DltResource

BATCH_ROWS = 100_000


@dataclass(frozen=True)
class Problem:
    """A part of the source that could not be read, while the rest of it landed; it is tried again next time.

    Attributes:
        file: The file, page or partition.
        message: What is wrong with it and what to do, in full sentences.
    """

    file: str
    message: str


@dataclass(frozen=True)
class Extraction:
    """What a reader found at the source: one resource named as the feed's table, and any ledger of its own.

    Attributes:
        resources: Nothing where the source has nothing new.
        completed: Called once the load is complete in the warehouse, such as to commit a stream's offsets.
        discard: Called at the end, complete or not, such as to remove what was staged for the load.
        sift: Called where the warehouse could not read what was found; returns what remains without the broken parts,
            or None where no part is broken.
        problems: Parts that could not be read; grows while the resources are read.
        notes: Sentences that the user should see, though nothing is wrong; grows while the resources are read.
        more: Asked after the load: whether the reader stopped at its bound, so that another load follows at once.
    """

    resources: list[DltResource]
    completed: Callable[[], None] = lambda: None
    discard: Callable[[], None] = lambda: None
    sift: Callable[[], Extraction | None] | None = None
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    more: Callable[[], bool] = lambda: False


def workspace(feed: Feed, target: Target) -> TemporaryDirectory[str]:
    """Returns a folder for what a landing stages."""
    target.folder.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(prefix=f"{feed.id}-", dir=target.folder)


def remove_leftovers(feed: Feed, target: Target) -> None:
    """Removes what a killed landing had staged: nobody else lands the feed while this process has the target open."""
    for folder in target.folder.glob(f"{feed.id}-*"):
        rmtree(folder, ignore_errors=True)


def numbered(batch: pa.Table, first: int) -> pa.Table:
    """Adds the ordinals, from the first on, by which, with the load, raw rows are known for good."""
    return batch.append_column("_row", pa.array(np.arange(first, first + batch.num_rows), pa.int64()))
