"""Importance of features where one alone matters."""

import numpy as np
import pandas as pd

from ml.importance import importance


def test_a_feature_that_matters_leads_and_one_that_is_not_used_has_none() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"product_id": "P1", "useful": random.normal(size=500), "useless": random.normal(size=500)})
    frame["actual"] = frame["useful"] * 2 + 0.5

    def loss(rows: pd.DataFrame) -> float:
        assert rows["product_id"].is_unique
        return float((rows["actual"] - rows["useful"] * 2).abs().sum())

    found = importance(frame, ("useless", "useful"), ("product_id",), loss)
    assert list(found) == ["useful", "useless"]
    assert found["useful"] > 1
    assert found["useless"] == 0


def test_a_model_without_error_has_no_importance_to_measure() -> None:
    frame = pd.DataFrame({"product_id": ["P1", "P2"], "x": [1.0, 2.0]})
    assert importance(frame, ("x",), ("product_id",), lambda _: 0.0) == {"x": 0.0}
