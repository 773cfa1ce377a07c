"""A new class that looks like a known one, at every place where a class can be entered."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.catalog.import_folder import import_folder
from api.core.labels import SimilarClassError
from api.settings import Settings
from api.training.class_folders import INDEX, read_index
from tests.catalog.photographs import photo
from tests.catalog.pictures import contents, fill
from tests.catalog.zips import zipped

UPLOAD = "/upload-training-data"
LOOK_ALIKES = ["Fresh Apples", "freshappIes", "fresh\N{CYRILLIC SMALL LETTER A}pples"]


@pytest.fixture
def service(settings: Settings, tmp_path: Path) -> Any:
    """The service with a grader that knows `freshapples`, and an empty catalog."""
    own = settings.model_copy(update={"state_dir": tmp_path})
    with TestClient(create_app(own), raise_server_exceptions=False) as client:
        yield client


def upload(client: TestClient, data: bytes, **form: str) -> httpx2.Response:
    return client.post(UPLOAD, files=[("files", ("a.jpg", data))], data=form)


def assert_asked(response: httpx2.Response) -> None:
    body = response.json()
    assert (response.status_code, body["code"]) == (409, "similar-class"), body
    assert "'freshapples'" in body["detail"]
    assert "new_class=true" in body["detail"]


def classes(client: TestClient) -> dict[str, int]:
    counts: dict[str, int] = client.get("/dataset/summary").json()["by_class"]
    return counts


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_upload_asks(service: TestClient, name: str) -> None:
    assert_asked(upload(service, photo(1), class_name=name))
    assert classes(service) == {}
    assert upload(service, photo(1), class_name=name, new_class="true").status_code == 200
    # From now on the class is known.
    assert upload(service, photo(2), class_name=name).json()["uploaded_count"] == 1
    assert len(classes(service)) == 1


@pytest.mark.parametrize("value", ["true", "yes", 1, None])
def test_new_class_is_a_boolean_in_json(service: TestClient, value: object) -> None:
    change = {"ids": ["0" * 32], "class_name": "kiwi", "new_class": value}
    response = service.post("/dataset/images/relabel", json=change)
    assert response.status_code == 422
    assert "new_class" in response.text


def test_new_class_is_true_or_false(service: TestClient) -> None:
    response = upload(service, photo(1), class_name="kiwi", new_class="perhaps")
    assert (response.status_code, response.json()["code"]) == (422, "bad-flag")


@pytest.mark.parametrize("path", [UPLOAD, "/upload-boxed-photos"])
def test_described_words_of_new_class_are_taken(service: TestClient, path: str) -> None:
    """A form has only text, so the description lists the words for true and false."""
    operation = service.get("/openapi.json").json()["paths"][path]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    words = form["properties"]["new_class"]["enum"]
    assert {"true", "False", "1", "on", ""} <= set(words)
    for word in words:
        data = {"class_name": "kiwi", "new_class": word}
        sent = service.post(path, files={"files": ("a.jpg", b"x")}, data=data)
        assert sent.status_code == 200, (word, sent.text)


def test_class_folders_of_a_zip_are_asked_about_one_by_one(service: TestClient) -> None:
    files = {
        "Fresh Apples/1.jpg": photo(1),
        "freshapples/2.jpg": photo(2),
        "Star Fruit/3.jpg": photo(3),
        "starfruit/4.jpg": photo(4),
    }
    report = upload(service, zipped(files)).json()
    assert [error["code"] for error in report["errors"]] == ["similar-class"] * 2
    assert classes(service) == {"freshapples": 1, "star_fruit": 1}
    assert upload(service, zipped(files), new_class="1").json()["uploaded_count"] == 2
    assert len(classes(service)) == 4


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_relabelling_asks(service: TestClient, name: str) -> None:
    [image] = upload(service, photo(1), class_name="rottenapples").json()["uploaded_files"]
    path = f"/dataset/images/{image['id']}"
    many = {"ids": [image["id"]], "class_name": name}
    assert_asked(service.patch(path, json={"class_name": name}))
    assert_asked(service.post("/dataset/images/relabel", json=many))
    assert classes(service) == {"rottenapples": 1}
    meant = service.post("/dataset/images/relabel", json=many | {"new_class": True})
    assert meant.json()["relabelled"] == 1
    assert service.patch(path, json={"class_name": name}).status_code == 200


def test_feedback_and_review_ask(service: TestClient) -> None:
    graded = service.post("/predict", files={"file": ("a.jpg", photo(1))}).json()["prediction_id"]
    path = f"/predictions/{graded}/feedback"
    assert_asked(service.post(path, json={"label": "Fresh Apples"}))
    item = {"prediction_id": graded, "label": "Fresh Apples"}
    answer = service.post("/review-queue", json={"items": [item]}).json()
    assert [error["code"] for error in answer["errors"]] == ["similar-class"]
    assert classes(service) == {}
    meant = service.post("/review-queue", json={"items": [item | {"new_class": True}]}).json()
    assert meant["confirmed_count"] == 1
    # A class that occurs only in feedback is known too.
    assert service.post(path, json={"label": "Fresh Apples"}).status_code == 200
    assert_asked_about = service.post(path, json={"label": "FRESH-APPLE"})
    assert assert_asked_about.json()["code"] == "similar-class"


def test_import_asks_before_it_copies(tmp_path: Path) -> None:
    target = tmp_path / "project"
    import_folder(fill(tmp_path / "first", {"freshapples/1.png": 1}), target)
    before = contents(target)
    second = fill(tmp_path / "second", {"Fresh Apples/2.png": 2, "pear/3.png": 3})
    with pytest.raises(SimilarClassError, match="--new-class"):
        import_folder(second, target)
    assert contents(target) == before
    import_folder(second, target, new_class=True)
    found = {row.class_name for row in read_index(target / INDEX)}
    assert found == {"freshapples", "fresh_apples", "pear"}
