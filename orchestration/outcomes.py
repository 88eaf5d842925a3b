"""What came of predictions: when the date of a prediction is over, its actual value joins it, and its error is known.

The actual of an earlier prediction is the label of a later run's feature table. A date belongs to the first run at or
after it, so each run handles the dates since the run before, and whatever is run again handles the same dates again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml.catalogue import Model
    from orchestration.connections import Connection, Store

# Feature tables hold the labels of at least a week, and of no more than a month: what a longer break leaves unscored
# stays so.
_LOOK_BACK = timedelta(days=30)
# No model looks further ahead, so that older partitions of its predictions need not be read.
_FURTHEST_AHEAD = timedelta(days=62)
# The logarithm of 0 is no number; as in ml.metrics, no probability counts as less than this.
_LEAST_PROBABILITY = 1e-6


@dataclass(frozen=True)
class Scored:
    """What a run found of one model.

    Attributes:
        scored: Predictions that have an error now.
        excluded: Whose outcome has no label, as an intervention may have changed it.
        unknown: Whose outcome is not in the feature table, such as products that are no longer sold.
    """

    scored: int
    excluded: int
    unknown: int


def score(store: Store, model: Model, as_of: date) -> Scored:
    """Writes to `monitoring.outcomes` what came of the predictions that became due since the run before."""
    with store.transaction() as connection:
        since = _last_scored(connection, model, as_of)
        dates = {"name": model.NAME, "since": since, "as_of": as_of}
        connection.execute(
            """
            delete from monitoring.outcomes
            where model_name = $name and scored_on > $since and target_date > $since and target_date <= $as_of
            """,
            dates,
        )
        of_due = {**dates, "earliest": since - _FURTHEST_AHEAD}
        found = connection.execute(f"{_due(model)} {_COUNTED}", of_due).fetchall()
        rows, labelled, scored = (int(number) for number in found[0])
        connection.execute(f"insert into monitoring.outcomes {_due(model)} {_SCORED}", of_due)
    return Scored(scored, labelled - scored, rows - labelled)


def loss_of(model: Model, actual: str, predicted: str) -> str:
    """Returns the error of a prediction as an SQL expression of two others."""
    probable = f"least(greatest({predicted}, {_LEAST_PROBABILITY}), 1 - {_LEAST_PROBABILITY})"
    return {
        "absolute": f"abs({actual} - {predicted})",
        "squared": f"({actual} - {predicted}) * ({actual} - {predicted})",
        "log": f"-({actual} * ln({probable}) + (1 - {actual}) * ln(1 - {probable}))",
    }[model.LOSS]


def actual_of(model: Model) -> str:
    """Returns the actual value of a row as an SQL expression of a number: a label may be yes or no."""
    return (
        f"cast(cast({model.TARGET} as integer) as double)" if model.LOSS == "log" else f"cast({model.TARGET} as double)"
    )


def _last_scored(connection: Connection, model: Model, as_of: date) -> date:
    sql = "select max(scored_on) from monitoring.outcomes where model_name = ? and scored_on < ?"
    [(last,)] = connection.execute(sql, [model.NAME, as_of]).fetchall()
    earliest = as_of - _LOOK_BACK
    return max(last, earliest) if last else earliest


_COUNTED = "select count(*), coalesce(sum(is_known), 0), count(actual) from due"
_SCORED = """
    select scored_on, model_name, model_version, predicted_on, target_date, horizon, entity, segment, loss_kind,
        actual, predicted, low, high, loss
    from due where loss is not null
"""


def _due(model: Model) -> str:
    """The predictions that became due, with what is known of their outcome, as a common table expression."""
    entity = " || '/' || ".join(f"cast(predicted.{name} as varchar)" for name in model.ENTITY)
    low, high = (f"cast(predicted.{name} as double)" for name in model.INTERVAL) if model.INTERVAL else ("null", "null")
    joined = " and ".join(f"predicted.{name} = known.{name}" for name in ("target_date", *model.ENTITY))
    keys = ", ".join(("target_date", *model.ENTITY))
    actual, foretold = "known.actual", f"cast(predicted.{model.PREDICTED} as double)"
    loss = loss_of(model, actual, foretold)
    return f"""
    with
    known as (
        select {keys}, max({actual_of(model)}) as actual,
            max(coalesce(cast({model.SEGMENT} as varchar), 'none')) as segment
        from feature_store.{model.NAME}_features
        where purpose = 'backtest' and target_date > $since and target_date <= $as_of
        group by {keys}
    ),
    due as (
        select $as_of as scored_on, predicted.model_name, predicted.model_version, predicted.as_of_date as predicted_on,
            predicted.target_date, date_diff('day', predicted.as_of_date, predicted.target_date) as horizon,
            {entity} as entity, known.segment, '{model.LOSS}' as loss_kind, {actual} as actual, {foretold} as predicted,
            cast({low} as double) as low, cast({high} as double) as high, {loss} as loss,
            case when known.target_date is not null then 1 else 0 end as is_known
        from predictions.{model.NAME} as predicted
        left join known on {joined}
        where predicted.model_name = $name and predicted.target_date > $since and predicted.target_date <= $as_of
            and predicted.as_of_date > $earliest and predicted.as_of_date < predicted.target_date
    )
    """
