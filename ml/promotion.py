"""Whether a newly trained model takes the place of the one in use: it has to be better on days that neither has seen.

The rows of both come from the same hold-out: `entity` (what is drawn again in the bootstrap), `segment`, `actual`,
`forecast`, its `loss`, and the forecast and loss of the naive baseline. A verdict never rests on too few of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.frames import Floats

_RESAMPLES_AT_ONCE = 50


@dataclass(frozen=True)
class Bars:
    """What a challenger has to reach.

    Attributes:
        least_gain: Share by which its error has to be lower than the champion's.
        confidence: Of the bootstrap interval of that share, which has to lie above 0.
        least_rows: With fewer rows in the hold-out nothing is promoted.
        least_entities: Likewise for the entities that the bootstrap draws.
        greatest_bias: Relative error of a segment's sum, unless what is in use does worse there, or it may be chance.
        least_deviations: By so many standard errors a sum has to be off to be no chance; entities are what varies.
        least_segment_share: Smaller segments, by their share of the actual sum, are not looked at.
        greatest_seconds: To predict 1,000 rows. Far above what a model needs, so that a busy machine decides nothing.
        greatest_megabytes: Of the stored model.
    """

    least_gain: float = 0.02
    confidence: float = 0.95
    resamples: int = 1000
    least_rows: int = 200
    least_entities: int = 20
    greatest_bias: float = 0.25
    least_deviations: float = 2.0
    least_segment_share: float = 0.05
    greatest_seconds: float = 5.0
    greatest_megabytes: float = 200.0
    seed: int = 0


@dataclass(frozen=True)
class Cost:
    """What a model costs in use: seconds to predict 1,000 rows, and megabytes."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger is promoted, and why in one sentence.

    Attributes:
        gain: Share by which its error is lower than the champion's; None without a champion or a measurement.
        interval: Bootstrap interval of the gain.
    """

    is_promoted: bool
    reason: str
    gain: float | None = None
    interval: tuple[float, float] | None = None


def decide(challenger: pd.DataFrame, champion: pd.DataFrame | None, cost: Cost, bars: Bars | None = None) -> Verdict:
    """Compare two models by their rows on one hold-out; without a champion, the first model has to beat the naive one.

    Raises:
        ValueError: The rows of the two are not of the same hold-out.
    """
    bars = bars or Bars()
    unfit = _unmeasurable(challenger, bars)
    if unfit:
        return Verdict(False, unfit)
    loss, naive = float(challenger["loss"].sum()), float(challenger["naive_loss"].sum())
    gain, interval = None, None
    if champion is not None:
        if not (len(champion) == len(challenger) and np.array_equal(champion["actual"], challenger["actual"])):
            raise ValueError("the champion and the challenger were measured on different rows: use one hold-out")
        gain, interval = gain_over(champion, challenger, bars)
    fault = _guardrails(challenger, champion, cost, bars)
    if not loss < naive:
        fault = f"its error is {_share(loss, naive)} of the naive baseline's, not below it"
    if fault:
        return Verdict(False, fault, gain, interval)
    if gain is None or interval is None:
        return Verdict(True, f"the first version: its error is {_share(loss, naive)} of the naive baseline's")
    found = f"{abs(gain):.1%} {'lower' if gain >= 0 else 'higher'} error than the champion"
    found += f" ({bars.confidence:.0%} interval {interval[0]:+.1%} to {interval[1]:+.1%})"
    if gain < bars.least_gain:
        return Verdict(False, f"{found}; {bars.least_gain:.0%} lower is asked for", gain, interval)
    is_certain = interval[0] > 0
    return Verdict(is_certain, found if is_certain else f"{found}, which may be chance", gain, interval)


def gain_over(champion: pd.DataFrame, challenger: pd.DataFrame, bars: Bars) -> tuple[float, tuple[float, float]]:
    """The share by which the challenger's error is lower, with its interval: entities are drawn again, in pairs."""
    by_entity = pd.DataFrame(
        {
            "entity": challenger["entity"].to_numpy(),
            "champion": champion["loss"].to_numpy(),
            "challenger": challenger["loss"].to_numpy(),
        }
    )
    sums = by_entity.groupby("entity", sort=True).sum()
    old, new = sums["champion"].to_numpy(dtype=np.float64), sums["challenger"].to_numpy(dtype=np.float64)
    random = np.random.default_rng(bars.seed)
    drawn: list[Floats] = []
    for start in range(0, bars.resamples, _RESAMPLES_AT_ONCE):
        number = min(_RESAMPLES_AT_ONCE, bars.resamples - start)
        weights = random.multinomial(len(old), np.full(len(old), 1 / len(old)), size=number).astype(np.float64)
        drawn.append(_gain(weights @ old, weights @ new))
    tail = (1 - bars.confidence) / 2
    low, high = np.quantile(np.concatenate(drawn), [tail, 1 - tail])
    whole = _gain(np.array([old.sum()]), np.array([new.sum()]))
    return float(whole[0]), (float(low), float(high))


def _gain(old: Floats, new: Floats) -> Floats:
    # Nothing is lower than no error at all.
    lower: Floats = np.divide(old - new, old, out=np.where(new > 0, -np.inf, 0.0), where=old > 0)
    return lower


def _unmeasurable(rows: pd.DataFrame, bars: Bars) -> str:
    entities = rows["entity"].nunique()
    if len(rows) < bars.least_rows or entities < bars.least_entities:
        return (
            f"the hold-out has {len(rows):,} rows of {entities:,} entities; "
            f"{bars.least_rows:,} of {bars.least_entities:,} are the least to judge by"
        )
    measured = rows[["actual", "forecast", "loss", "naive_loss"]].to_numpy(np.float64)
    unknown = int((~np.isfinite(measured)).any(axis=1).sum())
    return f"{unknown:,} rows of the hold-out have no error" if unknown else ""


def _guardrails(challenger: pd.DataFrame, champion: pd.DataFrame | None, cost: Cost, bars: Bars) -> str:
    if cost.seconds > bars.greatest_seconds:
        return f"it takes {cost.seconds:.1f} s to predict 1,000 rows; {bars.greatest_seconds:g} s are the most"
    if cost.megabytes > bars.greatest_megabytes:
        return f"it has {cost.megabytes:,.0f} MB; {bars.greatest_megabytes:g} MB are the most"
    in_use = challenger["naive"] if champion is None else champion["forecast"]
    rows = pd.DataFrame(
        {
            "segment": challenger["segment"].fillna("none").to_numpy(),
            "entity": challenger["entity"].to_numpy(),
            "actual": challenger["actual"].to_numpy(dtype=np.float64),
            "new": challenger["forecast"].to_numpy(),
            "old": in_use.to_numpy(),
        }
    )
    by_entity = rows.groupby(["segment", "entity"], sort=True).sum()
    by_entity["squared"] = (by_entity["new"] - by_entity["actual"]) ** 2
    sums = by_entity.groupby("segment", sort=True).sum()
    large = sums[(sums["actual"] > 0) & (sums["actual"] >= bars.least_segment_share * sums["actual"].sum())]
    bias, before = large["new"] / large["actual"] - 1, large["old"] / large["actual"] - 1
    is_chance = (large["new"] - large["actual"]).abs() <= bars.least_deviations * np.sqrt(large["squared"])
    bad = bias[(bias.abs() > bars.greatest_bias) & ~(bias.abs() <= before.abs()) & ~is_chance]
    if bad.empty:
        return ""
    worst = str(bad.abs().idxmax())
    return (
        f"its sum for {worst} is {bad[worst]:+.0%} off, further than that of what is in use; "
        f"{bars.greatest_bias:.0%} is the most"
    )


def _share(loss: float, naive: float) -> str:
    return f"{loss / naive:.3f}" if naive > 0 else "no share"
