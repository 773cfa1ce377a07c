"""A person's corrections of fruits count at once and are learned."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from api.catalog import repository as images
from api.inspections.corrections import class_said
from api.predictions.retention import sweep_predicted
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.inspections import InspectionFruitRow, Said
from tests.inspections.crates import FRUITS, add, get, opened, photo
from tests.predictions.test_endpoints import assert_problem

CLASSES = ("freshapples", "rottenapples", "freshbanana", "rottenbanana", "overripe_banana", "kiwi")
seeds = iter(range(100, 10**6))


@pytest.fixture
def photo_url(grading: TestClient) -> str:
    """The URL of a new photo in a new inspection of apples."""
    inspection_id = opened(grading)
    [one] = add(grading, inspection_id, photo(next(seeds)))["added"]
    return f"/inspections/{inspection_id}/photos/{one['id']}"


def say(client: TestClient, photo_url: str, number: int, said: str) -> dict[str, Any]:
    response = client.put(f"{photo_url}/fruits/{number}", json={"said": said})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def counts_of(client: TestClient, photo_url: str) -> dict[str, int]:
    counts: dict[str, int] = get(client, photo_url.partition("/photos")[0])["counts"]
    return counts


def boxed(client: TestClient, photo_url: str) -> dict[str, Any] | None:
    """The boxed photo made from the photo, from which the next retraining learns."""
    photo_id = photo_url.rpartition("/")[2]
    page = get(client, "/dataset/boxed-photos", limit=200)["boxed_photos"]
    found: list[dict[str, Any]] = [one for one in page if one["prediction_id"] == photo_id]
    return found[0] if found else None


@pytest.mark.parametrize("said", ["fresh", "past_best", "rotten"])
def test_level_counts_at_once(grading: TestClient, photo_url: str, said: Said) -> None:
    body = say(grading, photo_url, 2, said)
    fruit = body["fruits"][1]
    assert (fruit["said"], fruit["level"]) == (said, said)
    counts = counts_of(grading, photo_url)
    assert sum(counts.values()) == FRUITS
    assert counts[said] == sum(one["level"] == said for one in body["fruits"])


def test_all_levels_said_are_the_counts(grading: TestClient, photo_url: str) -> None:
    for number, said in enumerate(("rotten", "rotten", "past_best", "fresh", "no_fruit"), start=1):
        say(grading, photo_url, number, said)
    say(grading, photo_url, FRUITS, "fresh")
    counts = {"fresh": 2, "past_best": 1, "rotten": 2, "unknown": 0}
    assert counts_of(grading, photo_url) == counts
    inspection_url = photo_url.partition("/photos")[0]
    assert get(grading, f"{inspection_url}/fruits")["total"] == 5


def test_enough_rot_rejects_the_lot(grading: TestClient, photo_url: str) -> None:
    for number in range(1, FRUITS + 1):
        say(grading, photo_url, number, "rotten")
    verdict = get(grading, photo_url.partition("/photos")[0])["verdict"]
    assert (verdict["decision"], verdict["over"]) == ("reject", ["rotten"])
    for number in range(1, FRUITS + 1):
        say(grading, photo_url, number, "fresh")
    verdict = get(grading, photo_url.partition("/photos")[0])["verdict"]
    assert (verdict["decision"], verdict["more"]) == ("more", 88 - FRUITS)


def test_correction_can_be_undone(grading: TestClient, photo_url: str) -> None:
    before = counts_of(grading, photo_url)
    say(grading, photo_url, 1, "no_fruit")
    assert counts_of(grading, photo_url) != before
    response = grading.delete(f"{photo_url}/fruits/1")
    assert response.json()["fruits"][0]["said"] is None
    assert counts_of(grading, photo_url) == before


def test_correction_becomes_a_boxed_photo_for_learning(grading: TestClient, photo_url: str) -> None:
    assert boxed(grading, photo_url) is None
    said = say(grading, photo_url, 3, "rotten")["fruits"]
    stored = boxed(grading, photo_url)
    assert stored is not None
    assert (stored["complete"], stored["origin"]) == (False, "feedback")
    # The grader's own grades must not become labels.
    classes = [one["class_name"] for one in stored["boxes"]]
    assert classes == [None, None, "rottenapples", None, None, None]
    assert [one["box"] for one in stored["boxes"]] == [one["box"] for one in said]

    say(grading, photo_url, 3, "fresh")
    say(grading, photo_url, 1, "no_fruit")
    stored = boxed(grading, photo_url)
    assert stored is not None
    classes = [one["class_name"] for one in stored["boxes"]]
    assert classes == [None, "freshapples", None, None, None]


def test_photo_of_nothing_is_learned_as_that(grading: TestClient, photo_url: str) -> None:
    for number in range(1, FRUITS + 1):
        say(grading, photo_url, number, "no_fruit")
    stored = boxed(grading, photo_url)
    assert stored is not None
    assert (stored["complete"], stored["boxes"]) == (True, [])
    assert sum(counts_of(grading, photo_url).values()) == 0


def test_missed_fruit_is_added_and_removed(grading: TestClient, photo_url: str) -> None:
    box = {"x_min": 2.5, "y_min": 3, "x_max": 30, "y_max": 40}
    response = grading.post(f"{photo_url}/fruits", json={"box": box, "level": "rotten"})
    assert response.status_code == 201
    added = response.json()["fruits"][-1]
    assert (added["number"], added["box"], added["level"]) == (FRUITS + 1, box, "rotten")
    assert (added["added"], added["predicted_class"]) == (True, None)
    assert sum(counts_of(grading, photo_url).values()) == FRUITS + 1
    stored = boxed(grading, photo_url)
    assert stored is not None
    assert stored["boxes"][-1] == {"box": box, "class_name": "rottenapples"}

    url = f"{photo_url}/fruits/{FRUITS + 1}"
    assert_problem(grading.put(url, json={"said": "no_fruit"}), 409, "added-by-person")
    assert grading.put(url, json={"said": "fresh"}).json()["fruits"][-1]["level"] == "fresh"
    assert len(grading.delete(url).json()["fruits"]) == FRUITS
    assert sum(counts_of(grading, photo_url).values()) == FRUITS
    assert_problem(grading.delete(url), 404, "fruit-not-found")


@pytest.mark.parametrize(
    "edges", [{"x_max": 400}, {"x_min": -9}, {"x_min": 30}, {"x_min": None}, {"x_min": "2"}]
)
def test_box_outside_the_photo_is_refused(
    grading: TestClient, photo_url: str, edges: dict[str, Any]
) -> None:
    box = {"x_min": 2, "y_min": 3, "x_max": 30, "y_max": 40} | edges
    response = grading.post(f"{photo_url}/fruits", json={"box": box, "level": "rotten"})
    assert response.status_code == 422
    assert sum(counts_of(grading, photo_url).values()) == FRUITS


@pytest.mark.parametrize("said", ["mouldy", None, 1, ""])
def test_unknown_word_is_refused(grading: TestClient, photo_url: str, said: Any) -> None:
    response = grading.put(f"{photo_url}/fruits/1", json={"said": said})
    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")


def test_photo_of_another_inspection_is_not_found(grading: TestClient, photo_url: str) -> None:
    other = photo_url.replace(photo_url.split("/")[2], opened(grading))
    assert_problem(grading.put(f"{other}/fruits/1", json={"said": "fresh"}), 404, "photo-not-found")
    assert_problem(
        grading.put(f"{photo_url}/fruits/99", json={"said": "fresh"}), 404, "fruit-not-found"
    )


def test_photo_that_is_no_longer_kept_still_counts_corrections(
    grading: TestClient, photo_url: str, state: Settings
) -> None:
    database = Database(state.database)
    sweep_predicted(database, Blobs(state.storage), -1)
    database.close()
    say(grading, photo_url, 1, "rotten")
    assert boxed(grading, photo_url) is None
    assert counts_of(grading, photo_url)["rotten"] >= 1


@pytest.mark.parametrize(
    ("predicted", "said", "kind", "named"),
    [
        ("freshapples", "rotten", "", "rottenapples"),
        ("freshbanana", "past_best", "", "overripe_banana"),
        ("freshapples", "past_best", "", None),
        # A person who says "rotten" in a lot of apples means a rotten apple.
        ("freshbanana", "rotten", "Apples", "rottenapples"),
        ("freshbanana", "rotten", "apple", "rottenapples"),
        ("freshapples", "rotten", "pear", "rottenapples"),
        ("kiwi", "rotten", "", None),
        (None, "rotten", "", None),
        (None, "fresh", "bananas", "freshbanana"),
        ("freshapples", "no_fruit", "apple", None),
        ("freshapples", None, "apple", None),
    ],
)
def test_class_that_a_level_names(
    predicted: str | None, said: Said | None, kind: str, named: str | None
) -> None:
    fruit = InspectionFruitRow(
        predicted_class=predicted, said=said, recognised=predicted is not None
    )
    assert class_said(fruit, kind, CLASSES) == named


def test_slow_store_holds_no_lock(
    grading: TestClient, photo_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The photo is read and stored before the catalog's lock is taken."""
    locked, reached = [False], list[str]()
    lock = images.lock_images

    def note(name: str, access: Callable[..., Any]) -> Callable[..., Any]:
        def watched(blobs: Blobs, key: str, *values: Any) -> Any:
            if key.startswith(("photographs/", "predicted/")):
                reached.append(f"{name}{' under the lock' if locked[0] else ''}")
            return access(blobs, key, *values)

        return watched

    def lock_images(session: Session) -> None:
        locked[0] = True
        lock(session)

    for name in ("get", "put"):
        monkeypatch.setattr(Blobs, name, note(name, getattr(Blobs, name)))
    monkeypatch.setattr(images, "lock_images", lock_images)
    say(grading, photo_url, 2, "rotten")
    assert locked[0]
    assert reached == ["get", "put"]
    # Replacing the boxes needs no photo.
    locked[0] = False
    say(grading, photo_url, 2, "fresh")
    assert reached == ["get", "put"]
