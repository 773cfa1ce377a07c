"""`POST /predict` through the whole service with the default model."""

import io
import struct
import zlib
from typing import cast

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image

from api.app import create_app
from api.predictions.history import OtherVersionError, check_explainable
from api.settings import Settings
from tests.heads import shipped_thresholds
from tests.processes import running_api
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import ANSWER_SECONDS, PATIENCE_SECONDS

FIELDS = {
    "prediction_id",
    "predicted_class",
    "prediction",
    "confidence",
    "probabilities",
    "fruit",
    "freshness",
    "freshness_score",
    "freshness_level",
    "recognised",
    "several",
    "interpretation",
    "model_version",
    "inference_time_ms",
    "timestamp",
}
CLASSES = {
    "freshapples",
    "freshbanana",
    "freshoranges",
    "rottenapples",
    "rottenbanana",
    "rottenoranges",
}


@pytest.fixture(scope="module")
def photo() -> bytes:
    return encode(draw_fruit("freshoranges", seed=1), "JPEG")


def assert_problem(response: Response, status: int, code: str) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (status, code)
    assert body["detail"].endswith(".")


def test_form_upload_gets_every_response_field(client: TestClient, photo: bytes) -> None:
    response = client.post("/predict", files={"file": ("a.jpg", photo, "image/jpeg")})
    assert response.status_code == 200
    body = response.json()
    assert set(body) == FIELDS
    assert set(body["probabilities"]) == CLASSES
    assert sum(body["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert body["prediction"] == body["predicted_class"]
    assert body["confidence"] == max(body["probabilities"].values())
    assert body["predicted_class"].startswith(body["freshness"])
    assert 0 <= body["freshness_score"] <= 1
    assert body["freshness_level"] == shipped_thresholds().level(body["freshness_score"])


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "BMP", "HEIF"])
def test_raw_body_of_every_format_is_graded(client: TestClient, file_format: str) -> None:
    data = encode(draw_fruit("freshbanana", seed=2), file_format)
    headers = {"content-type": f"image/{file_format.lower()}"}
    response = client.post("/predict", content=data, headers=headers)
    assert response.status_code == 200, response.text
    assert set(response.json()) == FIELDS


def counted(client: TestClient) -> tuple[int, int, str]:
    """The numbers of predictions in /health, the history and /metrics."""
    metrics = client.get("/metrics").text
    lines = [line for line in metrics.splitlines() if line.startswith("ripeline_predictions")]
    total = client.get("/predictions").json()["total"]
    return client.get("/health").json()["prediction_count"], total, "\n".join(lines)


def test_photo_that_is_not_recorded_is_graded_and_forgotten(
    client: TestClient, photo: bytes
) -> None:
    def requests() -> float:
        lines = client.get("/metrics").text.splitlines()
        named = [line for line in lines if line.startswith("ripeline_requests_total")]
        return sum(float(line.split()[-1]) for line in named if 'route="/predict"' in line)

    def monitored() -> tuple[object, ...]:
        # Records are written in the background.
        assert cast(FastAPI, client.app).state.service.recorder.flush(PATIENCE_SECONDS)
        summary = client.get("/monitoring/summary").json()
        return *counted(client), summary["predictions"], client.get("/drift").json()

    recorded = client.post("/predict", files={"file": photo}).json()
    before, requests_before = monitored(), requests()
    for _ in range(3):
        frame = client.post("/predict?record=false", files={"file": photo})
        assert frame.status_code == 200
        assert set(frame.json()) == FIELDS
        assert frame.json()["probabilities"] == recorded["probabilities"]
    assert requests() == requests_before + 3
    assert monitored() == before
    name = frame.json()["prediction_id"]
    assert client.get(f"/predictions/{name}").status_code == 404
    said = client.post(f"/predictions/{name}/feedback", json={"correct": True})
    assert said.status_code == 404


def test_heat_map_of_an_earlier_prediction_counts_nothing_twice(
    client: TestClient, photo: bytes
) -> None:
    first = client.post("/predict", files={"file": ("a.jpg", photo)}).json()
    before = counted(client)
    for _ in range(3):
        again = client.post(
            "/predict",
            params={"explain": True, "prediction_id": first["prediction_id"]},
            files={"file": ("a.jpg", photo)},
        ).json()
        assert again["explanation"]["heatmap"].startswith("data:image/png;base64,")
        for name in ("prediction_id", "predicted_class", "probabilities", "model_version"):
            assert again[name] == first[name]
    assert counted(client) == before
    assert before[2]
    one_go = client.post("/predict?explain=true", files={"file": ("a.jpg", photo)}).json()
    assert one_go["prediction_id"] != first["prediction_id"]
    assert counted(client)[:2] == (before[0] + 1, before[1] + 1)


def test_heat_map_is_by_the_version_that_graded(client: TestClient, photo: bytes) -> None:
    prediction_id = client.post("/predict", files={"file": photo}).json()["prediction_id"]
    state = cast(FastAPI, client.app).state.service
    version = state.predictor.manifest.version
    check_explainable(state.database, state.recorder, prediction_id, version)
    with pytest.raises(OtherVersionError, match=version):
        check_explainable(state.database, state.recorder, prediction_id, "a later one")


def test_heat_map_is_of_the_photo_that_was_graded(client: TestClient, photo: bytes) -> None:
    """A smaller copy is still the same photo; another photo would get the prediction's id with its
    own grade."""
    first = client.post("/predict", files={"file": photo}).json()
    before = counted(client)
    image = Image.open(io.BytesIO(photo)).convert("RGB")
    smaller = encode(image.resize((image.width * 2 // 3, image.height * 2 // 3)), "JPEG")
    query = {"explain": True, "prediction_id": first["prediction_id"]}
    same = client.post("/predict", params=query, files={"file": smaller})
    assert same.json()["prediction_id"] == first["prediction_id"]
    other = encode(draw_fruit("rottenbanana", 7, size=300), "JPEG")
    assert_problem(client.post("/predict", params=query, files={"file": other}), 409, "other-photo")
    assert counted(client) == before


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("explain=true&prediction_id=" + "0" * 32, 404, "prediction-not-found"),
        ("explain=true&prediction_id=nothing", 404, "prediction-not-found"),
        ("explain=true&prediction_id=", 404, "prediction-not-found"),
        ("prediction_id=" + "0" * 32, 422, "nothing-to-explain"),
    ],
)
def test_heat_map_of_no_prediction_is_refused(
    client: TestClient, photo: bytes, query: str, status: int, code: str
) -> None:
    response = client.post(f"/predict?{query}", files={"file": photo})
    assert_problem(response, status, code)


def test_form_and_raw_body_get_the_same_grade(client: TestClient, photo: bytes) -> None:
    form = client.post("/predict", files={"file": photo}).json()
    raw = client.post("/predict", content=photo, headers={"content-type": "image/jpeg"})
    assert raw.json()["probabilities"] == form["probabilities"]
    assert raw.json()["prediction_id"] != form["prediction_id"]


def test_explanation_is_made_on_request(client: TestClient, photo: bytes) -> None:
    response = client.post("/predict?explain=true", files={"file": photo})
    assert set(response.json()) == FIELDS | {"explanation"}
    assert response.json()["explanation"]["heatmap"].startswith("data:image/png;base64,")


def png_bomb() -> bytes:
    """A PNG of 20,000 x 20,000 pixels in less than a megabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    side = 20_000
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * (side // 8 + 1) * side, 9)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"These are words, not a photograph.", 415, "not-an-image"),
        (b"", 400, "empty-image"),
        (encode(draw_fruit("freshapples", seed=3), "JPEG")[:-900], 422, "truncated-image"),
        (png_bomb(), 413, "image-too-large"),
        (encode(draw_fruit("freshapples", seed=3), "GIF"), 415, "not-an-image"),
    ],
    ids=["text", "empty", "truncated", "bomb", "gif"],
)
@pytest.mark.parametrize("raw", [False, True], ids=["form", "raw"])
def test_bad_file_gets_the_right_4xx(
    client: TestClient, data: bytes, status: int, code: str, raw: bool
) -> None:
    if raw:
        response = client.post("/predict", content=data, headers={"content-type": "image/png"})
    else:
        response = client.post("/predict", files={"file": ("x.jpg", data, "image/jpeg")})
    assert_problem(response, status, code)


def test_wrong_field_name_is_explained(client: TestClient, photo: bytes) -> None:
    response = client.post("/predict", files={"image": photo})
    assert_problem(response, 422, "missing-file")
    assert "'file'" in response.json()["detail"]
    assert "'image'" in response.json()["detail"]


def test_text_in_the_file_field_is_rejected(client: TestClient) -> None:
    response = client.post("/predict", data={"file": "apple.jpg"}, files={"other": b"x"})
    assert_problem(response, 422, "missing-file")
    assert "text in 'file', a file in 'other'" in response.json()["detail"]


def test_two_files_are_rejected(client: TestClient, photo: bytes) -> None:
    files = [("file", ("a.jpg", photo)), ("file", ("b.jpg", photo))]
    assert_problem(client.post("/predict", files=files), 422, "missing-file")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_unsupported_content_type_is_rejected(client: TestClient, content_type: str) -> None:
    response = client.post("/predict", content=b"{}", headers={"content-type": content_type})
    assert_problem(response, 415, "unsupported-body")


def test_malformed_form_gets_a_4xx(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post("/predict", content=b"--y\r\nnonsense", headers=headers)
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "application/problem+json"


def test_form_without_boundary_gets_a_4xx(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data"}
    response = client.post("/predict", content=b"abc", headers=headers)
    assert 400 <= response.status_code < 500


def test_invalid_query_gets_422(client: TestClient, photo: bytes) -> None:
    response = client.post("/predict?explain=perhaps", files={"file": photo})
    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")


def test_rejected_file_is_not_counted(client: TestClient, photo: bytes) -> None:
    before = client.get("/health").json()["prediction_count"]
    client.post("/predict", files={"file": b"no picture"})
    assert client.get("/health").json()["prediction_count"] == before
    client.post("/predict", files={"file": photo})
    assert client.get("/health").json()["prediction_count"] == before + 1


def test_oversized_body_is_rejected_while_reading(settings: Settings) -> None:
    small = settings.model_copy(update={"max_body_bytes": 1000})
    with TestClient(create_app(small), raise_server_exceptions=False) as client:
        raw = client.post("/predict", content=b"x" * 1001, headers={"content-type": "image/png"})
        assert_problem(raw, 413, "body-too-large")
        # Without a Content-Length the bytes are counted.
        chunks = (b"x" * 100 for _ in range(20))
        streamed = client.post("/predict", content=chunks, headers={"content-type": "image/png"})
        assert_problem(streamed, 413, "body-too-large")
        form = client.post("/predict", files={"file": b"x" * 1001})
        assert_problem(form, 413, "body-too-large")


@pytest.mark.slow
def test_client_that_is_still_sending_gets_the_413() -> None:
    """Over a real socket, a response before the body is read would break the connection."""
    with running_api({"RIPELINE_MAX_BODY_BYTES": "1000000"}) as url:
        body = b"x" * 1_900_000
        response = httpx.post(
            f"{url}/predict", files={"file": body}, timeout=ANSWER_SECONDS, trust_env=False
        )
    assert response.status_code == 413
    assert response.json()["code"] == "body-too-large"
