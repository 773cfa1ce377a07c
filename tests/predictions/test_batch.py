"""Batch prediction: ordered and independent results in bounded memory."""

import asyncio
import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.app import create_app
from api.catalog.archive import SentFile, UploadLimits
from api.core.imaging.decode import DecodedImage
from api.model.predictor import MAX_BATCH, PredictRequest
from api.predictions.batch import Batch, BatchItem, batch_items
from api.predictions.state import PREFETCH, AppState
from api.settings import Settings
from tests.ood_images import draw_ood
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import PATIENCE_SECONDS

KINDS = ("freshapples", "freshbanana", "rottenoranges")


def photo(kind: str, seed: int = 0) -> bytes:
    return encode(draw_fruit(kind, seed), "JPEG")


def zipped(entries: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return stream.getvalue()


def post(client: TestClient, *files: tuple[str, bytes], accept: str = "*/*") -> Response:
    form = [("files", file) for file in files]
    return client.post("/predict/batch", files=form, headers={"accept": accept})


def test_results_are_in_order_and_equal_single_predictions(client: TestClient) -> None:
    files = [(f"{seed}.jpg", photo(KINDS[seed % 3], seed)) for seed in range(9)]
    body = post(client, *files).json()
    assert [result["filename"] for result in body["results"]] == [name for name, _ in files]
    assert [result["index"] for result in body["results"]] == list(range(9))
    for result, (_, data) in zip(body["results"], files, strict=True):
        single = client.post("/predict", files={"file": data}).json()
        assert result["probabilities"] == single["probabilities"]
        assert set(result) == set(single) | {"index", "filename"}
    known = [result for result in body["results"] if result["recognised"]]
    classes = Counter(result["predicted_class"] for result in known)
    summary = body["summary"]
    assert (summary["count"], summary["graded"], summary["failed"]) == (9, 9, 0)
    assert summary["by_class"] == dict(classes)
    assert summary["fresh"] + summary["rotten"] == len(known) > 0
    levels = Counter(result["freshness_level"] for result in known)
    zeros = {"fresh": 0, "past_best": 0, "rotten": 0}
    assert summary["by_level"] == zeros | levels
    assert summary["unrecognised"] == 9 - len(known)
    assert summary["seconds"] > 0


def test_unrecognised_photos_count_as_no_fruit(client: TestClient) -> None:
    things = [(f"{kind}.png", encode(draw_ood(kind, 1))) for kind in ("rings", "squares")]
    summary = post(client, ("a.jpg", photo("freshapples")), *things).json()["summary"]
    assert (summary["count"], summary["graded"], summary["unrecognised"]) == (3, 3, 2)
    for counted in (summary["by_class"], summary["by_level"]):
        assert sum(counted.values()) == 1
    assert summary["fresh"] + summary["rotten"] == 1


def test_bad_file_gets_an_error_row(client: TestClient) -> None:
    good = photo("freshapples")
    response = post(client, ("a.jpg", good), ("bad.jpg", b"words"), ("cut.jpg", good[:-900]))
    assert response.status_code == 200
    results = response.json()["results"]
    assert "predicted_class" in results[0]
    assert [result["error"]["code"] for result in results[1:]] == [
        "not-an-image",
        "truncated-image",
    ]
    assert all(result["error"]["detail"].endswith(".") for result in results[1:])
    assert response.json()["summary"]["failed"] == 2


def test_zips_are_unpacked_in_order(client: TestClient) -> None:
    archive = zipped({"box/1.jpg": photo(KINDS[0]), "notes.txt": b"x", "2.jpg": photo(KINDS[1])})
    body = post(client, ("a.jpg", photo(KINDS[2])), ("box.zip", archive)).json()
    assert [result["filename"] for result in body["results"]] == [
        "a.jpg",
        "box.zip/box/1.jpg",
        "box.zip/notes.txt",
        "box.zip/2.jpg",
    ]
    assert ["error" in result for result in body["results"]] == [False, False, True, False]


@pytest.mark.parametrize(
    ("archive", "code"),
    [(b"PK\x03\x04 nonsense", "broken-archive"), (zipped({}), "empty-archive")],
)
def test_bad_zip_gets_an_error_row(client: TestClient, archive: bytes, code: str) -> None:
    body = post(client, ("bad.zip", archive), ("a.jpg", photo("freshapples"))).json()
    assert body["results"][0]["error"]["code"] == code
    assert "predicted_class" in body["results"][1]


def test_zip_with_too_many_entries_is_rejected(settings: Settings) -> None:
    small = settings.model_copy(update={"max_zip_files": 2})
    entries = {f"{number}.jpg": photo("freshapples", number) for number in range(3)}
    with TestClient(create_app(small)) as client:
        body = post(client, ("many.zip", zipped(entries))).json()
    assert [result["error"]["code"] for result in body["results"]] == ["too-many-entries"]


def test_rows_are_streamed_as_ndjson(client: TestClient) -> None:
    files = [("a.jpg", photo("freshapples")), ("bad.jpg", b"words")]
    response = post(client, *files, accept="application/x-ndjson")
    assert response.headers["content-type"].startswith("application/x-ndjson")
    lines: list[dict[str, Any]] = [json.loads(line) for line in response.text.splitlines()]
    assert [line.get("filename") for line in lines] == ["a.jpg", "bad.jpg", None]
    assert set(lines[-1]) == {"summary"}
    assert lines[-1]["summary"]["count"] == 2


def state_of(client: TestClient) -> AppState:
    state: AppState = client.app.state.service  # type: ignore[attr-defined]
    return state


def test_read_ahead_is_bounded(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if two threads alternate and results complete out of order."""
    state = state_of(client)
    data = photo("freshapples")
    predictor, alternating = state.serving(), threading.Barrier(2)
    decode, read, done = predictor.decode, 0, 0
    ahead: list[int] = []

    def source() -> Iterator[BatchItem]:
        nonlocal read
        for number in range(6 * MAX_BATCH):
            read += 1
            ahead.append(read - done)
            yield BatchItem(str(number), data)

    def alternate(data: bytes) -> DecodedImage:
        if read <= 2 * MAX_BATCH:
            alternating.wait(PATIENCE_SECONDS)
        return decode(data)

    async def run() -> None:
        nonlocal done
        async for rows in Batch(state, predictor, threads=1, id="0" * 32).results(source()):
            for _ in rows:
                await asyncio.sleep(0)
                done += 1

    monkeypatch.setattr("api.model.predictor.MAX_BATCH_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(predictor, "decode", alternate)
    assert client.portal is not None
    with ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(state, "pool", pool)
        client.portal.call(run)
    assert done == 6 * MAX_BATCH
    assert max(ahead) <= PREFETCH * MAX_BATCH


def test_prediction_waits_for_few_parts_of_other_requests(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many batches are being graded."""
    graded: list[bytes] = []
    has_begun, resume = threading.Event(), threading.Event()
    single, other = photo("freshapples"), photo("rottenapples")

    async def run(state: AppState) -> None:
        predictor = state.serving()
        decode = predictor.decode

        def slow(data: bytes) -> DecodedImage:
            has_begun.set()
            assert resume.wait(PATIENCE_SECONDS)
            graded.append(data)
            return decode(data)

        async def grade_batch() -> None:
            batch = Batch(state, predictor, threads=1, id="0" * 32)
            async for _ in batch.results(iter([BatchItem("other", other)])):
                pass

        monkeypatch.setattr(predictor, "decode", slow)
        batches = [asyncio.ensure_future(grade_batch()) for _ in range(3 * PREFETCH)]
        await asyncio.to_thread(has_begun.wait, PATIENCE_SECONDS)
        last = asyncio.ensure_future(state.batcher.predict(predictor, PredictRequest(single)))
        await asyncio.sleep(0)
        resume.set()
        await asyncio.gather(last, *batches)

    one_thread = settings.model_copy(update={"inference_threads": 1})
    with TestClient(create_app(one_thread)) as client:
        assert client.portal is not None
        client.portal.call(run, state_of(client))
    assert len(graded) == 3 * PREFETCH + 1
    assert graded.index(single) <= PREFETCH


def test_disconnect_stops_the_batch(client: TestClient) -> None:
    state = state_of(client)
    data = photo("freshapples")
    read = 0

    def source() -> Iterator[BatchItem]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield BatchItem(str(number), data)

    async def run() -> None:
        results = Batch(state, state.serving(), threads=1, id="0" * 32).results(source())
        async for _ in results:
            break
        await results.aclose()

    assert client.portal is not None
    client.portal.call(run)
    assert read <= (PREFETCH + 1) * MAX_BATCH


def test_internal_error_fails_only_its_row(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    predictor = state_of(client).serving()
    decode = predictor.decode

    def fail(data: bytes) -> Any:
        if data == b"boom":
            raise RuntimeError("the password is 1234")
        return decode(data)

    monkeypatch.setattr(predictor, "decode", fail)
    response = post(client, ("boom.jpg", b"boom"), ("a.jpg", photo("freshapples")))
    assert response.json()["results"][0]["error"]["code"] == "internal-error"
    assert "1234" not in response.text
    assert "predicted_class" in response.json()["results"][1]


def test_reading_a_batch_does_not_block_the_event_loop(client: TestClient) -> None:
    """A slow disk must not block other requests."""
    state = state_of(client)
    loop_is_running = threading.Event()

    def source() -> Iterator[BatchItem]:
        assert loop_is_running.wait(PATIENCE_SECONDS)
        yield BatchItem("a", photo("freshapples"))

    async def run() -> int:
        asyncio.get_running_loop().call_soon(loop_is_running.set)
        batch = Batch(state, state.serving(), 1, "0" * 32)
        return sum([len(rows) async for rows in batch.results(source())])

    assert client.portal is not None
    assert client.portal.call(run) == 1


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        ({"files": {"other": b"x"}}, 422, "no-files"),
        ({"json": {}}, 415, "not-a-form"),
    ],
)
def test_request_without_files_is_rejected(
    client: TestClient, arguments: dict[str, Any], status: int, code: str
) -> None:
    response = client.post("/predict/batch", **arguments)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_every_photo_of_a_batch_is_recorded(client: TestClient) -> None:
    body = post(client, ("one.jpg", photo("freshapples")), ("two.jpg", photo("freshbanana"))).json()
    for result in body["results"]:
        recorded = client.get(f"/predictions/{result['prediction_id']}").json()
        assert recorded["filename"] == result["filename"]
        assert recorded["predicted_class"] == result["predicted_class"]


def test_batch_items_are_bounded_in_size() -> None:
    limits = UploadLimits(zip_files=10, zip_bytes=1000, file_bytes=10)
    (item,) = batch_items([SentFile("long.jpg", io.BytesIO(b"x" * 11))], limits)
    assert not isinstance(item.data, bytes)
    assert item.data.code == "file-too-large"
