"""Which subscribers leave in the next 30 days, why, and whom to call: the probability that no subscription is kept.

A contact costs `contact_cost_eur` and keeps `kept_share` of those who would have left, each worth `kept_value_eur`. So
contacting a customer is expected to bring kept_share x kept_value_eur x probability - contact_cost_eur. The cut-off is
the probability from which on contacts would have brought most on later days that the fit had not seen.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from ml import classification
from ml.classification import Calibration, Classifier
from ml.frames import Floats, Mask, floats
from ml.metrics import auc, log_losses, probability_metrics, row_losses
from ml.tabular import Task, matrix, outcomes, require_unseen

NAME = "churn"
ENTITY = ("customer_id",)
KEYS = ("origin_date", "target_date", *ENTITY)
TARGET = "has_churned_30d_ahead"
CATEGORICAL = ("plan_id", "billing_interval")
SUBSCRIPTION = ("subscriptions", "subscription_days", "is_on_trial", "is_past_due", "is_paused", "has_discount")
ORDERS = ("orders_30d", "orders_90d", "orders_365d", "spent_30d_eur", "spent_365d_eur", "days_since_order")
HABITS = ("days_between_orders", "tenure_days", "payment_failures_90d", "web_sessions_30d")
CONTACTS = ("support_contacts_90d", "offers_90d")
APP = ("app_sessions_30d", "app_sessions_90d", "app_session_seconds_30d", "login_frequency_30d", "days_since_login")
FEATURES = (*CATEGORICAL, *SUBSCRIPTION, *ORDERS, *HABITS, *CONTACTS, *APP)
SEGMENT = "billing_interval"
PREDICTED, INTERVAL, LOSS, BASELINE = "probability", None, "log", "base_rate"
RETRAIN_AFTER_DAYS = 7
TRUSTED = classification.TRUSTED
PARAMS: Mapping[str, float] = MappingProxyType(
    {
        **classification.PARAMS,
        "contact_cost_eur": 2.0,
        "kept_share": 0.3,
        # Half a year of the plan that most have.
        "kept_value_eur": 60.0,
    }
)
TASK = Task(NAME, ENTITY, KEYS, FEATURES, CATEGORICAL, TARGET)
_DRIVERS = 3


def train(frame: pd.DataFrame, params: Mapping[str, float] = PARAMS) -> Classifier:
    """Fit on labelled rows; the caller has left out every row whose label it must not know.

    Raises:
        ModelInputError: for missing columns, unusable rows (in `rows`), no rows, or a single outcome.
    """
    model, calibration = classification.train(TASK, frame, params, PARAMS)
    return replace(model, cut_off=best_cut_off(calibration, model.params))


def predict(model: Classifier, frame: pd.DataFrame) -> pd.DataFrame:
    """Probability of each row, what a contact is expected to bring, and the reasons; no rows give no rows.

    Raises:
        ModelInputError: for missing columns or unusable rows (in `rows`).
    """
    found = classification.predict(TASK, model, frame)
    gain = _gain(floats(found["probability"]), model.params)
    return found.assign(cut_off=model.cut_off, expected_gain_eur=gain, reasons=_reasons(model, frame))


def evaluate(model: Classifier, frame: pd.DataFrame) -> dict[str, float]:
    """Errors over labelled rows of origins that the model has not been trained on, next to base rate and a simple rule.

    The rule is to contact whoever has not ordered for 30 days.

    Returns:
        auc, rule_auc (of the days since the last order), log_loss, base_log_loss, brier, lift_top_decile, ece, cut_off,
        saved_eur_per_1000 and rule_saved_eur_per_1000 (by contacts at or above the cut-off and by the rule, for 1,000
        rows), rows.

    Raises:
        ModelInputError: for an empty frame, missing columns, unusable rows, or rows within the training period.
    """
    require_unseen(TASK, frame, model.trained_through, f"{NAME}.evaluate")
    actual = outcomes(TASK, frame)
    found = classification.predict(TASK, model, frame)
    probability = floats(found["probability"])
    quiet = floats(frame["days_since_order"].astype("float64").fillna(np.inf))
    thousands = len(actual) / 1000
    return {
        **probability_metrics(actual, probability, floats(found[BASELINE])),
        "rule_auc": auc(actual, quiet),
        "cut_off": model.cut_off,
        "saved_eur_per_1000": saved_eur(actual, probability >= model.cut_off, model.params) / thousands,
        "rule_saved_eur_per_1000": saved_eur(actual, quiet >= 30, model.params) / thousands,
    }


def losses(model: Classifier, frame: pd.DataFrame) -> pd.DataFrame:
    """Log loss row by row, beside that of the base rate; raises as evaluate does."""
    require_unseen(TASK, frame, model.trained_through, f"{NAME}.losses")
    found = classification.predict(TASK, model, frame)
    probability, naive = floats(found[PREDICTED]), floats(found[BASELINE])
    return row_losses(frame["customer_id"], frame[SEGMENT], outcomes(TASK, frame), probability, naive, log_losses)


def saved_eur(actual: Floats, is_contacted: Mask, params: Mapping[str, float]) -> float:
    """What contacts bring: each leaver among them is kept by a chance and has a value, and each contact costs."""
    leavers = float(actual[is_contacted].sum())
    kept = leavers * params["kept_share"] * params["kept_value_eur"]
    return kept - float(is_contacted.sum()) * params["contact_cost_eur"]


def best_cut_off(calibration: Calibration, params: Mapping[str, float]) -> float:
    """The probability from which on contacts would have brought most; 1, which nobody reaches, where none would have.

    Of the rows by falling probability, the sum of what each brings is greatest after one of them.
    """
    order = np.argsort(-calibration.probability, kind="stable")
    probability = calibration.probability[order]
    value = calibration.actual[order] * params["kept_share"] * params["kept_value_eur"] - params["contact_cost_eur"]
    total = np.cumsum(value)
    # Rows of one probability are contacted together or not at all.
    total[:-1][probability[:-1] == probability[1:]] = -np.inf
    best = int(np.argmax(total))
    return float(probability[best]) if total[best] > 0 else 1.0


def _gain(probability: Floats, params: Mapping[str, float]) -> Floats:
    return params["kept_share"] * params["kept_value_eur"] * probability - params["contact_cost_eur"]


def _reasons(model: Classifier, frame: pd.DataFrame) -> list[str]:
    """Each row's strongest drivers, as in `days_since_order 62 (usual 9): +0.84`."""
    if frame.empty:
        return []
    x = matrix(TASK, frame, model.categories, f"{NAME}.predict")
    added = classification.drivers(model, x)
    first = np.argsort(-np.abs(added), axis=1, kind="stable")[:, :_DRIVERS]
    usual = [_value(model, k, value) for k, value in enumerate(model.usual)]
    return [
        "; ".join(
            f"{FEATURES[k]} {_value(model, k, x[row, k])} (usual {usual[k]}): {added[row, k]:+.2f}"
            for k in positions
            if added[row, k]
        )
        or "nothing unusual"
        for row, positions in enumerate(first)
    ]


def _value(model: Classifier, position: int, value: np.float32) -> str:
    name = FEATURES[position]
    if np.isnan(value):
        return "unknown"
    if name in CATEGORICAL:
        return model.categories[name][int(value)]
    if name.startswith(("is_", "has_")):
        return "yes" if value else "no"
    return f"{float(value):.4g}"
