"""Feature rows as arrays, the same way for every model of customers: checked, in the order of their keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sklearn

from ml.encoding import codes, known_values
from ml.errors import ModelInputError, TooFewRowsError
from ml.frames import Floats, Floats32, floats, marked, numbers, refuse, require_columns
from ml.versions import digest

# A categorical feature takes a bin for each value, and scikit-learn has 255; the rarest beyond share the unknown one.
_MOST_VALUES = 254


@dataclass(frozen=True)
class Task:
    """What a model predicts from what.

    Attributes:
        keys: `origin_date`, `target_date`, then the entity.
        categorical: Those of the features that are text.
    """

    name: str
    entity: tuple[str, ...]
    keys: tuple[str, ...]
    features: tuple[str, ...]
    categorical: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Rows:
    """Labelled rows in the order of their key, so that the order of a SQL result changes no model."""

    x: Floats32
    y: Floats
    origin: npt.NDArray[np.datetime64]
    target: npt.NDArray[np.datetime64]
    categories: Mapping[str, tuple[str, ...]]
    version: str

    @property
    def trained_through(self) -> str:
        """The last day that a label looks at."""
        return str(self.target.max())


def training_rows(task: Task, frame: pd.DataFrame, params: Mapping[str, float]) -> Rows:
    """Labelled rows to fit on, and the fingerprint of what is made of them.

    Raises:
        ModelInputError: for missing columns, unusable rows (in `rows`), no rows, or a single outcome.
    """
    where = f"{task.name}.train"
    _checked(task, frame, where)
    if frame[task.target].nunique() < 2:
        raise TooFewRowsError(
            f"{where}: {task.target} is {frame[task.target].iloc[0]} in all {len(frame)} rows, so there is nothing to "
            "learn; wait for more outcomes"
        )
    keys = {key: pd.factorize(frame[key], sort=True) for key in task.keys}
    order = np.lexsort([keys[key][0] for key in reversed(task.keys)]).astype(np.int64)
    categories = {name: known_values(frame[name], _MOST_VALUES) for name in task.categorical}
    x = matrix(task, frame, categories, where)[order]
    y = outcomes(task, frame)[order]
    dates = [pd.to_datetime(frame[key]).to_numpy(dtype="datetime64[D]")[order] for key in task.keys[:2]]
    names = [[str(value) for value in keys[key][1]] for key in task.entity]
    arrays: list[npt.NDArray[Any]] = [x, y, *dates, *(keys[key][0][order] for key in task.entity)]
    version = digest([sklearn.__version__, task.features, dict(params), categories, names], arrays)
    return Rows(x, y, dates[0], dates[1], categories, version)


def matrix(task: Task, frame: pd.DataFrame, categories: Mapping[str, tuple[str, ...]], where: str) -> Floats32:
    """The features as numbers; NaN for null, and for a category that training has not met."""
    require_columns(frame, task.features, where)
    x = np.empty((len(frame), len(task.features)), dtype=np.float32)
    for position, name in enumerate(task.features):
        known = categories.get(name)
        x[:, position] = numbers(frame[name], where) if known is None else codes(frame[name], known)
    return x


def outcomes(task: Task, frame: pd.DataFrame) -> Floats:
    """The labels as numbers; true is 1."""
    return floats(frame[task.target].astype("float64"))


def require_unseen(task: Task, frame: pd.DataFrame, trained_through: str, where: str) -> None:
    """Raise ModelInputError unless all rows are usable, labelled and of origins that training knew nothing after."""
    _checked(task, frame, where)
    seen = (pd.to_datetime(frame["target_date"]) <= pd.Timestamp(trained_through)).to_numpy()
    refuse(marked(frame, {f"its label is within the training period (to {trained_through})": seen}), task.entity, where)


def require_keys(task: Task, frame: pd.DataFrame, where: str) -> None:
    """Raise ModelInputError unless the rows have every column, and each key once."""
    require_columns(frame, (*task.keys, *task.features), where)
    faults = {f"{key} is null": frame[key].isna().to_numpy() for key in task.keys}
    faults["a second row of the same key"] = frame.duplicated(list(task.keys)).to_numpy()
    refuse(marked(frame, faults), task.entity, where)


def settings_of(name: str, params: Mapping[str, float], known: Mapping[str, float]) -> dict[str, float]:
    """Parameters of a model with defaults for those that are left out.

    Raises:
        ModelInputError: for one that there is not.
    """
    unknown = sorted(set(params) - set(known))
    if unknown:
        raise ModelInputError(f"{name}: unknown parameter {', '.join(unknown)}; choose from {', '.join(known)}")
    return {param: float(value) for param, value in {**known, **params}.items()}


def _checked(task: Task, frame: pd.DataFrame, where: str) -> None:
    require_columns(frame, (task.target,), where)
    require_keys(task, frame, where)
    if frame.empty:
        raise TooFewRowsError(f"{where}: there are no labelled rows; wait until the first outcomes are known")
    missing = frame[task.target].isna().to_numpy()
    refuse(marked(frame, {f"{task.target} is null": missing}), task.entity, where)
