"""Who buys in the next 30 days: the probability of an order, of every customer who is known."""

from collections.abc import Mapping

import pandas as pd

from ml import classification
from ml.classification import Classifier
from ml.frames import floats
from ml.metrics import log_losses, probability_metrics, row_losses
from ml.tabular import Task, outcomes, require_unseen

NAME = "propensity"
ENTITY = ("customer_id",)
KEYS = ("origin_date", "target_date", *ENTITY)
TARGET = "has_bought_30d_ahead"
ORDERS = ("orders_30d", "orders_90d", "orders_365d", "spent_30d_eur", "spent_365d_eur", "days_since_order")
HABITS = ("days_between_orders", "tenure_days", "payment_failures_90d", "support_contacts_90d", "web_sessions_30d")
APP = ("app_sessions_30d", "app_sessions_90d", "app_session_seconds_30d", "login_frequency_30d", "days_since_login")
FEATURES = (*ORDERS, *HABITS, *APP)
SEGMENT = "customer_group"
PREDICTED, INTERVAL, LOSS, BASELINE = "probability", None, "log", "base_rate"
RETRAIN_AFTER_DAYS = 7
TRUSTED = classification.TRUSTED
PARAMS: Mapping[str, float] = classification.PARAMS
TASK = Task(NAME, ENTITY, KEYS, FEATURES, (), TARGET)


def train(frame: pd.DataFrame, params: Mapping[str, float] = PARAMS) -> Classifier:
    """Fit on labelled rows; the caller has left out every row whose label it must not know.

    Raises:
        ModelInputError: for missing columns, unusable rows (in `rows`), no rows, or a single outcome.
    """
    return classification.train(TASK, frame, params)[0]


def predict(model: Classifier, frame: pd.DataFrame) -> pd.DataFrame:
    """Probability of each row; no rows give no rows.

    Raises:
        ModelInputError: for missing columns or unusable rows (in `rows`).
    """
    return classification.predict(TASK, model, frame)


def evaluate(model: Classifier, frame: pd.DataFrame) -> dict[str, float]:
    """Errors over labelled rows of origins that the model has not been trained on, next to those of the base rate.

    Returns:
        auc, log_loss, base_log_loss, brier, lift_top_decile, ece, rows.

    Raises:
        ModelInputError: for an empty frame, missing columns, unusable rows, or rows within the training period.
    """
    require_unseen(TASK, frame, model.trained_through, f"{NAME}.evaluate")
    found = predict(model, frame)
    return probability_metrics(outcomes(TASK, frame), floats(found[PREDICTED]), floats(found[BASELINE]))


def losses(model: Classifier, frame: pd.DataFrame) -> pd.DataFrame:
    """Log loss row by row, beside that of the base rate; raises as evaluate does."""
    require_unseen(TASK, frame, model.trained_through, f"{NAME}.losses")
    found = predict(model, frame)
    probability, naive = floats(found[PREDICTED]), floats(found[BASELINE])
    return row_losses(frame["customer_id"], frame[SEGMENT], outcomes(TASK, frame), probability, naive, log_losses)
