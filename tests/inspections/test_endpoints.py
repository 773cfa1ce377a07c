"""Inspections over HTTP: opening, adding photos, reading, searching, deleting."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.settings import Settings
from tests.inspections.crates import (
    FRUITS,
    LOT,
    add,
    crate,
    get,
    levels,
    opened,
    photo,
    same_again,
    serving,
    zipped,
)
from tests.predictions.test_endpoints import assert_problem
from tests.synthetic_images import encode


def assert_invalid(response: Response) -> None:
    assert (response.status_code, response.json()["code"]) == (422, "invalid-request")


def test_new_inspection_says_how_many_fruits_to_photograph(grading: TestClient) -> None:
    response = grading.post("/inspections", json=LOT | {"lot": "  A-17 "})
    body = response.json()
    assert response.status_code == 201
    assert {name: body[name] for name in LOT} == LOT
    assert (body["max_rotten"], body["max_past_best"], body["confidence"]) == (0.05, 0.1, 0.95)
    assert (body["photos"], body["same_asked"]) == (0, 0)
    assert body["counts"] == {"fresh": 0, "past_best": 0, "rotten": 0, "unknown": 0}
    assert (body["verdict"]["decision"], body["verdict"]["more"]) == ("more", 88)
    assert "Photograph about 88 fruits" in body["verdict"]["message"]
    assert get(grading, f"/inspections/{body['id']}") == body


@pytest.mark.parametrize(
    "changes",
    [
        {"lot": ""},
        {"lot": " \u200b"},
        {"lot": "x" * 121},
        {"lot": None},
        {"lot": 7},
        {"supplier": None},
        {"max_rotten": 0},
        {"max_rotten": 1},
        {"max_rotten": "0.05"},
        {"max_rotten": None},
        {"max_past_best": -0.1},
        {"confidence": 1},
        {"confidence": 0.4},
    ],
    ids=str,
)
def test_unusable_inspection_is_refused(grading: TestClient, changes: dict[str, Any]) -> None:
    before = get(grading, "/inspections")["total"]
    assert_invalid(grading.post("/inspections", json=LOT | changes))
    assert get(grading, "/inspections")["total"] == before


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999"])
def test_tolerance_that_is_not_a_number_is_refused(grading: TestClient, text: str) -> None:
    response = grading.post(
        "/inspections",
        content=f'{{"lot": "A", "max_rotten": {text}}}',
        headers={"content-type": "application/json"},
    )
    assert_invalid(response)


def test_photos_are_graded_fruit_by_fruit_as_by_predict(grading: TestClient) -> None:
    inspection_id = opened(grading)
    body = add(grading, inspection_id, photo(1), photo(2))
    assert [one["number"] for one in body["added"]] == [1, 2]
    assert not body["known"]
    assert not body["errors"]
    assert body["inspection"] == get(grading, f"/inspections/{inspection_id}")
    first = body["added"][0]
    assert (first["filename"], first["photograph_kept"], first["counted"]) == (
        "crate-0.jpg",
        True,
        True,
    )
    predicted = grading.post("/predict?instances=true", files={"file": photo(1)}).json()
    assert predicted["image"] == {"width": first["width"], "height": first["height"]}
    for fruit, instance in zip(first["fruits"], predicted["instances"], strict=True):
        same = ("box", "predicted_class", "confidence", "recognised", "freshness_score")
        assert {name: fruit[name] for name in same} == {name: instance[name] for name in same}
        assert fruit["level"] == (instance["freshness_level"] if fruit["recognised"] else None)
        assert (fruit["said"], fruit["added"]) == (None, False)


def test_counts_and_shares_are_of_all_photos(grading: TestClient) -> None:
    inspection_id = opened(grading)
    body = add(grading, inspection_id, photo(3), photo(4))
    found = [level for one in body["added"] for level in levels(one["fruits"])]
    counted = Counter("unknown" if level is None else level for level in found)
    inspection = body["inspection"]
    assert inspection["counts"] == {name: counted[name] for name in inspection["counts"]}
    assert sum(inspection["counts"].values()) == 2 * FRUITS
    known = 2 * FRUITS - counted["unknown"]
    assert [one["level"] for one in inspection["shares"]] == ["rotten", "past_best", "fresh"]
    for share in inspection["shares"]:
        assert share["share"] == pytest.approx(counted[share["level"]] / known)
        assert share["low"] <= share["share"] <= share["high"]
    assert [one["limit"] for one in inspection["shares"]] == [0.05, 0.1, None]


def test_lists_are_worst_first_and_newest_first(grading: TestClient) -> None:
    inspection_id = opened(grading)
    add(grading, inspection_id, photo(3), photo(4), photo(5))
    path = f"/inspections/{inspection_id}"
    fruits = get(grading, f"{path}/fruits", limit=200)
    order = ("rotten", "past_best", None, "fresh")
    places = [order.index(level) for level in levels(fruits["fruits"])]
    assert places == sorted(places)
    assert fruits["total"] == len(fruits["fruits"]) == 3 * FRUITS
    rotten = [one["freshness_score"] for one in fruits["fruits"] if one["level"] == "rotten"]
    assert rotten == sorted(rotten)
    page = get(grading, f"{path}/fruits", offset=2, limit=3)
    assert page["fruits"] == fruits["fruits"][2:5]

    photos = get(grading, f"{path}/photos", limit=2)
    assert [one["number"] for one in photos["photos"]] == [3, 2]
    assert photos["total"] == 3
    assert [one["number"] for one in get(grading, f"{path}/photos", offset=2)["photos"]] == [1]


def test_zip_and_bad_files_among_good_ones(grading: TestClient) -> None:
    inspection_id = opened(grading)
    body = add(grading, inspection_id, photo(1), b"no photo", zipped(photo(2), b"nor this"))
    assert len(body["added"]) == 2
    assert [one["filename"] for one in body["errors"]] == ["crate-1.jpg", "crate-2.jpg/crate-1.jpg"]
    assert {one["error"]["code"] for one in body["errors"]} == {"not-an-image"}
    assert body["inspection"]["photos"] == 2


def test_same_file_is_known_and_counts_once(grading: TestClient) -> None:
    inspection_id = opened(grading)
    first = add(grading, inspection_id, photo(1))
    again = add(grading, inspection_id, photo(1))
    assert not again["added"]
    assert again["known"] == first["added"]
    assert again["inspection"] == first["inspection"]
    other = add(grading, opened(grading, lot="B"), photo(1))
    assert len(other["added"]) == 1


def test_same_fruits_are_noticed_and_count_once_if_a_person_says_so(grading: TestClient) -> None:
    inspection_id = opened(grading)
    path = f"/inspections/{inspection_id}"
    first, other = add(grading, inspection_id, photo(1), photo(2))["added"]
    assert (first["same_as"], other["same_as"]) == (None, None)
    body = add(grading, inspection_id, same_again(1))
    [again] = body["added"]
    assert (again["same_as"], again["counted"], again["answered"]) == (first["id"], True, False)
    assert body["inspection"]["same_asked"] == 1
    both = 2 * FRUITS + len(again["fruits"])
    assert sum(body["inspection"]["counts"].values()) == both

    url = f"{path}/photos/{again['id']}"
    answer = grading.patch(url, json={"counted": False}).json()
    assert (answer["counted"], answer["answered"]) == (False, True)
    inspection = get(grading, path)
    assert (inspection["same_asked"], inspection["photos"]) == (0, 3)
    assert sum(inspection["counts"].values()) == 2 * FRUITS
    assert get(grading, f"{path}/fruits")["total"] == 2 * FRUITS

    assert grading.patch(url, json={"counted": True}).json()["counted"] is True
    assert sum(get(grading, path)["counts"].values()) == both
    assert_invalid(grading.patch(url, json={"counted": "no"}))


def test_photo_is_removed_with_its_picture(grading: TestClient) -> None:
    inspection_id = opened(grading)
    path = f"/inspections/{inspection_id}"
    first, again = add(grading, inspection_id, photo(1), same_again(1))["added"]
    picture = f"/predictions/{first['id']}/photograph"
    assert grading.get(picture).status_code == 200
    assert grading.delete(f"{path}/photos/{first['id']}").status_code == 204
    assert_problem(grading.get(picture), 404, "photograph-gone")
    [left] = get(grading, f"{path}/photos")["photos"]
    assert (left["id"], left["same_as"], left["number"]) == (again["id"], None, 2)
    assert_problem(grading.delete(f"{path}/photos/{first['id']}"), 404, "photo-not-found")
    assert add(grading, inspection_id, photo(1))["added"][0]["number"] == 3


def test_found_again_by_lot_supplier_and_date(grading: TestClient) -> None:
    ours = opened(grading, lot="Zwetschge 50%_off", supplier="Müller & Söhne")
    other = opened(grading, lot="Zwetschge 500", supplier="Bauer")

    def found(**params: Any) -> list[str]:
        return [one["id"] for one in get(grading, "/inspections", **params)["inspections"]]

    assert found(search="zwetschge") == [other, ours]
    assert found(search="50%_") == [ours]
    assert found(search="MÜLLER &") in ([ours], [])  # SQLite folds the case of ASCII only.
    assert found(search="Müller & s") == [ours]
    assert found(search="nowhere") == []
    assert found(search="zwetschge", limit=1, offset=1) == [ours]
    opened_at = datetime.fromisoformat(get(grading, f"/inspections/{ours}")["created_at"])
    before, after = opened_at - timedelta(seconds=60), opened_at + timedelta(seconds=60)
    within = {"since": before.isoformat(), "until": after.isoformat()}
    assert ours in found(**within)
    assert found(since=after.isoformat()) == []
    assert ours not in found(until=before.isoformat())
    assert get(grading, "/inspections", search="zwetschge", limit=1)["total"] == 2


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "offset=-1",
        "since=yesterday",
        "until=0.5",
        "since=1700000000",
        "since=2026-11-29T10:00:00",
        f"search={'x' * 81}",
        "search=%00",
    ],
)
def test_unusable_filters_are_refused(grading: TestClient, query: str) -> None:
    assert_invalid(grading.get(f"/inspections?{query}"))


def test_any_date_may_be_asked_for(grading: TestClient) -> None:
    inspection_id = opened(grading)

    def found(query: str) -> bool:
        answer = grading.get(f"/inspections?{query}&limit=100")
        assert answer.status_code == 200
        return inspection_id in [one["id"] for one in answer.json()["inspections"]]

    assert found("since=0001-01-01T00:00:00%2B14:00")
    assert found("until=9999-12-31T23:59:59-14:00")
    assert not found("until=0001-01-01T00:00:00Z")
    assert not found("since=9999-12-31T23:59:59Z")


def test_deleted_inspection_is_gone_with_its_photos(grading: TestClient) -> None:
    inspection_id = opened(grading)
    path = f"/inspections/{inspection_id}"
    [one] = add(grading, inspection_id, photo(1))["added"]
    assert grading.delete(path).status_code == 204
    for method, url in (
        ("GET", path),
        ("GET", f"{path}/photos"),
        ("GET", f"{path}/fruits"),
        ("DELETE", path),
        ("PATCH", f"{path}/photos/{one['id']}"),
        ("PUT", f"{path}/photos/{one['id']}/fruits/1"),
    ):
        body = {"PATCH": {"counted": True}, "PUT": {"said": "fresh"}}.get(method)
        assert_problem(grading.request(method, url, json=body), 404, "inspection-not-found")
    files = {"files": photo(2)}
    assert_problem(grading.post(f"{path}/photos", files=files), 404, "inspection-not-found")
    picture = grading.get(f"/predictions/{one['id']}/photograph")
    assert_problem(picture, 404, "photograph-gone")


def test_photos_of_an_inspection_are_not_in_the_review_queue(grading: TestClient) -> None:
    [one] = add(grading, opened(grading), encode(crate(77), "JPEG", quality=80))["added"]
    queue = get(grading, "/review-queue", limit=200)["items"]
    assert one["id"] not in {item["prediction_id"] for item in queue}
    assert get(grading, f"/predictions/{one['id']}")["photograph_kept"]


def test_without_a_detector_nothing_is_added(client: TestClient, grading: TestClient) -> None:
    inspection_id = opened(grading)
    state = grading.app.state.service  # type: ignore[attr-defined]
    finding, state.predictor.detector = state.predictor.detector, None
    try:
        response = grading.post(f"/inspections/{inspection_id}/photos", files={"files": photo(1)})
    finally:
        state.predictor.detector = finding
    assert_problem(response, 409, "no-detector")


def test_kept_photos_are_optional(settings: Settings, tmp_path: Any) -> None:
    changes = {"state_dir": tmp_path, "keep_predicted_days": 0}
    with serving(settings.model_copy(update=changes)) as client:
        inspection_id = opened(client)
        [one] = add(client, inspection_id, photo(1))["added"]
        assert not one["photograph_kept"]
        said = client.put(
            f"/inspections/{inspection_id}/photos/{one['id']}/fruits/1", json={"said": "rotten"}
        )
        assert said.json()["fruits"][0]["level"] == "rotten"
        assert not list(tmp_path.rglob("*.jpgs"))
