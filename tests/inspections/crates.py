"""A service that finds the fruits in drawn crates, and inspections in it."""

import copy
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi.testclient import TestClient
from PIL import Image, ImageEnhance

from api.app import create_app
from api.settings import Settings
from tests.detectors import draw_crate, find_blobs
from tests.synthetic_images import KINDS, encode

LOT: dict[str, Any] = {"lot": "A-17", "supplier": "Hofgut Lindau", "kind": "apple"}
FRUITS = 6


@contextmanager
def serving(settings: Settings) -> Iterator[TestClient]:
    """A service with the shipped grader and `find_blobs` as its detector."""
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        state = client.app.state.service  # type: ignore[attr-defined]
        state.predictor = copy.copy(state.predictor)
        state.predictor.detector = find_blobs
        yield client


def crate(number: int) -> Image.Image:
    """A crate of six fruits, different for each number."""
    kinds = list(KINDS)
    return draw_crate([kinds[(number + k * k) % len(kinds)] for k in range(FRUITS)], 10 * number)


def photo(number: int) -> bytes:
    return encode(crate(number), "JPEG")


def same_again(number: int) -> bytes:
    """The same crate from a little nearer, in less light."""
    image = crate(number)
    width, height = image.size
    nearer = image.crop((6, 4, width - 10, height - 4))
    return encode(ImageEnhance.Brightness(nearer).enhance(0.93), "JPEG")


def zipped(*photos: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, data in enumerate(photos):
            archive.writestr(f"crate-{number}.jpg", data)
    return stream.getvalue()


def opened(client: TestClient, **changes: Any) -> str:
    """The id of a new inspection."""
    response = client.post("/inspections", json=LOT | changes)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def add(client: TestClient, inspection_id: str, *photos: bytes) -> dict[str, Any]:
    files = [("files", (f"crate-{n}.jpg", data)) for n, data in enumerate(photos)]
    response = client.post(f"/inspections/{inspection_id}/photos", files=files)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def get(client: TestClient, path: str, **params: Any) -> dict[str, Any]:
    response = client.get(path, params=params)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def levels(fruits: Sequence[dict[str, Any]]) -> list[str | None]:
    return [fruit["level"] for fruit in fruits]
