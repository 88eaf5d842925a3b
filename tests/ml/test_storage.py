"""Stored models: what comes back is the same, and nothing loads that is not trusted."""

import pandas as pd
import pytest

from ml import storage
from ml.catalogue import model, names
from ml.errors import ModelInputError
from ml.models import demand_forecast
from tests.ml.simulation import feature_frame, simulate_panel


@pytest.fixture(scope="module")
def fitted() -> tuple[demand_forecast.DemandForecaster, pd.DataFrame]:
    panel = simulate_panel(days=260, products=4)
    frame = feature_frame(panel, range(100, 220, 10), last_day=229, share=3)
    return demand_forecast.train(frame, {"max_iter": 5}), frame


def test_a_stored_model_predicts_the_same_and_is_stored_as_the_same_model(
    fitted: tuple[demand_forecast.DemandForecaster, pd.DataFrame],
) -> None:
    trained, frame = fitted
    loaded = storage.loads(storage.dumps(trained), demand_forecast.TRUSTED)
    assert loaded.version == trained.version
    pd.testing.assert_frame_equal(
        demand_forecast.predict(loaded, frame), demand_forecast.predict(trained, frame), check_exact=True
    )


def test_a_type_that_is_not_trusted_is_named_and_not_loaded(
    fitted: tuple[demand_forecast.DemandForecaster, pd.DataFrame],
) -> None:
    trusted = [name for name in demand_forecast.TRUSTED if not name.endswith("TreePredictor")]
    with pytest.raises(ModelInputError, match=r"holds sklearn\.ensemble.*TreePredictor, which its module does not"):
        storage.loads(storage.dumps(fitted[0]), trusted)


def test_every_model_offers_what_the_runs_ask_of_it() -> None:
    for name in names():
        found = model(name)
        assert name == found.NAME
        assert {*found.ENTITY} <= {*found.KEYS}
        assert {*found.ENTITY} - {*found.FEATURES}, "importance needs a key that is no feature"
        assert found.RETRAIN_AFTER_DAYS > 0
        for function in (found.train, found.predict, found.evaluate, found.losses):
            assert callable(function)
