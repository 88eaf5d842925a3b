"""How well churn is told on the data of IBM's telco, 7,043 customers, by the code that trains our own models.

Each customer is predicted by models that were trained on the four other fifths. The data have no dates, so the fifths
are drawn, and a fifth of the training rows is what the model is calibrated on. Nothing is fitted on the rows that are
tested.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ml import classification
from ml.frames import Floats, floats
from ml.metrics import auc, calibration_error, lift, log_losses
from ml.tabular import Task

FOLDS = 5
AUC_BAR, ECE_BAR = 0.845, 0.03
NUMBERS = ("tenure", "MonthlyCharges", "TotalCharges", "SeniorCitizen")
APART = ("customerID", "Churn")


def main() -> None:
    """Prints the errors of our model, of a logistic regression and of the base rate on the same folds."""
    data = Path(os.environ.get("CATALYST_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    path = data / "telco_churn_ibm" / "Telco-Customer-Churn.csv"
    if not path.exists():
        print(f"skipped: {path} is not there; CATALYST_SHARED_DATA says where the data sets are")
        return
    frame = pd.read_csv(path)
    print(f"{len(frame):,} customers, {FOLDS} folds, means over the folds")
    print(f"{'':<22}{'AUC':>8}{'log loss':>10}{'Brier':>8}{'lift':>6}{'ECE':>8}")
    for name, figures in measure(frame).items():
        print(
            f"{name:<22}{figures['auc']:>8.4f}{figures['log_loss']:>10.4f}{figures['brier']:>8.4f}"
            f"{figures['lift']:>6.2f}{figures['ece']:>8.4f}"
        )
    print(f"{'bar':<22}{AUC_BAR:>8}{'':>24}{ECE_BAR:>8}", flush=True)


def measure(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The mean errors over the folds by model; the ECE is of all predictions together."""
    rows = labelled(frame)
    actual = floats(rows["label"])
    predicted: dict[str, Floats] = {
        name: np.zeros(len(rows)) for name in ("catalyst", "logistic regression", "base rate")
    }
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(rows, actual))
    for training, tested in folds:
        known, unknown = rows.iloc[training], rows.iloc[tested]
        model, _ = classification.train(task(rows), known)
        predicted["catalyst"][tested] = classification.predict(task(rows), model, unknown)["probability"]
        predicted["logistic regression"][tested] = _regression(known, unknown)
        predicted["base rate"][tested] = known["label"].mean()
    return {name: _errors(actual, found, [tested for _, tested in folds]) for name, found in predicted.items()}


def labelled(frame: pd.DataFrame) -> pd.DataFrame:
    """The customers as feature rows; those of one in five count as later, to calibrate on."""
    number = np.random.default_rng(0).permutation(len(frame))
    is_later = number % 5 == 0
    days = np.array(["2024-01-01", "2024-01-31", "2024-03-01"], dtype="datetime64[D]")
    return frame.assign(
        customer_id=frame["customerID"],
        TotalCharges=pd.to_numeric(frame["TotalCharges"], errors="coerce"),
        origin_date=days[is_later.astype(int)],
        target_date=days[is_later.astype(int) + 1],
        label=(frame["Churn"] == "Yes").astype(float),
    )


def task(rows: pd.DataFrame) -> Task:
    """What is told from what: every column but the customer's number and the outcome."""
    made = ("customer_id", "origin_date", "target_date", "label")
    features = tuple(str(column) for column in rows if column not in (*APART, *made))
    text = tuple(column for column in features if column not in NUMBERS)
    return Task("telco", ("customer_id",), ("origin_date", "target_date", "customer_id"), features, text, "label")


def _regression(known: pd.DataFrame, unknown: pd.DataFrame) -> Floats:
    """As one would write it without more ado."""
    text = list(task(known).categorical)
    columns = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), text), (StandardScaler(), list(NUMBERS)))
    model = make_pipeline(columns, LogisticRegression(max_iter=2000))
    model.fit(known.fillna({"TotalCharges": 0}), known["label"])
    found: Floats = model.predict_proba(unknown.fillna({"TotalCharges": 0}))[:, 1]
    return found


def _errors(actual: Floats, found: Floats, folds: list[np.typing.NDArray[np.int64]]) -> dict[str, float]:
    return {
        "auc": float(np.mean([auc(actual[fold], found[fold]) for fold in folds])),
        "log_loss": float(log_losses(actual, found).mean()),
        "brier": float(((actual - found) ** 2).mean()),
        "lift": lift(actual, found),
        "ece": calibration_error(actual, found),
    }
