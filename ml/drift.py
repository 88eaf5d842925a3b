"""Whether the rows that a model meets are still like those that it was trained on, column by column.

PSI is computed here: to import Evidently takes longer than all of a run's comparisons, and its bins of equal width put
all but a few of the sales into one. On the bins of this module its figure is the same, which a test holds, and its
report shows them (Evidently's only importer).

Values are compared with values, and how many are missing apart from them, and only where they have become more: a feed
that died is drift. One that began is none, as there is nothing to do about it; the next training takes it up.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from ml.errors import ModelInputError
from ml.frames import Floats, floats, require_columns

MISSING, PRESENT, OTHER = "missing", "present", "other"
# What Evidently counts an empty bin as; a share of 0 has no logarithm.
_LEAST_SHARE = 1e-4


@dataclass(frozen=True)
class Bars:
    """When a column counts as drifted: its PSI has to reach each of these.

    Attributes:
        psi: 0.1 to 0.25 is some change and more a large one by the rule of E. M. Lewis, An Introduction to Credit
            Scoring (1994), and N. Siddiqi, Credit Risk Scorecards (2006); in use is 0.2, nearer to the large one.
        margin: Over the PSI of that date of the reference which is furthest from all of the reference: seasons,
            promotions and calendars make every date differ from a year.
        confidence: Of the distribution that PSI has by chance alone (B. Yurdakul, Statistical Properties of Population
            Stability Index, 2018), as where entities are few.
        least_rows: With fewer rows that have a value the values do not count as drifted.
        bins: Of a number: quantiles of the reference, equally full there.
        most_values: Of a text; the rarer ones are one bin.
    """

    psi: float = 0.2
    margin: float = 2.0
    confidence: float = 0.999
    least_rows: int = 200
    bins: int = 10
    most_values: int = 20


@dataclass(frozen=True)
class Compared:
    """What is compared.

    Attributes:
        name: Of the column, or of the mix: how the sum of the column is made up of the parts of `by`.
        kind: `feature`, `target` or `prediction`.
    """

    name: str
    kind: str
    column: str
    by: str | None = None


@dataclass(frozen=True)
class Drift:
    """How far a column lies from the reference.

    Attributes:
        psi: Of the values; where these are as they were and more are missing than chance allows, of missing against
            present.
        threshold: The PSI from which on it counts as drifted.
        ks: Largest distance between the two distribution functions; None for texts, mixes and without values.
        ks_p_value: Without regard to what rows of one entity have in common, so that it is next to 0 soon.
        reference_rows: With and without a value, as `rows`.
    """

    name: str
    kind: str
    psi: float
    threshold: float
    ks: float | None
    ks_p_value: float | None
    reference_rows: int
    rows: int
    is_drifted: bool


def measure(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    compared: Sequence[Compared],
    keys: Sequence[str],
    bars: Bars | None = None,
) -> list[Drift]:
    """Compare columns of two frames, whose keys are those of a model: the origin, the due date, then the entity.

    Raises:
        ModelInputError: One of the frames has no rows, or lacks a column: no data is not the same as no drift.
    """
    bars = bars or Bars()
    for what, frame in (("reference", reference), ("current data", current)):
        require_columns(frame, {*keys, *(one.column for one in compared)}, f"drift: {what}")
        if frame.empty:
            raise ModelInputError(f"drift: the {what} has no rows, so nothing can be compared; no data is not no drift")
    sides = [
        pd.DataFrame(
            {
                "date": pd.factorize(frame[keys[0]])[0],
                "entity": frame.groupby(list(keys[2:]), dropna=False).ngroup().to_numpy(),
            }
        )
        for frame in (reference, current)
    ]
    return [_drift(reference, current, one, sides, bars) for one in compared]


def binned(reference: pd.Series, current: pd.Series, bars: Bars | None = None) -> tuple[pd.Series, pd.Series]:
    """Both as the names of bins that the reference has made; what is missing is in none."""
    bars = bars or Bars()
    if not _is_number(reference) or reference.nunique() <= bars.bins:
        kept = {_text(value) for value in reference.value_counts().index[: bars.most_values]}
        return _named(reference, kept), _named(current, kept)
    inner = np.unique(np.quantile(_values(reference), np.linspace(0, 1, bars.bins + 1)[1:-1]))
    names = np.array([f"{place:02d}: up to {edge:.4g}" for place, edge in enumerate(inner, 1)])
    names = np.append(names, f"{len(inner) + 1:02d}: above {inner[-1]:.4g}")
    return _placed(reference, inner, names), _placed(current, inner, names)


def report(reference: pd.DataFrame, current: pd.DataFrame, columns: Iterable[str], bars: Bars | None = None) -> str:
    """Evidently's page on the bins of the columns, as HTML that needs no network.

    Evidently leaves out missing values, as `measure` does; where these have become more, `<name> missing` shows them.
    """
    bars = bars or Bars()
    bins = {}
    for name in columns:
        pair = binned(reference[name], current[name], bars)
        if all(side.notna().any() for side in pair):
            bins[name] = pair
        if pair[1].isna().mean() > pair[0].isna().mean():
            bins[f"{name} {MISSING}"] = (_there(pair[0]), _there(pair[1]))
    names = list(bins)
    with warnings.catch_warnings():
        # Of pandas, pydantic and others in Evidently's legacy modules, by what they import.
        warnings.simplefilter("ignore")
        from evidently import DataDefinition, Dataset, Report  # type: ignore[import-untyped]
        from evidently.presets import DataDriftPreset  # type: ignore[import-untyped]

        definition = DataDefinition(categorical_columns=names)
        frames = [pd.DataFrame({name: pair[side] for name, pair in bins.items()}) for side in (1, 0)]
        data = [Dataset.from_pandas(frame.reset_index(drop=True), data_definition=definition) for frame in frames]
        preset = DataDriftPreset(columns=names, cat_method="psi", cat_threshold=bars.psi)
        page: str = Report([preset]).run(*data).get_html_str(as_iframe=False)
    return page


def psi(old: pd.Series, new: pd.Series) -> float:
    """The population stability index of two distributions, each as the shares of its bins."""
    shares = pd.DataFrame({"old": old, "new": new}).fillna(0.0).to_numpy(np.float64)
    shares = np.where(shares == 0, _LEAST_SHARE, shares)
    return float(((shares[:, 1] - shares[:, 0]) * np.log(shares[:, 1] / shares[:, 0])).sum())


def _drift(
    reference: pd.DataFrame, current: pd.DataFrame, one: Compared, sides: Sequence[pd.DataFrame], bars: Bars
) -> Drift:
    old, new = reference[one.column], current[one.column]
    bins = binned(reference[one.by or one.column], current[one.by or one.column], bars)
    weights = [floats(column) if one.by else np.ones(len(column)) for column in (old, new)]
    rows = [
        side.assign(bin=names.where(~np.isnan(weight)), weight=weight)
        for side, names, weight in zip(sides, bins, weights, strict=True)
    ]
    found, threshold, is_drifted = _index([side.dropna(subset=["bin"]) for side in rows], bars)
    if not is_drifted and rows[1]["bin"].isna().mean() > rows[0]["bin"].isna().mean():
        missing = _index([side.assign(bin=_there(side["bin"]), weight=1.0) for side in rows], bars)
        if missing[2]:
            found, threshold, is_drifted = missing
    distance, p_value = None, None
    if _is_number(old) and _is_number(new) and not one.by:
        values = _values(old), _values(new)
        if all(len(side) for side in values):
            tested = stats.ks_2samp(*values, method="asymp")
            distance, p_value = float(tested.statistic), float(tested.pvalue)
    return Drift(one.name, one.kind, found, threshold, distance, p_value, len(old), len(new), is_drifted)


def _index(sides: Sequence[pd.DataFrame], bars: Bars) -> tuple[float, float, bool]:
    """PSI, its threshold, and whether that is reached, of rows that all have a bin."""
    reference, current = sides
    if reference.empty or current.empty:
        return 0.0, bars.psi, False
    whole = _shares(reference)
    found = psi(whole, _shares(current))
    # How far the single dates of the reference lie from all of it.
    each = [psi(whole, _shares(rows)) for _, rows in reference.groupby("date")]
    freedom = max(pd.concat([reference["bin"], current["bin"]]).nunique() - 1, 1)
    # Rows of one entity resemble each other, so that entities are what chance draws.
    by_chance = sum(1 / side["entity"].nunique() for side in sides)
    chance = float(stats.chi2.ppf(bars.confidence, freedom)) * by_chance
    threshold = max(bars.psi, bars.margin * max(each) if len(each) > 1 else 0.0, chance)
    return found, threshold, len(current) >= bars.least_rows and found >= threshold


def _there(bins: pd.Series) -> pd.Series:
    return pd.Series(np.where(bins.isna(), MISSING, PRESENT), index=bins.index)


def _shares(rows: pd.DataFrame) -> pd.Series:
    sums = rows["weight"].groupby(rows["bin"]).sum()
    return sums / sums.sum() if sums.sum() else sums


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _values(column: pd.Series) -> Floats:
    values = column.to_numpy(np.float64, na_value=np.nan)
    found: Floats = values[np.isfinite(values)]
    return found


def _placed(column: pd.Series, inner: Floats, names: npt.NDArray[np.str_]) -> pd.Series:
    values = column.to_numpy(np.float64, na_value=np.nan)
    placed = pd.Series(names[np.searchsorted(inner, values, side="left")], dtype=object)
    return placed.where(np.isfinite(values))


def _named(column: pd.Series, kept: set[str]) -> pd.Series:
    texts = column.map(_text, na_action="ignore")
    return texts.where(texts.isin(kept) | texts.isna(), OTHER).astype(object).reset_index(drop=True)


def _text(value: object) -> str:
    # As 1 and 1.0 are one value, and True is no number.
    return f"{value:g}" if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) else str(value)
