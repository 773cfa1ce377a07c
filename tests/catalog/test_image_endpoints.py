"""`/dataset/images` over HTTP."""

import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy.orm import Session

from api.catalog import repository
from api.catalog.removal import keep_images
from api.storage.db import Database
from tests.catalog.conftest import Serve
from tests.catalog.photographs import phone_jpeg, photo
from tests.catalog.test_endpoints import assert_problem, upload

IMAGES = "/dataset/images"
UNKNOWN = "0" * 32


@pytest.fixture
def filled(serve: Serve, database_url: str) -> TestClient:
    """Three pears and a plum, on each database."""
    service = serve(database_url=database_url)
    upload(service, [(f"{seed}.jpg", photo(seed)) for seed in range(3)], "pear")
    upload(service, [("plum.jpg", phone_jpeg(9))], "plum")
    return service


def listed(client: TestClient, **params: Any) -> list[dict[str, Any]]:
    answer = client.get(IMAGES, params=params)
    assert answer.status_code == 200, answer.text
    images: list[dict[str, Any]] = answer.json()["images"]
    return images


def test_list_is_paged_and_filtered(filled: TestClient) -> None:
    page = filled.get(IMAGES, params={"offset": 1, "limit": 2}).json()
    assert (page["total"], page["offset"], page["limit"]) == (4, 1, 2)
    assert [image["filename"] for image in page["images"]] == ["2.jpg", "1.jpg"]
    assert [image["filename"] for image in listed(filled, class_name=" Plum ")] == ["plum.jpg"]
    assert listed(filled, origin="feedback") == []
    splits = [len(listed(filled, split=name)) for name in ("train", "validation", "test")]
    assert sum(splits) == 4


def test_image_has_the_fields_of_the_contract(filled: TestClient) -> None:
    plum = listed(filled)[0]
    assert filled.get(f"{IMAGES}/{plum['id']}").json() == plum
    assert set(plum) == {
        "id",
        "class_name",
        "photograph",
        "split",
        "origin",
        "filename",
        "width",
        "height",
        "bytes",
        "sha256",
        "created_at",
    }
    assert (plum["width"], plum["height"], plum["origin"]) == (80, 96, "upload")


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 201},
        {"limit": 0},
        {"offset": -1},
        {"offset": 10**30},
        {"split": "none"},
        {"origin": "\0"},
        {"class_name": "\0"},
    ],
)
def test_invalid_list_parameters_are_rejected(service: TestClient, params: dict[str, Any]) -> None:
    answer = service.get(IMAGES, params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_thumbnail_is_upright_and_cacheable(filled: TestClient) -> None:
    plum = listed(filled)[0]
    answer = filled.get(f"{IMAGES}/{plum['id']}/photograph", params={"size": 64})
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"].startswith("private")
    thumbnail = Image.open(io.BytesIO(answer.content))
    assert thumbnail.size == (53, 64)
    tag = answer.headers["etag"]
    again = filled.get(
        f"{IMAGES}/{plum['id']}/photograph?size=64", headers={"if-none-match": f'"x", W/{tag}'}
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = filled.get(f"{IMAGES}/{plum['id']}/photograph", headers={"if-none-match": tag})
    assert other.status_code == 200
    for size in (63, 1025):
        rejected = filled.get(f"{IMAGES}/{plum['id']}/photograph", params={"size": size})
        assert rejected.status_code == 422


def test_image_can_be_relabelled(filled: TestClient) -> None:
    before = listed(filled)[0]
    answer = filled.patch(f"{IMAGES}/{before['id']}", json={"class_name": "Green  Plum"})
    assert answer.json() == {**before, "class_name": "green_plum"}
    assert listed(filled)[0]["class_name"] == "green_plum"
    rejected = filled.patch(f"{IMAGES}/{before['id']}", json={"class_name": "?"})
    assert_problem(rejected, 422, "bad-class-name")


def test_removed_image_can_be_uploaded_again(filled: TestClient) -> None:
    plum = listed(filled)[0]
    assert filled.delete(f"{IMAGES}/{plum['id']}").status_code == 204
    assert len(listed(filled)) == 3
    assert_problem(filled.delete(f"{IMAGES}/{plum['id']}"), 404, "image-not-found")
    assert upload(filled, [("plum.jpg", phone_jpeg(9))], "plum")["uploaded_count"] == 1


def test_images_can_be_relabelled_and_removed_in_bulk(filled: TestClient) -> None:
    ids = [image["id"] for image in listed(filled)][:2]
    answer = filled.post(
        f"{IMAGES}/relabel", json={"ids": [*ids, UNKNOWN], "class_name": "Green Plum"}
    )
    assert answer.json() == {
        "relabelled": 2,
        "class_name": "green_plum",
        "missing": [UNKNOWN],
        "former": {"plum": ids[:1], "pear": ids[1:]},
    }
    assert {image["id"] for image in listed(filled, class_name="green_plum")} == set(ids)
    answer = filled.post(f"{IMAGES}/remove", json={"ids": [*ids, UNKNOWN]})
    assert answer.json() == {"removed": 2, "missing": [UNKNOWN], "kept_days": 7.0}
    assert len(listed(filled)) == 2


@pytest.mark.parametrize("ids", [[], [UNKNOWN] * 1001, ["\0"], ["x"], None, [1]])
def test_invalid_ids_are_rejected(service: TestClient, ids: object) -> None:
    for action in ("relabel", "remove"):
        answer = service.post(f"{IMAGES}/{action}", json={"ids": ids, "class_name": "pear"})
        assert answer.status_code == 422
        assert answer.json()["code"] == "invalid-request"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_image_that_is_removed_while_it_is_relabelled_gets_404(
    filled: TestClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process gets the lock first; SQLite allows only one writer at a time."""
    image_id = listed(filled)[0]["id"]
    lock = repository.lock_images

    def be_late(session: Session) -> None:
        monkeypatch.setattr(repository, "lock_images", lock)
        other = Database(database_url)
        assert keep_images(other, [image_id]) == [image_id]
        other.close()
        lock(session)

    monkeypatch.setattr(repository, "lock_images", be_late)
    answer = filled.patch(f"{IMAGES}/{image_id}", json={"class_name": "pear"})
    assert_problem(answer, 404, "image-not-found")


def test_unknown_image_gets_404(service: TestClient) -> None:
    for method, path in (("GET", ""), ("GET", "/photograph"), ("DELETE", ""), ("PATCH", "")):
        body = {"class_name": "pear"} if method == "PATCH" else None
        for unknown in (UNKNOWN, "None", "%00"):
            answer = service.request(method, f"{IMAGES}/{unknown}{path}", json=body)
            assert_problem(answer, 404, "image-not-found")


@pytest.mark.parametrize("data", [b"", b"no photo", photo(0)[:200], None])
def test_thumbnail_of_a_damaged_file_says_what_to_do(
    filled: TestClient, data: bytes | None
) -> None:
    """None: it cannot be read, as on a bad sector."""
    pear = listed(filled, class_name="pear")[0]
    blobs = filled.app.state.service.blobs  # type: ignore[attr-defined]
    (key,) = [key for key in blobs.keys("photographs") if pear["id"] in key]
    if data is None:
        (Path(blobs.url) / key).unlink()
        (Path(blobs.url) / key).mkdir()
    else:
        blobs.put(key, data)
    answer = filled.get(f"{IMAGES}/{pear['id']}/photograph")
    assert_problem(answer, 404, "image-damaged")
    assert pear["filename"] in answer.json()["detail"]
    assert len(listed(filled)) == 4
    assert filled.delete(f"{IMAGES}/{pear['id']}").status_code == 204
