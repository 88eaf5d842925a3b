"""The benchmark on real churn, on made-up customers of its columns: no cost, no data set."""

import numpy as np
import pandas as pd

from benchmarks import telco


def test_models_are_measured_on_the_same_folds_and_know_no_outcome() -> None:
    draw = np.random.default_rng(0)
    tenure = draw.integers(0, 72, 400)
    frame = pd.DataFrame(
        {
            "customerID": [f"C{number}" for number in range(400)],
            "tenure": tenure,
            "SeniorCitizen": draw.integers(0, 2, 400),
            "MonthlyCharges": draw.uniform(20, 100, 400),
            "TotalCharges": [" ", *map(str, tenure[1:] * 50.0)],
            "Contract": draw.choice(["Month-to-month", "One year"], 400),
            "Churn": np.where(draw.random(400) < np.exp(-tenure / 20), "Yes", "No"),
        }
    )
    assert set(telco.task(telco.labelled(frame)).features) == {*telco.NUMBERS, "Contract"}
    found = telco.measure(frame)
    assert list(found) == ["catalyst", "logistic regression", "base rate"]
    assert found["catalyst"]["auc"] > 0.7
    assert found["base rate"]["auc"] == 0.5
