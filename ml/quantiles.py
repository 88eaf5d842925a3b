"""Quantiles of a forecast of counts from how far held-out actual values fell from their predicted means.

The ratio actual / mean is what carries over between series: one table of its quantiles, by predicted mean (slow sellers
are relatively more uncertain) and by horizon, turns every predicted mean into a distribution. None is assumed.

Where most days sell 0 or 1 there is no count that exactly 10 % of the days stay below, so a count y stands for a number
drawn evenly between y - 1/2 and y + 1/2 (Machado and Santos Silva 2005, Quantiles for counts). The quantiles of that
number are exact; rounded up or down to the count that they stand for, they are the quantiles of the count. How often an
interval between two of them holds what was sold is then the share of the probability integral transform that lies
between their levels, as Czado, Gneiting and Held (2009, Predictive model assessment for count data) calibrate counts:
an interval of a series that sells on every third day does not count as wide only because it cannot leave out the 0.
"""

from dataclasses import dataclass

import numpy as np

from ml.frames import Floats, Integers

HORIZON_ENDS = (7, 14, 21)  # the last days of all buckets but the open one
MEAN_BINS = 20
# The 90 % quantile of 200 ratios has 20 above it. Fewer made its value jump between neighbouring bins.
ROWS_PER_BIN = 200
HALF = 0.5


def weighted_quantile(values: Floats, weights: Floats, level: float) -> float:
    """Smallest value that has at least the share `level` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order])
    return float(values[order][min(int(np.searchsorted(share, level * share[-1])), len(values) - 1)])


def counts(spread: Floats) -> Floats:
    """The counts that spread values stand for."""
    whole: Floats = np.floor(spread + HALF)
    # Just below 0 is 0, and nothing is less.
    return np.maximum(whole, 0.0)


def share_within(actual: Floats, low: Floats, high: Floats) -> float:
    """Share of what was counted that lies between two quantiles of spread values; NaN without rows."""
    within = np.minimum(high, actual + HALF) - np.maximum(low, actual - HALF)
    return float(np.clip(within, 0.0, 1.0).mean()) if len(actual) else float("nan")


@dataclass(frozen=True)
class CountQuantiles:
    """Quantiles of actual / mean, one row of nodes over the predicted mean for each horizon bucket.

    Attributes:
        levels: ascending quantile levels.
        nodes: predicted means at which the ratios stand, ascending, plus 1/2.
        ratios: array of horizon buckets by levels by nodes; both sides of a ratio have 1/2 more, so none is below 0.
    """

    levels: tuple[float, ...]
    nodes: Floats
    ratios: Floats

    @classmethod
    def fit(
        cls, actual: Floats, mean: Floats, horizon: Integers, levels: tuple[float, ...], seed: int = 0
    ) -> "CountQuantiles":
        """Measure the ratios of counts on rows that the model of `mean` has not seen; `seed` spreads the counts.

        Raises:
            ValueError: without rows.
        """
        if not len(actual):
            raise ValueError("quantiles need at least one held-out row: pass rows that the model was not fitted on")
        ratio = (actual + np.random.default_rng(seed).random(len(actual))) / (mean + HALF)
        buckets = np.searchsorted(HORIZON_ENDS, horizon)
        count = int(np.clip(len(mean) // (ROWS_PER_BIN * (len(HORIZON_ENDS) + 1)), 1, MEAN_BINS))
        bins = np.searchsorted(np.quantile(mean, np.arange(1, count) / count), mean, side="right")
        used = np.unique(bins)
        nodes = np.array([np.median(mean[bins == b]) for b in used]) + HALF
        ratios = np.empty((len(HORIZON_ENDS) + 1, len(levels), len(used)))
        for position, b in enumerate(used):
            of_mean = bins == b
            for bucket in range(len(ratios)):
                cell = of_mean & (buckets == bucket)
                # A thin cell says less about its horizon than all horizons together say about the mean.
                chosen = ratio[cell if cell.sum() >= ROWS_PER_BIN // 2 else of_mean]
                ratios[bucket, :, position] = np.quantile(chosen, levels)
        return cls(levels, nodes, ratios)

    def predict(self, mean: Floats, horizon: Integers) -> Floats:
        """Spread values from -1/2 up, of which `counts` makes counts; rows by levels.

        A row never decreases, because no node of a level lies below that of the level before.
        """
        result = np.empty((len(mean), len(self.levels)))
        buckets = np.searchsorted(HORIZON_ENDS, horizon)
        raised = mean + HALF
        for bucket, by_level in enumerate(self.ratios):
            rows = buckets == bucket
            for position, ratios in enumerate(by_level):
                # Between nodes on a log scale: the bins are even in rank, so wide apart in units.
                at = np.interp(np.log(raised[rows]), np.log(self.nodes), ratios)
                result[rows, position] = at * raised[rows] - HALF
        return result
