"""Tells people what needs them: every alert is kept as a file, and sent on through Apprise (its only importer)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.settings import Settings


@dataclass(frozen=True)
class Alert:
    """What somebody is to know.

    Attributes:
        subject: What it is about, such as a feed: part of the file's name.
        title: One line.
        body: Markdown: what happened, in counts and examples, and the command to run next.
    """

    subject: str
    title: str
    body: str


@dataclass(frozen=True)
class Sent:
    """Where an alert went.

    Attributes:
        path: The file that keeps it.
        undelivered: The receivers that did not take it, their secrets masked, with the reason.
    """

    path: Path
    undelivered: tuple[str, ...]


def send(alert: Alert, settings: Settings) -> Sent:
    """Keeps an alert in `<home>/alerts` and sends it to every receiver that CATALYST_ALERTS names.

    A receiver that cannot be reached does not end the work that the alert is about: it is named in the result, in the
    file and, by the callers, to the user.
    """
    folder = settings.home / "alerts"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S.%f}-{alert.subject}.md"
    undelivered = tuple(problem for url in settings.alerts.split() if (problem := _deliver(url, alert)) is not None)
    lines = [f"# {alert.title}", "", alert.body, *(f"\nNot delivered to {problem}" for problem in undelivered), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return Sent(path, undelivered)


def _deliver(url: str, alert: Alert) -> str | None:
    """Returns what went wrong, or None."""
    import apprise

    receiver = apprise.Apprise.instantiate(url)
    if not isinstance(receiver, apprise.NotifyBase):
        scheme = url.split(":", 1)[0]
        return f"{scheme}://…: CATALYST_ALERTS holds an address that Apprise cannot read; correct it."
    reasons = _Reasons()
    logger = logging.getLogger("apprise")
    logger.addHandler(reasons)
    try:
        taken = receiver.notify(
            body=alert.body, title=alert.title, notify_type=apprise.NotifyType.WARNING, body_format="markdown"
        )
    finally:
        logger.removeHandler(reasons)
    if taken:
        return None
    masked = receiver.url(privacy=True)  # type: ignore[no-untyped-call]  # Apprise leaves its plugins untyped
    return f"{masked}: {' '.join(reasons.said) or 'it gave no reason.'}"


class _Reasons(logging.Handler):
    """Apprise answers yes or no; why not, it only logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())
