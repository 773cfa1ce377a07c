"""`POST /upload-training-data` and `/dataset/summary` over HTTP."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import psycopg
import pytest
from fastapi.testclient import TestClient

from api.http.upload_form import MAX_FILES
from api.settings import PROJECT
from tests.catalog.conftest import Serve
from tests.catalog.photographs import phone_jpeg, photo
from tests.catalog.zips import zipped
from tests.postgres import fresh_database

UPLOAD = "/upload-training-data"
Files = Sequence[tuple[str, bytes]]


def send(client: TestClient, files: Files, class_name: str | None = None) -> httpx2.Response:
    data = {} if class_name is None else {"class_name": class_name}
    return client.post(UPLOAD, files=[("files", file) for file in files], data=data)


def upload(client: TestClient, files: Files, class_name: str | None = None) -> dict[str, Any]:
    response = send(client, files, class_name)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    assert body["uploaded_count"] == len(body["uploaded_files"])
    return body


def assert_problem(response: httpx2.Response, status: int, code: str) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert body["detail"].endswith((".", ")."))


def images(client: TestClient) -> int:
    total: int = client.get("/dataset/summary").json()["images"]
    return total


def fields_of(items: Sequence[Mapping[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(item[name] for name in names) for item in items]


def test_response_has_the_fields_of_the_contract(service: TestClient) -> None:
    body = upload(service, [("apple.jpg", photo(1))], " Fresh Apples ")
    assert set(body) == {
        "uploaded_count",
        "uploaded_files",
        "duplicates",
        "errors",
        "class_name",
        "timestamp",
    }
    assert (body["class_name"], body["duplicates"], body["errors"]) == ("fresh_apples", [], [])
    [file] = body["uploaded_files"]
    assert set(file) == {"filename", "id", "class_name", "split", "photograph"}
    assert file["photograph"] == "fresh_apples/apple"
    assert images(service) == 1


def test_one_bad_file_does_not_affect_the_others(service: TestClient) -> None:
    body = upload(
        service,
        [
            ("a.jpg", photo(1)),
            ("cut.jpg", photo(2)[:-300]),
            ("words.jpg", b"words"),
            ("empty.jpg", b""),
            ("again.jpg", photo(1)),
            ("near.png", photo(1, "PNG")),
            ("b.jpg", photo(3)),
        ],
        "pear",
    )
    assert fields_of(body["uploaded_files"], "filename") == [("a.jpg",), ("b.jpg",)]
    assert fields_of(body["duplicates"], "filename", "kind", "of", "class_name") == [
        ("again.jpg", "exact", "pear/a", "pear"),
        ("near.png", "near", "pear/a", "pear"),
    ]
    assert fields_of(body["errors"], "filename", "code") == [
        ("cut.jpg", "truncated-image"),
        ("words.jpg", "not-an-image"),
        ("empty.jpg", "empty-image"),
    ]
    assert images(service) == 2


def test_upload_without_a_usable_file_reports_the_errors(service: TestClient) -> None:
    body = upload(service, [("words.jpg", b"words")], "pear")
    assert (body["uploaded_count"], len(body["errors"])) == (0, 1)


def test_uploads_have_a_larger_body_limit(serve: Serve) -> None:
    service = serve(max_body_bytes=20_000, max_upload_bytes=60_000)
    file = ("a.jpg", bytes(30_000))
    other = service.post("/dataset/images/remove", content=bytes(30_000))
    assert_problem(other, 413, "body-too-large")
    body = upload(service, [file, ("b.jpg", photo(1))], "pear")
    assert fields_of(body["errors"], "filename", "code") == [("a.jpg", "file-too-large")]
    assert body["uploaded_count"] == 1
    assert_problem(send(service, [file] * 3, "pear"), 413, "body-too-large")


@pytest.mark.parametrize("class_name", [None, "", "  "])
def test_photos_without_a_class_are_rejected(service: TestClient, class_name: str | None) -> None:
    files = [("a.zip", zipped({"pear/a.jpg": photo(1)})), ("b.jpg", photo(2))]
    assert_problem(send(service, files, class_name), 422, "missing-class-name")
    assert images(service) == 0


@pytest.mark.parametrize("class_name", ["?!", "not_fruit", "\0"])
def test_bad_class_name_is_rejected(service: TestClient, class_name: str) -> None:
    files = [("a.jpg", photo(1))]
    assert_problem(send(service, files, class_name), 422, "bad-class-name")
    assert images(service) == 0


def test_malformed_requests_are_rejected(service: TestClient) -> None:
    nothing = service.post(UPLOAD, data={"class_name": "pear"}, files={"other": b"x"})
    assert_problem(nothing, 422, "no-files")
    text = service.post(UPLOAD, data={"files": "a.jpg", "class_name": "pear"}, files={"x": b"x"})
    assert_problem(text, 422, "no-files")
    file = ("a.jpg", photo(1))
    mixed = service.post(
        UPLOAD, data={"class_name": "pear"}, files=[("files", file), ("file", file)]
    )
    assert_problem(mixed, 422, "misplaced-files")
    for twice in (
        {"class_name": ["pear", "plum"]},
        {"class_name": "pear", "new_class": ["1", "0"]},
    ):
        answer = service.post(UPLOAD, data=twice, files={"files": file})
        assert_problem(answer, 422, "repeated-field")
    assert images(service) == 0
    assert_problem(service.post(UPLOAD, json={"files": []}), 415, "not-a-form")
    assert_problem(service.post(UPLOAD), 415, "not-a-form")
    many = [("a.jpg", b"x")] * (MAX_FILES + 1)
    assert_problem(send(service, many, "pear"), 400, "bad-form")
    headers = {"content-type": "multipart/form-data; boundary=b"}
    for body in (b"", b"--b", b"words", b"--b\r\n\r\n", b'--b\r\nname="files"\r\n\r\nx\r\n--b--'):
        answer = service.post(UPLOAD, content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (body, answer.text)


@pytest.mark.parametrize("charset", ["utf-8", "utf-7", "utf-16", "nonsense"])
def test_odd_file_names_are_accepted(serve: Serve, postgres: str, charset: str) -> None:
    """PostgreSQL would reject some of them if they were not cleaned."""
    service = serve(database_url=fresh_database(postgres))
    headers = {"content-type": f"multipart/form-data; boundary=b; charset={charset}"}
    class_name = "pear".encode("utf-16" if charset == "utf-16" else "utf-8")
    names = [b"\xff\xfe.jpg", b"+2AA-.jpg", b"\xed\xa0\x80.jpg", b"x" * 300, b"a/b/", b"\0.jpg"]
    answers = []
    for seed, name in enumerate(names):
        body = b"".join(
            b'--b\r\ncontent-disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % part
            for part in [
                (b"files", b'; filename="%s"' % name, photo(seed)),
                (b"class_name", b"", class_name),
            ]
        )
        answers.append(service.post(UPLOAD, content=body + b"--b--\r\n", headers=headers))
    assert all(answer.status_code < 500 for answer in answers)
    if charset == "utf-8":
        assert all(answer.json().get("uploaded_count") == 1 for answer in answers[:-1])


def test_damaged_forms_are_client_errors(service: TestClient) -> None:
    whole = httpx2.Request(
        "POST",
        "http://test",
        files=[("files", ("a.jpg", photo(1)))],
        data={"class_name": "pear"},
    )
    content = whole.read()
    random = np.random.default_rng(4)
    for _ in range(60):
        damaged = bytearray(content)
        for place in [*random.integers(0, 250, 3), random.integers(len(content))]:
            damaged[place] = random.integers(256)
        answer = service.post(
            UPLOAD,
            content=bytes(damaged),
            headers={"content-type": whole.headers["content-type"]},
        )
        assert answer.status_code < 500, answer.text


def test_summary_counts_images_and_photographs(serve: Serve) -> None:
    service = serve(model_dir=PROJECT / "models" / "default")
    before = service.get("/dataset/summary").json()
    assert (before["images"], before["new_images"], before["newest_upload"]) == (0, 0, None)
    files = [("x.jpg", photo(1)), ("rotated_by_15_x.jpg", photo(2))]
    body = upload(service, files, "quince")
    after = service.get("/dataset/summary").json()
    splits = Counter(file["split"] for file in body["uploaded_files"])
    assert (after["images"], after["new_images"]) == (2, 2)
    assert after["by_class"] == {"quince": 2}
    assert after["by_split"] == splits
    assert after["by_origin"] == {"upload": 2}
    assert after["newest_upload"] > body["timestamp"][:10]
    assert after["photographs"]["total"] == before["photographs"]["total"] + 2
    assert after["photographs"]["by_class"]["quince"] == splits
    known = before["photographs"]["by_class"]
    assert set(known) >= {"freshapples", "rottenbanana"}
    assert {**after["photographs"]["by_class"], **known} == after["photographs"]["by_class"]


def test_gps_data_is_not_stored(serve: Serve, tmp_path: Path) -> None:
    service = serve()
    upload(service, [("a.jpg", phone_jpeg(1))], "pear")
    [stored] = (tmp_path / "state" / "blobs" / "photographs").rglob("*.jpg")
    # The EXIF tag for GPS data.
    assert b"\x88\x25" not in stored.read_bytes()[:200]
    assert b"\x88\x25" in phone_jpeg(1)[:200]


def test_without_database_requests_get_503_with_retry_after(serve: Serve, postgres: str) -> None:
    url = fresh_database(postgres)
    service = serve(database_url=url)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)".encode())
    for answer in (
        service.get("/dataset/summary"),
        send(service, [("a.jpg", photo(1))], "pear"),
        service.delete(f"/dataset/images/{'0' * 32}"),
    ):
        assert_problem(answer, 503, "catalog-unavailable")
        assert answer.headers["retry-after"] == "5"
