"""`/predictions.xlsx`, read by a library."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from api.core.workbook import XLSX
from api.predictions import table_xlsx
from api.settings import Settings
from tests.inspections.crates import FRUITS, photo, serving
from tests.inspections.test_reports import read_xlsx
from tests.ood_images import draw_ood
from tests.predictions.test_endpoints import assert_problem
from tests.synthetic_images import draw_fruit, encode

BATCH = "0123456789abcdef0123456789abcdef"
NAMES = ("=1+1.jpg", "плод.jpg", "crate.jpg", "rings.png")


@pytest.fixture(scope="module")
def graded(
    shipped_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """A service with a batch of an apple, a banana, a crate and no fruit, and a photo outside the
    batch."""
    state: Path = tmp_path_factory.mktemp("tables")
    with serving(shipped_settings.model_copy(update={"state_dir": state})) as client:
        apple, banana = (draw_fruit(kind, size=300) for kind in ("freshapples", "rottenbanana"))
        photos = (
            encode(apple, "JPEG"),
            encode(banana, "JPEG"),
            photo(1),
            encode(draw_ood("rings", 1)),
        )
        files = [("files", file) for file in zip(NAMES, photos, strict=True)]
        url = f"/predict/batch?instances=true&batch_id={BATCH}"
        assert client.post(url, files=files).status_code == 200
        client.post("/predict", files={"file": ("other.jpg", photos[0])})
        yield client


def table(client: TestClient, **query: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows of each sheet by column."""
    answer = client.get("/predictions.xlsx", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, XLSX)
    sheets = read_xlsx(answer.content)
    return {
        title: [dict(zip(head, row, strict=True)) for row in rows]
        for title, (head, *rows) in sheets.items()
    }


def test_batch_is_a_row_for_each_photo_and_each_fruit(graded: TestClient) -> None:
    sheets = table(graded, batch_id=BATCH, order="oldest")
    items = graded.get("/predictions", params={"batch_id": BATCH}).json()["predictions"]
    by_name = {item["filename"]: item for item in items}
    assert {row["Photo"] for row in sheets["Photos"]} == {"'=1+1.jpg", *NAMES[1:]}
    assert not by_name["rings.png"]["recognised"]
    for row in sheets["Photos"]:
        item = by_name[row["Photo"].removeprefix("'")]
        is_one = item["recognised"] and not item["several"]
        assert row["Id"] == item["prediction_id"]
        assert row["Model"] == item["model_version"]
        assert row["Class"] == (item["predicted_class"] if is_one else None)
        assert row["Confidence"] == (pytest.approx(100 * item["confidence"]) if is_one else None)
        known = sum(fruit["recognised"] for fruit in item["instances"])
        assert row["Fruits found"] == known
        assert row["Not known"] == len(item["instances"]) - known
    fruits = [row for row in sheets["Fruits"] if row["Photo"] == "crate.jpg"]
    assert [row["Fruit"] for row in fruits] == list(range(1, FRUITS + 1))
    for row, fruit in zip(fruits, by_name["crate.jpg"]["instances"], strict=True):
        assert row["Class"] == (fruit["predicted_class"] if fruit["recognised"] else None)
        assert (row["Grade"] == "Not known") is not fruit["recognised"]


def test_table_has_what_the_search_finds(graded: TestClient) -> None:
    assert len(table(graded)["Photos"]) == graded.get("/predictions").json()["total"]
    assert [row["Photo"] for row in table(graded, search="other")["Photos"]] == ["other.jpg"]
    assert table(graded, model_version="another") == {"Photos": [], "Fruits": []}


def test_answers_of_people_are_in_the_table(graded: TestClient) -> None:
    data = encode(draw_fruit("freshapples", 7), "JPEG")
    ids = [
        graded.post("/predict", files={"file": (name, data)}).json()["prediction_id"]
        for name in ("said-1.jpg", "said-2.jpg")
    ]
    label = {"label": "rottenapples"}
    assert graded.post(f"/predictions/{ids[0]}/feedback", json=label).is_success
    assert graded.put(f"/predictions/{ids[1]}/dismissal").is_success
    said = {row["Id"]: row["A person said"] for row in table(graded, search="said")["Photos"]}
    assert said == {ids[0]: "rotten apple", ids[1]: "not a fruit"}


def test_no_cell_is_a_formula(graded: TestClient) -> None:
    book = openpyxl.load_workbook(io.BytesIO(graded.get("/predictions.xlsx").content))
    kinds = {cell.data_type for sheet in book for row in sheet for cell in row}
    assert "f" not in kinds


def test_search_that_finds_too_much_says_what_to_do(
    graded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_xlsx, "MAX_ROWS", 2)
    assert_problem(graded.get("/predictions.xlsx"), 422, "too-many-rows")
    monkeypatch.setattr(table_xlsx, "_PAGE", 1)
    assert len(table(graded, batch_id=BATCH, search="л")["Photos"]) == 1


@pytest.mark.parametrize("query", ["batch_id=7", "search=%00", "order=best", "below=2"])
def test_bad_filters_are_refused(graded: TestClient, query: str) -> None:
    answer = graded.get(f"/predictions.xlsx?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
