"""The engagement score, on customers who log in about as often as they did, and less by and by."""

import numpy as np
import pandas as pd
import pytest

from ml import storage
from ml.errors import TooFewRowsError
from ml.models import engagement
from ml.models.engagement import Engagement
from tests.ml.club import split


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    days = pd.date_range(end="2024-12-31", periods=8, freq="ME")
    count = 8 * 120
    frame = pd.DataFrame({name: draw.integers(0, 5, count).astype(float) for name in engagement.FEATURES})
    usual = draw.choice([0.0, 0.0, 6.0, 20.0], count)
    return frame.assign(
        origin_date=np.repeat(days.to_numpy(), 120),
        target_date=np.repeat((days + pd.Timedelta(days=30)).to_numpy(), 120),
        customer_id=[f"C{number % 120:03d}" for number in range(count)],
        customer_group="active",
        login_days_30d=draw.binomial(30, usual / 30),
        login_days_30d_ahead=draw.binomial(30, 0.7 * usual / 30),
    )


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> Engagement:
    return engagement.train(split(rows)[0])


def test_the_score_says_how_many_of_thirty_days_to_expect(rows: pd.DataFrame, model: Engagement) -> None:
    later = split(rows)[1]
    found = engagement.predict(model, later)
    assert np.allclose(found["score"], found["expected_login_days"] / 0.3)
    assert found["score"].between(0, 100).all()
    # 0.7 x 20 of 30 days, and none.
    assert 12 < found.loc[later["login_days_30d"] > 15, "expected_login_days"].mean() < 16
    assert found.loc[later["login_days_30d"] == 0, "score"].mean() < 3


def test_it_is_measured_beside_as_last_month(rows: pd.DataFrame, model: Engagement) -> None:
    later = split(rows)[1]
    found, losses = engagement.evaluate(model, later), engagement.losses(model, later)
    assert found["mae"] < 0.9 * found["naive_mae"]
    assert np.isclose(losses["loss"].mean(), found["rmse"] ** 2)
    assert np.isclose(losses["naive_loss"].mean(), found["naive_rmse"] ** 2)


def test_the_same_rows_give_the_same_model_also_from_a_file(rows: pd.DataFrame, model: Engagement) -> None:
    before, later = split(rows)
    loaded = storage.loads(storage.dumps(engagement.train(before.sample(frac=1.0, random_state=1))), engagement.TRUSTED)
    assert loaded.version == model.version
    pd.testing.assert_frame_equal(engagement.predict(loaded, later), engagement.predict(model, later), check_exact=True)


def test_nobody_who_ever_logs_in_teaches_nothing(rows: pd.DataFrame) -> None:
    with pytest.raises(TooFewRowsError, match="login_days_30d_ahead is 0 in all"):
        engagement.train(rows.assign(login_days_30d_ahead=0))
