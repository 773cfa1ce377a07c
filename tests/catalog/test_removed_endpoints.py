"""Removing photos over HTTP, undoing a removal and a relabelling, and removing for good."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.settings import Settings
from api.storage.blobs import Blobs
from tests.catalog.conftest import Serve
from tests.catalog.photographs import photo
from tests.catalog.test_boxed_photos import URL as BOXED
from tests.catalog.test_boxed_photos import stored as boxed_id
from tests.catalog.test_endpoints import upload

IMAGES, REMOVED = "/dataset/images", "/dataset/removed"
UNKNOWN = "0" * 32
__all__ = ["boxed_id"]


def sent(service: TestClient, path: str, ids: list[str], **more: Any) -> dict[str, Any]:
    answer = service.post(path, json={"ids": ids, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def images(service: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get(IMAGES).json()["images"]
    return sorted(found, key=lambda image: image["filename"])


@pytest.fixture
def ids(service: TestClient) -> list[str]:
    """The ids of two pears and a plum."""
    upload(service, [(f"{seed}.jpg", photo(seed)) for seed in range(2)], "pear")
    upload(service, [("plum.jpg", photo(9))], "plum")
    return [image["id"] for image in images(service)]


def without_time(image: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in image.items() if name != "created_at"}


def test_removal_is_listed_and_undone(service: TestClient, ids: list[str]) -> None:
    before = images(service)
    removed = sent(service, f"{IMAGES}/remove", [*ids[1:], UNKNOWN])
    assert removed == {"removed": 2, "missing": [UNKNOWN], "kept_days": 7.0}
    assert service.get("/dataset/summary").json()["by_class"] == {"pear": 1}
    assert service.get(f"{IMAGES}/{ids[1]}").status_code == 404

    page = service.get(REMOVED).json()
    assert (page["total"], page["kept_days"]) == (2, 7.0)
    listed = [(one["id"], one["kind"], one["class_name"]) for one in page["photos"]]
    assert listed == [(ids[1], "image", "pear"), (ids[2], "image", "plum")]
    assert page["photos"][0]["removed_at"] < page["photos"][0]["kept_until"]
    assert service.get(REMOVED, params={"offset": 1}).json()["photos"] == page["photos"][1:]

    restored = sent(service, f"{REMOVED}/restore", [*ids, UNKNOWN])
    assert restored == {"restored": 2, "known": [], "missing": sorted([UNKNOWN, ids[0]])}
    assert list(map(without_time, images(service))) == list(map(without_time, before))
    assert service.get(REMOVED).json()["total"] == 0


def test_photo_that_was_added_again_stays(service: TestClient, ids: list[str]) -> None:
    sent(service, f"{IMAGES}/remove", ids[:1])
    upload(service, [("again.jpg", photo(0))], "plum")
    restored = sent(service, f"{REMOVED}/restore", ids[:1])
    assert restored == {"restored": 0, "known": ids[:1], "missing": []}
    assert len(images(service)) == 3


@pytest.mark.parametrize("way", ["at once", "later", "by id"])
def test_photo_can_be_removed_for_good(
    service: TestClient, ids: list[str], settings: Settings, way: str
) -> None:
    if way != "at once":
        sent(service, f"{IMAGES}/remove", ids[:1])
    if way == "by id":
        assert service.delete(f"{IMAGES}/{ids[0]}").status_code == 204
        assert service.delete(f"{IMAGES}/{ids[0]}").status_code == 404
    else:
        removed = sent(service, f"{IMAGES}/remove", ids[:1], for_good=True)
        assert removed == {"removed": 1, "missing": [], "kept_days": 0.0}
    assert service.get(REMOVED).json()["total"] == 0
    assert len(list(Blobs(settings.storage).keys("photographs"))) == 2
    assert sent(service, f"{REMOVED}/restore", ids[:1])["missing"] == ids[:1]


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    """The service's settings."""
    return Settings(state_dir=tmp_path / "state", database_url="", storage_url="")


def test_nothing_is_kept_where_the_settings_say_so(serve: Serve, settings: Settings) -> None:
    service = serve(keep_removed_days=0)
    upload(service, [("a.jpg", photo(1))], "pear")
    [image] = images(service)
    removed = sent(service, f"{IMAGES}/remove", [image["id"]])
    assert removed == {"removed": 1, "missing": [], "kept_days": 0.0}
    assert list(Blobs(settings.storage).keys("photographs")) == []


def test_deleted_image_is_restored_or_gone(service: TestClient, ids: list[str]) -> None:
    [image, *_] = ids
    assert service.delete(f"{IMAGES}/{image}?restorable=true").status_code == 204
    assert service.delete(f"{IMAGES}/{image}?restorable=true").status_code == 404
    assert sent(service, f"{REMOVED}/restore", [image])["restored"] == 1
    assert [one["id"] for one in images(service)] == ids

    service.delete(f"{IMAGES}/{image}?restorable=true")
    assert service.delete(f"{IMAGES}/{image}").status_code == 204
    assert sent(service, f"{REMOVED}/restore", [image])["restored"] == 0


def test_boxed_photo_is_restored_or_gone(service: TestClient, boxed_id: str) -> None:
    before = service.get(f"{BOXED}/{boxed_id}").json()
    assert service.delete(f"{BOXED}/{boxed_id}?restorable=true").status_code == 204
    assert service.get(f"{BOXED}/{boxed_id}").status_code == 404
    [listed] = service.get(REMOVED).json()["photos"]
    assert (listed["kind"], listed["class_name"]) == ("boxed", None)
    assert sent(service, f"{REMOVED}/restore", [boxed_id])["restored"] == 1
    assert without_time(service.get(f"{BOXED}/{boxed_id}").json()) == without_time(before)

    service.delete(f"{BOXED}/{boxed_id}?restorable=true")
    assert service.delete(f"{BOXED}/{boxed_id}").status_code == 204
    assert sent(service, f"{REMOVED}/restore", [boxed_id])["restored"] == 0


def test_relabelling_is_undone_except_for_later_changes(
    service: TestClient, ids: list[str]
) -> None:
    answer = sent(service, f"{IMAGES}/relabel", ids, class_name="plum")
    assert (answer["relabelled"], answer["former"]) == (3, {"pear": sorted(ids[:2])})
    # Somebody else corrects one of them in the meantime.
    sent(service, f"{IMAGES}/relabel", ids[:1], class_name="fig")
    back = sent(
        service, f"{IMAGES}/relabel", answer["former"]["pear"], class_name="pear", only_from="Plum"
    )
    assert (back["relabelled"], back["missing"], back["former"]) == (1, ids[:1], {"plum": ids[1:2]})
    assert [image["class_name"] for image in images(service)] == ["fig", "pear", "plum"]
