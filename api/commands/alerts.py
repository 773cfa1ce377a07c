"""Forward Alertmanager's alerts to RIPELINE_NOTIFY: `python -m api.commands.alerts`.

A process of its own, which needs neither catalog nor model, so that people are notified even if
no API process works. It listens where the API would (RIPELINE_HOST, RIPELINE_API_PORT).
"""

import logging
import signal
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from api.core.log_setup import configure_logging
from api.monitoring.events import Event, Kind, harmless
from api.monitoring.notifications import SEND_SECONDS, Receivers
from api.settings import Settings, get_settings
from api.storage.db import now

MAX_BYTES = 2**20
# To receive a request.
REQUEST_SECONDS = 10.0
MAX_LISTED = 20
log = logging.getLogger(__name__)


class Alert(BaseModel):
    """One alert, as in `deploy/prometheus/rules/alerts.yml`."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def lines(self) -> str:
        texts = (self.annotations.get(name, "") for name in ("summary", "description", "runbook"))
        return "\n".join(harmless(text) for text in texts if text)


class AlertGroup(BaseModel):
    """What Alertmanager sends to a webhook: alerts of one name."""

    status: Literal["firing", "resolved"]
    alerts: list[Alert] = Field(min_length=1)

    def event(self) -> Event:
        named = {alert.labels.get("alertname", "Alert"): alert for alert in self.alerts}
        critical = any(alert.labels.get("severity") == "critical" for alert in self.alerts)
        kind: Kind = "failure" if critical else "warning"
        title = ", ".join(harmless(name) for name in named)
        if self.status == "resolved":
            title, kind = f"{title} is over", "success"
        listed = [alert for alert in self.alerts if alert.status == self.status][:MAX_LISTED]
        body = "\n\n".join(alert.lines for alert in listed)
        return Event(f"alert:{title}", now(), kind, title, body)


class AlertServer(HTTPServer):
    """`POST /` takes an AlertGroup; `GET` answers 200 while it works. One request at a time."""

    def __init__(self, address: tuple[str, int], settings: Settings) -> None:
        super().__init__(address, _Handler)
        self.receivers = Receivers(settings.notify, settings.ui_url, SEND_SECONDS)

    def tell(self, body: bytes) -> HTTPStatus:
        """502 if no receiver could be notified: Alertmanager then retries."""
        try:
            event = AlertGroup.model_validate_json(body).event()
        except ValidationError as error:
            log.warning(
                "The request body is not a valid alert group: %d errors.", error.error_count()
            )
            return HTTPStatus.BAD_REQUEST
        log.warning("Alert: %s", event.title)
        everybody = self.receivers.all
        if everybody and self.receivers.send(event, everybody) == everybody:
            return HTTPStatus.BAD_GATEWAY
        return HTTPStatus.OK


class _Handler(BaseHTTPRequestHandler):
    server: AlertServer
    timeout = REQUEST_SECONDS

    def do_GET(self) -> None:
        self._answer(HTTPStatus.OK)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self._answer(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > MAX_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self._answer(self.server.tell(self.rfile.read(int(length))))

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: `tell` says what matters."""


def main() -> int:
    settings = get_settings()
    configure_logging(settings.log_level, settings.log_format)
    if not settings.notify:
        log.warning("RIPELINE_NOTIFY is not set: alerts are only logged.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with AlertServer((settings.host, settings.port), settings) as server:
        log.info("Waiting for alerts on port %d.", server.server_port)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
