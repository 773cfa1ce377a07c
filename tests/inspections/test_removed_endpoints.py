"""Removing inspections and their photos over HTTP, and restoring them."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.settings import Settings
from tests.inspections.crates import FRUITS, add, get, opened, photo, same_again, serving
from tests.predictions.test_endpoints import assert_problem

LISTED = "/removed-inspections"
RESTORABLE = {"restorable": True}


def remove(client: TestClient, path: str, **params: Any) -> None:
    answer = client.delete(path, params=params)
    assert answer.status_code == 204, answer.text


def restore(client: TestClient, path: str) -> dict[str, Any]:
    answer = client.post(f"{path}/restore")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def everything(client: TestClient, path: str) -> list[Any]:
    """Everything that the pages of an inspection show."""
    lists = [get(client, f"{path}/{name}", limit=200) for name in ("photos", "fruits")]
    return [get(client, path), *lists]


def found(client: TestClient, lot: str) -> list[int]:
    """How many inspections and graded photos a search for the lot finds."""
    return [
        get(client, "/inspections", search=lot)["total"],
        get(client, "/predictions", search=lot)["total"],
    ]


@pytest.fixture
def lot(grading: TestClient) -> Iterator[str]:
    """The path of an inspection with two photos, a repeated one, and one correction."""
    inspection_id = opened(grading, lot="Back again")
    path = f"/inspections/{inspection_id}"
    first, *_, again = add(grading, inspection_id, photo(1), photo(2), same_again(1))["added"]
    grading.patch(f"{path}/photos/{again['id']}", json={"counted": False})
    grading.put(f"{path}/photos/{first['id']}/fruits/1", json={"said": "rotten"})
    yield path
    grading.delete(path)


def test_removed_photo_counts_nowhere_and_comes_back(grading: TestClient, lot: str) -> None:
    before = everything(grading, lot)
    *_, first = before[1]["photos"]
    url = f"{lot}/photos/{first['id']}"
    picture = f"/predictions/{first['id']}/photograph"
    remove(grading, url, **RESTORABLE)

    inspection, photos, fruits = everything(grading, lot)
    assert (inspection["photos"], photos["total"]) == (2, 2)
    # The repeated photo now counts.
    assert [(one["same_as"], one["counted"]) for one in photos["photos"]] == [(None, True)] * 2
    assert sum(inspection["counts"].values()) == fruits["total"]
    assert first["id"] not in {one["photo_id"] for one in fruits["fruits"]}
    assert_problem(grading.get(picture), 404, "photograph-gone")
    recorded = get(grading, f"/predictions/{first['id']}")
    assert (recorded["inspection_id"], recorded["photograph_kept"]) == (None, False)
    assert found(grading, "back again") == [1, 2]
    inspection_id = lot.rpartition("/")[2]
    assert get(grading, "/predictions", inspection_id=inspection_id)["total"] == 2
    refused = grading.put(f"{url}/fruits/1", json={"said": "fresh"})
    assert_problem(refused, 404, "photo-not-found")
    assert_problem(grading.delete(url, params=RESTORABLE), 404, "photo-not-found")

    page = get(grading, f"{lot}/removed-photos")
    assert (page["total"], page["kept_days"]) == (1, 7.0)
    [listed] = page["photos"]
    assert [listed[name] for name in ("id", "number", "filename", "fruits")] == [
        first["id"],
        1,
        "crate-0.jpg",
        FRUITS,
    ]
    assert listed["removed_at"] < listed["kept_until"]

    assert restore(grading, url) == first
    assert everything(grading, lot) == before
    assert grading.get(picture).status_code == 200
    assert get(grading, f"{lot}/removed-photos")["total"] == 0
    assert restore(grading, url) == first


def test_removed_inspection_is_found_nowhere_and_comes_back(grading: TestClient, lot: str) -> None:
    before = everything(grading, lot)
    other = before[1]["photos"][1]
    remove(grading, f"{lot}/photos/{other['id']}", **RESTORABLE)
    shown = everything(grading, lot)
    remove(grading, lot, **RESTORABLE)

    for path in (lot, f"{lot}/photos", f"{lot}/fruits", f"{lot}/removed-photos"):
        assert_problem(grading.get(path), 404, "inspection-not-found")
    for suffix in ("pdf", "xlsx"):
        assert_problem(grading.get(f"{lot}/report.{suffix}"), 404, "inspection-not-found")
    assert_problem(
        grading.post(f"{lot}/photos", files={"files": photo(3)}), 404, "inspection-not-found"
    )
    assert_problem(grading.post(f"{lot}/photos/{other['id']}/restore"), 404, "inspection-not-found")
    assert_problem(grading.delete(lot, params=RESTORABLE), 404, "inspection-not-found")
    assert found(grading, "back again") == [0, 0]

    page = get(grading, LISTED)
    assert (page["total"], page["kept_days"]) == (1, 7.0)
    [listed] = page["inspections"]
    assert f"/inspections/{listed['id']}" == lot
    assert (listed["lot"], listed["supplier"], listed["photos"]) == (
        "Back again",
        "Hofgut Lindau",
        2,
    )
    assert get(grading, LISTED, offset=1)["inspections"] == []

    assert restore(grading, lot) == shown[0]
    assert everything(grading, lot) == shown
    assert get(grading, LISTED)["total"] == 0
    assert restore(grading, lot) == shown[0]
    # A photo that was removed before its inspection still has to be restored separately.
    restore(grading, f"{lot}/photos/{other['id']}")
    assert everything(grading, lot) == before


def test_same_file_added_again_replaces_the_removed_one(grading: TestClient, lot: str) -> None:
    *_, first = get(grading, f"{lot}/photos")["photos"]
    url = f"{lot}/photos/{first['id']}"
    remove(grading, url, **RESTORABLE)
    [again] = add(grading, lot.rpartition("/")[2], photo(1))["added"]
    assert (again["number"], again["fruits"][0]["said"]) == (4, None)
    assert get(grading, f"{lot}/removed-photos")["total"] == 0
    assert_problem(grading.post(f"{url}/restore"), 404, "photo-not-found")


def test_restored_photo_is_compared_with_those_added_since(grading: TestClient) -> None:
    inspection_id = opened(grading)
    path = f"/inspections/{inspection_id}"
    [first] = add(grading, inspection_id, photo(1))["added"]
    remove(grading, f"{path}/photos/{first['id']}", **RESTORABLE)
    [again] = add(grading, inspection_id, same_again(1))["added"]
    assert again["same_as"] is None
    assert restore(grading, f"{path}/photos/{first['id']}")["same_as"] == again["id"]
    assert get(grading, path)["same_asked"] == 1


@pytest.mark.parametrize("way", ["at once", "later"])
def test_removal_for_good(grading: TestClient, lot: str, way: str) -> None:
    photos = get(grading, f"{lot}/photos")["photos"]
    url = f"{lot}/photos/{photos[0]['id']}"
    for path in (url, lot):
        if way == "later":
            remove(grading, path, **RESTORABLE)
        remove(grading, path)
        assert grading.post(f"{path}/restore").status_code == 404
    assert get(grading, LISTED)["total"] == 0


def test_unknown_ones_cannot_be_restored(grading: TestClient, lot: str) -> None:
    for unknown in ("0" * 32, "nothing"):
        path = f"/inspections/{unknown}"
        assert_problem(grading.post(f"{path}/restore"), 404, "inspection-not-found")
        assert_problem(grading.get(f"{path}/removed-photos"), 404, "inspection-not-found")
        assert_problem(grading.post(f"{lot}/photos/{unknown}/restore"), 404, "photo-not-found")
    # One of another inspection.
    other = opened(grading)
    [elsewhere] = add(grading, other, photo(1))["added"]
    path = f"/inspections/{other}/photos/{elsewhere['id']}"
    remove(grading, path, **RESTORABLE)
    answer = grading.post(f"{lot}/photos/{elsewhere['id']}/restore")
    assert_problem(answer, 404, "photo-not-found")


def test_service_that_keeps_nothing_deletes_at_once(settings: Settings, tmp_path: Any) -> None:
    changes = {"state_dir": tmp_path, "keep_removed_days": 0}
    with serving(settings.model_copy(update=changes)) as client:
        inspection_id = opened(client)
        [one] = add(client, inspection_id, photo(1))["added"]
        path = f"/inspections/{inspection_id}"
        remove(client, f"{path}/photos/{one['id']}", **RESTORABLE)
        page = get(client, f"{path}/removed-photos")
        assert (page["total"], page["kept_days"]) == (0, 0.0)
        remove(client, path, **RESTORABLE)
        assert get(client, LISTED)["total"] == 0
        assert not list(tmp_path.rglob("*.jpg"))
