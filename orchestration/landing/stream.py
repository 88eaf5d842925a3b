"""Reads topics over the Kafka protocol, up to what they held when the landing began; each message lands exactly once.

Where a feed goes on is kept in the warehouse, in the same load as its rows, and never taken from the broker: what is
delivered again, after a kill of either side, has an offset that has landed already. The offsets committed to the broker
afterwards serve those who watch the lag of the group, and nothing depends on them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import dlt
import pyarrow as pa
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from orchestration.contracts import Feed
from orchestration.errors import CatalystError
from orchestration.landing import drift
from orchestration.landing.batches import extraction_of
from orchestration.landing.extraction import BATCH_ROWS, Extraction, Problem
from orchestration.landing.objects import as_shown, as_text, check_text, read_object
from orchestration.landing.target import Target

# How long `consume` waits for a batch to fill: it does not return early at the end of a partition.
_POLL_SECONDS = 0.2
# What the contract may say of how to log in, and librdkafka's name for it.
_SECURITY = {
    "securityProtocol": "security.protocol",
    "saslMechanism": "sasl.mechanism",
    "saslUsername": "sasl.username",
    "saslPassword": "sasl.password",
    "sslCaLocation": "ssl.ca.location",
}


@dataclass(frozen=True)
class _Topic:
    """A topic as the contract names it."""

    feed: Feed
    host: str
    name: str
    group: str
    max_rows: int
    idle_seconds: float

    @property
    def state_key(self) -> str:
        # Another group asks for the topic anew, as it would of the broker.
        return f"{self.name}/{self.group}"

    @property
    def timeout(self) -> float:
        # Of 0 it would be none at all.
        return max(self.idle_seconds, 1)


@dataclass
class _Reading:
    """The partitions of a topic during one landing: where each goes on, and where it ended when the landing began."""

    next: dict[int, int] = field(default_factory=dict)
    end: dict[int, int] = field(default_factory=dict)
    messages: int = 0

    @property
    def waiting(self) -> dict[int, int]:
        """How many offsets of each unfinished partition have not been read."""
        return {p: self.end[p] - offset for p, offset in self.next.items() if offset < self.end[p]}


def read(feed: Feed, target: Target) -> Extraction:
    """Returns the messages that a topic has gained, as rows that carry their partition and offset."""
    topic = _topic(feed)
    reading = _Reading()
    problems: list[Problem] = []

    def rows() -> Iterator[pa.Table]:
        state = dlt.current.resource_state().setdefault(topic.state_key, {})
        found: set[str] = set()
        with _consumer(topic) as (consumer, complaints):
            problems.extend(_find(topic, consumer, state, reading))
            for messages in _messages(topic, consumer, reading, complaints, problems):
                table, names = as_text([read_object(message.value()) for message in messages], feed)
                found |= names
                yield _placed(table, messages)
        if found:
            drift.check(feed, dict.fromkeys(found), origin=f"topic {topic.name}")
        state.update({str(partition): offset for partition, offset in reading.next.items()})

    return extraction_of(
        feed,
        target,
        rows,
        problems=problems,
        completed=lambda: problems.extend(_commit(topic, reading)),
        more=lambda: reading.messages >= topic.max_rows and bool(reading.waiting),
    )


def _topic(feed: Feed) -> _Topic:
    check_text(feed)
    if feed.setting("format", "json") != "json":
        raise CatalystError(
            f"Feed {feed.id} has the format {feed.setting('format')!r}, but of a stream only `json` is read (a JSON "
            f"object a message): change it in {feed.path}, or have the messages sent as JSON."
        )
    try:
        max_rows, idle = int(feed.setting("maxRows", "500000")), float(feed.setting("idleSeconds", "15"))
    except ValueError as error:
        raise CatalystError(
            f"Feed {feed.id}: maxRows and idleSeconds must be numbers ({error}): correct them in {feed.path}."
        ) from error
    return _Topic(
        feed, feed.setting("host"), feed.setting("topic"), feed.setting("group", f"catalyst-{feed.id}"), max_rows, idle
    )


@contextmanager
def _consumer(topic: _Topic) -> Iterator[tuple[Consumer, list[KafkaError]]]:
    """A consumer, and what librdkafka complains of in the background: only there does it say why it got no answer."""
    complaints: list[KafkaError] = []
    settings: dict[str, Any] = {
        "bootstrap.servers": topic.host,
        "group.id": topic.group,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        # Without it, an offset that the broker does not know would silently be replaced by its newest.
        "auto.offset.reset": "error",
        # The default of 100 MB is less than what a broker may answer with.
        "receive.message.max.bytes": 1_000_000_000,
        "error_cb": complaints.append,
        "logger": _quiet(),
    }
    settings |= {name: topic.feed.setting(key) for key, name in _SECURITY.items() if key in topic.feed.source}
    try:
        consumer = Consumer(settings)
    except KafkaException as error:
        raise CatalystError(
            f"Feed {topic.feed.id}: the settings of its stream are refused ({error.args[0].str()}): correct them in "
            f"{topic.feed.path}."
        ) from error
    try:
        yield consumer, complaints
    except KafkaException as error:
        # Complaints are handed over in a poll only.
        consumer.poll(0)
        raise CatalystError(_unanswered(topic, error.args[0], complaints)) from error
    finally:
        consumer.close()


def _quiet() -> logging.Logger:
    # librdkafka writes to the terminal unless given a logger; what matters of it is in the errors.
    logger = logging.getLogger("catalyst.kafka")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger


def _unanswered(topic: _Topic, error: KafkaError, complaints: list[KafkaError]) -> str:
    # The last complaint is that all brokers are down; those before say why.
    reasons = [error, *(c for c in complaints if c.code() != KafkaError._ALL_BROKERS_DOWN)]
    why = "; ".join(dict.fromkeys(str(reason.str()) for reason in (reasons[0], reasons[-1])))
    return (
        f"Feed {topic.feed.id}: the broker at {topic.host} did not answer ({why}). Check that it is up, and host and "
        f"login in {topic.feed.path}, then run again: reading goes on where it stopped."
    )


def _find(topic: _Topic, consumer: Consumer, state: dict[str, int], reading: _Reading) -> list[Problem]:
    """Finds from where to where each partition is to be read, and what the broker has lost of it."""
    metadata = consumer.list_topics(topic.name, timeout=topic.timeout).topics[topic.name]
    if metadata.error is not None:
        raise CatalystError(
            f"Feed {topic.feed.id}: the broker at {topic.host} has no topic {topic.name!r} to read "
            f"({metadata.error.str()}): create it, or correct topic and login in {topic.feed.path}."
        )
    problems = []
    for partition in sorted(metadata.partitions):
        low, high = consumer.get_watermark_offsets(TopicPartition(topic.name, partition), timeout=topic.timeout)
        resume = state.get(str(partition), low if state == {} else 0)
        where = f"partition {partition} of topic {topic.name}"
        if high < resume:
            raise CatalystError(
                f"Feed {topic.feed.id}: {where} ends at offset {high:,}, but messages up to {resume:,} have landed. "
                "Either the topic was deleted and made anew, or the broker has lost its newest messages. Give the feed "
                f"another `group` in {topic.feed.path}: the topic is then read anew from its start."
            )
        if low > resume:
            problems.append(
                Problem(
                    topic.name,
                    f"Feed {topic.feed.id}: {low - resume:,} messages of {where} (offsets {resume:,} to {low - 1:,}) "
                    "were deleted by the broker before they were landed, and are lost here. Land more often than the "
                    "topic's retention, or have them sent again.",
                )
            )
        reading.next[partition], reading.end[partition] = max(resume, low), high
    return problems


def _messages(
    topic: _Topic, consumer: Consumer, reading: _Reading, complaints: list[KafkaError], problems: list[Problem]
) -> Iterator[list[Message]]:
    """Yields messages up to the end that the landing has seen; `reading` then says how far it came."""
    consumer.assign([TopicPartition(topic.name, p, reading.next[p]) for p in reading.waiting])
    failure: KafkaError | None = None
    while reading.waiting and reading.messages < topic.max_rows and failure is None:
        batch, failure = _batch(topic, consumer, reading)
        reading.messages += len(batch)
        if batch:
            yield batch
    if failure is not None and not reading.messages:
        raise KafkaException(failure)
    if failure is not None:
        consumer.poll(0)
        problems.append(Problem(topic.name, f"{_unanswered(topic, failure, complaints)} What had come by then counts."))


def _batch(topic: _Topic, consumer: Consumer, reading: _Reading) -> tuple[list[Message], KafkaError | None]:
    batch: list[Message] = []
    wanted = min(BATCH_ROWS, topic.max_rows - reading.messages)
    heard = time.monotonic()
    while reading.waiting and len(batch) < wanted:
        # The library's types are those of messages to be sent too, which have no place yet.
        for message in cast("list[Any]", consumer.consume(wanted - len(batch), _POLL_SECONDS)):
            heard = time.monotonic()
            partition, offset, error = message.partition(), message.offset(), message.error()
            if error is None:
                # What is delivered again, or came after the landing began, is not of this landing.
                if reading.next[partition] <= offset < reading.end[partition]:
                    reading.next[partition] = offset + 1
                    batch.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                # The last offsets need not be messages: marks of transactions have some, a compacted topic has gaps.
                reading.end[partition] = min(max(reading.next[partition], offset), reading.end[partition])
                reading.next[partition] = reading.end[partition]
            else:
                return batch, error
        if time.monotonic() - heard > topic.idle_seconds:
            return batch, KafkaError(KafkaError._TIMED_OUT, f"nothing came for {topic.idle_seconds:g} s")
    return batch, None


def _placed(table: pa.Table, messages: list[Message]) -> pa.Table:
    """Adds where each message stood in the topic, and its key, which the payload need not repeat."""
    keys = [message.key() for message in messages]
    for name, values in {
        "_topic_partition": pa.array([message.partition() for message in messages], pa.int64()),
        "_offset": pa.array([message.offset() for message in messages], pa.int64()),
        "_key": pa.array([key and as_shown(key) for key in keys], pa.string()),
    }.items():
        table = table.append_column(name, values)
    return table


def _commit(topic: _Topic, reading: _Reading) -> list[Problem]:
    """Tells the broker how far the group has come."""
    offsets = [TopicPartition(topic.name, partition, offset) for partition, offset in reading.next.items()]
    if not reading.messages:
        return []
    try:
        with _consumer(topic) as (consumer, _):
            # To commit has no timeout of its own, and waits for minutes where nobody answers.
            consumer.list_topics(topic.name, timeout=topic.timeout)
            consumer.commit(offsets=offsets, asynchronous=False)
    except CatalystError as error:
        lag = "The messages have landed and count; only the lag that the broker shows is too high until then."
        return [Problem(topic.name, f"{error} {lag}")]
    return []
