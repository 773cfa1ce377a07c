"""Notifications through Apprise: mail, chats and webhooks, as set in RIPELINE_NOTIFY.

Every API process and worker looks for events every few seconds. The first process to record an
event as taken sends it, so each event is sent once. If that process dies meanwhile, the event is
lost.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
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
log = logging.getLogger(__name__)


class Receiver:
    """One address. Use it from one thread."""

    def __init__(self, url: SecretStr) -> None:
        self._url = url
        self._sending: Future[bool] | None = None

    @property
    def name(self) -> str:
        return scheme(self._url)

    def send(self, event: Event, footer: str) -> "Future[bool] | None":
        """Start to send; the result says whether the receiver took it.

        None while an earlier event hangs, which bounds the number of threads.
        """
        if self._sending is not None and not self._sending.done():
            return None
        sending = self._sending = Future()

        def work() -> None:
            try:
                sending.set_result(self._deliver(event, footer))
            except Exception as error:  # Each service raises its own.
                sending.set_exception(error)

        # A daemon, so that no process waits at exit for a receiver that hangs.
        Thread(target=work, name="notification", daemon=True).start()
        return sending

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
    """All addresses. Use it from one thread. Each message ends with `footer`."""

    def __init__(self, urls: Sequence[SecretStr], footer: str, seconds: float) -> None:
        self._receivers = [Receiver(url) for url in urls]
        self._footer = footer
        self._seconds = seconds

    @property
    def count(self) -> int:
        return len(self._receivers)

    def send(self, event: Event) -> int:
        """Returns how many receivers did not take it."""
        end = monotonic() + self._seconds
        begun = [(each, each.send(event, self._footer)) for each in self._receivers]
        failed = 0
        for number, (each, sending) in enumerate(begun, start=1):
            if problem := _problem(sending, end - monotonic()):
                failed += 1
                log.warning(
                    "Receiver %s (%s) was not told of %s: %s",
                    *(number, each.name, event.id, problem),
                )
        return failed


class Notifier:
    """Call `poll` periodically, from one thread."""

    def __init__(
        self, database: Database, settings: Settings, seconds: float = SEND_SECONDS
    ) -> None:
        self._database = database
        self._receivers = Receivers(settings.notify, settings.ui_url, seconds)
        self._since = now() - NEWS

    def poll(self) -> None:
        """Send the events that no other process has taken. Raises database errors."""
        # Later only if the clock was ahead: what happens from now on is news. If it is set forward,
        # as after a computer slept, what happened before that still is.
        self._since = min(self._since, now() - NEWS)
        with self._database.reading() as session:
            events = new_events(session, self._since)
        for event in events:
            if self._take(event):
                failed = self._receivers.send(event)
                with self._database.session() as session:
                    session.get_one(NotificationRow, event.id).failed = failed

    def _take(self, event: Event) -> bool:
        try:
            with self._database.session() as session:
                session.add(NotificationRow(event=event.id))
        except IntegrityError:  # Another process was faster.
            return False
        return True


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
