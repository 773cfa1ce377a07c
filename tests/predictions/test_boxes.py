"""A person's boxes for a graded photo, through the whole service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.catalog import boxed_repository
from api.predictions.retention import sweep_predicted
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import BoxedPhotoRow
from tests.synthetic_images import draw_fruit, encode

APPLE = {"box": {"x_min": 10, "y_min": 12.5, "x_max": 60, "y_max": 70}, "class_name": "freshapples"}
PLACE = {"box": {"x_min": 0, "y_min": 0, "x_max": 20, "y_max": 20}, "class_name": None}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory, shipped_settings: Settings) -> Settings:
    folder: Path = tmp_path_factory.mktemp("boxes")
    return shipped_settings.model_copy(update={"state_dir": folder})


@pytest.fixture(scope="module")
def own(state: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(state), raise_server_exceptions=False) as client:
        yield client


def graded(client: TestClient, data: bytes | int) -> str:
    if isinstance(data, int):
        data = encode(draw_fruit("freshapples", data), "JPEG")
    answer = client.post("/predict", files={"file": ("tray.jpg", data)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["prediction_id"])


def put(client: TestClient, prediction_id: str, *boxes: Any, **more: Any) -> Any:
    return client.put(f"/predictions/{prediction_id}/boxes", json={"boxes": boxes} | more)


def boxed_photos(state: Settings) -> list[boxed_repository.BoxedPhoto]:
    database = Database(state.database)
    with database.reading() as session:
        photos = boxed_repository.get_many(session, boxed_repository.all_ids(session))
    database.close()
    return photos


def test_boxes_make_a_boxed_photo_and_replace_earlier_ones(
    own: TestClient, state: Settings
) -> None:
    prediction_id = graded(own, 1)
    first = put(own, prediction_id, APPLE, PLACE)
    assert first.status_code == 200, first.text
    body = first.json()
    assert (body["photograph"], body["complete"]) == ("stored", True)
    assert (body["width"], body["height"]) == (96, 96)
    assert body["boxes"] == [APPLE, PLACE]

    other = APPLE | {"class_name": "Rotten Apples"}
    body = put(own, prediction_id, other, new_class=True, complete=False).json()
    assert (body["photograph"], body["complete"]) == ("replaced", False)
    assert body["boxes"] == [APPLE | {"class_name": "rotten_apples"}]
    assert body["id"] == first.json()["id"]
    [photo] = [one for one in boxed_photos(state) if one.row.id == body["id"]]
    assert (photo.row.prediction_id, photo.row.origin) == (prediction_id, "feedback")
    assert photo.row.filename == "tray.jpg"
    assert len(photo.boxes) == 1


def test_no_fruit_at_all_is_a_complete_answer(own: TestClient) -> None:
    prediction_id = graded(own, 2)
    assert put(own, prediction_id).json()["boxes"] == []
    refused = put(own, prediction_id, complete=False)
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing-marked")


def test_boxes_drawn_on_the_persons_own_larger_photo_are_scaled(own: TestClient) -> None:
    image = draw_fruit("freshoranges", 3).resize((2400, 1600), Image.Resampling.NEAREST)
    prediction_id = graded(own, encode(image, "JPEG"))
    box = {"x_min": 240, "y_min": 160, "x_max": 2400, "y_max": 1600}
    size = {"width": 2400, "height": 1600}
    body = put(own, prediction_id, {"box": box}, image=size).json()
    assert body["width"] < 1100
    scale = body["width"] / 2400
    stored = body["boxes"][0]["box"]
    assert stored == {name: pytest.approx(edge * scale, abs=0.6) for name, edge in box.items()}
    sideways = {"width": 1600, "height": 2400}
    refused = put(own, prediction_id, {"box": dict(box, x_max=1600)}, image=sideways)
    assert (refused.status_code, refused.json()["code"]) == (422, "other-photo-size")


@pytest.mark.parametrize(
    "edges",
    [
        {"x_max": 98},
        {"x_min": -2},
        {"x_min": 60},
        {"y_max": 12},
        {"x_min": "10"},
        {"x_min": None},
        {"x_min": 1e300},
    ],
)
def test_box_outside_the_photo_or_without_area_is_rejected(
    own: TestClient, edges: dict[str, Any], state: Settings
) -> None:
    prediction_id = graded(own, 4)
    response = put(own, prediction_id, APPLE, {"box": APPLE["box"] | edges})  # type: ignore[operator]
    assert response.status_code == 422
    assert all(photo.row.prediction_id != prediction_id for photo in boxed_photos(state))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_box_that_is_not_finite_is_rejected(own: TestClient, number: str) -> None:
    text = f'{{"boxes": [{{"box": {{"x_min": {number}, "y_min": 0, "x_max": 9, "y_max": 9}}}}]}}'
    url = f"/predictions/{graded(own, 4)}/boxes"
    response = own.put(url, content=text, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_box_a_pixel_over_the_edge_is_cut_off(own: TestClient) -> None:
    box = {"x_min": -0.5, "y_min": 0, "x_max": 96.9, "y_max": 96}
    body = put(own, graded(own, 5), {"box": box}).json()
    assert body["boxes"][0]["box"] == {"x_min": 0, "y_min": 0, "x_max": 96, "y_max": 96}


def test_more_than_200_boxes_are_rejected(own: TestClient) -> None:
    prediction_id = graded(own, 6)
    assert put(own, prediction_id, *[APPLE] * 201).status_code == 422
    assert put(own, prediction_id, *[APPLE] * 200).status_code == 200


@pytest.mark.parametrize(
    ("class_name", "status", "code"),
    [
        ("Fresh Apples", 409, "similar-class"),
        ("///", 422, "bad-class-name"),
        ("fresh\u200bapples", 409, "invisible-character"),
    ],
)
def test_class_names_are_those_of_feedback(
    own: TestClient, class_name: str, status: int, code: str
) -> None:
    response = put(own, graded(own, 7), APPLE | {"class_name": class_name})
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_class_of_a_box_is_known_from_then_on(own: TestClient) -> None:
    prediction_id = graded(own, 8)
    assert put(own, prediction_id, APPLE | {"class_name": "kumquats"}).status_code == 200
    response = put(own, prediction_id, APPLE | {"class_name": "Kum Quat"})
    assert (response.status_code, response.json()["code"]) == (409, "similar-class")


def test_unknown_prediction_gets_404(own: TestClient) -> None:
    for prediction_id in ("0" * 32, "x"):
        response = put(own, prediction_id, APPLE)
        assert (response.status_code, response.json()["code"]) == (404, "prediction-not-found")


def test_photo_that_is_no_longer_kept_cannot_be_boxed_but_a_boxed_one_can_be_changed(
    own: TestClient, state: Settings
) -> None:
    boxed, unboxed = graded(own, 9), graded(own, 10)
    assert put(own, boxed, APPLE).status_code == 200
    database = Database(state.database)
    sweep_predicted(database, Blobs(state.storage), -1)
    database.close()
    response = put(own, unboxed, APPLE)
    assert (response.status_code, response.json()["code"]) == (409, "not-kept")
    assert put(own, boxed, PLACE).json()["photograph"] == "replaced"


def test_the_same_photo_graded_twice_is_one_boxed_photo(own: TestClient) -> None:
    first, second = graded(own, 11), graded(own, 11)
    stored, replaced = put(own, first, APPLE).json(), put(own, second, PLACE).json()
    assert (replaced["photograph"], replaced["id"]) == ("replaced", stored["id"])


@pytest.mark.parametrize("boxed_first", [True, False])
def test_boxed_photo_and_training_image_of_one_photo_share_group_and_split(
    own: TestClient, state: Settings, boxed_first: bool
) -> None:
    """Also if they are only copies, since the model must not be tested on what it was trained
    on."""
    image = draw_fruit("rottenapples", 20 + boxed_first, 224)
    boxed, labelled = (graded(own, encode(image, "JPEG", quality=value)) for value in (95, 70))
    if boxed_first:
        photo_id = put(own, boxed, APPLE).json()["id"]
    url = f"/predictions/{labelled}/feedback"
    image_id = own.post(url, json={"label": "rottenapples"}).json()["image_id"]
    if not boxed_first:
        photo_id = put(own, boxed, APPLE).json()["id"]
    [row] = [one.row for one in boxed_photos(state) if one.row.id == photo_id]
    of_image = own.get(f"/dataset/images/{image_id}").json()
    assert (row.photograph, row.split) == (of_image["photograph"], of_image["split"])


def test_two_copies_are_boxed_photos_of_one_group(own: TestClient, state: Settings) -> None:
    image = draw_fruit("rottenbanana", 30, 224)
    rows: list[BoxedPhotoRow] = []
    for quality in (95, 60):
        photo_id = put(own, graded(own, encode(image, "JPEG", quality=quality)), APPLE).json()["id"]
        rows += [one.row for one in boxed_photos(state) if one.row.id == photo_id]
    assert rows[0].id != rows[1].id
    assert (rows[0].photograph, rows[0].split) == (rows[1].photograph, rows[1].split)
