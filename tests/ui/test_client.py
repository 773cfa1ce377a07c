"""The API client: every failed call raises an ApiError that says what to do."""

from collections.abc import Iterator

import httpx
import pytest
from client import ApiClient
from errors import ApiError
from pydantic import BaseModel

from tests.ui.fake_api import HEALTH, OUTAGE, PREDICTION, Answer, FakeApi, problem
from tests.ui.fake_tray import NO_DETECTOR
from tests.waiting import ANSWER_SECONDS


@pytest.fixture
def client(api: FakeApi) -> Iterator[ApiClient]:
    client = ApiClient(api.address, timeout=ANSWER_SECONDS, health_timeout=ANSWER_SECONDS)
    yield client
    client.close()


def failing(error: Exception) -> ApiClient:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error

    return ApiClient(
        "http://api.test", timeout=1, health_timeout=1, transport=httpx.MockTransport(fail)
    )


def predict_error(client: ApiClient) -> ApiError:
    with pytest.raises(ApiError) as raised:
        client.predict("apple.jpg", b"photo")
    return raised.value


def test_predict_sends_the_photo_with_its_name_and_parses_the_response(
    client: ApiClient, api: FakeApi
) -> None:
    prediction = client.predict("apple.jpg", b"the bytes")

    assert prediction.predicted_class == "freshapples"
    assert prediction.probabilities == PREDICTION["probabilities"]
    [body] = api.sent_to("/predict")
    assert b'name="file"; filename="apple.jpg"' in body
    assert b"the bytes" in body


def test_frame_of_a_live_camera_is_not_recorded(client: ApiClient, api: FakeApi) -> None:
    api.answers["/predict?record=false&instances=true"] = NO_DETECTOR
    api.answers["/predict?record=false"] = Answer(PREDICTION)
    api.answers["/predict"] = OUTAGE

    assert client.predict_frame(b"frame", instances=True).instances is None
    paths = [path for path, _ in api.received]
    assert paths == ["/predict?record=false&instances=true", "/predict?record=false"]


def test_nulls_and_unknown_fields_are_accepted(client: ApiClient, api: FakeApi) -> None:
    api.answers["/predict"] = Answer(
        PREDICTION | {"fruit": None, "freshness": None, "freshness_score": None, "new": [1]}
    )
    api.answers["/model-info"] = Answer({"model_info": {"version": None, "classes": None}})

    assert client.predict("mango.jpg", b"photo").freshness is None
    model = client.model_info().model_info
    assert model is not None
    assert model.classes is None


def test_http_proxy_of_the_environment_is_ignored(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    client = ApiClient(api.address, timeout=ANSWER_SECONDS, health_timeout=ANSWER_SECONDS)

    assert client.health().status == "healthy"
    client.close()


def test_health_has_a_shorter_timeout_than_predict() -> None:
    timeouts: dict[str, float] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        timeouts[request.url.path] = request.extensions["timeout"]["read"]
        return httpx.Response(200, json=HEALTH if request.url.path == "/health" else PREDICTION)

    transport = httpx.MockTransport(answer)
    client = ApiClient("http://api.test", timeout=30, health_timeout=3, transport=transport)
    client.health()
    client.predict("apple.jpg", b"photo")

    assert timeouts == {"/health": 3, "/predict": 30}


def test_unreachable_api_error_names_the_address_and_how_to_start_it(
    client: ApiClient, api: FakeApi
) -> None:
    api.stop()

    error = predict_error(client)

    assert api.address in error.detail
    assert "make run" in error.detail
    assert "RIPELINE_API_URL" in error.detail
    assert error.retryable


@pytest.mark.parametrize("error", [httpx.ReadTimeout("slow"), httpx.ConnectTimeout("slow")])
def test_timeout_error_says_that_it_took_too_long(error: Exception) -> None:
    raised = predict_error(failing(error))

    assert "too long" in raised.title
    assert raised.retryable


@pytest.mark.parametrize("error", [httpx.ReadError("gone"), httpx.RemoteProtocolError("cut")])
def test_dropped_connection_is_reported_as_not_answering(error: Exception) -> None:
    assert "not answering" in predict_error(failing(error)).title


@pytest.mark.parametrize("address", ["ftp://api.test", "http://api:port", "http://"])
def test_invalid_address_is_named_in_the_error(address: str) -> None:
    client = ApiClient(address, timeout=1, health_timeout=1)

    error = predict_error(client)

    assert "not valid" in error.title
    assert address in error.detail
    assert "RIPELINE_API_URL" in error.detail


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_rejected_request_shows_the_detail_of_the_api(
    client: ApiClient, api: FakeApi, status: int
) -> None:
    api.answers["/predict"] = problem(status, "Send a smaller photo.")

    error = predict_error(client)

    assert error.detail == "Send a smaller photo."
    assert not error.retryable


@pytest.mark.parametrize("status", [429, 503])
def test_busy_api_error_is_retryable(client: ApiClient, api: FakeApi, status: int) -> None:
    api.answers["/predict"] = problem(status, "No model is loaded yet.")

    error = predict_error(client)

    assert error.detail == "No model is loaded yet."
    assert error.retryable


def test_html_error_page_of_a_proxy_is_not_shown(client: ApiClient, api: FakeApi) -> None:
    api.answers["/predict"] = OUTAGE

    error = predict_error(client)

    assert "502" in error.detail
    assert "<h1>" not in error.detail
    assert error.retryable


@pytest.mark.parametrize(
    "answer",
    [
        Answer("<html>Welcome</html>", 200, "text/html"),
        Answer('{"confidence": 0.9'),
        Answer([1, 2]),
        Answer(PREDICTION | {"confidence": 3}),
        Answer("<h1>Not found</h1>", 404, "text/html"),
        Answer({"detail": [{"msg": "Field required"}]}, 422),
        Answer("", 301),
    ],
    ids=["html", "cut-json", "list", "wrong-value", "html-404", "other-error", "redirect"],
)
def test_invalid_response_is_reported_as_not_from_the_api(
    client: ApiClient, api: FakeApi, answer: Answer
) -> None:
    api.answers["/predict"] = answer

    error = predict_error(client)

    assert "Something other" in error.title
    assert api.address in error.detail


class Row(BaseModel):
    number: int


def test_lines_are_read_one_by_one(client: ApiClient, api: FakeApi) -> None:
    api.answers["/rows"] = Answer('{"number": 1}\n{"number": 2}\n', content_type="ndjson")

    rows = client.lines(Row, "POST", "/rows", files=[("files", ("a.jpg", b"photo"))])

    assert [row.number for row in rows] == [1, 2]


def test_truncated_line_raises_after_the_complete_lines(client: ApiClient, api: FakeApi) -> None:
    api.answers["/rows"] = Answer('{"number": 1}\n{"numb')
    rows = client.lines(Row, "GET", "/rows")

    assert next(rows).number == 1
    with pytest.raises(ApiError, match="could not be read"):
        next(rows)


def test_rejected_stream_request_shows_the_detail_of_the_api(
    client: ApiClient, api: FakeApi
) -> None:
    api.answers["/rows"] = problem(413, "The body is too large.")

    with pytest.raises(ApiError, match="The body is too large"):
        list(client.lines(Row, "GET", "/rows"))


def test_content_is_returned_as_bytes(client: ApiClient, api: FakeApi) -> None:
    api.answers["/photograph?size=64"] = Answer(b"\xff\xd8", content_type="image/jpeg")

    assert client.content("/photograph", params={"size": 64}) == b"\xff\xd8"


def test_configured_timeout_is_applied(api: FakeApi) -> None:
    api.slow.add("/health")
    client = ApiClient(api.address, timeout=0.05, health_timeout=0.05)

    with pytest.raises(ApiError, match="too long"):
        client.health()
    client.close()


def test_api_key_is_sent_only_if_configured(api: FakeApi) -> None:
    sent = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("authorization"))
        return httpx.Response(200, json=HEALTH)

    transport = httpx.MockTransport(answer)
    for key in ("change-91be04c7d6a3f258", ""):
        ApiClient(api.address, timeout=5, health_timeout=5, key=key, transport=transport).health()
    assert sent == ["Bearer change-91be04c7d6a3f258", None]


@pytest.mark.parametrize("code", ["key-needed", "scope-too-small"])
def test_key_error_names_the_setting(client: ApiClient, api: FakeApi, code: str) -> None:
    body = {"title": "Unauthorized", "status": 401, "detail": "This needs an API key."}
    api.answers["/predict"] = Answer({**body, "code": code}, status=401)

    error = predict_error(client)
    assert "RIPELINE_API_KEY" in error.detail
    assert error.retryable
