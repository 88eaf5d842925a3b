"""Whether the rows that a model meets are still like those that it was trained on, column by column.

PSI is computed here: to import Evidently takes longer than all of a run's comparisons, its bins leave out missing
values, and of equal width they put all but a few of the sales into one. On the bins of this module its figure is the
same, which a test holds, and its report shows them (Evidently's only importer).
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

MISSING, OTHER = "missing", "other"
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
        least_rows: With fewer rows nothing counts as drifted.
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
        threshold: The PSI from which on it counts as drifted.
        ks: Largest distance between the two distribution functions; None for texts, mixes and without values.
        ks_p_value: Without regard to what rows of one entity have in common, so that it is next to 0 soon.
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
    # Rows of one entity resemble each other, so that entities are what chance draws.
    by_chance = sum(1 / len(frame[list(keys[2:])].drop_duplicates()) for frame in (reference, current))
    return [_drift(reference, current, one, keys[0], by_chance, bars) for one in compared]


def binned(reference: pd.Series, current: pd.Series, bars: Bars | None = None) -> tuple[pd.Series, pd.Series]:
    """Both as the names of bins that the reference has made; what is missing has a bin of its own."""
    bars = bars or Bars()
    if not _is_number(reference) or reference.nunique() <= bars.bins:
        kept = {_text(value) for value in reference.value_counts().index[: bars.most_values]}
        return _named(reference, kept), _named(current, kept)
    inner = np.unique(np.quantile(_values(reference), np.linspace(0, 1, bars.bins + 1)[1:-1]))
    names = np.array([f"{place:02d}: up to {edge:.4g}" for place, edge in enumerate(inner, 1)])
    names = np.append(names, f"{len(inner) + 1:02d}: above {inner[-1]:.4g}")
    return _placed(reference, inner, names), _placed(current, inner, names)


def report(reference: pd.DataFrame, current: pd.DataFrame, columns: Iterable[str], bars: Bars | None = None) -> str:
    """Evidently's page on the bins of the columns, as HTML that needs no network."""
    bars = bars or Bars()
    names = list(columns)
    bins = {name: binned(reference[name], current[name], bars) for name in names}
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
    reference: pd.DataFrame, current: pd.DataFrame, one: Compared, origin: str, by_chance: float, bars: Bars
) -> Drift:
    old, new = reference[one.column], current[one.column]
    bins = binned(reference[one.by or one.column], current[one.by or one.column], bars)
    weights = [floats(column) if one.by else np.ones(len(column)) for column in (old, new)]
    whole = _shares(bins[0], weights[0])
    found = psi(whole, _shares(bins[1], weights[1]))
    # How far the single dates of the reference lie from all of it.
    dates = pd.factorize(reference[origin])[0]
    each = [psi(whole, _shares(bins[0][dates == date], weights[0][dates == date])) for date in range(dates.max() + 1)]
    freedom = max(pd.concat(bins).nunique() - 1, 1)
    chance = float(stats.chi2.ppf(bars.confidence, freedom)) * by_chance
    threshold = max(bars.psi, bars.margin * max(each) if len(each) > 1 else 0.0, chance)
    distance, p_value = None, None
    if _is_number(old) and _is_number(new) and not one.by:
        values = _values(old), _values(new)
        if all(len(side) for side in values):
            tested = stats.ks_2samp(*values, method="asymp")
            distance, p_value = float(tested.statistic), float(tested.pvalue)
    is_drifted = len(new) >= bars.least_rows and found >= threshold
    return Drift(one.name, one.kind, found, threshold, distance, p_value, len(old), len(new), is_drifted)


def _shares(bins: pd.Series, weights: Floats) -> pd.Series:
    sums = pd.Series(np.nan_to_num(weights)).groupby(bins.to_numpy()).sum()
    return sums / sums.sum() if sums.sum() else sums


def _is_number(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _values(column: pd.Series) -> Floats:
    values = column.to_numpy(np.float64, na_value=np.nan)
    found: Floats = values[np.isfinite(values)]
    return found


def _placed(column: pd.Series, inner: Floats, names: npt.NDArray[np.str_]) -> pd.Series:
    values = column.to_numpy(np.float64, na_value=np.nan)
    return pd.Series(np.where(~np.isfinite(values), MISSING, names[np.searchsorted(inner, values, side="left")]))


def _named(column: pd.Series, kept: set[str]) -> pd.Series:
    texts = column.map(_text, na_action="ignore")
    return texts.where(texts.isin(kept) | texts.isna(), OTHER).astype(object).fillna(MISSING).reset_index(drop=True)


def _text(value: object) -> str:
    # As 1 and 1.0 are one value, and True is no number.
    return f"{value:g}" if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) else str(value)
