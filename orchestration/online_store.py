"""Where serving finds the features of one customer at once: Redis by its URL, or a file for each set without one.

Only this module imports the client of Redis. Each write replaces a set: who is not among its rows is gone after it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlsplit

from orchestration.errors import CatalystError

if TYPE_CHECKING:
    import redis

    from orchestration.settings import Settings

# A key is a set and what identifies an entity in it.
Key = tuple[str, str]
_CHUNK = 1000
_SECONDS = 5


@dataclass(frozen=True)
class Entry:
    """The features of an entity, by name, and for how many seconds they are served."""

    entity: str
    values: Mapping[str, Any]
    seconds: float


class OnlineStore(Protocol):
    """Keeps the latest features of each entity, and gives them back as they came: dates, decimals and nulls too."""

    def write(self, name: str, entries: Iterable[Entry]) -> int:
        """Puts entries in place of all that a set held; returns their number."""

    def read(self, keys: Sequence[Key]) -> list[dict[str, Any] | None]:
        """Returns the features for each key; None where there are none, or none that may still be served."""


def online_store(settings: Settings) -> OnlineStore:
    """Returns the store at CATALYST_REDIS_URL, or the one in CATALYST_HOME where that is empty."""
    return RedisStore(settings.redis_url) if settings.redis_url else FileStore(settings.home / "online")


@dataclass(frozen=True)
class FileStore:
    """A SQLite file for each set, written beside the one that is read and then put in its place."""

    folder: Path
    clock: Callable[[], float] = time.time

    def write(self, name: str, entries: Iterable[Entry]) -> int:
        """Puts entries in place of all that a set held; returns their number."""
        self.folder.mkdir(parents=True, exist_ok=True)
        now = self.clock()
        # Always the same: what a write that was killed has left goes away with the next one.
        building = self.folder / f".{name}.sqlite"
        try:
            building.unlink(missing_ok=True)
            with closing(sqlite3.connect(building)) as connection:
                connection.execute(
                    "create table entries (entity text primary key, held text not null, expires_at real not null) "
                    "without rowid"
                )
                written = connection.executemany(
                    "insert into entries values (?, ?, ?)",
                    ((entry.entity, _written(dict(entry.values)), now + entry.seconds) for entry in entries),
                ).rowcount
                connection.commit()
            building.replace(self._path(name))
        except (OSError, sqlite3.Error) as error:
            raise CatalystError(
                f"The online features of {name} cannot be written to {self.folder} ({error}): those from before are "
                "served on. Free some of the disk if it is full, and run again."
            ) from error
        finally:
            building.unlink(missing_ok=True)
        return max(written, 0)

    def read(self, keys: Sequence[Key]) -> list[dict[str, Any] | None]:
        """Returns the features for each key; None where there are none, or none that may still be served."""
        found: dict[Key, dict[str, Any]] = {}
        for name in {name for name, _ in keys}:
            path = self._path(name)
            if not path.exists():
                raise _never_written(name, str(self.folder))
            entities = {entity for its_name, entity in keys if its_name == name}
            try:
                found |= {(name, entity): values for entity, values in self._read(path, entities)}
            except sqlite3.DatabaseError as error:
                raise CatalystError(
                    f"The online features of {name} in {path} cannot be read ({error}): run `catalyst run`, which "
                    "writes them anew."
                ) from error
        return [found.get(key) for key in keys]

    def _read(self, path: Path, entities: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        # Opened for each question: an open file would go on being the one from before the last run.
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as connection:
            for entity in entities:
                row = connection.execute(
                    "select held from entries where entity = ? and expires_at > ?", (entity, self.clock())
                ).fetchone()
                if row:
                    yield entity, _read(row[0])

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite"


@dataclass(frozen=True)
class RedisStore:
    """A hash for each entity, which Redis forgets when it expires, and the number of the last write for each set."""

    url: str

    def write(self, name: str, entries: Iterable[Entry]) -> int:
        """Puts entries in place of all that a set held; returns their number."""
        written = 0
        with self._client() as client:
            number = client.incr(_counter(name))
            rest = iter(entries)
            while chunk := list(islice(rest, _CHUNK)):
                # A transaction: nobody reads half of an entity.
                with client.pipeline(transaction=True) as pipeline:
                    for entry in chunk:
                        key = _address(name, entry.entity)
                        pipeline.delete(key)
                        pipeline.hset(key, mapping={"held": _written(dict(entry.values)), "number": number})
                        pipeline.pexpire(key, max(int(entry.seconds * 1000), 1))
                    pipeline.execute()
                written += len(chunk)
            # What has an older number was not among the rows of this write: from now on nobody is given it.
            client.set(_current(name), number)
        return written

    def read(self, keys: Sequence[Key]) -> list[dict[str, Any] | None]:
        """Returns the features for each key; None where there are none, or none that may still be served."""
        names = sorted({name for name, _ in keys})
        with self._client() as client, client.pipeline(transaction=True) as pipeline:
            for name in names:
                pipeline.get(_current(name))
            for key in keys:
                pipeline.hmget(_address(*key), ["held", "number"])
            answers = pipeline.execute()
        current = dict(zip(names, answers, strict=False))
        for name, number in current.items():
            if number is None:
                raise _never_written(name, self._shown)
        return [
            _read(held) if held is not None and int(number) >= int(current[name]) else None
            for (name, _), (held, number) in zip(keys, answers[len(names) :], strict=True)
        ]

    @contextmanager
    def _client(self) -> Iterator[redis.Redis]:
        import redis

        try:
            with redis.Redis.from_url(
                self.url, decode_responses=True, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
            ) as client:
                yield client
        except (redis.RedisError, ValueError) as error:
            raise CatalystError(
                f"The online store {self._shown} does not serve ({error}): see that Redis runs there and lets this "
                "account in, or mend CATALYST_REDIS_URL; empty, it means a file in CATALYST_HOME."
            ) from error

    @property
    def _shown(self) -> str:
        """The URL without what must not be shown."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _address(name: str, entity: str) -> str:
    return f"catalyst:features:{name}:{entity}"


def _counter(name: str) -> str:
    return f"catalyst:features:{name}#writes"


def _current(name: str) -> str:
    return f"catalyst:features:{name}#current"


def _never_written(name: str, where: str) -> CatalystError:
    return CatalystError(
        f"Nothing has been written of the features {name} to the online store {where}: run `catalyst run` first."
    )


# JSON knows none of these; the order matters, as a datetime is a date too.
_KINDS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "timestamp": (datetime, lambda value: value.isoformat(), datetime.fromisoformat),
    "date": (date, lambda value: value.isoformat(), date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
}


def _written(values: dict[str, Any]) -> str:
    return json.dumps(values, default=_tagged, separators=(",", ":"))


def _tagged(value: object) -> dict[str, str]:
    for name, (kind, write, _) in _KINDS.items():
        if isinstance(value, kind):
            return {name: write(value)}
    raise CatalystError(
        f"A feature has a value of the type {type(value).__name__}, which the online store does not keep: make it a "
        "number, a text, a truth value, a date, a timestamp or a decimal in the model of the feature."
    )


def _read(text: str) -> dict[str, Any]:
    return {name: _untagged(value) for name, value in json.loads(text).items()}


def _untagged(value: Any) -> Any:
    if isinstance(value, dict):
        ((name, text),) = value.items()
        return _KINDS[name][2](text)
    return value
