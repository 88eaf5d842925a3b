"""Boosting of units relative to the level of their series, so that what sells 2 a day teaches what sells 200.

The loss is Poisson's: forecasts are means above 0, and sums of them keep their sum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from ml.frames import Floats, Floats32
from ml.quantiles import weighted_quantile
from ml.threads import threads_for

# A mean is above 0.
LEAST_RATIO = 1e-9


def arguments(params: Mapping[str, float]) -> dict[str, Any]:
    """What every gradient boosting here is told by the parameters of its model."""
    return {
        "max_iter": int(params["max_iter"]),
        "learning_rate": params["learning_rate"],
        "max_leaf_nodes": int(params["max_leaf_nodes"]),
        "max_bins": int(params["max_bins"]),
        "min_samples_leaf": int(params["min_samples_leaf"]),
        "l2_regularization": params["l2_regularization"],
        "early_stopping": False,
        "random_state": int(params["seed"]),
    }


def without_empty(x: Floats32) -> Floats32:
    """The features with 0 in each column that has no value at all.

    scikit-learn 1.9 fails on such a column; as a constant it takes part in no split.
    """
    empty = np.isnan(x).all(axis=0)
    return np.where(empty, np.float32(0), x) if empty.any() else x


@dataclass(frozen=True)
class BoostedRatio:
    """A fitted mean of units / scale.

    Attributes:
        cap: No ratio above it is learned or predicted.
    """

    estimator: HistGradientBoostingRegressor
    cap: float

    @classmethod
    def fit(
        cls, x: Floats32, units: Floats, scale: Floats, categorical: Sequence[int], params: Mapping[str, float]
    ) -> "BoostedRatio":
        """Fit on rows of features, units and the level of their series; `categorical` are the columns of codes."""
        x = without_empty(x)
        ratio, weight = units / scale, np.sqrt(scale)
        sold = ratio > 0
        cap = weighted_quantile(ratio[sold], weight[sold], params["target_cap_quantile"])
        estimator = HistGradientBoostingRegressor(
            loss="poisson", categorical_features=list(categorical), **arguments(params)
        )
        with threads_for(len(x)):
            estimator.fit(x, np.minimum(ratio, cap), sample_weight=weight)
        return cls(estimator, cap)

    def predict(self, x: Floats32, scale: Floats) -> Floats:
        """Mean units."""
        with threads_for(len(x)):
            ratio: Floats = np.clip(self.estimator.predict(x), LEAST_RATIO, self.cap)
        return ratio * scale
