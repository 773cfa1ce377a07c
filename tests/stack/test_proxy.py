"""What nginx adds: limits, WebSockets, and a response while no replica runs."""

import io
import zipfile

import httpx
from websockets.sync.client import connect

from tests.stack.stack import Stack
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until


def test_too_large_body_gets_the_same_problem_as_from_the_api(stack: Stack) -> None:
    with stack.client() as client:
        answer = client.post(
            "/predict", content=bytes(26 * 2**20), headers={"content-type": "image/jpeg"}
        )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "body-too-large"


def test_large_upload_is_accepted(stack: Stack) -> None:
    """Larger than a single photo may be."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("freshapples/a.bmp", encode(draw_fruit("freshapples", 7, 96), "BMP"))
        archive.writestr("freshapples/notes.txt", bytes(30 * 2**20))
    with stack.client() as client:
        answer = client.post("/upload-training-data", files={"files": ("a.zip", packed.getvalue())})
    assert answer.status_code == 200, answer.text
    assert answer.json()["uploaded_count"] == 1


def test_batch_is_streamed_line_by_line(stack: Stack) -> None:
    image = encode(draw_fruit("freshapples"), "JPEG")
    files = [("files", (f"{number}.jpg", image)) for number in range(3)]
    lines = {"accept": "application/x-ndjson"}
    with (
        stack.client() as client,
        client.stream("POST", "/predict/batch", files=files, headers=lines) as answer,
    ):
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        assert len(list(answer.iter_lines())) >= 3


def test_metrics_of_one_replica_are_not_reachable_through_nginx(stack: Stack) -> None:
    with stack.client() as client:
        assert client.get("/metrics").status_code == 404


def test_app_and_its_websocket_are_reachable(stack: Stack) -> None:
    assert "Streamlit" in httpx.get(stack.app_url, trust_env=False).text
    address = stack.app_url.replace("http://", "ws://")
    with connect(f"{address}/_stcore/stream", subprotocols=["streamlit"], proxy=None) as socket:  # type: ignore[list-item]
        assert socket.subprotocol == "streamlit"


def test_health_checks_are_not_logged(stack: Stack) -> None:
    with stack.client() as client:
        client.get("/health")
        client.get("/status")
    until(lambda: "GET /status" in stack.processes.log("nginx"))
    for path in ("/health", "/ready", "/live"):
        assert f'"GET {path}"' not in stack.processes.log("nginx")


def test_without_replicas_clients_get_503_with_retry_after(stack: Stack) -> None:
    for name in stack.replicas:
        stack.processes.kill(name)
    with stack.client() as client:
        answer = client.get("/status")
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["code"] == "service-unavailable"
        stack.start_stopped()
        until(lambda: client.get("/status").is_success)
