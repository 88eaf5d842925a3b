"""The demand model against series whose truth is known."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.errors import ModelInputError
from ml.models import demand_forecast
from ml.models.demand_forecast import PARAMS, DemandForecaster, evaluate, fingerprint, offending_rows, predict, train
from tests.ml.simulation import Panel, feature_frame, simulate_panel

LAST = 499
CUT = LAST - 30
QUICK = {**PARAMS, "max_iter": 20}
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def panel() -> Panel:
    return simulate_panel(days=LAST + 1)


@pytest.fixture(scope="module")
def training(panel: Panel) -> pd.DataFrame:
    return feature_frame(panel, range(CUT - 300, CUT, 10), last_day=CUT, share=3)


@pytest.fixture(scope="module")
def backtest(panel: Panel) -> pd.DataFrame:
    return feature_frame(panel, (LAST - 30, LAST - 23, LAST - 16, LAST - 9), last_day=LAST)


@pytest.fixture(scope="module")
def model(training: pd.DataFrame) -> DemandForecaster:
    return train(training)


@pytest.fixture(scope="module")
def small(training: pd.DataFrame) -> pd.DataFrame:
    return training[training["product_id"] <= "P0006"].reset_index(drop=True)


def mean_units(model: DemandForecaster, frame: pd.DataFrame, **changes: float | str | pd.Series) -> float:
    return float(predict(model, frame.assign(**changes))["mean_units"].sum())


def test_the_planted_promotion_uplift_is_recovered(model: DemandForecaster, backtest: pd.DataFrame) -> None:
    regular = backtest[backtest["discount_rate"] == 0]
    on_promotion = mean_units(
        model, regular, discount_rate=0.2, price=regular["price"] * 0.8, price_ratio=regular["price_ratio"] * 0.8
    )
    assert on_promotion / mean_units(model, regular) == pytest.approx(1.8, rel=0.1)


def test_the_planted_weekend_uplift_is_recovered(model: DemandForecaster, backtest: pd.DataFrame) -> None:
    forecast = predict(model, backtest)
    by_weekend = forecast.groupby(backtest["weekday"] >= 6)["mean_units"].mean()
    assert by_weekend[True] / by_weekend[False] == pytest.approx(1.6, rel=0.1)


def test_the_forecast_beats_the_seasonal_naive_and_the_weekday_mean_on_days_it_has_not_seen(
    model: DemandForecaster, backtest: pd.DataFrame
) -> None:
    found = evaluate(model, backtest)
    weekday_mean = (backtest["units"] - backtest["weekday_mean"]).abs().sum() / backtest["units"].sum()
    assert found["wape"] < 0.8 * found["naive_wape"]
    assert found["wape"] < 0.9 * weekday_mean
    assert abs(found["bias"]) < 0.05
    assert found["rows"] == len(backtest)


@pytest.mark.parametrize("mean_units", [(0.05, 1.0), (15.0, 60.0)])
def test_the_interval_covers_eighty_percent_of_days_it_has_not_seen_of_slow_and_fast_sellers(
    mean_units: tuple[float, float],
) -> None:
    panel = simulate_panel(days=LAST + 1, mean_units=mean_units)
    model = train(feature_frame(panel, range(CUT - 300, CUT, 10), last_day=CUT, share=3))
    backtest = feature_frame(panel, (LAST - 30, LAST - 16), last_day=LAST)
    # Of 30 series chance alone moves the share by some hundredths.
    assert evaluate(model, backtest)["coverage_80"] == pytest.approx(0.8, abs=0.05)
    forecast = predict(model, backtest)
    for name, level in (("p10", 0.1), ("p50", 0.5), ("p90", 0.9)):
        assert (backtest["units"] < forecast[name]).mean() <= level + 0.05
        assert (backtest["units"] <= forecast[name]).mean() >= level - 0.05


def test_nine_quantiles_can_be_asked_for_and_the_ends_of_the_interval_have_to_be_among_them(
    small: pd.DataFrame, backtest: pd.DataFrame
) -> None:
    tenths = [round(0.1 * tenth, 1) for tenth in range(1, 10)]
    forecast = predict(train(small, QUICK, tenths), backtest)
    names = ["p10", "p20", "p30", "p40", "p50", "p60", "p70", "p80", "p90"]
    assert [name for name in forecast.columns if name.startswith("p") and name != "product_id"] == names
    assert (forecast[names].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    with pytest.raises(ModelInputError, match="lack an end of the interval"):
        train(small, QUICK, [0.5])


def test_sums_by_store_and_category_and_of_everything_agree(model: DemandForecaster, backtest: pd.DataFrame) -> None:
    # Forecasts are made of single series only and added up, so no level of a hierarchy can contradict another; that the
    # sums are also right is what makes it more than arithmetic.
    forecast = predict(model, backtest).assign(units=backtest["units"], category=backtest["category"])
    for level in (["store_id"], ["category"], ["store_id", "category"]):
        sums = forecast.groupby(level)[["mean_units", "units"]].sum()
        assert sums["mean_units"].sum() == pytest.approx(forecast["mean_units"].sum())
        assert sums["mean_units"].to_numpy() == pytest.approx(sums["units"].to_numpy(), rel=0.1)


def test_a_product_that_has_not_sold_yet_is_forecast_from_its_category(
    model: DemandForecaster, backtest: pd.DataFrame
) -> None:
    unknown = dict.fromkeys(("mean_7", "mean_28", "mean_364", "weekday_mean", "yearly_mean", "days_since_sale"), np.nan)
    new = predict(model, backtest.head(200).assign(**unknown, level=10.0, price_ratio=np.nan, nonzero_share_28=np.nan))
    assert new["mean_units"].mean() == pytest.approx(10.0, rel=0.5)


def test_a_jump_of_the_held_out_days_moves_the_interval_no_more_than_the_mean(small: pd.DataFrame) -> None:
    jumped = small["origin_date"] >= small["origin_date"].drop_duplicates().nlargest(3).min()
    forecast = predict(train(small.assign(units=small["units"].where(~jumped, 2 * small["units"])), QUICK), small)
    assert forecast["p50"].sum() / forecast["mean_units"].sum() == pytest.approx(1, abs=0.25)


def test_shuffled_labels_score_at_the_baseline(training: pd.DataFrame, backtest: pd.DataFrame) -> None:
    random = np.random.default_rng(3)
    shuffled = training.assign(units=random.permutation(training["units"]))
    unseen = backtest.assign(units=random.permutation(backtest["units"]))
    constant = (unseen["units"] - shuffled["units"].mean()).abs().sum() / unseen["units"].sum()
    assert evaluate(train(shuffled), unseen)["wape"] == pytest.approx(constant, rel=0.05)


def test_the_same_rows_in_any_order_give_the_same_model(small: pd.DataFrame, backtest: pd.DataFrame) -> None:
    first, second = train(small, QUICK), train(small.sample(frac=1, random_state=5), QUICK)
    assert first.version == second.version == fingerprint(small, QUICK)
    pd.testing.assert_frame_equal(predict(first, backtest), predict(second, backtest), check_exact=True)


def test_the_version_is_the_same_in_another_process_and_for_the_types_of_another_reader(
    small: pd.DataFrame, tmp_path: Path
) -> None:
    small.assign(
        store_id=small["store_id"].astype("category"), horizon=small["horizon"].astype("Int64"), purpose="train"
    ).to_parquet(tmp_path / "frame.parquet")
    code = (
        "import sys, pandas; from ml.models.demand_forecast import fingerprint; "
        "sys.stdout.write(fingerprint(pandas.read_parquet(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "frame.parquet")]
    other = subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": "11"}, capture_output=True, text=True, check=True)
    assert other.stdout == fingerprint(small)


def test_the_version_changes_with_a_label_a_feature_a_key_and_a_parameter(small: pd.DataFrame) -> None:
    versions = {fingerprint(small), fingerprint(small, {**PARAMS, "max_iter": 81}), fingerprint(small.iloc[1:])}
    for column, value in (("units", 9_999.0), ("price", 9_999.0), ("product_id", "P9999")):
        changed = small.copy()
        changed.loc[0, column] = value
        versions.add(fingerprint(changed))
    assert len(versions) == 6
    assert fingerprint(small.assign(purpose="train", remark="not a feature")) == fingerprint(small)


def test_training_and_predicting_change_neither_their_input_nor_the_model(
    small: pd.DataFrame, backtest: pd.DataFrame
) -> None:
    rows, labels = backtest.copy(deep=True), small.copy(deep=True)
    model = train(small, QUICK)
    before = pickle.dumps(model)
    predict(model, backtest.assign(store_id="new " + backtest["store_id"]))
    evaluate(model, backtest)
    assert pickle.dumps(model) == before
    pd.testing.assert_frame_equal(backtest, rows)
    pd.testing.assert_frame_equal(small, labels)


def test_one_row_alone_has_the_forecast_it_has_among_others(model: DemandForecaster, backtest: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        predict(model, backtest).iloc[[17]], predict(model, backtest.iloc[[17]]), check_exact=True
    )


def test_days_after_the_cut_change_nothing(panel: Panel, backtest: pd.DataFrame) -> None:
    origins = range(CUT - 60, LAST, 10)
    past = slice(0, CUT + 1)
    known = Panel(
        panel.dates[past],
        panel.store_id,
        panel.product_id,
        panel.category,
        panel.units[past],
        panel.price[past],
        panel.discount[past],
    )
    then = train(feature_frame(known, [day for day in origins if day < CUT], last_day=CUT, share=3), QUICK)
    later = feature_frame(panel, origins, last_day=LAST, share=3)
    now = train(later[later["target_date"] <= panel.dates[CUT]], QUICK)
    assert len(later) > now.training_rows
    assert then.version == now.version
    pd.testing.assert_frame_equal(predict(then, backtest), predict(now, backtest), check_exact=True)


def test_predictions_have_the_promised_columns_order_and_bounds(
    model: DemandForecaster, backtest: pd.DataFrame
) -> None:
    shuffled = backtest.sample(frac=1, random_state=1)
    forecast = predict(model, shuffled)
    assert forecast.columns.tolist() == [
        *("origin_date", "target_date", "store_id", "product_id", "horizon", "mean_units", "p10", "p50", "p90"),
        *("interval_low", "interval_high"),
    ]
    assert forecast.index.equals(shuffled.index)
    assert (forecast["product_id"] == shuffled["product_id"]).all()
    assert (forecast["p10"] >= 0).all()
    assert (forecast["p10"] <= forecast["p50"]).all()
    assert (forecast["p50"] <= forecast["p90"]).all()
    assert (forecast["mean_units"] > 0).all()


def test_unseen_stores_and_categories_and_nulls_are_forecast_as_unknown(
    model: DemandForecaster, backtest: pd.DataFrame
) -> None:
    rows = backtest.head(200)
    unseen = predict(model, rows.assign(store_id="new " + rows["store_id"], category="Antiques"))
    assert unseen["mean_units"].to_numpy() == pytest.approx(predict(model, rows)["mean_units"].to_numpy(), rel=0.5)
    nulls = predict(model, rows.assign(category=None, yearly_mean=np.nan, price=np.nan, price_ratio=np.inf))
    assert nulls.notna().all(axis=None)


def test_an_order_of_tens_of_thousands_leaves_the_other_forecasts_alone(
    training: pd.DataFrame, backtest: pd.DataFrame, model: DemandForecaster
) -> None:
    spiked = training.copy()
    spiked.loc[[100, 5_000], ["units", "level"]] = [[70_000.0, 0.0], [20_000.0, 1.0]]
    forecast = predict(train(spiked), backtest)["mean_units"]
    assert forecast.sum() == pytest.approx(mean_units(model, backtest), rel=0.05)
    assert forecast.max() < 2 * backtest["units"].max()


def test_a_single_store_without_a_year_of_history_can_be_learned(small: pd.DataFrame, backtest: pd.DataFrame) -> None:
    model = train(small[small["store_id"] == "S01"].assign(yearly_mean=np.nan, category=None), QUICK)
    forecast = predict(model, backtest)
    assert forecast["mean_units"].sum() == pytest.approx(backtest["units"].sum(), rel=0.2)


def test_a_constant_target_is_forecast_as_that_constant(small: pd.DataFrame) -> None:
    flat = small.assign(**dict.fromkeys(("units", "level", *demand_forecast.SCALED), 4.0), category_mean_7=1.0)
    forecast = predict(train(flat, QUICK), flat.head(50))
    assert forecast[["mean_units", "p10", "p50", "p90"]].to_numpy() == pytest.approx(4.0, rel=1e-6)


@pytest.mark.parametrize(("days", "factor"), [(200, 1.0), (340, 2.0)])
def test_a_category_is_told_apart_only_where_its_season_was_met_a_year_before(
    panel: Panel, backtest: pd.DataFrame, days: int, factor: float
) -> None:
    rows = feature_frame(panel, range(CUT - days, CUT, 20), last_day=CUT, share=3)
    risen = train(rows.assign(units=rows["units"] * np.where(rows["category"] == "Toys", 2.0, 1.0)), QUICK)
    found = mean_units(risen, backtest, category="Toys") / mean_units(risen, backtest, category="Home")
    assert found == pytest.approx(factor, rel=0.1 if factor > 1 else 1e-9)


@pytest.mark.parametrize(("week", "turn"), [(np.nan, 1), (1.2, 1), (1 / 1.2, 1), (2.5, 2), (0.4, 0.5), (50, 3.2)])
def test_only_an_unusual_week_of_its_category_moves_the_level_of_a_series(
    small: pd.DataFrame, week: float, turn: float
) -> None:
    flat = small.assign(**dict.fromkeys(("units", "level", *demand_forecast.SCALED), 4.0), category_mean_7=1.0)
    found = predict(train(flat, QUICK), flat.head(1).assign(category_mean_7=week))["mean_units"]
    assert found.tolist() == pytest.approx([4.0 * turn], rel=1e-6)


def test_more_stores_than_the_trees_can_tell_apart_are_no_error(small: pd.DataFrame) -> None:
    stores = pd.Series([f"S{row % 300:03d}" for row in range(len(small))])
    assert len(predict(train(small.assign(store_id=stores), QUICK), small)) == len(small)


def test_no_rows_to_predict_give_no_rows_and_none_to_learn_or_measure_on_are_errors(
    model: DemandForecaster, backtest: pd.DataFrame
) -> None:
    empty = backtest.iloc[:0]
    assert predict(model, empty).columns.tolist() == predict(model, backtest.head(1)).columns.tolist()
    assert predict(model, empty).empty
    with pytest.raises(ModelInputError, match=r"demand_forecast\.train: there are no training rows"):
        train(empty)
    with pytest.raises(ModelInputError, match=r"demand_forecast\.evaluate: there are no rows"):
        evaluate(model, empty)


def test_missing_columns_and_unknown_parameters_are_named(model: DemandForecaster, backtest: pd.DataFrame) -> None:
    with pytest.raises(ModelInputError, match=r"predict: the frame lacks level, price_ratio;"):
        predict(model, backtest.drop(columns=["price_ratio", "level"]))
    with pytest.raises(ModelInputError, match="evaluate: the frame lacks units;"):
        evaluate(model, backtest.drop(columns="units"))
    with pytest.raises(ModelInputError, match="train: the frame lacks origin_date;"):
        train(backtest.drop(columns="origin_date"))
    with pytest.raises(ModelInputError, match="unknown parameter depth; choose from max_iter"):
        train(backtest, {"depth": 3})


def test_unusable_rows_are_returned_with_their_reasons_and_refused(
    model: DemandForecaster, small: pd.DataFrame
) -> None:
    broken = small.head(8).copy()
    broken.loc[1, "level"] = np.nan
    broken.loc[2, "horizon"] = 0
    broken.loc[3, "units"] = -1.0
    broken.loc[4, "product_id"] = None
    broken.loc[5, "units"] = np.nan
    broken.loc[7] = broken.loc[6]
    assert offending_rows(broken, labelled=True)["reason"].to_dict() == {
        1: "level is null or negative",
        2: "horizon is not a whole number from 1",
        3: "units are null or negative",
        4: "product_id is null",
        5: "units are null or negative",
        7: "a second row of the same key",
    }
    assert offending_rows(broken, labelled=False).index.tolist() == [1, 2, 4, 7]
    with pytest.raises(ModelInputError, match="train: 6 unusable rows, the first of store_id S01"):
        train(broken)
    with pytest.raises(ModelInputError, match="predict: 4 unusable rows") as error:
        predict(model, broken)
    assert error.value.rows is not None
    assert len(error.value.rows) == 4


def test_nothing_sold_and_a_single_day_are_clear_errors(small: pd.DataFrame) -> None:
    with pytest.raises(ModelInputError, match="every label is 0"):
        train(small.assign(units=0.0))
    with pytest.raises(ModelInputError, match="no sale before the held-out days"):
        train(small[small["target_date"] == small["target_date"].min()])


def test_training_days_are_refused_as_evidence_of_accuracy(model: DemandForecaster, training: pd.DataFrame) -> None:
    with pytest.raises(ModelInputError, match="its target date is within the training period"):
        evaluate(model, training.tail(10))


def test_evaluation_equals_the_metrics_worked_by_hand(model: DemandForecaster, backtest: pd.DataFrame) -> None:
    rows = backtest.head(3).assign(units=[2.0, 0.0, 1e6], seasonal_naive=[4.0, np.nan, 1e6], level=[9.0, 1.5, 9.0])
    forecast = predict(model, rows)
    mean = forecast["mean_units"].to_list()
    found = evaluate(model, rows)
    total = 1_000_002
    assert found["wape"] == pytest.approx((abs(2 - mean[0]) + mean[1] + (1e6 - mean[2])) / total)
    assert found["naive_wape"] == pytest.approx((2 + 1.5 + 0) / total)  # a null naive value is the level
    assert found["bias"] == pytest.approx(sum(mean) / total - 1)
    ends = zip(forecast["interval_low"], forecast["interval_high"], [2.0, 0.0, 1e6], strict=True)
    within = [min(max(min(high, units + 0.5) - max(low, units - 0.5), 0), 1) for low, high, units in ends]
    assert found["coverage_80"] == pytest.approx(sum(within) / 3)
    assert found["rows"] == 3.0
