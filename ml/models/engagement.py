"""How engaged a customer is: log-in days to expect in the next 30 days, as a score from 0 to 100.

The score is 100 x expected days / 30: 0 where nobody expects a log-in, 10 for three days of the thirty, 100 for every
day. It means the same in every month, so that scores can be compared and averaged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from ml.boosting import arguments, without_empty
from ml.frames import Floats, floats
from ml.metrics import absolute_errors, bias, row_losses, squared_errors
from ml.storage import BOOSTING
from ml.tabular import Task, matrix, outcomes, require_keys, require_unseen, settings_of, training_rows
from ml.threads import threads_for

NAME = "engagement"
ENTITY = ("customer_id",)
KEYS = ("origin_date", "target_date", *ENTITY)
TARGET = "login_days_30d_ahead"
APP = ("login_days_30d", "app_sessions_30d", "app_sessions_90d", "app_session_seconds_30d", "days_since_login")
ORDERS = ("orders_30d", "orders_90d", "orders_365d", "spent_30d_eur", "days_since_order", "days_between_orders")
OTHER = ("tenure_days", "web_sessions_30d", "payment_failures_90d", "support_contacts_90d")
FEATURES = (*APP, *ORDERS, *OTHER)
SEGMENT = "customer_group"
PREDICTED, INTERVAL, LOSS, BASELINE = "expected_login_days", None, "squared", "login_days_30d"
RETRAIN_AFTER_DAYS = 7
TRUSTED = (*BOOSTING, "ml.models.engagement.Engagement")
PARAMS: Mapping[str, float] = MappingProxyType(
    {
        "max_iter": 100,
        "learning_rate": 0.06,
        "max_leaf_nodes": 8,
        "max_bins": 63,
        "min_samples_leaf": 40,
        "l2_regularization": 5.0,
        "seed": 0,
    }
)
TASK = Task(NAME, ENTITY, KEYS, FEATURES, (), TARGET)
DAYS = 30


@dataclass(frozen=True)
class Engagement:
    """A fitted model.

    Attributes:
        version: Fingerprint of the training rows and the parameters.
        trained_through: Last day that a label of the training rows looks at.
    """

    version: str
    params: Mapping[str, float]
    trained_through: str
    training_rows: int
    estimator: HistGradientBoostingRegressor


def train(frame: pd.DataFrame, params: Mapping[str, float] = PARAMS) -> Engagement:
    """Fit on labelled rows; the caller has left out every row whose label it must not know.

    Raises:
        ModelInputError: for missing columns, unusable rows (in `rows`), no rows, or a single outcome.
    """
    settings = settings_of(NAME, params, PARAMS)
    rows = training_rows(TASK, frame, settings)
    x = without_empty(rows.x)
    # Most customers never log in: their expected days are small, not normal around a mean.
    estimator = HistGradientBoostingRegressor(loss="poisson", **arguments(settings))
    with threads_for(len(x)):
        estimator.fit(x, rows.y)
    return Engagement(rows.version, settings, rows.trained_through, len(rows.y), estimator)


def predict(model: Engagement, frame: pd.DataFrame) -> pd.DataFrame:
    """Expected log-in days and score of each row; no rows give no rows.

    Raises:
        ModelInputError: for missing columns or unusable rows (in `rows`).
    """
    where = f"{NAME}.predict"
    require_keys(TASK, frame, where)
    days: Floats = np.zeros(0)
    if not frame.empty:
        x = matrix(TASK, frame, {}, where)
        with threads_for(len(x)):
            days = np.clip(model.estimator.predict(x), 0.0, DAYS)
    return frame[list(KEYS)].assign(expected_login_days=days, score=100 * days / DAYS)


def evaluate(model: Engagement, frame: pd.DataFrame) -> dict[str, float]:
    """Errors over labelled rows of origins that the model has not been trained on, next to those of as-last-month.

    Returns:
        rmse and naive_rmse, mae and naive_mae (days), bias (relative), rows.

    Raises:
        ModelInputError: for an empty frame, missing columns, unusable rows, or rows within the training period.
    """
    require_unseen(TASK, frame, model.trained_through, f"{NAME}.evaluate")
    actual, expected = outcomes(TASK, frame), floats(predict(model, frame)[PREDICTED])
    naive = _naive(frame)
    return {
        "rmse": float(np.sqrt(squared_errors(actual, expected).mean())),
        "naive_rmse": float(np.sqrt(squared_errors(actual, naive).mean())),
        "mae": float(absolute_errors(actual, expected).mean()),
        "naive_mae": float(absolute_errors(actual, naive).mean()),
        "bias": bias(actual, expected),
        "rows": float(len(actual)),
    }


def losses(model: Engagement, frame: pd.DataFrame) -> pd.DataFrame:
    """Squared errors row by row, beside those of as-last-month; raises as evaluate does.

    Two in three customers never log in, so the absolute error would be least for a median of 0 for nearly everybody,
    where means are asked for (T. Gneiting, Making and Evaluating Point Forecasts, 2011).
    """
    require_unseen(TASK, frame, model.trained_through, f"{NAME}.losses")
    expected = floats(predict(model, frame)[PREDICTED])
    actual = outcomes(TASK, frame)
    return row_losses(frame["customer_id"], frame[SEGMENT], actual, expected, _naive(frame), squared_errors)


def _naive(frame: pd.DataFrame) -> Floats:
    return floats(frame[BASELINE].astype("float64"))
