"""Subscribers at the ends of months, made by hand: who has not ordered for long leaves, and nothing else counts."""

import numpy as np
import pandas as pd

from ml.frames import Floats
from ml.models import churn


def club(origins: int = 12, customers: int = 150, seed: int = 0) -> pd.DataFrame:
    """Feature rows of churn with labels; the last origin is 2024-12-31."""
    draw = np.random.default_rng(seed)
    days = pd.date_range(end="2024-12-31", periods=origins, freq="ME")
    rows = origins * customers
    frame = pd.DataFrame({name: draw.integers(0, 5, rows).astype(float) for name in churn.FEATURES})
    quiet = draw.integers(0, 100, rows)
    return frame.assign(
        origin_date=np.repeat(days.to_numpy(), customers),
        target_date=np.repeat((days + pd.Timedelta(days=30)).to_numpy(), customers),
        customer_id=[f"C{number % customers:03d}" for number in range(rows)],
        plan_id=draw.choice(["box", "club"], rows),
        billing_interval=draw.choice(["month", "year"], rows),
        days_since_order=np.where(draw.random(rows) < 0.05, np.nan, quiet),
        has_churned_30d_ahead=draw.random(rows) < leaving(quiet.astype(float)),
    )


def leaving(quiet: Floats) -> Floats:
    """The chance that was planted, by days since the last order."""
    return np.asarray(0.03 + 0.4 / (1 + np.exp(-(quiet - 60) / 8)))


def split(frame: pd.DataFrame, held_out: int = 3) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows to train on, and those of the last origins, after all labels of the first."""
    first = sorted(frame["origin_date"].unique())[-held_out]
    return frame[frame["target_date"] <= first], frame[frame["origin_date"] >= first]
