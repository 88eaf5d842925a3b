"""Training in a process of its own: what it takes of memory is given back, and what it breaks ends no run.

`python -m orchestration.training MODEL FOLDER` reads the rows from the folder, a path or URL, and leaves there the
model, its errors on the hold-out, beside those of the champion if that is there too, and what is told about it. In a
cluster, a job runs the same command on a folder in a bucket.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, NoReturn

import fsspec  # type: ignore[import-untyped]

from orchestration.errors import CatalystError
from orchestration.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml.catalogue import Model

TRAINING, HOLDOUT = "training.parquet", "holdout.parquet"
MODEL, RESULT, CARD, PLOT = "model.skops", "result.json", "model_card.md", "feature_importance.svg"
INPUT, OUTPUT = "input_example.parquet", "output_example.parquet"
CHAMPION = "champion.skops"
# What later rows are compared with: enough of the training rows for any distribution, and small enough to keep.
REFERENCE, REFERENCE_ROWS = "reference.parquet", 10_000
CHALLENGER_LOSSES, CHAMPION_LOSSES = "challenger_losses.parquet", "champion_losses.parquet"
# The rows are at fault, or too few; the sentence on stderr says why.
_UNFIT_ROWS, _TOO_FEW_ROWS = 2, 3


class TooLittleError(CatalystError):
    """A model has nothing to learn or to predict from yet: no fault, and nothing to mend but to wait."""


@dataclass(frozen=True)
class Folder:
    """Files that two processes exchange, by a path or URL."""

    url: str

    def read(self, name: str) -> bytes:
        """Returns the content of a file."""
        with fsspec.open(f"{self.url}/{name}", "rb") as file:
            return bytes(file.read())

    def write(self, name: str, content: bytes) -> None:
        """Writes a file."""
        files, path = fsspec.core.url_to_fs(self.url)
        files.makedirs(path, exist_ok=True)
        files.pipe_file(f"{path}/{name}", content)

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        files, path = fsspec.core.url_to_fs(self.url)
        return bool(files.exists(f"{path}/{name}"))

    def frame(self, name: str) -> pd.DataFrame:
        """Returns the rows of a Parquet file."""
        from pyarrow import parquet

        found: pd.DataFrame = parquet.read_table(io.BytesIO(self.read(name))).to_pandas()
        return found

    def write_rows(self, name: str, rows: pa.Table) -> None:
        """Writes a Parquet file."""
        from pyarrow import parquet

        content = io.BytesIO()
        parquet.write_table(rows, content)
        self.write(name, content.getvalue())

    def result(self) -> dict[str, Any]:
        """Returns the figures of the training."""
        found: dict[str, Any] = json.loads(self.read(RESULT))
        return found

    def remove(self) -> None:
        """Removes the folder with all files in it."""
        files, path = fsspec.core.url_to_fs(self.url)
        if files.exists(path):
            files.rm(path, recursive=True)


@dataclass(frozen=True)
class Trained:
    """What a training has left in a folder, and what its version is to remember.

    Attributes:
        data: The data version: as-of date, number of rows and hashes of what was trained and measured on.
    """

    folder: Folder
    as_of: date
    inputs: str
    trusted: tuple[str, ...]
    params: Mapping[str, float]
    data: Mapping[str, str]


@dataclass(frozen=True)
class Work:
    """A training under way."""

    name: str
    process: subprocess.Popen[str]

    def begin(self) -> None:
        """Says that the rows are in the folder."""
        if self.process.stdin:
            # A process that has ended already says why when it is waited for.
            with suppress(BrokenPipeError):
                self.process.stdin.close()

    def wait(self) -> None:
        """Waits until it has ended well.

        Raises:
            TooLittleError: There is nothing to learn from the rows yet.
            CatalystError: The rows are unfit, or the process was ended from outside or by a defect.
        """
        self.begin()
        said = self.process.stderr.read() if self.process.stderr else ""
        self.process.wait()
        code = self.process.returncode
        if code == _TOO_FEW_ROWS:
            raise TooLittleError(said.strip())
        if code == _UNFIT_ROWS:
            raise CatalystError(said.strip())
        if code:
            last = said.strip().splitlines()[-1:] or ["it said nothing"]
            ended = f"was ended by signal {-code}, as it is where memory runs out" if code < 0 else f"ended with {code}"
            raise CatalystError(
                f"The training of {self.name} {ended}: {last[0]}. The champion is what it was; run again, with more "
                "memory if that was it."
            )


@contextmanager
def apart(settings: Settings, name: str, folder: Folder) -> Iterator[Work]:
    """Starts the training on a folder whose rows come later; the process ends with the block at the latest."""
    with subprocess.Popen(
        [sys.executable, "-m", "orchestration.training", name, folder.url],
        env=settings.child_environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Work(name, process)
        finally:
            process.kill()


def train(model: Model, folder: Folder) -> None:
    """Trains a model on the rows of a folder, measures it on the hold-out, and leaves what came of it."""
    import pyarrow as pa

    from ml import storage
    from ml.cards import importance_svg, model_card
    from ml.errors import ModelInputError
    from ml.importance import importance

    rows, holdout = folder.frame(TRAINING), folder.frame(HOLDOUT)
    fitted = model.train(rows)
    stored = storage.dumps(fitted)
    # What is measured is what will be loaded.
    fitted = storage.loads(stored, model.TRUSTED)
    started = time.perf_counter()
    losses = model.losses(fitted, holdout)
    seconds = (time.perf_counter() - started) / len(holdout) * 1000
    metrics = model.evaluate(fitted, holdout)
    weights = importance(
        holdout, model.FEATURES, model.ENTITY, lambda frame: float(model.losses(fitted, frame)["loss"].sum())
    )
    example = holdout[list(dict.fromkeys((*model.KEYS, *model.FEATURES)))].head(5)
    folder.write(MODEL, stored)
    folder.write_rows(CHALLENGER_LOSSES, pa.Table.from_pandas(losses, preserve_index=False))
    if folder.has(CHAMPION):
        # One of an earlier version of its module may not be read any more: then there are no losses to compare with.
        with suppress(ModelInputError):
            champion = model.losses(storage.loads(folder.read(CHAMPION), model.TRUSTED), holdout)
            folder.write_rows(CHAMPION_LOSSES, pa.Table.from_pandas(champion, preserve_index=False))
    # The rows came in a total order, so that the same ones are drawn each time.
    drawn = rows.sample(min(len(rows), REFERENCE_ROWS), random_state=0)
    known = list(dict.fromkeys((*model.KEYS, *model.FEATURES, model.SEGMENT, model.TARGET)))
    foretold = model.predict(fitted, drawn)[model.PREDICTED]
    reference = drawn[known].assign(**{model.TARGET: drawn[model.TARGET].astype(float), model.PREDICTED: foretold})
    for file, frame in ((INPUT, example), (OUTPUT, model.predict(fitted, example)), (REFERENCE, reference)):
        folder.write_rows(file, pa.Table.from_pandas(frame, preserve_index=False))
    facts = {
        "version": fitted.version,
        "trained through": fitted.trained_through,
        "training rows": f"{len(rows):,}",
        "hold-out rows": f"{len(holdout):,}, all later",
    }
    card = model_card(model.NAME, model.__doc__ or "", facts, metrics, weights, model.PARAMS)
    folder.write(CARD, card.encode())
    folder.write(PLOT, importance_svg(weights).encode())
    result = {
        "fingerprint": fitted.version,
        "trained_through": fitted.trained_through,
        "metrics": metrics,
        "seconds_per_1000_rows": seconds,
        "megabytes": len(stored) / 1e6,
    }
    folder.write(RESULT, json.dumps(result).encode())


def main() -> NoReturn:
    """Trains as the command line says, and ends the process."""
    from ml.catalogue import model as model_of
    from ml.errors import ModelInputError, TooFewRowsError

    code = 0
    try:
        # Its imports take 2 s, in which the rows are being read: a pipe says by its end that they are there.
        model = model_of(sys.argv[1])
        if not sys.stdin.isatty():
            sys.stdin.read()
        train(model, Folder(sys.argv[2]))
    except ModelInputError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        code = _TOO_FEW_ROWS if isinstance(error, TooFewRowsError) else _UNFIT_ROWS
    # All is written. While the interpreter shuts down, a thread of Arrow may abort it now and then: apache/arrow#34314.
    os._exit(code)


if __name__ == "__main__":
    main()
