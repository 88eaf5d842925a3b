"""Every message of a topic lands once, whatever is killed in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Message

from orchestration.contracts import Feed, load_feeds
from orchestration.errors import CatalystError
from orchestration.landing import land
from orchestration.landing.drift import SchemaDrift
from orchestration.settings import REPOSITORY
from orchestration.warehouse import Warehouse
from tests.orchestration.conftest import MakeFeed, column
from tests.parts.kafka import Broker

GROUP = "catalyst-raw_shop.clicks"
FeedOf = Callable[..., Feed]


@pytest.fixture
def feed_of(make_feed: MakeFeed, warehouse: Warehouse, broker: Broker) -> FeedOf:
    """The feed of a topic."""

    def make(topic: str, **settings: str) -> Feed:
        properties = {"topic": topic, "idleSeconds": "5"} | settings
        server = {
            "type": "kafka",
            "host": properties.pop("host", broker.host),
            "format": "json",
            "customProperties": [{"property": name, "value": value} for name, value in properties.items()],
        }
        feed = make_feed("clicks", server, [column("id", required=True), column("page")])
        warehouse.prepare([feed])
        return feed

    return make


def _rows(warehouse: Warehouse, columns: str = "id", order: str = "_topic_partition, _offset") -> list[Any]:
    with warehouse.connect() as connection:
        found = connection.execute(f"select {columns} from raw_shop.clicks order by {order}").fetchall()
    return [row[0] if len(row) == 1 else row for row in found]


def _clicks(first: int, last: int) -> list[dict[str, Any]]:
    return [{"id": str(n), "page": f"/{n}"} for n in range(first, last + 1)]


def _numbers(warehouse: Warehouse) -> list[int]:
    return sorted(int(number) for number in _rows(warehouse))


def test_messages_land_with_their_place_in_the_topic_and_later_only_new_ones(
    feed_of: FeedOf, broker: Broker, warehouse: Warehouse
) -> None:
    topic = broker.topic(partitions=2)
    feed = feed_of(topic)
    assert land(feed, warehouse).rows == 0
    broker.produce(topic, {"id": "a", "page": "/"}, {"id": "b", "ms": 12.50, "isNew": True}, {"id": "c"}, key=b"k\xff")
    landing = land(feed, warehouse)
    assert (landing.rows, landing.new_columns) == (3, ("ms", "is_new"))
    assert _rows(warehouse, "id, page, ms, is_new, _topic_partition, _offset, _key") == [
        ("a", "/", None, None, 0, 0, "k\\xff"),
        ("c", None, None, None, 0, 1, "k\\xff"),
        ("b", None, "12.5", "true", 1, 0, "k\\xff"),
    ]
    assert land(feed, warehouse).rows == 0
    broker.produce(topic, {"id": "d"})
    assert land(feed, warehouse).rows == 1
    assert _rows(warehouse, "id", "_dlt_load_id, _row")[-1] == "d"
    # What the broker shows as the group's lag is none.
    assert broker.committed(topic, GROUP) == 3


def test_what_is_no_json_object_lands_as_its_text(feed_of: FeedOf, broker: Broker, warehouse: Warehouse) -> None:
    topic = broker.topic()
    broker.produce(topic, {"id": "a"}, b'{"id": ', b"\xff\xfe{}", b"[1]", b"", None, b'{"id": "b"}  ')
    assert land(feed_of(topic), warehouse).rows == 7
    assert _rows(warehouse, "id, _malformed") == [
        ("a", None),
        (None, '{"id": '),
        (None, "\\xff\\xfe{}"),
        (None, "[1]"),
        (None, ""),
        (None, "null"),
        ("b", None),
    ]


def test_more_than_one_load_holds_follows_in_the_next_at_once(
    feed_of: FeedOf, broker: Broker, warehouse: Warehouse
) -> None:
    topic = broker.topic(partitions=2)
    broker.produce(topic, *_clicks(1, 25))
    assert land(feed_of(topic, maxRows="10"), warehouse).rows == 25
    assert _numbers(warehouse) == list(range(1, 26))
    assert _rows(warehouse, "count(distinct _dlt_load_id)", "all") == [3]


def test_a_broker_killed_between_sending_and_landing_loses_and_repeats_nothing(
    feed_of: FeedOf, broker: Broker, warehouse: Warehouse
) -> None:
    topic = broker.topic(partitions=3)
    feed = feed_of(topic, idleSeconds="2")
    broker.produce(topic, *_clicks(1, 1000))
    land(feed, warehouse)
    broker.produce(topic, *_clicks(1001, 2000))
    broker.settle()
    broker.kill()
    with pytest.raises(CatalystError, match=f"the broker at {broker.host} did not answer .*Check that it is up"):
        land(feed, warehouse)
    assert broker.start()
    broker.produce(topic, *_clicks(2001, 2500))
    assert land(feed, warehouse).rows == 1500
    assert _numbers(warehouse) == list(range(1, 2501))


def test_a_broker_killed_while_it_is_read_leaves_what_had_come(
    feed_of: FeedOf, broker: Broker, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = broker.topic(partitions=2)
    broker.produce(topic, *_clicks(1, 100))
    broker.settle()

    class Killing(Consumer):
        """Has read nothing ahead when the broker ends after the first messages, as with a topic that is long enough."""

        def consume(self, num_messages: int = 1, timeout: float = -1) -> list[Message]:
            if broker.process is None:
                self.poll(0)
                return []
            messages: list[Message] = []
            while not messages:
                messages = super().consume(min(num_messages, 30), timeout)
            broker.kill()
            return messages

    monkeypatch.setattr("orchestration.landing.stream.Consumer", Killing)
    landing = land(feed_of(topic, idleSeconds="1"), warehouse)
    monkeypatch.undo()
    assert landing.rows == 30
    assert ["nothing came for 1 s" in problem.message for problem in landing.problems] == [True, False]
    assert "only the lag" in landing.problems[1].message
    assert broker.start()
    again = land(feed_of(topic), warehouse)
    assert (again.rows, again.problems) == (70, ())
    assert _numbers(warehouse) == list(range(1, 101))


LANDING = """
import os, signal, sys
from pathlib import Path
from dlt.load.load import Load
from dlt.pipeline.pipeline import Pipeline
from orchestration.contracts import load_feeds
from orchestration.landing import land, stream
from orchestration.warehouse import Warehouse

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

where, name = {
    "before the load": (Pipeline, "load"),
    "with rows written and the load not complete": (Load, "complete_package"),
    "with the load complete and no offset committed": (stream, "_commit"),
}[sys.argv[3]]
setattr(where, name, die)
land(load_feeds(Path(sys.argv[1]))[0], Warehouse(Path(sys.argv[2])))
"""


@pytest.mark.parametrize(
    ("moment", "landed"),
    [
        ("before the load", 0),
        ("with rows written and the load not complete", 0),
        ("with the load complete and no offset committed", 500),
    ],
)
def test_a_landing_that_is_killed_is_simply_done_again(
    moment: str, landed: int, feed_of: FeedOf, broker: Broker, warehouse: Warehouse
) -> None:
    topic = broker.topic(partitions=2)
    feed = feed_of(topic)
    broker.produce(topic, *_clicks(1, 500))
    child = subprocess.run(
        [sys.executable, "-c", LANDING, str(feed.path.parent), str(warehouse.path), moment],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    assert broker.committed(topic, GROUP) < 0
    broker.produce(topic, *_clicks(501, 600))
    assert land(feed, warehouse).rows == 600 - landed
    assert _numbers(warehouse) == list(range(1, 601))
    assert broker.committed(topic, GROUP) == 300


def test_messages_that_the_broker_forgot_before_they_landed_are_counted(
    feed_of: FeedOf, broker: Broker, warehouse: Warehouse
) -> None:
    topic = broker.topic()
    broker.produce(topic, *_clicks(1, 10))
    broker.forget(topic, 3)
    # What was gone before the feed began was never promised.
    assert land(feed_of(topic), warehouse).problems == ()
    broker.produce(topic, *_clicks(11, 20))
    broker.forget(topic, 14)
    landing = land(feed_of(topic), warehouse)
    [problem] = landing.problems
    assert "4 messages of partition 0" in problem.message
    assert "(offsets 10 to 13)" in problem.message
    assert _numbers(warehouse) == [*range(4, 11), *range(15, 21)]


def test_a_topic_made_anew_stops_the_feed_until_it_is_given_another_group(
    feed_of: FeedOf, broker: Broker, warehouse: Warehouse
) -> None:
    topic = broker.topic()
    broker.produce(topic, *_clicks(1, 5))
    land(feed_of(topic), warehouse)
    broker.delete(topic)
    broker.create(topic)
    broker.produce(topic, *_clicks(6, 7))
    with pytest.raises(CatalystError, match=r"ends at offset 2, but messages up to 5 have landed.*another `group`"):
        land(feed_of(topic), warehouse)
    assert land(feed_of(topic, group="second"), warehouse).rows == 2
    assert _numbers(warehouse) == list(range(1, 8))


def test_a_topic_whose_messages_lack_a_required_column_stops_the_feed(
    feed_of: FeedOf, broker: Broker, warehouse: Warehouse
) -> None:
    topic = broker.topic()
    broker.produce(topic, {"click_id": "1", "page": "/"})
    with pytest.raises(SchemaDrift):
        land(feed_of(topic), warehouse)
    broker.produce(topic, {"id": "2", "page": "/"})
    assert land(feed_of(topic), warehouse).rows == 2


def test_nobody_at_the_address_is_a_sentence_within_the_time_that_the_contract_gives(
    feed_of: FeedOf, warehouse: Warehouse, capfd: pytest.CaptureFixture[str]
) -> None:
    feed = feed_of("clicks", host="127.0.0.1:9", idleSeconds="1")
    # Without the bound, librdkafka would go on trying, and the test would not end.
    with pytest.raises(CatalystError, match=r"broker at 127\.0\.0\.1:9 did not answer \(.*Connection refused"):
        land(feed, warehouse)
    # librdkafka would write each of its attempts to the terminal.
    assert "FAIL" not in capfd.readouterr().err


def test_a_topic_that_is_not_there_is_a_sentence(feed_of: FeedOf, warehouse: Warehouse) -> None:
    with pytest.raises(CatalystError, match="has no topic 'nothing' to read"):
        land(feed_of("nothing"), warehouse)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"maxRows": "many"}, "maxRows and idleSeconds must be numbers"),
        ({"securityProtocol": "carrier pigeon"}, "settings of its stream are refused"),
    ],
)
def test_a_setting_that_means_nothing_is_a_sentence(
    settings: dict[str, str], sentence: str, feed_of: FeedOf, warehouse: Warehouse
) -> None:
    with pytest.raises(CatalystError, match=sentence):
        land(feed_of("clicks", **settings), warehouse)


def test_the_contract_in_the_guide_loads(tmp_path: Path) -> None:
    guide = (REPOSITORY / "docs/feeds-stream.md").read_text(encoding="utf-8")
    (tmp_path / "guide.odcs.yaml").write_text(guide.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert load_feeds(tmp_path)[0].kind == "stream"
