"""The features of models, for training and for serving out of the same rows, so that the two cannot differ.

Each row of a feature set says from when on it holds (`event_at`) and when it was known (`known_at`). A moment is given
the latest row of its entity that held and was known by then, and that has not expired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from orchestration.errors import CatalystError
from orchestration.feature_sets import TIMES, FeatureSet, feature_sets
from orchestration.online_store import Entry, OnlineStore, online_store
from orchestration.warehouse import warehouse_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from orchestration.connections import Store
    from orchestration.settings import Settings


def opened(settings: Settings) -> Features:
    """Returns the features of the warehouse and the online store that the settings name."""
    return Features(feature_sets(settings), warehouse_of(settings), online_store(settings))


@dataclass(frozen=True)
class Features:
    """Feature sets in a warehouse, and their latest rows in an online store."""

    sets: Mapping[str, FeatureSet]
    warehouse: Store
    store: OnlineStore
    _columns: dict[str, list[str]] = field(default_factory=dict)

    def historical(self, entities: pa.Table | pd.DataFrame, features: Sequence[str], as_of: date) -> pa.Table:
        """Returns features as they were known at given moments.

        Args:
            entities: One row for each moment: the columns of the entity, and `at`. That is a date, which means its end,
                or a timestamp, in UTC where it has no time zone. Other columns are handed back.
            features: Names such as `churn.orders_30d`; a label such as `churn.has_churned_30d_ahead` counts as one.
            as_of: The last day that may be known; a label is null where its days are not over by then.

        Returns:
            The rows of `entities` in their order, with a column for each name; null where nothing was known, or what
            was known had expired.

        Raises:
            CatalystError: A name is unknown, a column is missing, or a moment lies after the as-of date.
        """
        import pyarrow as pa

        asked = entities if isinstance(entities, pa.Table) else pa.Table.from_pandas(entities, preserve_index=False)
        moments = _moments(asked, as_of)
        found: dict[str, pa.ChunkedArray] = {}
        for chosen, columns in self._by_set(features, with_labels=True):
            known = self._features_of(chosen)
            for column in columns:
                if column not in known and column not in chosen.labels:
                    raise _unknown(chosen, column, known)
            rows = self._rows_at(chosen, columns, asked, moments, as_of)
            found |= {f"{chosen.name}.{column}": rows.column(column) for column in columns}
        for name in features:
            asked = asked.append_column(name, found[name])
        return asked

    def online(self, entity: Mapping[str, str], features: Sequence[str], at: datetime | None = None) -> dict[str, Any]:
        """Returns the latest features of one entity.

        Args:
            entity: The columns of the entity with their values, such as `{"customer_id": "C000001"}`.
            features: Names such as `churn.orders_30d`; labels are not served.
            at: The moment for which they are wanted, where that is not now; without a time zone it is in UTC.

        Returns:
            A value for each name; None where it is null, nothing is known of the entity, or what is known has expired.

        Raises:
            CatalystError: A name is unknown, nothing has been written yet, or the store does not answer.
        """
        wanted = list(self._by_set(features, with_labels=False))
        held = self.store.read([(chosen.name, _key(chosen, entity)) for chosen, _ in wanted])
        values: dict[str, Any] = {}
        for (chosen, columns), row in zip(wanted, held, strict=True):
            for column in columns:
                if row is not None and (column not in row or column in TIMES):
                    raise _unknown(chosen, column, [name for name in row if name not in TIMES])
            served = row if row is not None and _is_valid_at(chosen, row["event_at"], at) else dict.fromkeys(columns)
            values |= {f"{chosen.name}.{column}": served[column] for column in columns}
        return {name: values[name] for name in features}

    def materialize(self, as_of: date, names: Sequence[str] | None = None) -> dict[str, int]:
        """Writes the latest features of each entity, as known on a day, to the online store.

        They are served until they expire, by a clock that runs from the end of that day when they are written.

        Args:
            as_of: The day at whose end the features are wanted.
            names: The sets to write; all where it is left out.

        Returns:
            The number of entities by set.

        Raises:
            CatalystError: A set has rows, but none for the day, or the store cannot be written.
        """
        written = {}
        for name in self.sets if names is None else names:
            chosen = self._set(name)
            columns = self._features_of(chosen)
            rows = self._latest(chosen, columns, as_of)
            if rows.num_rows == 0 and not self._is_empty(chosen):
                raise CatalystError(
                    f"{chosen.table} has no row that holds on {as_of}: build it for that day with "
                    f"`catalyst run --as-of {as_of}`. The online store serves what it had."
                )
            written[name] = self.store.write(name, _entries(chosen, columns, rows, _end_of(as_of)))
        return written

    def _rows_at(
        self, chosen: FeatureSet, columns: Sequence[str], asked: pa.Table, moments: pa.Array, as_of: date
    ) -> pa.Table:
        """The chosen columns for each row that is asked for, in that order."""
        import pyarrow as pa
        import pyarrow.compute as pc

        missing = [column for column in chosen.entity if column not in asked.column_names]
        if missing:
            raise CatalystError(
                f"The entities have no column {', '.join(missing)}, by which {chosen.table} knows them: add it."
            )
        numbers = pa.array(range(asked.num_rows), pa.int64())
        requests = pa.table(
            {
                "request_number": numbers,
                "requested_at": moments,
                "oldest_at": pc.subtract(moments, pa.scalar(chosen.expires_after, pa.duration("us"))),
                **{column: asked.column(column).cast(pa.string()) for column in chosen.entity},
            }
        )
        same = " and ".join(f"features.{column} = requests.{column}" for column in chosen.entity)
        found = self._point_in_time(
            requests,
            selected=["requests.request_number", *(_column(chosen, column, as_of) for column in columns)],
            joined=f"inner join {chosen.table} as features on {same}",
            once_for=["requests.request_number"],
        )
        # A request without a row takes nulls.
        return found.take(pc.index_in(numbers, value_set=found.column("request_number")))

    def _latest(self, chosen: FeatureSet, columns: Sequence[str], as_of: date) -> pa.Table:
        """The chosen columns of each entity's latest row at the end of a day."""
        import pyarrow as pa

        end = _end_of(as_of)
        request = {
            "requested_at": pa.array([end], pa.timestamp("us")),
            "oldest_at": pa.array([end - chosen.expires_after], pa.timestamp("us")),
        }
        kept = dict.fromkeys((*chosen.entity, *columns, "event_at"))
        return self._point_in_time(
            pa.table(request),
            selected=[f"features.{column}" for column in kept],
            joined=f"cross join {chosen.table} as features",
            once_for=[f"features.{column}" for column in chosen.entity],
        )

    def _is_empty(self, chosen: FeatureSet) -> bool:
        """Whether nobody has ever been in a set; a company without subscriptions has no subscribers."""
        return bool(self.warehouse.query(f"select count(*) = 0 as is_empty from {chosen.table}").column(0)[0].as_py())

    def _point_in_time(
        self, requests: pa.Table, *, selected: Sequence[str], joined: str, once_for: Sequence[str]
    ) -> pa.Table:
        """The latest row that held and was known at the moment of its request, and had not expired then."""
        ranked = f"""
            select {", ".join(selected)},
                row_number() over (
                    partition by {", ".join(once_for)}
                    order by features.event_at desc nulls last, features.known_at desc nulls last
                ) as recency_rank
            from feature_requests as requests
            {joined}
            where
                features.event_at <= requests.requested_at
                and features.known_at <= requests.requested_at
                and features.event_at > requests.oldest_at
        """
        with self.warehouse.connect() as connection:
            connection.register("feature_requests", requests)
            found = connection.execute(f"select * from ({ranked}) as ranked where recency_rank = 1")
            return found.to_arrow_table().drop_columns("recency_rank")

    def _by_set(self, features: Sequence[str], *, with_labels: bool) -> Iterator[tuple[FeatureSet, list[str]]]:
        """The sets that the names are of, each with its columns."""
        columns: dict[str, list[str]] = {}
        for name in dict.fromkeys(features):
            of, _, column = name.partition(".")
            columns.setdefault(of, []).append(column)
        for of, wanted in columns.items():
            chosen = self._set(of)
            for column in wanted:
                if column in chosen.labels and not with_labels:
                    raise CatalystError(
                        f"{of}.{column} is a label, which nobody knows yet when it is asked for: it is not served."
                    )
            yield chosen, wanted

    def _set(self, name: str) -> FeatureSet:
        if name not in self.sets:
            raise CatalystError(
                f"There are no features {name}: there are {', '.join(sorted(self.sets))}. A feature is named as in "
                "churn.orders_30d; a set is a model feature_store/<set>_features with `features` in its YAML's meta."
            )
        return self.sets[name]

    def _features_of(self, chosen: FeatureSet) -> list[str]:
        """The columns of a set that are features, in their order."""
        if chosen.name not in self._columns:
            found = self.warehouse.query(f"select * from {chosen.table} limit 0").column_names
            apart = {*chosen.entity, *chosen.labels, *TIMES}
            self._columns[chosen.name] = [column for column in found if column not in apart]
        return self._columns[chosen.name]


def _unknown(chosen: FeatureSet, column: str, known: Sequence[str]) -> CatalystError:
    return CatalystError(f"{chosen.table} has no feature {column}: it has {', '.join(known)}.")


def _column(chosen: FeatureSet, column: str, as_of: date) -> str:
    if column not in chosen.labels:
        return f"features.{column}"
    return f"case when features.target_date <= cast('{as_of}' as date) then features.{column} end as {column}"


def _key(chosen: FeatureSet, entity: Mapping[str, Any]) -> str:
    """What identifies an entity in a set, whatever signs are in its parts."""
    missing = [column for column in chosen.entity if entity.get(column) is None]
    if missing:
        raise CatalystError(f"The entity has no {', '.join(missing)}, by which {chosen.table} knows it: add it.")
    return ":".join(quote(str(entity[column]), safe="") for column in chosen.entity)


def _entries(chosen: FeatureSet, columns: Sequence[str], rows: pa.Table, end: datetime) -> Iterator[Entry]:
    for batch in rows.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            until = row["event_at"] + chosen.expires_after
            yield Entry(
                _key(chosen, row),
                {column: row[column] for column in (*columns, "event_at")},
                (until - end).total_seconds(),
            )


def _is_valid_at(chosen: FeatureSet, event_at: datetime, at: datetime | None) -> bool:
    if at is None:
        return True
    moment = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return event_at <= moment < event_at + chosen.expires_after


def _end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(days=1)  # noqa: DTZ001 - times in the warehouse are UTC


def _moments(asked: pa.Table, as_of: date) -> pa.ChunkedArray:
    """The moments that are asked for, in UTC and without a zone, as times are in the warehouse."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if "at" not in asked.column_names:
        raise CatalystError("The entities have no column `at`: add the date or the timestamp that each row asks for.")
    given = asked.column("at")
    naive = pa.timestamp("us")
    if pa.types.is_date(given.type):
        moments = pc.add(given.cast(pa.date32()).cast(naive), pa.scalar(timedelta(days=1), pa.duration("us")))
    elif pa.types.is_timestamp(given.type):
        moments = given.cast(pa.timestamp("us", given.type.tz), safe=False)
        moments = pc.local_timestamp(moments.cast(pa.timestamp("us", "UTC"))) if given.type.tz else moments
    else:
        raise CatalystError(f"The column `at` of the entities has the type {given.type}: make it dates or timestamps.")
    latest = pc.max(moments).as_py()
    if latest is not None and latest > _end_of(as_of):
        raise CatalystError(
            f"Features are asked for at {latest}, after the end of {as_of}, the last day that may be known: ask for "
            "earlier ones, or name a later as-of date."
        )
    return moments
