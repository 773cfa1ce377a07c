"""A fake API: a real local HTTP server with scripted answers."""

import json
from collections import defaultdict, deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

PROBABILITIES = {
    "freshapples": 0.973,
    "rottenapples": 0.02,
    "freshbanana": 0.004,
    "rottenbanana": 0.003,
}
PREDICTION: dict[str, Any] = {
    "prediction_id": "4f1d",
    "predicted_class": "freshapples",
    "prediction": "freshapples",
    "confidence": 0.973,
    "probabilities": PROBABILITIES,
    "fruit": "apple",
    "freshness": "fresh",
    "freshness_score": 0.977,
    "freshness_level": "fresh",
    "recognised": True,
    "interpretation": "Fresh apple: the grader is sure (97 %).",
    "model_version": "2026.11.21-1",
    "inference_time_ms": 7.312,
    "timestamp": "2026-11-21T10:00:00Z",
    "explanation": None,
}
HEALTH: dict[str, Any] = {
    "status": "healthy",
    "uptime_seconds": 12345.678,
    "prediction_count": 1234,
    "timestamp": "2026-11-21T10:00:00Z",
    "model_loaded": True,
    "api_version": "0.1.0",
}
MODEL_INFO: dict[str, Any] = {
    "status": "loaded",
    "uptime_seconds": 12345.678,
    "prediction_count": 1234,
    "model_info": {
        "version": "2026.11.21-1",
        "architecture": "efficientnet_lite0",
        "classes": list(PROBABILITIES),
        "input_size": 160,
        "data": {"files": 3395, "photographs": 1391},
        "metrics": {"by_photograph": {"accuracy": 0.981, "photographs": 278}},
    },
}


class Answer:
    """One scripted answer. A `body` that is neither bytes nor text is sent as JSON."""

    def __init__(
        self, body: object, status: int = 200, content_type: str = "application/json"
    ) -> None:
        text = body if isinstance(body, bytes | str) else json.dumps(body)
        self.body = text.encode() if isinstance(text, str) else text
        self.status = status
        self.content_type = content_type


def problem(status: int, detail: str, code: str = "a-code") -> Answer:
    """An error as the API reports it."""
    body = {"title": "A title", "status": status, "detail": detail, "code": code}
    return Answer(body, status, "application/problem+json")


OUTAGE = Answer("<h1>Bad gateway</h1>", 502, "text/html")
NOT_FOUND = problem(404, "Nothing is scripted here.")

Scripted = Answer | Callable[[bytes], Answer]


class FakeApi:
    """Answers each path with its entry in `answers`, after those queued in `first`. A key with a
    query takes precedence over the path alone; a function is called with the request's body. Paths
    in `slow` are not answered until `stop`. `received` holds the path and body of every request,
    `keys` its Authorization header, `idempotency_keys` the other one.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Scripted] = {
            "/predict": Answer(PREDICTION),
            "/health": Answer(HEALTH),
            "/model-info": Answer(MODEL_INFO),
        }
        self.first: defaultdict[str, deque[Scripted]] = defaultdict(deque)
        self.slow: set[str] = set()
        self.received: list[tuple[str, bytes]] = []
        self.keys: list[str | None] = []
        self.idempotency_keys: list[str] = []
        self._stopped = Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def sent_to(self, path: str) -> list[bytes]:
        """The bodies sent to `path`, with any query, in order."""
        return [body for received, body in self.received if path in _names(received)]

    def answer(self, path: str, body: bytes) -> Answer:
        self.received.append((path, body))
        names = _names(path)
        if self.slow.intersection(names):
            self._stopped.wait()
        queued = next((self.first[name] for name in names if self.first[name]), None)
        scripted = queued.popleft() if queued else None
        if scripted is None:
            scripted = next(
                (self.answers[name] for name in names if name in self.answers), NOT_FOUND
            )
        return scripted if isinstance(scripted, Answer) else scripted(body)

    def stop(self) -> None:
        """Stop listening; from now on the address refuses connections."""
        self._stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _names(path: str) -> tuple[str, str]:
    return path, path.partition("?")[0]


def _handler_of(api: FakeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            api.keys.append(self.headers.get("Authorization"))
            api.idempotency_keys += self.headers.get_all("Idempotency-Key", [])
            answer = api.answer(self.path, self.rfile.read(length))
            try:
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.content_type)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:  # The client has disconnected.
                self.close_connection = True

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - for http.server

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
