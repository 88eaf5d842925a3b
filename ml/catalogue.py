"""The models that there are, found by the names of their files, and what each of them offers."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from ml import models

if TYPE_CHECKING:
    import pandas as pd


class Model(Protocol):
    """A module of `ml.models`.

    Attributes:
        KEYS: Columns that name a row: `origin_date`, `target_date`, then the entity.
        SEGMENT: A column of the features; in no part of it may a model be far off.
        PREDICTED: The column of the predictions that foretells TARGET.
        INTERVAL: The columns that four of five outcomes lie between; None where the model gives no such.
        BASELINE: A column of the features or of the predictions, what a model has to be better than.
        LOSS: What an error is: `absolute`, |TARGET - PREDICTED|; `squared`, of a mean that most outcomes are far below;
            or `log`, of a probability.
        TRUSTED: Types, by their full names, that a stored model may hold beside those that skops trusts.
        RETRAIN_AFTER_DAYS: Days from one training to the next.
    """

    NAME: str
    ENTITY: tuple[str, ...]
    KEYS: tuple[str, ...]
    FEATURES: tuple[str, ...]
    TARGET: str
    SEGMENT: str
    PREDICTED: str
    INTERVAL: tuple[str, str] | None
    LOSS: Literal["absolute", "squared", "log"]
    BASELINE: str
    PARAMS: Mapping[str, float]
    TRUSTED: tuple[str, ...]
    RETRAIN_AFTER_DAYS: int
    __doc__: str | None

    def train(self, frame: pd.DataFrame) -> Any:
        """Fit on labelled rows; what comes back has `version` and `trained_through`."""

    def predict(self, model: Any, frame: pd.DataFrame) -> pd.DataFrame:
        """Predict each row."""

    def evaluate(self, model: Any, frame: pd.DataFrame) -> dict[str, float]:
        """Measure the errors on rows later than the training."""

    def losses(self, model: Any, frame: pd.DataFrame) -> pd.DataFrame:
        """The errors row by row, as `ml.promotion` compares them."""


def names() -> list[str]:
    """The names of all models, without importing one, which takes seconds."""
    return sorted(found.name for found in pkgutil.iter_modules(models.__path__))


def model(name: str) -> Model:
    """The module of a model."""
    return cast("Model", import_module(f"ml.models.{name}"))
