"""The versions of a model and who was champion when, so that a run for a date chooses as it chose the first time.

A decision counts from the as-of date of the run that took it. What the rule decides for a date replaces what it had
decided for that date before, and never looks at later dates; a person's word counts from the last date that was
decided on, and for that date more than the rule's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from orchestration.errors import CatalystError

PROMOTED, ARCHIVED = "promoted", "archived"
BY_RULE = "the promotion rule"
# Before the date, in the name under which a decision is kept with its version.
DECISION = "decision."


@dataclass(frozen=True)
class Decision:
    """What was decided on a version.

    Attributes:
        as_of: The date from which on it counts.
        at: When it was taken, in UTC, as text that sorts.
        outcome: `promoted` or `archived`.
        by: The rule, or who decided by hand.
    """

    as_of: date
    at: str
    outcome: str
    by: str
    reason: str

    @property
    def is_by_hand(self) -> bool:
        """Whether a person decided."""
        return self.by != BY_RULE


@dataclass(frozen=True)
class Request:
    """Somebody's wish that a model be trained again at the next run from an as-of date on."""

    as_of: date
    at: str
    by: str
    reason: str


@dataclass(frozen=True)
class Version:
    """A trained model in the registry.

    Attributes:
        number: Its version in the registry, counted from 1.
        fingerprint: What `model_version` says on the rows that it predicts: the same training, the same fingerprint.
        as_of: The as-of date of the run that trained it.
        inputs: Fingerprint of what it was trained, measured and compared on.
        decisions: In the order in which they count.
    """

    name: str
    number: int
    fingerprint: str
    as_of: date
    trained_through: date
    inputs: str
    run_id: str
    metrics: Mapping[str, float]
    aliases: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def last_decision(self) -> Decision | None:
        """The decision that counts now."""
        return self.decisions[-1] if self.decisions else None

    def as_json(self) -> dict[str, Any]:
        """Returns it as `catalyst models --json` prints it."""
        last = self.last_decision
        return {
            "name": self.name,
            "version": self.number,
            "aliases": list(self.aliases),
            "metrics": dict(self.metrics),
            "reason": last.reason if last else "",
            "status": last.outcome if last else "undecided",
            "model_version": self.fingerprint,
            "as_of": self.as_of.isoformat(),
            "trained_through": self.trained_through.isoformat(),
            "decisions": [plain(one) for one in self.decisions],
        }


def read(name: str, number: int, run_id: str, tags: Mapping[str, str], aliases: Sequence[str]) -> Version:
    """Returns a version from what is kept of it as texts."""
    decisions = (Decision(**_dated(text)) for key, text in tags.items() if key.startswith(DECISION))
    return Version(
        name=name,
        number=number,
        fingerprint=tags["fingerprint"],
        as_of=date.fromisoformat(tags["as_of"]),
        trained_through=date.fromisoformat(tags["trained_through"]),
        inputs=tags["inputs"],
        run_id=run_id,
        metrics=json.loads(tags["metrics"]),
        aliases=tuple(aliases),
        decisions=tuple(sorted(decisions, key=lambda one: (one.as_of, one.at))),
    )


def request(text: str) -> Request:
    """Returns a request from its text."""
    return Request(**_dated(text))


def plain(kept: Decision | Request) -> dict[str, Any]:
    """Returns it as JSON can hold it."""
    return {**vars(kept), "as_of": kept.as_of.isoformat()}


def promotions(versions: Sequence[Version]) -> list[tuple[Decision, Version]]:
    """Returns every promotion with its version, in the order in which they count."""
    found = [(one, version) for version in versions for one in version.decisions if one.outcome == PROMOTED]
    return sorted(found, key=lambda pair: (pair[0].as_of, pair[0].at))


def champion(versions: Sequence[Version], as_of: date | None = None) -> Version | None:
    """Returns the version that predicts for a date, or, without one, for the last."""
    found = [version for one, version in promotions(versions) if as_of is None or one.as_of <= as_of]
    return found[-1] if found else None


def champion_before(versions: Sequence[Version], as_of: date) -> Version | None:
    """Returns the version that a challenger of a date has to beat: what the date itself decided does not count."""
    found = [version for one, version in promotions(versions) if one.as_of < as_of]
    return found[-1] if found else None


def by_hand(versions: Sequence[Version], as_of: date) -> Version | None:
    """Returns the version that a person has chosen for a date."""
    found = [version for one, version in promotions(versions) if one.as_of == as_of and one.is_by_hand]
    return found[-1] if found else None


def in_use(versions: Sequence[Version], as_of: date) -> Version | None:
    """Returns the version that predicts for a date: its champion or, where none was good enough yet, the latest."""
    trained = [version for version in versions if version.as_of <= as_of]
    latest = max(trained, key=lambda version: (version.as_of, _decided_at(version)), default=None)
    return champion(versions, as_of) or latest


def why_train(versions: Sequence[Version], as_of: date, days: int, request: Request | None = None) -> str:
    """Returns why a challenger is to be trained for a date; an empty text where none is.

    Versions that the date itself has trained do not count, so that a second run for it does what the first one did.
    """
    if champion_before(versions, as_of) is None:
        return "there is no champion yet"
    wish = open_request(versions, as_of, request)
    if wish:
        return f"{wish.by} asked for it: {wish.reason}"
    age = min(((as_of - version.as_of).days for version in versions if version.as_of < as_of), default=days)
    return f"the last training is {age} days old" if age >= days else ""


def open_request(versions: Sequence[Version], as_of: date, request: Request | None) -> Request | None:
    """Returns the wish for a training that a run for a date has to meet, as no training before it has met it."""
    earlier = [version for version in versions if version.as_of < as_of]
    is_met = request is None or any(_decided_at(version) > request.at for version in earlier)
    return request if request and request.as_of <= as_of and not is_met else None


def find(versions: Sequence[Version], name: str, wanted: str) -> Version:
    """Returns the version with a number or fingerprint.

    Raises:
        CatalystError: There is none.
    """
    for version in versions:
        if wanted in {str(version.number), version.fingerprint}:
            return version
    known = ", ".join(str(version.number) for version in versions) or "none"
    raise CatalystError(f"{name} has no version {wanted}; there are: {known}. `catalyst models` lists them.")


def previous(versions: Sequence[Version], name: str) -> Version:
    """Returns the champion before the one of now, counted from the first time that this one was promoted.

    Raises:
        CatalystError: There was none before.
    """
    past = [version.number for _, version in promotions(versions)]
    if past and (first := past.index(past[-1])):
        return next(version for version in versions if version.number == past[first - 1])
    raise CatalystError(
        f"{name} has had {'one champion' if past else 'no champion'} so far, so there is none to go back to: "
        f"name a version, as in `catalyst models promote {name} 1`."
    )


def latest_date(versions: Sequence[Version]) -> date:
    """Returns the last as-of date that anything was decided or trained for."""
    return max(day for version in versions for day in (version.as_of, *(one.as_of for one in version.decisions)))


def _decided_at(version: Version) -> str:
    return max((one.at for one in version.decisions), default="")


def _dated(text: str) -> dict[str, Any]:
    kept = json.loads(text)
    return {**kept, "as_of": date.fromisoformat(kept["as_of"])}
