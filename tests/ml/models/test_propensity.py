"""The next purchase, on customers who buy as often as they did."""

import numpy as np
import pandas as pd
import pytest

from ml.errors import ModelInputError
from ml.models import propensity
from tests.ml.club import split


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    days = pd.date_range(end="2024-12-31", periods=10, freq="ME")
    count = 10 * 100
    frame = pd.DataFrame({name: draw.integers(0, 5, count).astype(float) for name in propensity.FEATURES})
    chance = 0.1 + 0.15 * frame["orders_30d"]
    return frame.assign(
        origin_date=np.repeat(days.to_numpy(), 100),
        target_date=np.repeat((days + pd.Timedelta(days=30)).to_numpy(), 100),
        customer_id=[f"C{number % 100:03d}" for number in range(count)],
        customer_group=draw.choice(["new", "active"], count),
        has_bought_30d_ahead=draw.random(count) < chance,
    )


def test_who_buys_often_is_likelier_to_buy(rows: pd.DataFrame) -> None:
    before, later = split(rows)
    model = propensity.train(before)
    found = propensity.evaluate(model, later)
    assert found["auc"] > 0.65
    assert found["log_loss"] < found["base_log_loss"]
    often, never = (propensity.predict(model, later.assign(orders_30d=orders)) for orders in (4.0, 0.0))
    assert often["probability"].mean() > never["probability"].mean() + 0.3
    losses = propensity.losses(model, later)
    assert np.isclose(losses["loss"].mean(), found["log_loss"])
    assert np.isclose(losses["naive_loss"].mean(), found["base_log_loss"])


def test_a_missing_column_is_named(rows: pd.DataFrame) -> None:
    with pytest.raises(ModelInputError, match="propensity.train: the frame lacks orders_30d"):
        propensity.train(rows.drop(columns="orders_30d"))
