"""Request counts and durations, labelled by route template."""

from fastapi.testclient import TestClient

from api.app import create_app
from api.core import telemetry
from api.settings import Settings


def request_count(route: str, method: str, status: int) -> float:
    value: float = telemetry.REQUESTS.labels(route, method, str(status))._value.get()
    return value


def test_request_is_counted_under_its_route_template(client: TestClient) -> None:
    route = "/predictions/{prediction_id}"
    before = request_count(route, "GET", 404)
    client.get("/predictions/one")
    client.get("/predictions/two")
    assert request_count(route, "GET", 404) - before == 2
    assert 'route="/predictions/one"' not in client.get("/metrics").text


def test_unknown_paths_and_methods_create_no_new_labels(client: TestClient) -> None:
    before = request_count("unmatched", "GET", 404)
    for number in range(3):
        client.get(f"/nowhere/{number}")
    assert request_count("unmatched", "GET", 404) - before == 3
    before = request_count("/predict", "other", 405)
    client.request("BREW", "/predict")
    assert request_count("/predict", "other", 405) - before == 1


def test_request_duration_is_observed(client: TestClient) -> None:
    total = telemetry.REQUEST_SECONDS.labels("/live")._sum
    before = total.get()
    client.get("/live")
    assert total.get() > before


def test_internal_error_is_counted(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken-for-timing")
    def broken() -> None:
        raise RuntimeError

    before = telemetry.server_errors()
    with TestClient(app, raise_server_exceptions=False) as client:
        client.get("/broken-for-timing")
    assert request_count("/broken-for-timing", "GET", 500) == 1
    assert telemetry.server_errors() - before == 1
