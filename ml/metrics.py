"""Errors of forecasts and probabilities. Relative ones are ratios of sums: no day without a sale divides by 0."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from ml.frames import Floats

# Of what never happened while a model learned. Log loss takes no 0.
LEAST_PROBABILITY = 1e-6


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


def absolute_errors(actual: Floats, forecast: Floats) -> Floats:
    """Distances row by row."""
    return np.abs(actual - forecast)


def squared_errors(actual: Floats, forecast: Floats) -> Floats:
    """Squared distances row by row: of all forecasts, the mean has the least."""
    return np.square(actual - forecast)


def log_losses(actual: Floats, probability: Floats) -> Floats:
    """Log loss row by row, of outcomes 0 and 1."""
    sure = np.clip(probability, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return np.asarray(-np.log(np.where(actual > 0, sure, 1 - sure)))


def auc(actual: Floats, score: Floats) -> float:
    """Share of pairs of a 1 and a 0 in which the 1 has the higher score; NaN where one of both is missing."""
    positives = float(actual.sum())
    negatives = len(actual) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = pd.Series(score).rank().to_numpy()
    return float((ranks[actual > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def lift(actual: Floats, score: Floats, share: float = 0.1) -> float:
    """How many times as many 1s the rows with the highest scores have as all rows; NaN without a 1."""
    top = np.argsort(-score, kind="stable")[: max(1, round(share * len(score)))]
    return float(actual[top].mean() / actual.mean()) if actual.any() else float("nan")


def calibration_error(actual: Floats, probability: Floats, bins: int = 10) -> float:
    """ECE: distance of mean probability and share of 1s, averaged over bins of equally many rows by probability."""
    if not len(actual):
        return float("nan")
    parts = np.array_split(np.argsort(probability, kind="stable"), min(bins, len(actual)))
    return float(sum(abs(actual[part].sum() - probability[part].sum()) for part in parts) / len(actual))


def probability_metrics(actual: Floats, probability: Floats, base_rate: Floats) -> dict[str, float]:
    """Errors of probabilities next to those of the base rate, by the names that reports know."""
    return {
        "auc": auc(actual, probability),
        "log_loss": float(log_losses(actual, probability).mean()),
        "base_log_loss": float(log_losses(actual, base_rate).mean()),
        "brier": float(((actual - probability) ** 2).mean()),
        "lift_top_decile": lift(actual, probability),
        "ece": calibration_error(actual, probability),
        "rows": float(len(actual)),
    }


def row_losses(
    entity: "pd.Series[str]",
    segment: "pd.Series[str]",
    actual: Floats,
    forecast: Floats,
    naive: Floats,
    error: Callable[[Floats, Floats], Floats] = absolute_errors,
) -> pd.DataFrame:
    """Errors row by row next to those of the naive forecast, as `ml.promotion` compares them."""
    return pd.DataFrame(
        {
            "entity": entity.to_numpy(),
            "segment": segment.to_numpy(),
            "actual": actual,
            "forecast": forecast,
            "loss": error(actual, forecast),
            "naive": naive,
            "naive_loss": error(actual, naive),
        }
    )
