"""A real broker of the Kafka protocol on this machine, that tests may kill and start again on its data."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tests.conftest import Requires
from tests.parts.ports import free_ports, listens

_SECONDS = 20
_QUIET = logging.getLogger("tests.kafka")
_QUIET.propagate = False
_QUIET.addHandler(logging.NullHandler())


@dataclass
class Broker:
    """A broker, its port and its data; `kill` ends it as a power cut would."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)
    _sent_ns: int = 0

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> bool:
        """Starts the broker and waits until it listens."""
        with (self.folder / "log").open("ab") as log, resources.as_file(resources.files("noida_db")) as package:
            command = f"{package / 'noida-db'} start --only kafka --kafka-port {self.port} --data-dir".split()
            self.process = subprocess.Popen(
                [*command, str(self.folder / "data")], stdout=log, stderr=log, start_new_session=True
            )
        return listens(self.port, self.process, _SECONDS)

    def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def settle(self) -> None:
        """Waits until the broker has stored what it was sent: it does so about once a second."""
        stored = self.folder / "data" / "kafka.json"
        end = time.monotonic() + _SECONDS
        while not stored.exists() or stored.stat().st_mtime_ns < self._sent_ns:
            assert time.monotonic() < end, "The broker did not store what it was sent."
            time.sleep(0.05)

    def topic(self, partitions: int = 1) -> str:
        """Creates a topic with a name of its own."""
        name = f"topic-{next(self._numbers)}"
        self.create(name, partitions)
        return name

    def create(self, name: str, partitions: int = 1) -> None:
        # Its results go when it goes.
        admin = self._admin()
        for result in admin.create_topics([NewTopic(name, partitions)]).values():
            result.result(_SECONDS)

    def delete(self, name: str) -> None:
        admin = self._admin()
        for result in admin.delete_topics([name]).values():
            result.result(_SECONDS)

    def forget(self, topic: str, before: int) -> None:
        """Deletes the messages of the first partition below an offset, as its retention would."""
        admin = self._admin()
        for result in admin.delete_records([TopicPartition(topic, 0, before)]).values():
            result.result(_SECONDS)

    def produce(self, topic: str, *values: Mapping[str, Any] | bytes | None, key: bytes | None = None) -> None:
        """Sends messages in turn to each partition, and waits until the broker has them all."""
        producer = Producer({"bootstrap.servers": self.host, "logger": _QUIET})
        partitions = len(producer.list_topics(topic, timeout=_SECONDS).topics[topic].partitions)
        failures: list[Any] = []
        for number, value in enumerate(values):
            payload = json.dumps(value).encode() if isinstance(value, Mapping) else value
            while True:
                try:
                    producer.produce(
                        topic,
                        payload,
                        key,
                        partition=number % partitions,
                        on_delivery=lambda error, _: failures.append(error) if error else None,
                    )
                    break
                except BufferError:
                    producer.poll(1)
        assert producer.flush(_SECONDS) == 0
        assert failures == []
        self._sent_ns = time.time_ns()

    def committed(self, topic: str, group: str) -> int:
        """How far the group has come in the first partition, as the broker shows it."""
        consumer = Consumer({"bootstrap.servers": self.host, "group.id": group, "logger": _QUIET})
        try:
            return int(consumer.committed([TopicPartition(topic, 0)], timeout=_SECONDS)[0].offset)
        finally:
            consumer.close()

    def _admin(self) -> AdminClient:
        settings: dict[str, Any] = {"bootstrap.servers": self.host, "logger": _QUIET}
        return AdminClient(settings)


@pytest.fixture(scope="module")
def broker(requires: Requires, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker without topics."""
    [port] = free_ports(1)
    broker = Broker(tmp_path_factory.mktemp("kafka"), port)
    started = broker.start()
    try:
        requires(started, f"noida-db did not start as a Kafka broker: {(broker.folder / 'log').read_text()[-500:]}")
        yield broker
    finally:
        broker.kill()
