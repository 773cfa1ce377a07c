"""Query parameters that a path does not take are refused, since a typo would change the result."""

from functools import cache

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings

# Probes, caches and browsers add their own parameters.
LENIENT = {"/", "/live", "/ready", "/health", "/status", "/model-info", "/metrics"}
CODE = "unknown-parameter"


@cache
def _operations() -> list[tuple[str, str, tuple[str, ...]]]:
    """The method, path and query parameters of each operation."""
    return [
        (
            method,
            path,
            tuple(one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"),
        )
        for path, operations in sorted(create_app(Settings()).openapi()["paths"].items())
        for method, operation in sorted(operations.items())
    ]


STRICT = [(method, path) for method, path, _ in _operations() if path not in LENIENT]
TAKEN = [(method, path, name) for method, path, names in _operations() for name in names]


@pytest.fixture(scope="module")
def unstarted(settings: Settings) -> TestClient:
    """A service that can refuse requests but not execute any."""
    return TestClient(create_app(settings), raise_server_exceptions=False)


def _filled(path: str) -> str:
    return path.replace("{number}", "1").replace("{", "").replace("}", "")


@pytest.mark.parametrize(("method", "path"), STRICT)
def test_unknown_parameter_is_refused(unstarted: TestClient, method: str, path: str) -> None:
    refused = unstarted.request(method, _filled(path), params={"unheard_of": 1})
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.status_code, refused.json()["code"]) == (422, CODE)
    assert "`unheard_of`" in refused.json()["detail"]


def test_refusal_is_in_the_openapi_document() -> None:
    paths = create_app(Settings()).openapi()["paths"]
    without = [at for at in STRICT if "422" not in paths[at[1]][at[0]]["responses"]]
    assert without == []


@pytest.mark.parametrize(("method", "path", "name"), TAKEN)
def test_parameter_that_a_path_takes_is_known(
    unstarted: TestClient, method: str, path: str, name: str
) -> None:
    answer = unstarted.request(method, _filled(path), params={name: ""})
    assert answer.json()["code"] != CODE


@pytest.mark.parametrize("path", sorted({*LENIENT, "/docs", "/openapi.json"}))
def test_probe_may_add_parameters(client: TestClient, path: str) -> None:
    assert client.get(f"{path}?x=1&_=2").status_code == 200


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/predict?instance=true", "instances"),
        ("/predict?instances=true&Explain=full", "explain"),
        ("/predict?predictionid=", "prediction_id"),
        ("/models/a/threshold-sweep?fruit=apple&worst_share=0.5", "worse_share"),
        ("/predictions?untill=", "until"),
    ],
)
def test_nearest_name_is_suggested(unstarted: TestClient, path: str, meant: str) -> None:
    method = "POST" if path.startswith("/predict?") else "GET"
    detail = unstarted.request(method, path).json()["detail"]
    assert f"Did you mean `{meant}`?" in detail


def test_all_names_are_listed_if_none_is_near(unstarted: TestClient) -> None:
    several = unstarted.post("/predict", params={"x" * 5000: 1}).json()["detail"]
    assert several.endswith("It takes `explain`, `instances`, `prediction_id`, `record`.")
    assert len(several) < 300
    assert "Did you mean" not in several
    none = unstarted.get("/freshness-thresholds?x").json()["detail"]
    assert none.endswith("It takes no parameters.")


def test_wrong_path_or_method_is_reported_first(unstarted: TestClient) -> None:
    assert unstarted.get("/predict?x=1").status_code == 405
    assert unstarted.get("/nowhere?x=1").status_code == 404
