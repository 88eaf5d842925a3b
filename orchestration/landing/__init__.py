"""Brings what the sources have gained into `raw_<source>`; the only package that imports dlt.

A landing keeps nothing outside the warehouse: where a feed stopped last time travels in the same load package as its
rows. dlt reads that state back at the start, so a landing that was killed anywhere is simply done again; the rows of
its unfinished package carry a load id that never completed, and are removed before the next one starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module

import dlt
import duckdb
import pyarrow as pa
from dlt.pipeline.exceptions import PipelineStepFailed

from orchestration.connections import Store
from orchestration.contracts import Feed, Kind
from orchestration.errors import CatalystError
from orchestration.landing.extraction import Extraction, Problem, remove_leftovers, workspace
from orchestration.landing.target import Target, target_of

_NO_SPACE = ("No space left", "File too large", "Disk quota exceeded")


@dataclass(frozen=True)
class Landing:
    """What one landing brought in.

    Attributes:
        load_id: The last load that brought rows; None where there was nothing new.
        rows: Rows landed, over all loads.
        new_columns: Columns that the raw table has gained, which the contract does not name.
        problems: Parts of the source that could not be read, while the rest of it landed.
        notes: Sentences that the user should see, though nothing is wrong.
    """

    feed: str
    load_id: str | None
    rows: int
    new_columns: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def land(feed: Feed, store: Store) -> Landing:
    """Appends the rows that a feed has gained since its last landing.

    Args:
        feed: The feed; `prepare` of the warehouse has created its table.
        store: The warehouse to land in.

    Returns:
        The load and its number of rows; no load where there was nothing new.

    Raises:
        CatalystError: The source cannot be reached or read.
        SchemaDrift: The source lacks a column of the contract, or has changed its type.
    """
    target = target_of(store)
    with target.open(feed):
        remove_leftovers(feed, target)
        landing = Landing(feed.id, None, 0)
        before = target.columns(feed).keys()
        more = True
        while more:
            try:
                target.remove_unfinished(feed)
                extraction = _reader(feed.kind)(feed, target)
                try:
                    load_id, rows = _load(feed, target, extraction)
                finally:
                    extraction.discard()
            except (OSError, duckdb.Error, pa.ArrowException) as error:
                raise _failed(feed, error) from error
            more = extraction.more()
            landing = replace(
                landing,
                load_id=load_id or landing.load_id,
                rows=landing.rows + rows,
                problems=landing.problems + tuple(extraction.problems),
                notes=landing.notes + tuple(extraction.notes),
            )
        known = {*before, *(column.name for column in feed.columns)}
        # Those with an underscore in front are the landing's own.
        has = target.columns(feed) if landing.load_id else before
        return replace(landing, new_columns=tuple(c for c in has if c not in known and not c.startswith("_")))


def _load(feed: Feed, target: Target, extraction: Extraction) -> tuple[str | None, int]:
    if not extraction.resources:
        return None, 0
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
    # What the warehouse refuses once it refuses again.
    dlt.config["load.raise_on_max_retries"] = 1
    # What goes wrong is told once, by the error.
    logging.getLogger("dlt").setLevel(logging.CRITICAL)
    for resource in extraction.resources:
        if not resource.compute_table_schema().get("file_format"):
            resource.apply_hints(file_format="parquet")
    with workspace(feed, target) as state:
        pipeline = dlt.pipeline(
            pipeline_name=pipeline_name(feed), pipelines_dir=state, dataset_name=feed.schema, **target.pipeline()
        )
        try:
            info = pipeline.run(extraction.resources, write_disposition="append")
            info.raise_on_failed_jobs()
        except PipelineStepFailed as error:
            chain = _chain(error)
            known = (link for link in chain if isinstance(link, CatalystError))
            cause = next(known, None) or target.failure(feed, chain)
            if cause is not None:
                raise cause from error
            if extraction.sift is not None and any(isinstance(link, duckdb.Error) for link in chain):
                rest = extraction.sift()
                if rest is not None:
                    target.remove_unfinished(feed)
                    return _load(feed, target, rest)
            raise _failed(feed, chain[-1]) from error
    load_id = info.loads_ids[0] if info.loads_ids else None
    rows = target.complete(feed, load_id)
    extraction.completed()
    return load_id if rows else None, rows


def pipeline_name(feed: Feed) -> str:
    """The dlt pipeline of a feed, under which the warehouse remembers its state and its completed loads."""
    return f"land_{feed.schema}_{feed.table}"


def _reader(kind: Kind) -> Callable[[Feed, Target], Extraction]:
    """Each kind has a module; only that of the feed is imported."""
    return import_module(f"orchestration.landing.{kind}").read  # type: ignore[no-any-return]


def _failed(feed: Feed, cause: BaseException) -> CatalystError:
    reason = next(iter(str(cause).splitlines()), "no reason given")
    if any(sign in reason for sign in _NO_SPACE):
        remedy = "there is no room left on the disk: free some, there and for temporary files, and run again"
    else:
        remedy = f"check the source named in {feed.path} and run again"
    return CatalystError(
        f"Feed {feed.id} could not be landed: {type(cause).__name__}: {reason}. Nothing of this load counts; {remedy}."
    )


def _chain(error: BaseException) -> list[BaseException]:
    """An error and what has led to it, the first cause last."""
    chain = [error]
    while cause := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(cause)
    return chain
