"""A route that FastAPI stands in front of only where the address has a query."""

import fastapi.routing
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from api.http.routing import DirectRoute

router = APIRouter(prefix="/fruit", route_class=DirectRoute)


@router.post("/ripe")
async def ripe(request: Request, days: int = 3) -> PlainTextResponse:
    body = await request.body()
    if not body:
        raise HTTPException(400, "no fruit")
    return PlainTextResponse(f"{body.decode()} in {days}")


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    return TestClient(app)


def test_a_query_is_read_and_checked(client: TestClient) -> None:
    assert client.post("/fruit/ripe?days=5", content="pear").text == "pear in 5"
    assert client.post("/fruit/ripe?days=soon", content="pear").status_code == 422


def test_without_a_query_nothing_is_looked_for(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(**_: object) -> None:
        raise AssertionError("FastAPI looked for parameters")

    monkeypatch.setattr(fastapi.routing, "solve_dependencies", look)
    assert client.post("/fruit/ripe", content="pear").text == "pear in 3"
    with pytest.raises(AssertionError):  # So it would have been told.
        client.post("/fruit/ripe?days=5", content="pear")


def test_errors_and_other_methods_are_answered_as_ever(client: TestClient) -> None:
    assert client.post("/fruit/ripe").status_code == 400
    assert client.get("/fruit/ripe").status_code == 405
    assert "days" in client.get("/openapi.json").text
