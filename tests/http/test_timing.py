"""Counting and timing requests by the template of their route."""

from fastapi.testclient import TestClient

from api.app import create_app
from api.core import telemetry
from api.settings import Settings


def counted(route: str, method: str, status: int) -> float:
    value: float = telemetry.REQUESTS.labels(route, method, str(status))._value.get()
    return value


def test_a_request_counts_under_its_template(client: TestClient) -> None:
    route = "/predictions/{prediction_id}"
    before = counted(route, "GET", 404)
    client.get("/predictions/one")
    client.get("/predictions/two")
    assert counted(route, "GET", 404) - before == 2
    assert 'route="/predictions/one"' not in client.get("/metrics").text


def test_paths_and_methods_of_any_kind_make_no_new_labels(client: TestClient) -> None:
    before = counted("unmatched", "GET", 404)
    for number in range(3):
        client.get(f"/nowhere/{number}")
    assert counted("unmatched", "GET", 404) - before == 3
    before = counted("/predict", "other", 405)
    client.request("BREW", "/predict")
    assert counted("/predict", "other", 405) - before == 1


def test_the_time_is_observed(client: TestClient) -> None:
    total = telemetry.REQUEST_SECONDS.labels("/live")._sum
    before = total.get()
    client.get("/live")
    assert total.get() > before


def test_a_failure_of_ours_counts_as_one(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken-for-timing")
    def broken() -> None:
        raise RuntimeError

    before = telemetry.server_errors()
    with TestClient(app, raise_server_exceptions=False) as client:
        client.get("/broken-for-timing")
    assert counted("/broken-for-timing", "GET", 500) == 1
    assert telemetry.server_errors() - before == 1
