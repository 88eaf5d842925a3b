"""How a model comes to predict: trained when it is time, compared with the champion, promoted or archived, used.

A version is trained on what lay before the backtest and measured on the backtest's days, the last 30 before the as-of
date. It is not fitted again on those days afterwards: what is measured is what predicts, and no champion has seen a day
of a later hold-out, so that champion and challenger are compared on the same unseen rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version as installed
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from orchestration import training, versions
from orchestration.errors import CatalystError
from orchestration.registry import Registry
from orchestration.settings import Settings
from orchestration.training import Folder, TooLittleError, Trained
from orchestration.versions import Version

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ml.catalogue import Model
    from orchestration.connections import Store

# Training and hold-out never meet: no target of the first is later than the first origin of the second. Nor has the
# champion seen a day of it. A training that somebody asked for is to learn of what has just changed: it is measured on
# the latest origin, and learns from the ones before.
_FIRST_HELD_OUT = """
    select {which}(origin_date) as origin from {table} where purpose = 'backtest' and origin_date >= {unseen}
"""


@dataclass(frozen=True)
class Choice:
    """The version that predicts for a date.

    Attributes:
        trained: Why a challenger was trained in this run; empty where none was.
        decided: What was decided on it, in one sentence.
        is_champion: False where no version has been good enough yet, and the latest stands in.
    """

    version: Version
    trained: str
    decided: str
    is_champion: bool


@dataclass(frozen=True)
class Predicted:
    """Predictions, the version that made them, and its errors where they were backtested."""

    version: Version
    rows: pd.DataFrame
    metrics: dict[str, float]


@dataclass(frozen=True)
class Rows:
    """What a version is trained and measured on.

    Attributes:
        data: As-of date, numbers of rows and hashes: the version of the data.
        inputs: Fingerprint of the data, the parameters, the rule of promotion and the champion.
    """

    training: pa.Table
    holdout: pa.Table
    data: Mapping[str, str]
    inputs: str


def refresh(
    store: Store, settings: Settings, name: str, as_of: date, tell: Callable[[str], None] = lambda _: None
) -> Choice:
    """Trains a challenger where it is time, decides on it, and returns the version that predicts for the date.

    Where a challenger has too few rows to learn from, the champion goes on.

    Raises:
        TooLittleError: There are too few rows to train and measure on, and there is no version.
        CatalystError: The rows are unfit, or the registry cannot be used.
    """
    from ml.catalogue import model as model_of

    registry = Registry(settings.mlflow_uri)
    known = registry.versions(name)
    model = model_of(name)
    request = registry.request(name) if known else None
    why = "" if versions.by_hand(known, as_of) else versions.why_train(known, as_of, model.RETRAIN_AFTER_DAYS, request)
    present = versions.in_use(known, as_of)
    if not why and present:
        try:
            _loaded(registry, model, present)
        except CatalystError as error:
            why = str(error)
    if why:
        tell(f"training, because {why}")
        is_asked = versions.open_request(known, as_of, request) is not None
        try:
            known = _challenge(store, registry, settings, model, known, as_of, is_asked)
        except TooLittleError as error:
            if versions.in_use(known, as_of) is None:
                raise
            tell(f"not trained: {error}")
    chosen = versions.in_use(known, as_of)
    if chosen is None:
        raise CatalystError(f"{name} has no version as of {as_of}: look at the step before it.")
    of_date = [one for version in known for one in version.decisions if one.as_of == as_of]
    decided = max(of_date, key=lambda one: one.at, default=None)
    told = f"{decided.outcome}: {decided.reason}" if decided else ""
    return Choice(chosen, why, told, versions.champion(known, as_of) is not None)


def predict(store: Store, settings: Settings, name: str, as_of: date, purpose: str) -> Predicted:
    """Predicts the rows of a purpose (`predict` or `backtest`) by the version of the date; a backtest is measured too.

    Raises:
        TooLittleError: There is no version, or there are no rows.
        CatalystError: The version cannot be loaded.
    """
    from ml.catalogue import model as model_of

    model = model_of(name)
    registry = Registry(settings.mlflow_uri)
    chosen = versions.in_use(registry.versions(name), as_of)
    if chosen is None:
        raise TooLittleError(f"{name} has no version as of {as_of}: materialize models/{name} first.")
    is_backtest = purpose == "backtest"
    # What it has learned from is no test of it.
    seen = f"{model.TARGET} is not null and origin_date >= date '{chosen.trained_through}'"
    labelled = f" and {seen}" if is_backtest else ""
    rows: pd.DataFrame = _rows(store, model, f"purpose = '{purpose}'{labelled}").to_pandas()
    if rows.empty:
        raise TooLittleError(
            f"There is nothing to predict from on {as_of}: feature_store.{name}_features has no rows for {purpose}. "
            "Land what it is made of first, then run again."
        )
    fitted = _loaded(registry, model, chosen)
    predictions = model.predict(fitted, rows)
    if is_backtest:
        beside = [column for column in (model.TARGET, model.BASELINE) if column not in predictions]
        predictions[beside] = rows[beside]
    return Predicted(chosen, predictions, model.evaluate(fitted, rows) if is_backtest else {})


def _loaded(registry: Registry, model: Model, version: Version) -> Any:
    """Returns the fitted model of a version; one of an earlier version of its module may not be readable any more."""
    from ml import storage
    from ml.errors import ModelInputError

    try:
        return storage.loads(registry.load(version), model.TRUSTED)
    except ModelInputError as error:
        raise CatalystError(
            f"Version {version.number} of {model.NAME} is not loaded: {error}. Where a training brought no better one, "
            f"`catalyst models promote {model.NAME} <version>` names another."
        ) from error


def _challenge(
    store: Store,
    registry: Registry,
    settings: Settings,
    model: Model,
    known: list[Version],
    as_of: date,
    is_asked: bool,
) -> list[Version]:
    """Trains a version, compares it with the champion, keeps both it and the decision, and returns all versions."""
    from ml.promotion import Cost, decide

    champion = versions.champion_before(known, as_of)
    place = Folder(str(settings.home / "training" / model.NAME))
    # With what a run that was killed has left; should its process still write, it does not write here.
    place.remove()
    folder = Folder(f"{place.url}/{uuid4().hex}")
    with training.apart(settings, model.NAME, folder) as work:
        rows = _training_rows(store, model, as_of, champion, is_asked)
        if any(one.as_of == as_of and one.inputs == rows.inputs and one.decisions for one in known):
            # A second run for the date: the same rows against the same champion have been decided on.
            return known
        folder.write_rows(training.TRAINING, rows.training)
        folder.write_rows(training.HOLDOUT, rows.holdout)
        if champion:
            folder.write(training.CHAMPION, registry.load(champion))
        work.begin()
        # A new one is made while the model is being trained.
        registry.open()
        work.wait()
    measured = folder.result()
    losses = folder.frame(training.CHALLENGER_LOSSES)
    before = folder.frame(training.CHAMPION_LOSSES) if folder.has(training.CHAMPION_LOSSES) else None
    verdict = decide(losses, before, Cost(measured["seconds_per_1000_rows"], measured["megabytes"]))
    lost = f"version {champion.number} is not readable any more; " if champion and before is None else ""
    version = registry.add(model.NAME, Trained(folder, as_of, rows.inputs, model.TRUSTED, model.PARAMS, rows.data))
    registry.decide(
        version, versions.PROMOTED if verdict.is_promoted else versions.ARCHIVED, lost + verdict.reason, as_of
    )
    place.remove()
    return registry.versions(model.NAME)


def _training_rows(store: Store, model: Model, as_of: date, champion: Version | None, is_asked: bool) -> Rows:
    import pandas as pd

    from ml.promotion import Bars
    from ml.versions import digest

    table = f"feature_store.{model.NAME}_features"
    unseen = f"date '{champion.trained_through if champion else date.min}'"
    first = _FIRST_HELD_OUT.format(which="max" if is_asked else "min", table=table, unseen=unseen)
    labelled = f"purpose in ('train', 'backtest') and {model.TARGET} is not null"
    rows = _rows(store, model, f"{labelled} and target_date <= ({first})")
    holdout = _rows(store, model, f"purpose = 'backtest' and {model.TARGET} is not null and origin_date >= ({first})")
    if not rows.num_rows or not holdout.num_rows:
        raise TooLittleError(
            f"There is too little history before {as_of} to train {model.NAME} and test it: {table} has no training or "
            "backtest rows. Land more days, then run again."
        )
    data = {"as_of": as_of.isoformat()}
    for part, found in (("training", rows), ("holdout", holdout)):
        hashed = pd.util.hash_pandas_object(found.to_pandas(), index=False)
        data |= {f"{part}.rows": str(found.num_rows), f"{part}.hash": digest(found.column_names, [hashed.to_numpy()])}
    rule = [dict(model.PARAMS), model.FEATURES, installed("scikit-learn"), repr(Bars())]
    inputs = digest([data, rule, champion.fingerprint if champion else ""], [])
    return Rows(rows, holdout, data, inputs)


def _rows(store: Store, model: Model, condition: str) -> pa.Table:
    """Reads feature rows in a total order, without which a model would differ from run to run."""
    import pyarrow as pa

    order = ", ".join(model.KEYS)
    rows = store.query(f"select * from feature_store.{model.NAME}_features where {condition} order by {order}")
    # As numbers of Python, decimals would be slow to learn from, and MLflow knows no type of theirs.
    kinds = [field.with_type(pa.float64()) if pa.types.is_decimal(field.type) else field for field in rows.schema]
    return rows.cast(pa.schema(kinds))
