"""Whether a model still meets what it was trained on: its reference against today's rows, as a table and as a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration import versions
from orchestration.errors import CatalystError
from orchestration.outcomes import actual_of
from orchestration.registry import Registry
from orchestration.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from ml.catalogue import Model
    from ml.drift import Compared, Drift
    from orchestration.connections import Store
    from orchestration.versions import Version

# A whole week, so that every weekday counts once.
_TARGET_DAYS = timedelta(days=7)


@dataclass(frozen=True)
class Found:
    """What a comparison found.

    Attributes:
        report: Evidently's page; None where nothing has drifted, or the version is of the same day.
    """

    version: Version
    columns: Sequence[Drift]
    report: Path | None

    @property
    def drifted(self) -> list[Drift]:
        """The columns that count as drifted, the furthest first."""
        return sorted((one for one in self.columns if one.is_drifted), key=lambda one: one.threshold - one.psi)


def compare(store: Store, settings: Settings, model: Model, as_of: date) -> Found | None:
    """Compares today's features and predictions, and the outcomes of a week, with those of the training.

    Returns:
        None where no version with a reference predicts for the date.

    Raises:
        CatalystError: There is nothing to compare.
    """
    from ml.drift import Compared, measure, report
    from ml.errors import ModelInputError

    registry = Registry(settings.mlflow_uri)
    chosen = versions.in_use(registry.versions(model.NAME), as_of)
    reference = registry.reference(chosen) if chosen else None
    if chosen is None or reference is None:
        return None
    now, lately = _features(store, model, as_of), _outcomes(store, model, as_of)
    if now.empty:
        # Nothing was predicted, which the step before has told.
        return None
    features = [Compared(name, "feature", name) for name in model.FEATURES]
    try:
        found = measure(reference, now, [*features, *_both(model, "prediction", model.PREDICTED)], model.KEYS)
        if len(lately):
            # Where outcomes are rare there may be a week without any, which says nothing.
            found += measure(reference, lately, _both(model, "target", model.TARGET), model.KEYS)
    except ModelInputError as error:
        raise CatalystError(
            f"{model.NAME} as of {as_of} cannot be compared with its training ({error}). Look at the rows of "
            f"feature_store.{model.NAME}_features and predictions.{model.NAME} for that date, then run again."
        ) from error
    path = None
    # A version of today is not replaced for it, and Evidently takes seconds.
    if chosen.as_of < as_of and any(one.is_drifted for one in found):
        path = settings.reports / "drift" / f"{model.NAME}-{as_of}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(report(reference, now, [*model.FEATURES, model.PREDICTED]), encoding="utf-8")
    return Found(chosen, found, path)


def write(store: Store, as_of: date, found: Sequence[Found]) -> int:
    """Writes the comparisons of all models to `monitoring.drift` in place of those of the date."""
    import pyarrow as pa

    rows = [
        {
            "as_of_date": as_of,
            "model_name": one.version.name,
            "model_version": one.version.fingerprint,
            "column_name": column.name,
            "kind": column.kind,
            "psi": column.psi,
            "threshold": column.threshold,
            "ks": column.ks,
            "ks_p_value": column.ks_p_value,
            "reference_rows": column.reference_rows,
            "current_rows": column.rows,
            "is_drifted": column.is_drifted,
        }
        for one in found
        for column in one.columns
    ]
    numbers = [("ks", pa.float64()), ("ks_p_value", pa.float64())]
    table = pa.Table.from_pylist(rows)
    for name, kind in numbers:
        # Without a single value they would have no type.
        table = table.set_column(table.column_names.index(name), name, table[name].cast(kind))
    return store.replace_partition("monitoring.drift", as_of, table)


def _both(model: Model, kind: str, column: str) -> list[Compared]:
    """A column as such, and what it adds up to in each segment: a rise here and a fall there may look like nothing."""
    from ml.drift import Compared

    return [Compared(column, kind, column), Compared(f"{column} by {model.SEGMENT}", kind, column, model.SEGMENT)]


def _features(store: Store, model: Model, as_of: date) -> pd.DataFrame:
    keys = [key for key in model.KEYS if key != "origin_date"]
    on = " and ".join(f"features.{key} = predicted.{key}" for key in keys)
    columns = ", ".join(f"features.{name}" for name in dict.fromkeys((*model.KEYS, *model.FEATURES, model.SEGMENT)))
    found: pd.DataFrame = store.query(
        f"""
        select {columns}, predicted.{model.PREDICTED}
        from feature_store.{model.NAME}_features as features
        inner join predictions.{model.NAME} as predicted on {on}
        where features.purpose = 'predict' and predicted.as_of_date = ?
        """,
        [as_of],
    ).to_pandas()
    return found


def _outcomes(store: Store, model: Model, as_of: date) -> pd.DataFrame:
    keys = ", ".join(("target_date", *model.ENTITY))
    found: pd.DataFrame = store.query(
        f"""
        select max(origin_date) as origin_date, {keys}, max({actual_of(model)}) as {model.TARGET},
            max({model.SEGMENT}) as {model.SEGMENT}
        from feature_store.{model.NAME}_features
        where purpose = 'backtest' and {model.TARGET} is not null
            and target_date > ? and target_date <= ?
        group by {keys}
        """,
        [as_of - _TARGET_DAYS, as_of],
    ).to_pandas()
    return found
