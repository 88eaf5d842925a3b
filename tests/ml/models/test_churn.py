"""Churn on a club whose leavers are planted: found, explained, calibrated, worth their calls, and never from labels."""

import numpy as np
import pandas as pd
import pytest

from ml import storage
from ml.classification import Calibration, Classifier
from ml.errors import ModelInputError, TooFewRowsError
from ml.metrics import auc
from ml.models import churn
from tests.ml.club import club, leaving, split


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    # With 150 customers each, chance decides for 2 of 8 seeds what calls save; with 400 for none.
    return club(customers=400)


@pytest.fixture(scope="module")
def model(rows: pd.DataFrame) -> Classifier:
    return churn.train(split(rows)[0])


def test_who_leaves_is_found_as_well_as_the_planted_chance_finds_them(rows: pd.DataFrame, model: Classifier) -> None:
    _, later = split(rows)
    later = later[later["days_since_order"].notna()]
    actual = later["has_churned_30d_ahead"].to_numpy(dtype=np.float64)
    truth = auc(actual, leaving(later["days_since_order"].to_numpy()))
    found = churn.evaluate(model, later)
    assert truth > 0.7
    assert found["auc"] > truth - 0.02
    assert found["log_loss"] < 0.92 * found["base_log_loss"]
    assert found["ece"] < 0.06
    # A third of the contacts by the rule is wasted on those who have been quiet for 30 to 50 days.
    assert found["saved_eur_per_1000"] > max(found["rule_saved_eur_per_1000"], 0)


def test_shuffled_labels_score_at_the_baseline(rows: pd.DataFrame) -> None:
    before, later = split(rows)
    shuffled = before.assign(has_churned_30d_ahead=np.random.default_rng(1).permutation(before[churn.TARGET]))
    found = churn.evaluate(churn.train(shuffled), later)
    assert 0.4 < found["auc"] < 0.6
    assert found["log_loss"] > 0.97 * found["base_log_loss"]


def test_the_same_rows_in_another_order_give_the_same_model(rows: pd.DataFrame, model: Classifier) -> None:
    before, later = split(rows)
    again = churn.train(before.sample(frac=1.0, random_state=3))
    assert again.version == model.version
    pd.testing.assert_frame_equal(churn.predict(again, later), churn.predict(model, later), check_exact=True)
    changed = before.assign(orders_30d=before["orders_30d"].where(before.index != before.index[0], 99.0))
    assert churn.train(changed).version != model.version


def test_reasons_name_the_strongest_drivers_with_their_directions(rows: pd.DataFrame, model: Classifier) -> None:
    _, later = split(rows)
    told = churn.predict(model, later.assign(days_since_order=95.0))["reasons"]
    assert told.str.startswith("days_since_order 95 (usual ").all()
    quiet, fresh = (churn.predict(model, later.assign(days_since_order=days)) for days in (95.0, 1.0))
    assert (quiet["probability"].to_numpy() > fresh["probability"].to_numpy()).all()
    for reasons in quiet["reasons"].head(50):
        added = [abs(float(reason.rpartition(": ")[2])) for reason in reasons.split("; ")]
        assert added == sorted(added, reverse=True)
        assert 1 <= len(added) <= 3
    assert (quiet["reasons"].str.extract(r"days_since_order [^:]*: ([+-])")[0] == "+").all()


def test_nothing_is_unusual_of_who_is_as_usual_in_everything(rows: pd.DataFrame, model: Classifier) -> None:
    usual = {
        name: model.categories[name][int(value)] if name in churn.CATEGORICAL else float(value)
        for name, value in zip(churn.FEATURES, model.usual, strict=True)
    }
    assert churn.predict(model, rows.head(1).assign(**usual))["reasons"].tolist() == ["nothing unusual"]


def test_the_cut_off_is_where_contacts_would_have_brought_most() -> None:
    # A leaver among the contacted brings 0.3 x 60 - 2 = 16 EUR, another costs 2: 16, 14, 30, 28, 26, 24 and 22.
    chances = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3])
    calibration = Calibration(np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]), chances)
    assert churn.best_cut_off(calibration, churn.PARAMS) == 0.7
    assert churn.saved_eur(calibration.actual, chances >= 0.7, churn.PARAMS) == 30
    # Rows with one probability are contacted together: 16 + 16 - 2 at the most.
    together = Calibration(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.9, 0.7, 0.7, 0.1]))
    assert churn.best_cut_off(together, churn.PARAMS) == 0.7
    assert churn.best_cut_off(Calibration(np.zeros(3), chances[:3]), churn.PARAMS) == 1.0


def test_what_a_contact_brings_is_its_share_of_the_value_less_its_cost(rows: pd.DataFrame, model: Classifier) -> None:
    found = churn.predict(model, rows.head(20))
    assert np.allclose(found["expected_gain_eur"], 0.3 * 60 * found["probability"] - 2)
    assert (found["cut_off"] == model.cut_off).all()


def test_an_unknown_plan_and_nulls_stop_nothing(rows: pd.DataFrame, model: Classifier) -> None:
    odd = rows.head(3).assign(plan_id=pd.array(["new-plan", None, "club"], dtype=object), days_since_login=np.nan)
    before = odd.copy()
    assert churn.predict(model, odd)["probability"].between(0, 1).all()
    pd.testing.assert_frame_equal(odd, before)
    assert churn.predict(model, rows.head(0)).columns.tolist() == churn.predict(model, odd).columns.tolist()


def test_a_stored_model_predicts_the_same(rows: pd.DataFrame, model: Classifier) -> None:
    loaded = storage.loads(storage.dumps(model), churn.TRUSTED)
    pd.testing.assert_frame_equal(churn.predict(loaded, rows), churn.predict(model, rows), check_exact=True)


def test_too_little_to_learn_from_is_told_from_wrong_rows(rows: pd.DataFrame, model: Classifier) -> None:
    before, later = split(rows)
    with pytest.raises(TooFewRowsError, match="there are no labelled rows"):
        churn.train(before.head(0))
    with pytest.raises(TooFewRowsError, match="nothing to learn"):
        churn.train(before.assign(has_churned_30d_ahead=False))
    with pytest.raises(TooFewRowsError, match="nothing can be calibrated"):
        churn.train(before.assign(has_churned_30d_ahead=np.arange(len(before)) == 0))
    with pytest.raises(ModelInputError, match="a second row of the same key"):
        churn.train(pd.concat([before, before.head(1)]))
    with pytest.raises(ModelInputError, match="within the training period"):
        churn.evaluate(model, before)
    with pytest.raises(ModelInputError, match="has_churned_30d_ahead is null"):
        churn.losses(model, later.assign(has_churned_30d_ahead=None))
