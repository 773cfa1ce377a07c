"""A grade depends only on the photo's pixels, not on anything else in the file."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.synthetic_images import draw_fruit, encode

ORIENTATION, CAMERA, DATE = 0x0112, 0x010F, 0x0132
GPS = 0x8825
# Fields that depend on the request, not on the photo.
OWN = {"prediction_id", "inference_time_ms", "timestamp"}


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return draw_fruit("rottenapples", seed=5)


def grade(client: TestClient, data: bytes, name: str = "photo.png") -> dict[str, Any]:
    response = client.post("/predict", files={"file": (name, data, "image/png")})
    assert response.status_code == 200, response.text
    return {field: value for field, value in response.json().items() if field not in OWN}


def exif(orientation: int = 1) -> Image.Exif:
    written = Image.Exif()
    written[CAMERA], written[DATE] = "Orchard Phone 9", "2026:11:30 04:00:00"
    written.get_ifd(GPS).update({1: "N", 2: (47.0, 22.0, 7.5)})
    written[ORIENTATION] = orientation
    return written


def test_place_date_camera_and_name_change_nothing(client: TestClient, image: Image.Image) -> None:
    plain = grade(client, encode(image, "PNG"))
    said = encode(image, "PNG", exif=exif(), dpi=(300, 300))
    assert b"Orchard Phone 9" in said
    for name in ("photo.png", "freshbanana.png", "rotten/IMG_0001.PNG"):
        assert grade(client, said, name) == plain


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [(3, Image.Transpose.ROTATE_180), (6, Image.Transpose.ROTATE_90)],
)
def test_turned_photo_is_graded_upright(
    client: TestClient, image: Image.Image, orientation: int, stored: Image.Transpose
) -> None:
    turned = encode(image.transpose(stored), "PNG", exif=exif(orientation))
    assert grade(client, turned) == grade(client, encode(image, "PNG"))
