"""What there is to know of every feed at a glance: its last load, its rows, and whether it keeps its promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from orchestration.connections import Connection
from orchestration.contracts import Feed


@dataclass(frozen=True)
class FeedStatus:
    """One feed and the counts over all of its loads.

    Attributes:
        last_load_at: When rows last came, in UTC; None where none ever did.
        is_fresh: Whether they came within the time that the contract promises.
        held_back: Rows of loads that stopped at the gate.
    """

    feed: Feed
    rows: int
    accepted: int
    quarantined: int
    held_back: int
    last_load_at: datetime | None
    is_fresh: bool

    def as_json(self) -> dict[str, Any]:
        """Returns the facts under the names that programs rely on."""
        return {
            "name": self.feed.id,
            "kind": str(self.feed.kind),
            "rows": self.rows,
            "accepted": self.accepted,
            "quarantined": self.quarantined,
            "last_load_at": f"{self.last_load_at:%Y-%m-%dT%H:%M:%S}Z" if self.last_load_at else None,
            "fresh": self.is_fresh,
            "held_back": self.held_back,
            "owner": self.feed.owner,
            "contract": str(self.feed.path),
        }


def statuses(feeds: Sequence[Feed], connection: Connection | None, now: datetime) -> list[FeedStatus]:
    """Returns the status of every feed, in the order given.

    Args:
        feeds: The feeds.
        connection: A warehouse or its published copy; None where there is none yet.
        now: The time by which freshness is judged.
    """
    counts = _counts(connection) if connection else {}
    return [_status(feed, counts.get(feed.id, (0, 0, 0, 0, None)), now) for feed in feeds]


def attention(found: Sequence[FeedStatus]) -> Iterator[str]:
    """Says which feeds need somebody, why, and the command to run next."""
    for status in found:
        if status.held_back:
            name = status.feed.id
            yield (
                f"{name} has stopped: {status.held_back:,} rows are held back. `catalyst quarantine {name}` shows why; "
                f"once the source or the contract is mended, run `catalyst redrive {name}`."
            )
    never = [status.feed.id for status in found if status.last_load_at is None]
    if never:
        yield f"{_named(never)} never landed: `catalyst run` lands all feeds, `catalyst land {never[0]}` only that one."
    for status in found:
        if status.last_load_at and not status.is_fresh:
            yield (
                f"{status.feed.id} is not fresh, as its last rows came {status.last_load_at:%Y-%m-%d %H:%M} UTC: run "
                f"`catalyst land {status.feed.id}`, and ask {status.feed.owner} if nothing comes."
            )


def _counts(connection: Connection) -> dict[str, tuple[Any, ...]]:
    columns = {
        row[0]
        for row in connection.execute(
            "select column_name from information_schema.columns where table_schema = 'quality' and table_name = 'loads'"
        ).fetchall()
    }
    if not columns:
        return {}
    # A copy that was published before loads had a status has none that stopped.
    held_back = "sum(case when status = 'stopped' then rows_landed else 0 end)" if "status" in columns else "sum(0)"
    rows = connection.execute(
        f"""
        select feed, sum(rows_landed), sum(rows_accepted), sum(rows_quarantined), {held_back},
            max(case when rows_landed > 0 then landed_at end)
        from quality.loads group by feed
        """
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


def _status(feed: Feed, counts: tuple[Any, ...], now: datetime) -> FeedStatus:
    *rows, last = counts
    last_load_at = last.replace(tzinfo=UTC) if last else None
    in_time = feed.fresh_within is None or (last_load_at is not None and now - last_load_at <= feed.fresh_within)
    landed, accepted, quarantined, held_back = map(int, rows)
    return FeedStatus(
        feed, landed, accepted, quarantined, held_back, last_load_at, last_load_at is not None and in_time
    )


def _named(names: Sequence[str]) -> str:
    if len(names) <= 3:
        return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}"
    return f"{len(names)} feeds ({', '.join(names[:2])}, ...) have"
