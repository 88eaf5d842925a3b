"""When a model is to be trained again before its time: it errs more than it did, or meets what it was not trained on.

Like is compared with like. The error of a period is held against that of the version's own hold-out, at the same
horizons and on the same weekdays, as on a slow Monday every forecast errs by a larger share than on a Saturday.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from orchestration import alerts, versions
from orchestration.outcomes import actual_of, loss_of
from orchestration.registry import Registry
from orchestration.settings import Settings
from orchestration.versions import Request

if TYPE_CHECKING:
    from ml.catalogue import Model
    from orchestration.connections import Store
    from orchestration.drift import Found
    from orchestration.versions import Version

BY = "the monitoring"
# The schedule runs a day at six in the morning after it; two hours later it has had its chance.
_SCHEDULED_BY = timedelta(days=1, hours=8)


@dataclass(frozen=True)
class Thresholds:
    """When a training is asked for.

    Attributes:
        period: Days whose errors are summed up. Two of them in a row have to be bad, so that a change is noticed after
            six days, and one odd day is none.
        error: The error of a period over that of the hold-out. On simulated sales the highest of the periods of 26 days
            without any change was 1.15.
        errors_of_chance: So many standard errors of the period have to lie above the hold-out, too.
        short: Days ahead up to which predictions count, as those further ahead are of an older time.
        least_rows: Of a period.
        oldest: Days since the last training, promoted or not; runs train each week by themselves.
    """

    period: int = 3
    error: float = 1.2
    errors_of_chance: float = 2.0
    short: int = 7
    least_rows: int = 100
    oldest: int = 30


@dataclass(frozen=True)
class Period:
    """The error of some days beside the error that the hold-out had on such days.

    Attributes:
        is_worse: Whether it is beyond the thresholds.
    """

    first: date
    last: date
    error: float
    expected: float
    is_worse: bool

    @property
    def ratio(self) -> float:
        """How many times what was expected it is."""
        return self.error / self.expected


def watch(
    store: Store,
    settings: Settings,
    model: Model,
    as_of: date,
    drift: Found | None,
    thresholds: Thresholds | None = None,
) -> Request | None:
    """Asks for a training of a model where its figures ask for one, and alerts; at most once a day.

    Returns:
        The request, which the next run meets, or None.
    """
    bars = thresholds or Thresholds()
    registry = Registry(settings.mlflow_uri)
    known = registry.versions(model.NAME)
    chosen = versions.in_use(known, as_of)
    if chosen is None or is_waiting(known, as_of, registry.request(model.NAME), bars):
        return None
    reasons = why(store, model, known, as_of, drift, bars)
    if not reasons:
        return None
    # From the next date on: a second run for this one does what the first one did.
    asked = registry.ask(model.NAME, "; ".join(reasons), as_of + timedelta(days=1), BY)
    lines = [
        f"Version {chosen.number}, trained as of {chosen.as_of}, is replaced if a better one can be trained.",
        f"The next run, as of {asked.as_of} or later, tries.",
        "",
        *(f"- {reason}" for reason in reasons),
        *([f"- the columns that have drifted: {drift.report}"] if drift and drift.report else []),
        "",
        "`catalyst models` shows what became of it.",
    ]
    alerts.send(alerts.Alert(model.NAME, f"The model {model.NAME} is to be trained again", "\n".join(lines)), settings)
    return asked


def is_waiting(known: Sequence[Version], as_of: date, request: Request | None, bars: Thresholds) -> bool:
    """Whether a training is asked for already, or the last one is so young that another would see nothing new."""
    if request and request.by == BY and request.as_of > as_of:
        return True
    return any(0 <= (as_of - version.as_of).days < bars.period for version in known)


def why(
    store: Store, model: Model, known: Sequence[Version], as_of: date, drift: Found | None, bars: Thresholds
) -> list[str]:
    """Returns the reasons to train again, one sentence each."""
    reasons = []
    version = versions.in_use(known, as_of)
    periods = errors(store, model, version, as_of, bars) if version else []
    if len(periods) == 2 and all(period.is_worse for period in periods):
        told = " and ".join(f"{one.error:.3f} from {one.first} to {one.last}" for one in periods)
        reasons.append(
            f"its error is {periods[-1].ratio - 1:.0%} above that of its hold-out for two periods in a row ({told}; "
            f"{bars.error - 1:.0%} are allowed)"
        )
    if drift and drift.drifted:
        columns = [f"{one.name} (PSI {one.psi:.2f}, {one.threshold:.2f} allowed)" for one in drift.drifted[:3]]
        more = f" and {len(drift.drifted) - 3} more" if len(drift.drifted) > 3 else ""
        reasons.append(f"what it meets is unlike what it was trained on: {', '.join(columns)}{more}")
    age = min((as_of - one.as_of).days for one in known)
    if age > bars.oldest:
        reasons.append(f"the last training is {age} days old; {bars.oldest} are allowed")
    return reasons


def errors(store: Store, model: Model, version: Version, as_of: date, bars: Thresholds) -> list[Period]:
    """Returns the last two periods, the earlier first; fewer where too few predictions of the version are due."""
    expected = _held_out(store, model, version, bars)
    found = []
    for number in (1, 0) if expected else ():
        last = as_of - timedelta(days=number * bars.period)
        first = last - timedelta(days=bars.period - 1)
        weekdays = {(first + timedelta(days=day)).isoweekday() for day in range(bars.period)}
        rows, loss, weight, deviation = _due(store, model, version, first, last, bars)
        if rows < bars.least_rows or not weight:
            continue
        like = [expected[weekday] for weekday in weekdays if weekday in expected] or list(expected.values())
        usual = sum(part for part, _ in like) / sum(whole for _, whole in like)
        error = loss / weight
        is_worse = error >= bars.error * usual and error - bars.errors_of_chance * deviation > usual
        found.append(Period(first, last, error, usual, is_worse))
    return found


def _due(
    store: Store, model: Model, version: Version, first: date, last: date, bars: Thresholds
) -> tuple[int, float, float, float]:
    """Rows, error and weight of the version's predictions for some days, and the standard error of error / weight."""
    found = _rows(
        store,
        f"""
        with of_entity as (
            select entity, count(*) as row_count, sum(loss) as loss, sum({_weight(model, "actual")}) as weight
            from monitoring.outcomes
            where model_name = $name and model_version = $version and target_date >= $first and target_date <= $last
                and scored_on >= $first and {_short("predicted_on", "monitoring.outcomes", "model_name = $name", bars)}
            group by entity
        )
        select coalesce(sum(row_count), 0) as row_count, coalesce(sum(loss), 0) as loss,
            coalesce(sum(weight), 0) as weight, coalesce(sum(loss * loss), 0) as of_loss,
            coalesce(sum(loss * weight), 0) as of_both, coalesce(sum(weight * weight), 0) as of_weight
        from of_entity
        """,
        {"name": model.NAME, "version": version.fingerprint, "first": first, "last": last},
    )[0]
    rows, loss, weight = int(found["row_count"]), float(found["loss"]), float(found["weight"])
    if not weight:
        return rows, loss, weight, 0.0
    error = loss / weight
    squares = float(found["of_loss"]) - 2 * error * float(found["of_both"]) + error**2 * float(found["of_weight"])
    return rows, loss, weight, max(squares, 0.0) ** 0.5 / weight


def _held_out(store: Store, model: Model, version: Version, bars: Thresholds) -> Mapping[int, tuple[float, float]]:
    """Error and weight of each weekday (1 for Monday) in the backtest of the run that first used the version."""
    table = f"predictions.{model.NAME}_backtest"
    actual, predicted = actual_of(model), f"cast({model.PREDICTED} as double)"
    found = _rows(
        store,
        f"""
        with first_run as (
            select min(as_of_date) as as_of_date from {table} where model_version = $version
        )
        select target_date, sum({loss_of(model, actual, predicted)}) as loss, sum({_weight(model, actual)}) as weight
        from {table}
        where model_version = $version and as_of_date = (select as_of_date from first_run)
            and {_short("origin_date", table, "model_version = $version", bars)}
        group by target_date
        """,
        {"version": version.fingerprint},
    )
    sums: dict[int, tuple[float, float]] = {}
    for day in found:
        loss, weight = sums.get(day["target_date"].isoweekday(), (0.0, 0.0))
        sums[day["target_date"].isoweekday()] = (loss + float(day["loss"]), weight + float(day["weight"]))
    return {weekday: (loss, weight) for weekday, (loss, weight) in sums.items() if weight}


def _rows(store: Store, sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
    with store.connect() as connection:
        return list(connection.execute(sql, dict(values)).to_arrow_table().to_pylist())


def _weight(model: Model, actual: str) -> str:
    """What errors are divided by: the sum of what came, or their number where they are squared or of probabilities."""
    return f"abs({actual})" if model.LOSS == "absolute" else "1.0"


def _short(origin: str, table: str, condition: str, bars: Thresholds) -> str:
    """Of predictions for few days ahead; of the nearest ones where the model makes none for so few."""
    ahead = f"date_diff('day', {origin}, target_date)"
    return f"{ahead} <= (select greatest({bars.short}, min({ahead})) from {table} where {condition})"


def waiting(settings: Settings, now: datetime) -> dict[date, list[str]]:
    """Returns the models that are to be trained, by the first date whose run is to, where the schedule was to do it."""
    registry = Registry(settings.mlflow_uri)
    found: dict[date, list[str]] = {}
    for name in registry.names():
        request = registry.request(name)
        if request is None or now < datetime.combine(request.as_of, time.min, UTC) + _SCHEDULED_BY:
            continue
        known = registry.versions(name)
        if request.by == BY and not any(one.as_of >= request.as_of for one in known):
            found.setdefault(request.as_of, []).append(name)
    return found
