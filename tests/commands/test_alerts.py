"""Alerts from Alertmanager, forwarded through Apprise to a real receiver."""

import json
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.commands.alerts import MAX_BYTES, AlertServer
from api.settings import Settings
from tests.monitoring.webhook import Webhook, running_webhook
from tests.waiting import ANSWER_SECONDS

Serve = Callable[[Webhook | None], str]


def alert(status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "NoChampion", "severity": "critical", **labels},
        "annotations": {
            "summary": f"Replica {labels.get('instance', 'a')} has no model.",
            "description": "It answers 503.",
            "runbook": "docs/RUNBOOK.md#nochampion",
        },
        "startsAt": "2026-11-30T10:00:00Z",
        "fingerprint": "f",
    }


def group(*alerts: dict[str, Any], status: str = "firing") -> dict[str, Any]:
    """A group of alerts as Alertmanager sends it."""
    return {"version": "4", "receiver": "people", "status": status, "alerts": list(alerts)}


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running_webhook() as webhook:
        yield webhook


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[tuple[AlertServer, Thread]] = []

    def started(webhook: Webhook | None) -> str:
        urls = (SecretStr(webhook.url),) if webhook else ()
        server = AlertServer(("127.0.0.1", 0), Settings(notify=urls, ui_url="http://app"))
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/"

    yield started
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_alert_is_forwarded_with_what_to_do(serve: Serve, webhook: Webhook) -> None:
    url = serve(webhook)
    assert httpx.get(f"{url}ready").status_code == 200
    sent = group(alert(instance="a"), alert(instance="b"), alert("resolved", instance="c"))
    assert httpx.post(url, json=sent, timeout=ANSWER_SECONDS).status_code == 200
    [told] = webhook.received
    assert (told["title"], told["type"]) == ("Ripeline: NoChampion", "failure")
    for part in ("Replica a has", "Replica b has", "RUNBOOK.md#nochampion", "http://app"):
        assert part in told["message"]
    assert "Replica c" not in told["message"]


def test_end_of_an_alert_is_forwarded(serve: Serve, webhook: Webhook) -> None:
    assert httpx.post(
        serve(webhook), json=group(alert("resolved"), status="resolved"), timeout=ANSWER_SECONDS
    ).is_success
    [told] = webhook.received
    assert (told["title"], told["type"]) == ("Ripeline: NoChampion is over", "success")


def test_labels_cannot_mention_anybody(serve: Serve, webhook: Webhook) -> None:
    sent = group(alert(instance="@all <http://evil.example>"))
    assert httpx.post(serve(webhook), json=sent, timeout=ANSWER_SECONDS).status_code == 200
    [told] = webhook.received
    assert "(at)all (http: //evil.example)" in told["message"]


def test_alertmanager_has_to_try_again_if_nobody_was_told(serve: Serve, webhook: Webhook) -> None:
    webhook.status = 500
    assert httpx.post(serve(webhook), json=group(alert()), timeout=30).status_code == 502


def test_without_receivers_alerts_are_logged(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    assert httpx.post(serve(None), json=group(alert()), timeout=ANSWER_SECONDS).status_code == 200
    assert "Alert: NoChampion" in caplog.text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 400),
        (b"\xff", 400),
        (json.dumps(group()).encode(), 400),
        (b"[" * 10_000, 400),
        (b"x" * (MAX_BYTES + 1), 413),
    ],
    ids=["empty", "no text", "no alerts", "nested", "large"],
)
def test_body_that_is_not_a_group_of_alerts_is_refused(
    serve: Serve, webhook: Webhook, body: bytes, status: int
) -> None:
    url = serve(webhook)
    try:
        assert httpx.post(url, content=body, timeout=ANSWER_SECONDS).status_code == status
    except (httpx.WriteError, httpx.ReadError):  # Closed before everything was sent.
        assert status == 413
    assert httpx.post(url, json=group(alert()), timeout=ANSWER_SECONDS).status_code == 200
    assert len(webhook.received) == 1
