"""`instances=true` over HTTP: the shipped grader, with a detector that finds drawn fruit."""

import copy
import io
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image

from api.app import create_app
from api.core.boxes import Box
from api.core.imaging.crop import crop_around
from api.core.labels import read_label
from api.model.grade import FruitGrade, Instances
from api.model.grade import Instance as GradedInstance
from api.model.instances import STEP
from api.model.package import DETECTOR, MANIFEST
from api.predictions.batch import Batch, BatchItem
from api.predictions.schemas import InstanceSummary
from api.settings import PROJECT, Settings
from tests.detectors import draw_crate, find_blobs
from tests.predictions.test_endpoints import FIELDS, assert_problem
from tests.synthetic_images import encode
from tests.waiting import PATIENCE_SECONDS

KINDS = ("freshapples", "rottenbanana", "freshoranges", "rottenoranges", "freshapples")
ADDED = {"image", "instances", "summary"}
INSTANCE = {
    "box",
    "score",
    "fruit",
    "predicted_class",
    "confidence",
    "probabilities",
    "freshness",
    "freshness_level",
    "freshness_score",
    "recognised",
}


@pytest.fixture(scope="module")
def crate() -> Image.Image:
    return draw_crate(KINDS)


@pytest.fixture(scope="module")
def photo(crate: Image.Image) -> bytes:
    return encode(crate)


@pytest.fixture
def finding(client: TestClient) -> Iterator[TestClient]:
    """The shipped grader with `find_blobs` as its detector."""
    state = client.app.state.service  # type: ignore[attr-defined]
    shipped = state.predictor
    state.predictor = copy.copy(shipped)
    state.predictor.detector = find_blobs
    yield client
    state.predictor = shipped


@pytest.fixture(scope="module")
def without(
    shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A service whose package has no detector."""
    folder = tmp_path_factory.mktemp("without")
    package = shutil.copytree(PROJECT / "models" / "default", folder / "model")
    (package / DETECTOR).unlink()
    manifest = json.loads((package / MANIFEST).read_text())
    del manifest["files"][DETECTOR]
    manifest |= {"detector": None, "version": "without-detector"}
    (package / MANIFEST).write_text(json.dumps(manifest))
    changes = {"model_dir": package, "state_dir": folder / "state"}
    with TestClient(create_app(shipped_settings.model_copy(update=changes))) as client:
        yield client


def predict(client: TestClient, data: bytes, query: str = "instances=true") -> dict[str, Any]:
    response = client.post(f"/predict?{query}", files={"file": ("crate.png", data)})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def post_batch(
    client: TestClient,
    *files: tuple[str, bytes],
    accept: str = "*/*",
    query: str = "instances=true",
) -> Response:
    form = [("files", file) for file in files]
    return client.post(f"/predict/batch?{query}", files=form, headers={"accept": accept})


def comparable(prediction: dict[str, Any]) -> dict[str, Any]:
    """The prediction without the fields that differ between two predictions of a photo."""
    changing = ("prediction_id", "timestamp", "inference_time_ms", "index", "filename")
    return {name: value for name, value in prediction.items() if name not in changing}


def test_answer_has_every_fruit_with_its_grade(
    finding: TestClient, photo: bytes, crate: Image.Image
) -> None:
    body = predict(finding, photo)
    assert set(body) == FIELDS | ADDED
    assert body["image"] == {"width": crate.width, "height": crate.height}
    assert len(body["instances"]) == len(KINDS)
    assert body["several"] is True
    assert f"shows {len(KINDS)} fruits" in body["interpretation"]
    scores = [instance["score"] for instance in body["instances"]]
    assert scores == sorted(scores, reverse=True)
    for instance in body["instances"]:
        assert set(instance) == INSTANCE
        assert sum(instance["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert instance["confidence"] == max(instance["probabilities"].values())
        box = Box(*(instance["box"][name] for name in ("x_min", "y_min", "x_max", "y_max")))
        alone = predict(finding, encode(crop_around(crate, box)), query="")
        for name in INSTANCE - {"box", "score"}:
            assert instance[name] == alone[name]


def test_summary_counts_and_names_the_worst(finding: TestClient, photo: bytes) -> None:
    body = predict(finding, photo)
    instances, summary = body["instances"], body["summary"]
    known = [instance for instance in instances if instance["recognised"]]
    assert summary["count"] == len(instances)
    assert summary["by_class"] == Counter(instance["predicted_class"] for instance in known)
    assert summary["by_level"] == {
        level: sum(instance["freshness_level"] == level for instance in known)
        for level in ("fresh", "past_best", "rotten")
    }
    assert summary["unrecognised"] == len(instances) - len(known)
    worst = instances[summary["worst"]]
    assert worst["freshness_score"] == min(instance["freshness_score"] for instance in known)
    assert summary["ungraded"] == 0


def fruit(class_name: str, score: float | None, recognised: bool = True) -> GradedInstance:
    label = read_label(class_name)
    level = label.level if score is not None else None
    grade = FruitGrade(
        class_name, {class_name: 1.0}, label.fruit, label.freshness, score, level, recognised
    )
    return GradedInstance(Box(0, 0, 9, 9), 0.9, grade)


def test_unrecognised_fruit_is_neither_counted_nor_the_worst() -> None:
    fruits = [
        fruit("freshapples", 0.9),
        fruit("rottenapples", 0.01, recognised=False),
        fruit("rottenapples", 0.1),
        fruit("mango", None),
    ]
    summary = InstanceSummary.of(Instances(90, 60, tuple(fruits), ungraded=2))
    assert summary.model_dump() == {
        "count": 4,
        "by_class": {"freshapples": 1, "mango": 1, "rottenapples": 1},
        "by_level": {"fresh": 1, "past_best": 0, "rotten": 1},
        "unrecognised": 1,
        "worst": 2,
        "ungraded": 2,
    }
    assert InstanceSummary.of(Instances(90, 60, (fruits[1], fruits[3]))).worst is None


def test_photo_without_fruit_has_an_empty_summary(finding: TestClient) -> None:
    body = predict(finding, encode(Image.new("RGB", (90, 60), "white")))
    assert (body["instances"], body["several"]) == ([], False)
    assert body["summary"] == {
        "count": 0,
        "by_class": {},
        "by_level": {"fresh": 0, "past_best": 0, "rotten": 0},
        "unrecognised": 0,
        "worst": None,
        "ungraded": 0,
    }


def test_plain_answer_is_as_before(finding: TestClient, photo: bytes) -> None:
    plain = predict(finding, photo, query="")
    assert set(plain) == FIELDS
    assert set(predict(finding, photo, query="instances=false")) == FIELDS
    whole = comparable(predict(finding, photo))
    same = FIELDS & set(whole) - {"interpretation", "several"}
    assert {name: whole[name] for name in same} == {name: plain[name] for name in same}


def test_heat_map_is_that_of_the_whole_photo(finding: TestClient, photo: bytes) -> None:
    both = predict(finding, photo, query="explain=true&instances=true")
    assert both["explanation"] == predict(finding, photo, query="explain=true")["explanation"]
    assert len(both["instances"]) == len(KINDS)


def test_turned_photo_has_boxes_in_upright_pixels(
    finding: TestClient, photo: bytes, crate: Image.Image
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encode(crate.transpose(Image.Transpose.ROTATE_90), exif=exif)
    assert comparable(predict(finding, turned)) == comparable(predict(finding, photo))


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"words", 415, "not-an-image"), (b"", 400, "empty-image")],
    ids=["text", "empty"],
)
def test_bad_file_gets_the_same_problem(
    finding: TestClient, data: bytes, status: int, code: str
) -> None:
    response = finding.post("/predict?instances=true", files={"file": ("a.jpg", data)})
    assert_problem(response, status, code)


def test_history_keeps_the_fruits_of_the_photo(finding: TestClient, photo: bytes) -> None:
    body = predict(finding, photo)
    assert finding.app.state.service.recorder.flush(PATIENCE_SECONDS)  # type: ignore[attr-defined]
    kept = finding.get(f"/predictions/{body['prediction_id']}").json()
    assert {name: kept[name] for name in ADDED} == {name: body[name] for name in ADDED}
    [listed] = finding.get("/predictions?limit=1").json()["predictions"]
    assert listed == kept
    assert kept["predicted_class"] == body["predicted_class"]


def test_batch_rows_have_the_same_fields(finding: TestClient, photo: bytes) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("crate.png", photo)
    files = [("a.png", photo), ("bad.jpg", b"words"), ("all.zip", stream.getvalue())]
    body = post_batch(finding, *files).json()
    single = comparable(predict(finding, photo))
    first, bad, last = body["results"]
    assert comparable(first) == comparable(last) == single
    assert bad["error"]["code"] == "not-an-image"
    assert (body["summary"]["graded"], body["summary"]["failed"]) == (2, 1)
    lines = post_batch(finding, *files, accept="application/x-ndjson").text.splitlines()
    assert [comparable(json.loads(line)) for line in lines[:3:2]] == [single, single]
    assert not ADDED & set(post_batch(finding, files[0], query="").json()["results"][0])


def test_batch_lets_others_in_between_its_steps(
    finding: TestClient, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = finding.app.state.service  # type: ignore[attr-defined]
    predictor = state.serving()
    forward = predictor.forward
    work: list[int | str] = []

    def recording(inputs: list[Image.Image]) -> Any:
        if not work:  # Another request arrives while the first step runs.
            state.pool.submit(work.append, "other")
        work.append(len(inputs))
        return forward(inputs)

    async def run() -> list[Any]:
        batch = Batch(state, predictor, threads=1, id="0" * 32, instances=True)
        items = iter([BatchItem("a.png", photo)])
        return [row async for rows in batch.results(items) for row in rows]

    monkeypatch.setattr(predictor, "forward", recording)
    assert finding.portal is not None
    with ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(state, "pool", pool)
        [row] = finding.portal.call(run)
    assert len(row.instances) == len(KINDS)
    assert work == [STEP, "other", STEP, STEP]


def test_model_without_a_detector_refuses_before_reading(without: TestClient, photo: bytes) -> None:
    response = without.post("/predict?instances=true", files={"file": photo})
    assert_problem(response, 409, "no-detector")
    assert_problem(without.post("/predict?instances=true"), 409, "no-detector")
    assert "Leave out 'instances'" in response.json()["detail"]
    assert_problem(post_batch(without, ("a.png", photo)), 409, "no-detector")
    assert set(predict(without, photo, query="")) == FIELDS


def test_model_info_says_whether_it_finds_fruits(client: TestClient, without: TestClient) -> None:
    assert client.get("/model-info").json()["model_info"]["finds_fruits"] is True
    assert without.get("/model-info").json()["model_info"]["finds_fruits"] is False


def test_sample_photos_of_the_app_are_graded_right(client: TestClient) -> None:
    def grade(name: str) -> dict[str, Any]:
        path = PROJECT / "ui" / "assets" / "samples" / f"{name}.jpg"
        return predict(client, path.read_bytes())

    for name, expected in (("banana", "freshbanana"), ("orange", "rottenoranges")):
        body = grade(name)
        assert (body["predicted_class"], body["recognised"]) == (expected, True)
    classes = [one["predicted_class"] for one in grade("tray")["instances"]]
    assert classes.count("rottenoranges") == 1
    assert {"freshapples", "freshoranges", "freshbanana"} <= {*classes}


def test_shipped_detector_finds_drawn_fruits(client: TestClient) -> None:
    body = predict(client, encode(draw_crate(KINDS, tile=200), "JPEG"))
    assert set(body) == FIELDS | ADDED
    assert body["several"]
    assert body["summary"]["count"] == len(body["instances"])
    for instance in body["instances"]:
        assert 0 <= instance["box"]["x_min"] < instance["box"]["x_max"] <= body["image"]["width"]
        assert 0 <= instance["box"]["y_min"] < instance["box"]["y_max"] <= body["image"]["height"]
