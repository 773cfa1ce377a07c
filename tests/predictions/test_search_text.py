"""Searching the history by text, in whatever Unicode form a name was sent or is typed.

macOS decomposes the letters of file names, and keyboards compose them.
"""

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from tests.predictions.test_history import listed
from tests.synthetic_images import draw_fruit, encode

Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD")


@pytest.fixture(scope="module")
def served(
    shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    state: Path = tmp_path_factory.mktemp("search")
    with TestClient(create_app(shipped_settings.model_copy(update={"state_dir": state}))) as client:
        yield client


@pytest.mark.parametrize("stored", FORMS)
@pytest.mark.parametrize("typed", FORMS)
def test_file_name_is_found(served: TestClient, stored: Form, typed: Form) -> None:
    name = f"pêche {stored} {typed}.jpg"
    photo = encode(draw_fruit("freshapples"), "JPEG")
    served.post("/predict", files={"file": (unicodedata.normalize(stored, name), photo)})
    found = listed(served, search=unicodedata.normalize(typed, name[:-4]))
    assert [one["filename"] for one in found] == [name]


@pytest.mark.parametrize("stored", FORMS)
@pytest.mark.parametrize("typed", FORMS)
def test_supplier_is_found(served: TestClient, stored: Form, typed: Form) -> None:
    supplier = f"Müller {stored} {typed}"
    inspection = served.post(
        "/inspections", json={"lot": "7", "supplier": unicodedata.normalize(stored, supplier)}
    )
    assert inspection.status_code == 201, inspection.text
    photo = encode(draw_fruit("freshapples", 3, size=300), "JPEG")
    photos = f"/inspections/{inspection.json()['id']}/photos"
    answer = served.post(photos, files={"files": ("a.jpg", photo)})
    assert answer.status_code == 200, answer.text
    search = unicodedata.normalize(typed, supplier)
    assert len(listed(served, search=search)) == 1
    assert served.get("/inspections", params={"search": search}).json()["total"] == 1
