"""A receiver of notifications: a real HTTP server, which may hang or refuse."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

# Part of its address, so it must not be shown.
PATH = "sesame-open-4711"


class Webhook:
    """Keeps notifications in order in `received`. Answers with `status`, or, while `hangs`, not at
    all."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        self.hangs = False
        self._goes_on = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        """The address for RIPELINE_NOTIFY. Apprise itself would wait for ten minutes."""
        return f"json://127.0.0.1:{self._server.server_port}/{PATH}?rto=600"

    @property
    def titles(self) -> list[str]:
        return [one["title"] for one in self.received]

    def take(self, body: bytes) -> int | None:
        self.received.append(json.loads(body))
        if self.hangs:
            self._goes_on.wait()
            return self.status if self.hangs else None
        return self.status

    def answer(self) -> None:
        """Answer everybody who waits."""
        self._goes_on.set()

    def stop(self) -> None:
        self.hangs = False
        self._goes_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@contextmanager
def running_webhook() -> Iterator[Webhook]:
    webhook = Webhook()
    try:
        yield webhook
    finally:
        webhook.stop()


def _handler_of(webhook: Webhook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = webhook.take(self.rfile.read(int(self.headers["Content-Length"])))
            if status is not None:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler
