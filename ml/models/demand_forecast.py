"""Daily demand per store and product for the next 30 days: one global model, as single series are too short and sparse.

Gradient boosting with Poisson loss learns units relative to the level of the series, its mean of 56 days, as an unusual
week of its category has moved it. Quantiles come from the ratios actual / predicted on the latest training origins,
which a first model fitted on earlier days has not seen; the second model is fitted on everything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import sklearn

from ml.boosting import BoostedRatio
from ml.encoding import codes, known_values
from ml.errors import ModelInputError
from ml.frames import Floats, Floats32, Integers, floats, marked, numbers, refuse, require_columns
from ml.holdout import latest_origins
from ml.metrics import forecast_metrics, row_losses
from ml.quantiles import CountQuantiles, counts, share_within
from ml.storage import BOOSTING
from ml.tabular import settings_of
from ml.versions import digest

NAME = "demand_forecast"
ENTITY = ("store_id", "product_id")
KEYS = ("origin_date", "target_date", *ENTITY)
TARGET = "units"
CATEGORICAL = ("store_id", "category")
# Units per day: the model sees them divided by the level of the series.
SCALED = ("mean_7", "mean_28", "mean_364", "year_level", "weekday_mean", "seasonal_naive", "yearly_mean")
RECENT = ("horizon", "level", "nonzero_share_28", "days_since_sale", "category_mean_7")
CALENDAR = ("weekday", "day_of_month", "week_of_year", "is_holiday", "days_to_holiday")
OFFER = ("price", "price_ratio", "discount_rate", "promotion_share_28")
FEATURES = (*CATEGORICAL, *SCALED, *RECENT, *CALENDAR, *OFFER)
QUANTILES = MappingProxyType({"p10": 0.1, "p50": 0.5, "p90": 0.9})
BASELINE = "seasonal_naive"
SEGMENT = "category"
# What `ml.quantiles` spreads the counts p10 and p90 to: only between those lie 80 % of what slow series sell.
PREDICTED, INTERVAL, LOSS = "mean_units", ("interval_low", "interval_high"), "absolute"
# A training on the same stores and days teaches little that is new, and costs what all predictions of a week cost.
RETRAIN_AFTER_DAYS = 7
TRUSTED = (
    *BOOSTING,
    "ml.boosting.BoostedRatio",
    "ml.models.demand_forecast.DemandForecaster",
    "ml.quantiles.CountQuantiles",
)
PARAMS: Mapping[str, float] = MappingProxyType(
    {
        "max_iter": 40,
        "learning_rate": 0.15,
        "max_leaf_nodes": 16,
        # Up to 200,000 weighted rows, scikit-learn 1.9 sorts a column once per bin: 255 took 8 s of a fit of 13.
        "max_bins": 63,
        "min_samples_leaf": 100,
        "l2_regularization": 20.0,
        "level_floor": 1 / 56,
        # Of the ratios units / level that are not 0. Without a cap, single orders of up to 74,215 units made the model
        # of real sales diverge (WAPE 73,117 in one of three months). Mean of the three at 0.999 and 0.99: WAPE 0.98 and
        # 0.93, bias +2 % and -6 %. Simulated sales without such orders lose nothing at 0.99: bias +0.1 %.
        "target_cap_quantile": 0.99,
        "held_out_origins": 3,
        "held_out_fit_rows": 100_000,
        "seed": 0,
    }
)
_ENDS = (0.1, 0.9)
# The week of a category is noise this far from usual, and beyond the second it moves no level further. Real sales of
# three months (not those of `benchmarks/retail_daily.py`): WAPE 1.029 at 1.25, 1.067 where each week moves the level
# and 1.032 where none does. Simulated sales that turn threefold are followed as fast as where each week does.
_USUAL_TURN, _MOST_TURN = 1.25, 4.0
# A category tells the season only where the days to be forecast, 31 to 60 after the last label, were met a year before.
# With less it is the name of a trend, which would go on: after 200 simulated days WAPE is 0.361 with, 0.335 without it.
# After 400 days 10,000 series have 0.8165 with and 0.822 without it.
_SEASON_DAYS = 364 - 30


@dataclass(frozen=True)
class DemandForecaster:
    """A fitted model with all of its preprocessing; nothing is fitted again when it predicts.

    Attributes:
        version: fingerprint of the training frame and the parameters.
        trained_through: last target date of the training rows, as text; evaluate accepts later ones only.
        categories: known values of each categorical feature, by code.
    """

    version: str
    params: Mapping[str, float]
    trained_through: str
    training_rows: int
    categories: Mapping[str, tuple[str, ...]]
    mean: BoostedRatio
    quantiles: CountQuantiles


@dataclass(frozen=True)
class _Rows:
    """Labelled rows as arrays in the order of their key, so that the order of a SQL result changes no model."""

    x: Floats32
    units: Floats
    scale: Floats
    horizon: Integers
    origin: npt.NDArray[np.datetime64]
    target: npt.NDArray[np.datetime64]
    categories: Mapping[str, tuple[str, ...]]
    version: str


def train(
    frame: pd.DataFrame, params: Mapping[str, float] = PARAMS, levels: Sequence[float] = tuple(QUANTILES.values())
) -> DemandForecaster:
    """Fit on labelled rows; the caller has left out every row whose target date it must not know.

    Args:
        frame: Features and labels.
        params: Those that differ from PARAMS.
        levels: Of the quantiles, 0.1 and 0.9 among them; a column is named after its percentage, such as p75.

    Raises:
        ModelInputError: for missing columns, unusable rows (in `rows`), no rows, no sale, or a single target date.
    """
    settings = settings_of(NAME, params, PARAMS)
    if not {*_ENDS} <= {*levels}:
        raise ModelInputError(f"{NAME}.train: the levels {levels} lack an end of the interval, {_ENDS}; add it")
    rows = _training_rows(frame, settings)
    fit, held = latest_origins(rows.origin, rows.target, int(settings["held_out_origins"]))
    if not rows.units[fit].any():
        raise ModelInputError(f"{NAME}.train: no sale before the held-out days, so no error can be measured; add days")
    # Intervals need no more than a fair model: a fit on all earlier rows would nearly double the time.
    random = np.random.default_rng(int(settings["seed"]))
    most = min(int(settings["held_out_fit_rows"]), int(fit.sum()))
    sample = np.sort(random.choice(np.flatnonzero(fit), most, replace=False))
    earlier = _boost(rows, sample, settings)
    units, scale = rows.units[held], rows.scale[held]
    mean = earlier.predict(rows.x[held], scale)
    # The spread carries over to the next month, the drift of the last one does not: with equal sums the pinball loss on
    # seven months of real sales fell from 7.55 to 7.17. Capped, so that one huge order is no drift.
    mean *= np.minimum(units, earlier.cap * scale).sum() / mean.sum() or 1.0
    quantiles = CountQuantiles.fit(units, mean, rows.horizon[held], tuple(sorted(levels)), int(settings["seed"]))
    return DemandForecaster(
        version=rows.version,
        params=settings,
        trained_through=str(rows.target.max()),
        training_rows=len(rows.units),
        categories=rows.categories,
        mean=_boost(rows, slice(None), settings),
        quantiles=quantiles,
    )


def predict(model: DemandForecaster, frame: pd.DataFrame) -> pd.DataFrame:
    """Mean and quantiles of the units of each row, in the order and with the index of the frame; no rows give no rows.

    A store or category that the model has not met counts as unknown, a null as unknown too; neither stops the forecast.

    Raises:
        ModelInputError: for missing columns or unusable rows (in `rows`).
    """
    where = f"{NAME}.predict"
    require_columns(frame, (*KEYS, *FEATURES), where)
    levels = model.quantiles.levels
    predicted = ("mean_units", *(f"p{100 * level:g}" for level in levels), *INTERVAL)
    if frame.empty:
        return frame.reindex(columns=[*KEYS, "horizon", *predicted]).astype(dict.fromkeys(predicted, np.float64))
    refuse(offending_rows(frame, labelled=False), ENTITY, where)
    scale = _scale(frame, model.params)
    matrix = _matrix(frame, scale, model.categories, np.arange(len(frame)), where)
    horizon = frame["horizon"].to_numpy(dtype=np.int64)
    mean = model.mean.predict(matrix, scale)
    spread = model.quantiles.predict(mean, horizon)
    ends = (spread[:, levels.index(level)] for level in _ENDS)
    columns = dict(zip(predicted, (mean, *counts(spread).T, *ends), strict=True))
    return frame[list(KEYS)].assign(horizon=horizon, **columns)


def evaluate(model: DemandForecaster, frame: pd.DataFrame) -> dict[str, float]:
    """Errors over labelled rows of origins that the model has not been trained on, next to the seasonal naive forecast.

    Returns:
        wape, naive_wape, bias (of the mean), coverage_80 (see `ml.quantiles`), pinball (units, over quantiles), rows.

    Raises:
        ModelInputError: for an empty frame, missing columns, unusable rows, or rows within the training period.
    """
    forecast = _unseen(model, frame, f"{NAME}.evaluate")
    units = floats(frame[TARGET])
    levels = {level: floats(forecast[f"p{100 * level:g}"]) for level in model.quantiles.levels}
    low, high = (floats(forecast[name]) for name in INTERVAL)
    found = forecast_metrics(units, floats(forecast["mean_units"]), levels, _naive(frame))
    return found | {"coverage_80": share_within(units, low, high)}


def losses(model: DemandForecaster, frame: pd.DataFrame) -> pd.DataFrame:
    """Absolute errors of the mean row by row, beside those of the seasonal naive forecast; raises as evaluate does."""
    forecast = _unseen(model, frame, f"{NAME}.losses")
    series = frame["store_id"].astype(str) + "/" + frame["product_id"].astype(str)
    return row_losses(series, frame[SEGMENT], floats(frame[TARGET]), floats(forecast["mean_units"]), _naive(frame))


def fingerprint(frame: pd.DataFrame, params: Mapping[str, float] = PARAMS) -> str:
    """Version of the model that train(frame, params) gives: 12 hexadecimal digits, the same in every process.

    It covers the keys, features and labels (not the order of the rows or of other columns), the parameters and the
    version of scikit-learn.
    """
    return _training_rows(frame, settings_of(NAME, params, PARAMS)).version


def offending_rows(frame: pd.DataFrame, labelled: bool) -> pd.DataFrame:
    """The rows that no model can use, with a column `reason`; with `labelled` their units are looked at too."""
    level = numbers(frame["level"], NAME)
    horizon = numbers(frame["horizon"], NAME)
    faults = {f"{key} is null": frame[key].isna().to_numpy() for key in KEYS}
    faults["horizon is not a whole number from 1"] = ~((horizon >= 1) & (horizon == np.floor(horizon)))
    faults["level is null or negative"] = ~(level >= 0)
    faults["a second row of the same key"] = frame.duplicated(list(KEYS)).to_numpy()
    if labelled:
        faults["units are null or negative"] = ~(numbers(frame[TARGET], NAME) >= 0)
    return marked(frame, faults)


def _unseen(model: DemandForecaster, frame: pd.DataFrame, where: str) -> pd.DataFrame:
    require_columns(frame, (*KEYS, *FEATURES, TARGET), where)
    if frame.empty:
        raise ModelInputError(f"{where}: there are no rows to evaluate on; an unmeasured model has no error of zero")
    refuse(offending_rows(frame, labelled=True), ENTITY, where)
    seen = (pd.to_datetime(frame["target_date"]) <= pd.Timestamp(model.trained_through)).to_numpy()
    fault = f"its target date is within the training period (to {model.trained_through})"
    refuse(marked(frame, {fault: seen}), ENTITY, where)
    return predict(model, frame)


def _naive(frame: pd.DataFrame) -> Floats:
    # A series younger than a week has no same weekday yet: naive there is its level.
    return floats(frame[BASELINE].fillna(frame["level"]))


def _scale(frame: pd.DataFrame, params: Mapping[str, float]) -> Floats:
    # What has turned for a whole category is seen within a week there, and after eight in the mean of a series: a model
    # that learns meanwhile would take it for what the category is like, and go on so once the mean has followed.
    week = np.clip(floats(frame["category_mean_7"].astype("float64").fillna(1.0)), 1 / _MOST_TURN, _MOST_TURN)
    turned = week / np.clip(week, 1 / _USUAL_TURN, _USUAL_TURN)
    # A series without a sale in 56 days still has a scale: one unit in that time.
    scale: Floats = np.maximum(floats(frame["level"]) * turned, np.float64(params["level_floor"]), dtype=np.float64)
    return scale


def _matrix(
    frame: pd.DataFrame, scale: Floats, categories: Mapping[str, tuple[str, ...]], order: Integers, where: str
) -> Floats32:
    x = np.empty((len(order), len(FEATURES)), dtype=np.float32)
    for position, name in enumerate(FEATURES):
        if name in categories:
            column = codes(frame[name], categories[name])
        else:
            column = numbers(frame[name], where)
            if name in SCALED:
                column = (column / scale).astype(np.float32)
        x[:, position] = column[order]
    return x


def _training_rows(frame: pd.DataFrame, params: Mapping[str, float]) -> _Rows:
    where = f"{NAME}.train"
    require_columns(frame, (*KEYS, *FEATURES, TARGET), where)
    if frame.empty:
        raise ModelInputError(f"{where}: there are no training rows; land at least two months of sales first")
    refuse(offending_rows(frame, labelled=True), ENTITY, where)
    keys = {key: pd.factorize(frame[key], sort=True) for key in KEYS}
    order = np.lexsort([keys[key][0] for key in reversed(KEYS)]).astype(np.int64)
    units = floats(frame[TARGET])[order]
    if not units.any():
        raise ModelInputError(f"{where}: every label is 0, so there is nothing to learn; check the sales of the period")
    # A category takes a bin, and the missing take one: the rarest stores beyond that share it.
    most = int(params["max_bins"]) - 1
    categories = {name: known_values(frame[name], most) for name in CATEGORICAL}
    scale = _scale(frame, params)
    x = _matrix(frame, scale, categories, order, where)
    names = [[str(value) for value in keys[key][1]] for key in ENTITY]
    dates = [pd.to_datetime(frame[key]).to_numpy(dtype="datetime64[D]")[order] for key in KEYS[:2]]
    if np.ptp(dates[1]) < np.timedelta64(_SEASON_DAYS, "D"):
        x[:, FEATURES.index("category")] = np.nan
    arrays: list[npt.NDArray[Any]] = [x, units, *dates, *(keys[key][0][order] for key in ENTITY)]
    version = digest([sklearn.__version__, FEATURES, dict(params), categories, names], arrays)
    horizon = frame["horizon"].to_numpy(dtype=np.int64)[order]
    return _Rows(x, units, scale[order], horizon, dates[0], dates[1], categories, version)


def _boost(rows: _Rows, chosen: Integers | slice, params: Mapping[str, float]) -> BoostedRatio:
    categorical = [FEATURES.index(name) for name in CATEGORICAL]
    return BoostedRatio.fit(rows.x[chosen], rows.units[chosen], rows.scale[chosen], categorical, params)
