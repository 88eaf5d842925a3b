"""Errors of forecasts. Relative ones are ratios of sums, so that a day without a sale divides nothing by zero."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ml.frames import Floats


def wape(actual: Floats, forecast: Floats) -> float:
    """Sum of absolute errors over the sum of the actual values; NaN where that sum is 0."""
    total = float(actual.sum())
    return float(np.abs(actual - forecast).sum()) / total if total else float("nan")


def bias(actual: Floats, forecast: Floats) -> float:
    """Relative error of the sum: 0.1 says that the forecast is a tenth too high; NaN where nothing was sold."""
    total = float(actual.sum())
    return float(forecast.sum()) / total - 1 if total else float("nan")


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of actual values within [low, high], both ends included; NaN without rows."""
    return float(((actual >= low) & (actual <= high)).mean()) if len(actual) else float("nan")


def pinball(actual: Floats, quantiles: Mapping[float, Floats]) -> float:
    """Mean pinball loss in units, over rows and quantile levels; NaN without rows."""
    if not len(actual):
        return float("nan")
    losses = [np.maximum(q * (actual - value), (q - 1) * (actual - value)).mean() for q, value in quantiles.items()]
    return float(np.mean(losses))


def forecast_metrics(
    actual: Floats, mean: Floats, quantiles: Mapping[float, Floats], naive: Floats
) -> dict[str, float]:
    """Errors of a forecast with quantiles next to those of the naive one, by the names that reports know."""
    return {
        "wape": wape(actual, mean),
        "naive_wape": wape(actual, naive),
        "bias": bias(actual, mean),
        "coverage_80": coverage(actual, quantiles[0.1], quantiles[0.9]),
        "pinball": pinball(actual, quantiles),
        "rows": float(len(actual)),
    }


def row_losses(
    entity: "pd.Series[str]", segment: "pd.Series[str]", actual: Floats, forecast: Floats, naive: Floats
) -> pd.DataFrame:
    """Absolute errors row by row next to those of the naive forecast, as `ml.promotion` compares them."""
    return pd.DataFrame(
        {
            "entity": entity.to_numpy(),
            "segment": segment.to_numpy(),
            "actual": actual,
            "forecast": forecast,
            "loss": np.abs(actual - forecast),
            "naive": naive,
            "naive_loss": np.abs(actual - naive),
        }
    )
