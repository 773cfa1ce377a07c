"""Notifications through Apprise: mail, chats and webhooks, as set in RIPELINE_NOTIFY.

Every API process and worker looks for events every few seconds. The first process to record an
event as taken sends it, so each event is sent once. That process tries again with those receivers
that did not take it: a laptop that wakes up has no network yet, and a mail server restarts. If the
process dies meanwhile, the event is lost.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from time import monotonic

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from api.core.notify_urls import receiver, scheme
from api.monitoring.events import NEWS, Event, new_events
from api.settings import Settings
from api.storage.db import Database, now
from api.storage.tables.triggers import NotificationRow

POLL_SECONDS = 5.0
# For all receivers together, even if one hangs.
SEND_SECONDS = 20.0
# Pauses after which receivers that did not take an event are told again; then it is given up.
RETRY_SECONDS = (30.0, 300.0, 3600.0, 6 * 3600.0)
log = logging.getLogger(__name__)


class Receiver:
    """One address. Use it from one thread."""

    def __init__(self, number: int, url: SecretStr) -> None:
        self._number = number
        self._url = url
        self._sending: Future[bool] | None = None
        self._event = ""

    def __str__(self) -> str:
        """For the log, without the address, which may hold a password."""
        return f"Receiver {self._number} ({scheme(self._url)})"

    def send(self, event: Event, footer: str) -> "Future[bool] | None":
        """Start to send; the result says whether the receiver took it.

        None while an earlier event hangs, which bounds the number of threads.
        """
        if self._sending is not None and not self._sending.done():
            return None
        self._event, sending = event.id, Future[bool]()
        self._sending = sending

        def work() -> None:
            try:
                sending.set_result(self._deliver(event, footer))
            except Exception as error:  # Each service raises its own.
                sending.set_exception(error)

        # A daemon, so that no process waits at exit for a receiver that hangs.
        Thread(target=work, name="notification", daemon=True).start()
        return sending

    def took(self, event: Event) -> bool:
        """Whether it took this event, its last one, after the time for that had run out."""
        return self._event == event.id and not _problem(self._sending, 0.0)

    def _deliver(self, event: Event, footer: str) -> bool:
        body = f"{event.body}\n{footer}"
        return bool(
            receiver(self._url.get_secret_value()).notify(
                title=f"Ripeline: {event.title}",
                body=body,
                notify_type=event.kind,
                body_format="text",
            )
        )


class Receivers:
    """All addresses. Use it from one thread. Each message ends with `footer`; sending one takes at
    most `seconds`."""

    def __init__(self, urls: Sequence[SecretStr], footer: str, seconds: float) -> None:
        self.all = [Receiver(number, url) for number, url in enumerate(urls, start=1)]
        self._footer = footer
        self._seconds = seconds

    def send(self, event: Event, receivers: Sequence[Receiver]) -> list[Receiver]:
        """Returns those that did not take it."""
        end = monotonic() + self._seconds
        begun = [(each, each.send(event, self._footer)) for each in receivers]
        failed = []
        for each, sending in begun:
            if problem := _problem(sending, end - monotonic()):
                failed.append(each)
                log.warning("%s was not told of %s: %s", each, event.id, problem)
        return failed


@dataclass(frozen=True)
class Untold:
    """An event that `receivers` did not take in `attempts`; they are told again at `due`, in
    seconds of the monotonic clock."""

    event: Event
    receivers: Sequence[Receiver]
    attempts: int
    due: float


class Notifier:
    """Call `poll` periodically, from one thread."""

    def __init__(
        self, database: Database, settings: Settings, seconds: float = SEND_SECONDS
    ) -> None:
        self._database = database
        self._receivers = Receivers(settings.notify, settings.ui_url, seconds)
        self._since = now() - NEWS
        self._untold: list[Untold] = []

    def poll(self) -> None:
        """Send the events that no other process has taken, and again what was not taken. Raises
        database errors."""
        # Later only if the clock was ahead: what happens from now on is news. If it is set forward,
        # as after a computer slept, what happened before that still is.
        self._since = min(self._since, now() - NEWS)
        with self._database.reading() as session:
            events = new_events(session, self._since)
        for event in events:
            if self._take(event):
                self._tell(event, self._receivers.all)
        for untold in [untold for untold in self._untold if untold.due <= monotonic()]:
            self._untold.remove(untold)
            receivers = [each for each in untold.receivers if not each.took(untold.event)]
            self._tell(untold.event, receivers, untold.attempts)

    def _take(self, event: Event) -> bool:
        try:
            with self._database.session() as session:
                session.add(NotificationRow(event=event.id))
        except IntegrityError:  # Another process was faster.
            return False
        return True

    def _tell(self, event: Event, receivers: Sequence[Receiver], attempts: int = 0) -> None:
        failed = self._receivers.send(event, receivers)
        if failed and attempts < len(RETRY_SECONDS):
            due = monotonic() + RETRY_SECONDS[attempts]
            self._untold.append(Untold(event, failed, attempts + 1, due))
        with self._database.session() as session:
            if row := session.get(NotificationRow, event.id):
                row.failed = len(failed)


def _problem(sending: "Future[bool] | None", seconds: float) -> str:
    """Why a receiver did not take it; empty if it did. Without the error's text, which may quote
    an address."""
    if sending is None:
        return "it still hangs at an earlier one"
    try:
        return "" if sending.result(max(0.0, seconds)) else "it refused, or cannot be reached"
    except TimeoutError:
        return "it does not answer in time"
    except Exception as error:
        return type(error).__name__
