"""Quantiles of a forecast from how far held-out actual values fell from their predicted means.

The ratio actual / mean is what carries over between series: one table of its quantiles, by predicted mean (slow sellers
are relatively more uncertain) and by horizon, turns every predicted mean into a distribution. None is assumed.
"""

from dataclasses import dataclass

import numpy as np

from ml.frames import Floats, Integers

HORIZON_ENDS = (7, 14, 21)  # the last days of all buckets but the open one
MEAN_BINS = 20
# The 90 % quantile of 200 ratios has 20 above it. Fewer made its value jump between neighbouring bins.
ROWS_PER_BIN = 200


def weighted_quantile(values: Floats, weights: Floats, level: float) -> float:
    """Smallest value that has at least the share `level` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(share, level * share[-1])), len(values) - 1)])


@dataclass(frozen=True)
class RatioQuantiles:
    """Quantiles of actual / mean, one row of nodes over the predicted mean for each horizon bucket.

    Attributes:
        levels: ascending quantile levels.
        nodes: predicted means at which the ratios stand, ascending.
        ratios: array of horizon buckets by levels by nodes.
    """

    levels: tuple[float, ...]
    nodes: Floats
    ratios: Floats

    @classmethod
    def fit(cls, actual: Floats, mean: Floats, horizon: Integers, levels: tuple[float, ...]) -> "RatioQuantiles":
        """Measure the ratios on rows that the model of `mean` has not seen; every mean is positive.

        Raises:
            ValueError: without rows.
        """
        if not len(actual):
            raise ValueError("quantiles need at least one held-out row: pass rows that the model was not fitted on")
        ratio = actual / mean
        buckets = np.searchsorted(HORIZON_ENDS, horizon)
        count = int(np.clip(len(mean) // (ROWS_PER_BIN * (len(HORIZON_ENDS) + 1)), 1, MEAN_BINS))
        bins = np.searchsorted(np.quantile(mean, np.arange(1, count) / count), mean, side="right")
        used = np.unique(bins)
        nodes = np.array([np.median(mean[bins == b]) for b in used])
        ratios = np.empty((len(HORIZON_ENDS) + 1, len(levels), len(used)))
        for position, b in enumerate(used):
            of_mean = bins == b
            for bucket in range(len(ratios)):
                cell = of_mean & (buckets == bucket)
                # A thin cell says less about its horizon than all horizons together say about the mean.
                chosen = ratio[cell if cell.sum() >= ROWS_PER_BIN // 2 else of_mean]
                # An observed value, not one between two: with counts the space between 0 and 1 unit holds nothing.
                ratios[bucket, :, position] = np.quantile(chosen, levels, method="inverted_cdf")
        return cls(levels, nodes, ratios)

    def predict(self, mean: Floats, horizon: Integers) -> Floats:
        """Rows by levels; a row never decreases, because no node of a level lies below that of the level before."""
        result = np.empty((len(mean), len(self.levels)))
        buckets = np.searchsorted(HORIZON_ENDS, horizon)
        for bucket, by_level in enumerate(self.ratios):
            rows = buckets == bucket
            for position, ratios in enumerate(by_level):
                # Between nodes on a log scale: the bins are even in rank, so wide apart in units.
                result[rows, position] = np.interp(np.log(mean[rows]), np.log(self.nodes), ratios) * mean[rows]
        return result
