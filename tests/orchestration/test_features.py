"""The features of a club small enough to know by heart: what each moment is given, in training and in serving."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from orchestration.connections import Store
from orchestration.errors import CatalystError
from orchestration.feature_sets import FeatureSet, feature_sets
from orchestration.features import Features
from orchestration.online_store import FileStore, OnlineStore, RedisStore
from orchestration.settings import REPOSITORY, Settings
from orchestration.warehouse import Warehouse
from tests.parts.bigquery import Project

AS_OF = date(2024, 6, 30)
CLUB = FeatureSet("club", ("customer_id",), ("has_left",), timedelta(days=31))
# The row of C2 of 31 May was worked out again on 10 June, from rows that came late.
ROWS = """
    ('C1', '2024-05-31', '2024-06-01', '2024-06-01', '2024-06-30', 3, 0.1, 12.5000, 'gold', true, '2024-01-01', false),
    ('C1', '2024-06-30', '2024-07-01', '2024-07-01', '2024-07-30', 5, null, 0.0001, 'ruby', false, null, null),
    ('C2', '2024-05-31', '2024-06-01', '2024-06-01', '2024-06-30', 1, 0.2, 1.0000, 'iron', true, '2024-02-29', true),
    ('C2', '2024-05-31', '2024-06-01', '2024-06-10', '2024-06-30', 2, 0.3, 2.0000, 'iron', true, '2024-02-29', true),
    ('C3', '2024-05-30', '2024-05-31', '2024-05-31', '2024-06-29', 9, 0.4, 3.0000, 'Zürich', true, '2024-03-01', true)
"""
FEATURES = ["club.visits", "club.share", "club.spent_eur", "club.tier", "club.is_member", "club.member_since"]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse with one feature table."""
    found = Warehouse(tmp_path / "warehouse.duckdb")
    with found.connect() as connection:
        connection.execute("create schema feature_store")
        connection.execute(
            "create table feature_store.club_features (customer_id varchar, origin_date date, event_at timestamp, "
            "known_at timestamp, target_date date, visits bigint, share double, spent_eur decimal(18, 4), "
            "tier varchar, is_member boolean, member_since date, has_left boolean)"
        )
        connection.execute(f"insert into feature_store.club_features values {ROWS}")
    return found


@pytest.fixture(params=["file", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> OnlineStore:
    """An empty online store of each kind."""
    if request.param == "file":
        return FileStore(tmp_path / "online")
    return RedisStore(request.getfixturevalue("redis_url"))


@pytest.fixture
def club(warehouse: Warehouse, store: OnlineStore) -> Features:
    """The features of the club."""
    return Features({"club": CLUB}, warehouse, store)


@pytest.fixture
def past_club(warehouse: Warehouse, tmp_path: Path) -> Features:
    """The same, for tests that serve nothing."""
    return Features({"club": CLUB}, warehouse, FileStore(tmp_path / "online"))


def _asked(*rows: tuple[str, object]) -> pa.Table:
    return pa.table({"customer_id": [row[0] for row in rows], "at": [row[1] for row in rows]})


def _visits(features: Features, *rows: tuple[str, object], as_of: date = AS_OF) -> list[Any]:
    found = features.historical(_asked(*rows), ["club.visits"], as_of)
    return list(found.column("club.visits").to_pylist())


def test_a_date_is_given_what_held_and_was_known_at_its_end(past_club: Features) -> None:
    days = [date(2024, 5, 30), date(2024, 5, 31), date(2024, 6, 29), date(2024, 6, 30)]
    assert _visits(past_club, *(("C1", day) for day in days)) == [None, 3, 3, 5]


def test_what_was_worked_out_later_is_not_given_to_the_moments_before(past_club: Features) -> None:
    moments = [datetime(2024, 6, 1), datetime(2024, 6, 9, 23, 59, 59), datetime(2024, 6, 10)]  # noqa: DTZ001
    assert _visits(past_club, *(("C2", moment) for moment in moments)) == [1, 1, 2]


def test_a_row_expires_after_31_days(past_club: Features) -> None:
    last = datetime(2024, 7, 1) - timedelta(microseconds=1)  # noqa: DTZ001
    assert _visits(past_club, ("C3", last), ("C3", last + timedelta(microseconds=1))) == [9, None]


def test_a_moment_with_a_time_zone_is_that_moment(past_club: Features) -> None:
    hours = pa.array([datetime(2024, 5, 31, 23, 59, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)])
    asked = pa.table({"customer_id": ["C1", "C1"], "at": hours.cast(pa.timestamp("ms", "America/New_York"))})
    assert past_club.historical(asked, ["club.visits"], AS_OF).column("club.visits").to_pylist() == [None, 3]


def test_the_rows_come_back_in_their_order_with_what_else_they_hold(past_club: Features) -> None:
    asked = pd.DataFrame(
        {"campaign": ["a", "b", "c", "d"], "customer_id": ["C9", "C1", "C3", "C1"], "at": [AS_OF, AS_OF, AS_OF, AS_OF]}
    )
    found = past_club.historical(asked, ["club.tier", "club.visits"], AS_OF)
    assert found.column_names == ["campaign", "customer_id", "at", "club.tier", "club.visits"]
    assert found.select(["campaign", "club.tier", "club.visits"]).to_pylist() == [
        {"campaign": "a", "club.tier": None, "club.visits": None},
        {"campaign": "b", "club.tier": "ruby", "club.visits": 5},
        {"campaign": "c", "club.tier": None, "club.visits": None},
        {"campaign": "d", "club.tier": "ruby", "club.visits": 5},
    ]


def test_a_label_is_known_when_its_days_are_over(past_club: Features) -> None:
    asked = _asked(("C1", date(2024, 5, 31)), ("C2", date(2024, 5, 31)), ("C3", date(2024, 5, 31)))
    for as_of, expected in [(date(2024, 6, 29), [None, None, True]), (AS_OF, [False, True, True])]:
        found = past_club.historical(asked, ["club.has_left"], as_of)
        assert found.column("club.has_left").to_pylist() == expected


def test_training_and_serving_are_given_the_same_values_of_every_feature(club: Features) -> None:
    assert club.materialize(AS_OF) == {"club": 2}
    customers = ["C1", "C2", "C3", "C9"]
    trained = club.historical(_asked(*((customer, AS_OF) for customer in customers)), FEATURES, AS_OF)
    served = [club.online({"customer_id": customer}, FEATURES) for customer in customers]
    assert served == trained.select(FEATURES).to_pylist()
    assert served[1] == {
        "club.visits": 2,
        "club.share": 0.3,
        "club.spent_eur": Decimal("2.0000"),
        "club.tier": "iron",
        "club.is_member": True,
        "club.member_since": date(2024, 2, 29),
    }
    assert [type(value) for value in served[1].values()] == [int, float, Decimal, str, bool, date]
    assert served[0]["club.share"] is None
    # The row of C3 has expired on the day, and nobody knows C9.
    assert served[2] == served[3] == dict.fromkeys(FEATURES)


def test_a_rerun_replaces_what_the_store_had(club: Features, warehouse: Warehouse) -> None:
    club.materialize(AS_OF)
    club.materialize(date(2024, 5, 31))
    assert [club.online({"customer_id": each}, ["club.visits"])["club.visits"] for each in ("C1", "C2", "C3")] == [
        3,
        1,
        9,
    ]
    with warehouse.connect() as connection:
        connection.execute("delete from feature_store.club_features where customer_id = 'C1'")
    club.materialize(AS_OF)
    assert [club.online({"customer_id": each}, ["club.visits"])["club.visits"] for each in ("C1", "C2")] == [None, 2]


def test_a_value_is_served_until_it_expires_at_the_moment_that_is_asked_for(club: Features) -> None:
    club.materialize(AS_OF)
    moments = [datetime(2024, 6, 30, 23), datetime(2024, 7, 1), datetime(2024, 7, 31, 23), datetime(2024, 8, 1)]  # noqa: DTZ001
    served = [club.online({"customer_id": "C1"}, ["club.visits"], at=moment)["club.visits"] for moment in moments]
    assert served == [None, 5, 5, None]
    assert club.online({"customer_id": "C1"}, ["club.visits"], at=moments[1].replace(tzinfo=UTC)) == {"club.visits": 5}


def test_the_file_serves_nothing_after_its_time(warehouse: Warehouse, tmp_path: Path) -> None:
    now = [1_000_000.0]
    features = Features({"club": CLUB}, warehouse, FileStore(tmp_path / "online", clock=lambda: now[0]))
    features.materialize(AS_OF)
    # C1's row holds from the end of the day on, C2's from 30 days before.
    served = []
    for days in (0.999, 1, 30.999, 31):
        now[0] = 1_000_000 + days * 86_400
        served.append([features.online({"customer_id": each}, ["club.visits"])["club.visits"] for each in ("C1", "C2")])
    assert served == [[5, 2], [5, None], [5, None], [None, None]]


def test_redis_forgets_what_has_expired(warehouse: Warehouse, redis_url: str) -> None:
    import redis

    features = Features({"club": CLUB}, warehouse, RedisStore(redis_url))
    features.materialize(AS_OF)
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        left = {each: client.pttl(f"catalyst:features:club:{each}") for each in ("C1", "C2")}
        day = 86_400_000
        assert 30.9 * day < left["C1"] <= 31 * day
        assert 0.9 * day < left["C2"] <= day
        client.pexpire("catalyst:features:club:C1", 0)
    assert features.online({"customer_id": "C1"}, ["club.visits"]) == {"club.visits": None}


def test_a_write_that_fails_leaves_what_was_served(club: Features, warehouse: Warehouse) -> None:
    club.materialize(AS_OF)
    with warehouse.connect() as connection:
        connection.execute("alter table feature_store.club_features alter tier type blob using encode(tier)")
    with pytest.raises(CatalystError, match="type bytes, which the online store does not keep"):
        club.materialize(AS_OF)
    assert club.online({"customer_id": "C1"}, ["club.tier"]) == {"club.tier": "ruby"}


def test_sets_without_rows_are_served_empty_and_stale_ones_not_at_all(club: Features, warehouse: Warehouse) -> None:
    with pytest.raises(CatalystError, match="no row that holds on 2024-09-01: build it for that day"):
        club.materialize(date(2024, 9, 1))
    with warehouse.connect() as connection:
        connection.execute("delete from feature_store.club_features")
    assert club.materialize(AS_OF) == {"club": 0}
    assert club.online({"customer_id": "C1"}, ["club.visits"]) == {"club.visits": None}


def test_entities_of_several_columns_are_told_apart(club: Features, warehouse: Warehouse) -> None:
    with warehouse.connect() as connection:
        connection.execute(
            "create table feature_store.shelf_features as select * from (values ('a:b', 'c', 1), ('a', 'b:c', 2)) "
            "as rows (store_id, product_id, units), (select timestamp '2024-07-01' as event_at, event_at as known_at)"
        )
    shelf = FeatureSet("shelf", ("store_id", "product_id"), (), timedelta(days=1))
    features = Features({"club": CLUB, "shelf": shelf}, warehouse, club.store)
    assert features.materialize(AS_OF, ["shelf"]) == {"shelf": 2}
    assert features.online({"store_id": "a:b", "product_id": "c"}, ["shelf.units"]) == {"shelf.units": 1}
    assert features.online({"store_id": "a", "product_id": "b:c"}, ["shelf.units"]) == {"shelf.units": 2}


def test_features_of_several_sets_come_together_in_the_order_that_was_asked_for(
    club: Features, warehouse: Warehouse
) -> None:
    with warehouse.connect() as connection:
        connection.execute("create table feature_store.till_features as select * from feature_store.club_features")
    features = Features(
        {"club": CLUB, "till": FeatureSet("till", ("customer_id",), ("has_left",), timedelta(days=1))},
        warehouse,
        club.store,
    )
    names = ["till.visits", "club.visits", "till.tier"]
    features.materialize(AS_OF)
    expected = [["till.visits", 5], ["club.visits", 5], ["till.tier", "ruby"]]
    assert [[*item] for item in features.online({"customer_id": "C1"}, names).items()] == expected
    # The row of C2 is 30 days old: too old for `till`.
    assert features.online({"customer_id": "C2"}, names) == {"till.visits": None, "club.visits": 2, "till.tier": None}
    found = features.historical(_asked(("C2", AS_OF)), names, AS_OF)
    assert found.select(names).to_pylist() == [{"till.visits": None, "club.visits": 2, "till.tier": None}]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["club.visit"], "feature_store.club_features has no feature visit: it has visits, share, spent_eur"),
        (["clubs.visits"], "There are no features clubs: there are club"),
        (["visits"], "There are no features visits: there are club"),
        (["club.event_at"], "has no feature event_at"),
    ],
)
def test_an_unknown_name_is_told_with_those_that_there_are(club: Features, names: list[str], said: str) -> None:
    with pytest.raises(CatalystError, match=said):
        club.historical(_asked(("C1", AS_OF)), names, AS_OF)
    club.materialize(AS_OF)
    with pytest.raises(CatalystError, match=said):
        club.online({"customer_id": "C1"}, names)


def test_requests_that_cannot_be_answered_say_why(past_club: Features) -> None:
    with pytest.raises(CatalystError, match="after the end of 2024-06-29"):
        _visits(past_club, ("C1", AS_OF), as_of=date(2024, 6, 29))
    with pytest.raises(CatalystError, match="no column `at`"):
        past_club.historical(pa.table({"customer_id": ["C1"]}), ["club.visits"], AS_OF)
    with pytest.raises(CatalystError, match="no column customer_id, by which feature_store.club_features knows them"):
        past_club.historical(pa.table({"at": [AS_OF]}), ["club.visits"], AS_OF)
    with pytest.raises(CatalystError, match="`at` of the entities has the type string"):
        _visits(past_club, ("C1", "2024-06-30"))
    with pytest.raises(CatalystError, match="club.has_left is a label, .* not served"):
        past_club.online({"customer_id": "C1"}, ["club.has_left"])
    with pytest.raises(CatalystError, match="The entity has no customer_id"):
        past_club.online({"id": "C1"}, ["club.visits"])


def test_a_store_that_was_never_written_says_so(club: Features) -> None:
    with pytest.raises(CatalystError, match="Nothing has been written of the features club .* `catalyst run` first"):
        club.online({"customer_id": "C1"}, ["club.visits"])


def test_a_file_that_is_damaged_is_named_and_written_anew(warehouse: Warehouse, tmp_path: Path) -> None:
    features = Features({"club": CLUB}, warehouse, FileStore(tmp_path))
    # What a write that was killed has left is in nobody's way.
    for name in ("club.sqlite", ".club.sqlite"):
        (tmp_path / name).write_bytes(b"half a page of something else")
    with pytest.raises(CatalystError, match=r"club in .*club.sqlite cannot be read .* `catalyst run`, which writes"):
        features.online({"customer_id": "C1"}, ["club.visits"])
    features.materialize(AS_OF)
    assert features.online({"customer_id": "C1"}, ["club.visits"]) == {"club.visits": 5}
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith("sqlite")] == ["club.sqlite"]


def test_a_redis_that_does_not_answer_is_named_without_its_password(warehouse: Warehouse) -> None:
    features = Features({"club": CLUB}, warehouse, RedisStore("redis://reader:secret@127.0.0.1:1/0"))
    with pytest.raises(CatalystError, match=r"The online store redis://127.0.0.1:1/0 does not serve") as raised:
        features.online({"customer_id": "C1"}, ["club.visits"])
    assert "secret" not in str(raised.value)


def test_feature_sets_are_found_by_the_names_of_their_files(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "feature_store"
    folder.mkdir(parents=True)
    declared = "config: {meta: {features: {entity: [shop_id], labels: [units], expires_after_days: 7}}}"
    (folder / "shop_features.yml").write_text(f"models: [{{name: shop_features, {declared}}}]")
    found = feature_sets(Settings(project=tmp_path, home=tmp_path))
    assert found["shop"] == FeatureSet("shop", ("shop_id",), ("units",), timedelta(days=7))
    assert {"churn", "engagement", "shop"} <= set(found)
    (folder / "shop_features.yml").write_text("models: [{name: s_features, config: {meta: {features: {entity: [a]}}}}]")
    with pytest.raises(CatalystError, match="s_features in .*shop_features.yml do not say 'expires_after_days'"):
        feature_sets(Settings(project=tmp_path, home=tmp_path))


def test_the_guide_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples of docs/features.md, on a warehouse with the customers that they name."""
    code = (REPOSITORY / "docs" / "features.md").read_text(encoding="utf-8").split("```python\n")[1:]
    monkeypatch.setenv("CATALYST_HOME", str(tmp_path))
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema feature_store")
        for name in ("churn", "engagement", "propensity"):
            connection.execute(
                f"create table feature_store.{name}_features as select 'C000001' as customer_id, day as origin_date, "
                "day + interval 1 day as event_at, event_at as known_at, (day + 30) as target_date, 3 as orders_30d, "
                "null::integer as days_since_login, false as has_churned_30d_ahead "
                "from (values (date '2026-05-31'), (date '2026-06-30')) as days (day)"
            )
    scope: dict[str, Any] = {}
    for block in code:
        exec(block.split("```")[0], scope)  # noqa: S102
    assert scope["training"].column("churn.has_churned_30d_ahead").to_pylist() == [False, None]
    assert scope["served"] == {"churn.orders_30d": 3, "churn.days_since_login": None}


def test_bigquery_gives_what_duckdb_gives(warehouse: Warehouse, bigquery_project: Project, tmp_path: Path) -> None:
    from orchestration.bigquery import BigQuery

    bigquery_project.load(CLUB.table, warehouse.query(f"select * from {CLUB.table}"))
    moments = [date(2024, 5, 31), date(2024, 6, 8), date(2024, 6, 9), AS_OF]
    asked = _asked(*((customer, moment) for customer in ("C1", "C2", "C3", "C9") for moment in moments))
    names = [*FEATURES, "club.has_left"]
    stores: list[Store] = [warehouse, BigQuery(bigquery_project.id)]
    answers = []
    for number, store in enumerate(stores):
        features = Features({"club": CLUB}, store, FileStore(tmp_path / f"online-{number}"))
        written = features.materialize(AS_OF)
        served = [features.online({"customer_id": customer}, FEATURES) for customer in ("C1", "C2", "C3")]
        answers.append((features.historical(asked, names, AS_OF).select(names).to_pylist(), written, served))
    assert answers[0] == answers[1]
    assert [row["club.visits"] for row in answers[1][0][:8]] == [3, 3, 3, 5, 1, 1, 2, 2]
