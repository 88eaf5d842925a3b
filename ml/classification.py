"""Probabilities that something happens within some days, for any model of yes and no: fitted, calibrated, explained.

Two kinds of models see the same rows: gradient boosting, which finds thresholds and what acts together, and logistic
regression, which does not mistake chance for either where rows are few. The mean of their log odds is calibrated on
later origins, which neither has seen, by Platt's scaling (two numbers, as there are few positives); then both are
fitted on everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from ml.boosting import arguments, without_empty
from ml.errors import TooFewRowsError
from ml.frames import Floats, Floats32, Mask
from ml.holdout import latest_origins
from ml.storage import BOOSTING
from ml.tabular import Rows, Task, matrix, require_keys, settings_of, training_rows
from ml.threads import threads_for

PARAMS: Mapping[str, float] = MappingProxyType(
    {
        "max_iter": 150,
        "learning_rate": 0.04,
        "max_leaf_nodes": 6,
        "max_bins": 63,
        "min_samples_leaf": 40,
        "l2_regularization": 5.0,
        "regression_c": 0.1,
        # Of the log odds; the rest is the regression's.
        "boosting_share": 0.5,
        "calibration_origins": 3,
        "seed": 0,
    }
)
TRUSTED = (*BOOSTING, "ml.classification.Classifier", "ml.classification.Regression")
# Far from the mean a straight line promises what it has never seen.
_MOST_DEVIATIONS = 4.0
_LEAST_PROBABILITY = 1e-6
# As if so much had been learned of the slope already; 100 rows of a middling model tell as much.
_SLOPE_PRIOR = 20.0
_STEPS = 25


@dataclass(frozen=True)
class Regression:
    """Logistic regression with its preprocessing.

    Attributes:
        values: How many values each feature has that is a category; 0 for a number.
    """

    values: tuple[int, ...]
    mean: Floats
    deviation: Floats
    coefficients: Floats
    intercept: float

    def log_odds(self, x: Floats32) -> Floats:
        """Log odds of each row."""
        result: Floats = _design(x, self.values, self.mean, self.deviation) @ self.coefficients + self.intercept
        return result


@dataclass(frozen=True)
class Classifier:
    """A fitted model with all of its preprocessing; nothing is fitted again when it predicts.

    Attributes:
        version: Fingerprint of the training rows and the parameters.
        trained_through: Last day that a label of the training rows looks at.
        base_rate: Share of positives in the training rows, the baseline.
        usual: Of each feature the median, or the most frequent category, in the training rows.
        slope: Of the calibration, which is a line in log odds.
        cut_off: From this probability on something is done; what, the model that uses it says.
    """

    version: str
    params: Mapping[str, float]
    trained_through: str
    training_rows: int
    categories: Mapping[str, tuple[str, ...]]
    boosting: HistGradientBoostingClassifier
    regression: Regression
    base_rate: float
    usual: Floats32
    slope: float
    intercept: float
    cut_off: float

    def log_odds(self, x: Floats32) -> Floats:
        """Calibrated log odds of each row of features as numbers."""
        result: Floats = self.slope * _blend(self.boosting, self.regression, x, self.params) + self.intercept
        return result

    def probability(self, x: Floats32) -> Floats:
        """Calibrated probability of each row of features as numbers."""
        return _probability(self.log_odds(x))


@dataclass(frozen=True)
class Calibration:
    """Rows on which a model is calibrated, and its probabilities of them; the fit of neither has seen them."""

    actual: Floats
    probability: Floats


def train(
    task: Task,
    frame: pd.DataFrame,
    params: Mapping[str, float] = PARAMS,
    known: Mapping[str, float] = PARAMS,
) -> tuple[Classifier, Calibration]:
    """Fit on labelled rows; a cut-off is for the caller to choose on the calibration.

    Args:
        task: What is predicted from what.
        frame: Labelled rows; the caller has left out all whose labels it must not know.
        params: Those that differ from the defaults.
        known: The defaults, with those that the caller has of its own.

    Raises:
        ModelInputError: for missing columns, unusable rows (in `rows`), no rows, or a single outcome.
    """
    settings = settings_of(task.name, params, known)
    rows = training_rows(task, frame, settings)
    fit, held = latest_origins(rows.origin, rows.target, int(settings["calibration_origins"]))
    whole = np.ones(len(rows.y), dtype=np.bool_)
    if not (_has_both(rows.y[fit]) and _has_both(rows.y[held])):
        raise TooFewRowsError(
            f"{task.name}.train: before or after {rows.origin[held].min()} every row has the same {task.target}, so "
            "that nothing can be calibrated; wait for more outcomes"
        )
    before = _fit(task, rows, fit, settings)
    raw = _blend(*before, rows.x[held], settings)
    slope, intercept = _calibrate(raw, rows.y[held])
    boosting, regression = _fit(task, rows, whole, settings)
    model = Classifier(
        version=rows.version,
        params=settings,
        trained_through=rows.trained_through,
        training_rows=len(rows.y),
        categories=rows.categories,
        boosting=boosting,
        regression=regression,
        base_rate=float(rows.y.mean()),
        usual=_usual(task, rows),
        slope=slope,
        intercept=intercept,
        cut_off=1.0,
    )
    return model, Calibration(rows.y[held], _probability(slope * raw + intercept))


def predict(task: Task, model: Classifier, frame: pd.DataFrame) -> pd.DataFrame:
    """The keys of each row with its `probability` and the `base_rate`, in the order and with the index of the frame.

    Raises:
        ModelInputError: for missing columns or unusable rows (in `rows`).
    """
    where = f"{task.name}.predict"
    require_keys(task, frame, where)
    keys = frame[list(task.keys)]
    if frame.empty:
        return keys.assign(probability=np.zeros(0), base_rate=np.zeros(0))
    x = matrix(task, frame, model.categories, where)
    return keys.assign(probability=model.probability(x), base_rate=model.base_rate)


def drivers(model: Classifier, x: Floats32) -> Floats:
    """How much each feature adds to a row's log odds: what they lose when it has the value that is usual."""
    whole = model.log_odds(x)
    result = np.zeros(x.shape, dtype=np.float64)
    for position, usual in enumerate(model.usual):
        column = x[:, position]
        # Nothing is gone through for rows that are as usual.
        other = ~((column == usual) | (np.isnan(column) & np.isnan(usual)))
        if other.any():
            changed = x[other].copy()
            changed[:, position] = usual
            result[other, position] = whole[other] - model.log_odds(changed)
    return result


def _fit(
    task: Task, rows: Rows, chosen: Mask, params: Mapping[str, float]
) -> tuple[HistGradientBoostingClassifier, Regression]:
    x, y = rows.x[chosen], rows.y[chosen]
    values = tuple(len(rows.categories[name]) if name in rows.categories else 0 for name in task.features)
    regression = _regress(x, y, values, params)
    boosting = HistGradientBoostingClassifier(
        categorical_features=[position for position, count in enumerate(values) if 0 < count < params["max_bins"]],
        **arguments(params),
    )
    with threads_for(len(x)):
        boosting.fit(without_empty(x), y)
    return boosting, regression


def _regress(x: Floats32, y: Floats, values: tuple[int, ...], params: Mapping[str, float]) -> Regression:
    logs = _logs(x)
    known = ~np.isnan(logs)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, logs, 0).sum(axis=0) / count
    deviation = np.sqrt((np.where(known, logs - mean, 0) ** 2).sum(axis=0) / count)
    fitted = LogisticRegression(C=params["regression_c"], max_iter=500, tol=1e-6)
    with threads_for(len(x)):
        fitted.fit(_design(x, values, mean, deviation), y)
    return Regression(values, mean, deviation, fitted.coef_[0].astype(np.float64), float(fitted.intercept_[0]))


def _design(x: Floats32, values: tuple[int, ...], mean: Floats, deviation: Floats) -> Floats:
    """Numbers as deviations from the mean of their logarithms and whether they are missing; categories one by one."""
    logs = _logs(x)
    parts = []
    for position, count in enumerate(values):
        column, missing = logs[:, position], np.isnan(x[:, position])
        if count:
            parts += [x[:, position] == value for value in range(count)]
        elif deviation[position] > 0:
            scaled = (column - mean[position]) / deviation[position]
            parts.append(np.where(missing, 0, np.clip(scaled, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)))
        parts.append(missing)
    return np.column_stack(parts).astype(np.float64)


def _logs(x: Floats32) -> Floats:
    result: Floats = (np.sign(x) * np.log1p(np.abs(x))).astype(np.float64)
    return result


def _blend(
    boosting: HistGradientBoostingClassifier, regression: Regression, x: Floats32, params: Mapping[str, float]
) -> Floats:
    with threads_for(len(x)):
        boosted: Floats = boosting.decision_function(x)
    return params["boosting_share"] * boosted + (1 - params["boosting_share"]) * regression.log_odds(x)


def _calibrate(raw: Floats, actual: Floats) -> tuple[float, float]:
    """Slope and intercept in log odds, by Newton's steps; the slope stays near 1 where little tells it."""
    inputs = np.column_stack([raw, np.ones(len(raw))])
    line, prior = np.array([1.0, 0.0]), np.array([_SLOPE_PRIOR, 0.0])
    for _ in range(_STEPS):
        expected = _probability(inputs @ line)
        gradient = inputs.T @ (expected - actual) + prior * (line - 1)
        curvature = (inputs * (expected * (1 - expected))[:, None]).T @ inputs + np.diag(prior)
        line = line - np.linalg.solve(curvature, gradient)
    # A line that falls would turn the ranking of the model upside down.
    return (float(line[0]), float(line[1])) if line[0] > 0 else (1.0, float(line[1]))


def _probability(log_odds: Floats) -> Floats:
    result: Floats = np.clip(1 / (1 + np.exp(-log_odds)), _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    return result


def _has_both(y: Floats) -> bool:
    return len(np.unique(y)) == 2


def _usual(task: Task, rows: Rows) -> Floats32:
    usual = []
    for position, name in enumerate(task.features):
        column = rows.x[:, position]
        known = column[~np.isnan(column)]
        if not len(known):
            usual.append(np.nan)
        elif name in rows.categories:
            usual.append(float(np.bincount(known.astype(np.int64)).argmax()))
        else:
            # One that occurs: half a subscription is usual for nobody.
            usual.append(float(np.quantile(known, 0.5, method="inverted_cdf")))
    return np.array(usual, dtype=np.float32)
