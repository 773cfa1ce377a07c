"""`POST /upload-training-data` with zips: class folders, and refused zips."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.catalog.conftest import Serve
from tests.catalog.photographs import photo
from tests.catalog.test_endpoints import assert_problem, fields_of, images, send, upload
from tests.catalog.zips import encrypted, zipped


def test_zip_of_class_folders_needs_no_class_name(service: TestClient) -> None:
    folder = {
        "fruits/Fresh Pears/a.jpg": photo(1),
        "fruits/train/plum/b.jpg": photo(2),
        "__MACOSX/fruits/plum/._b.jpg": b"x",
        "fruits/plum/c.jpg": photo(3),
        "fruits/plum/words.txt": b"words",
        "fruits/!!/c.jpg": photo(4),
        "fruits/not_fruit/d.jpg": photo(5),
        "../../evil.jpg": photo(6),
        "fruits/plum/more.zip": zipped({"a.jpg": b"x"}),
        "loose.jpg": photo(7),
    }
    body = upload(service, [("fruits.zip", zipped(folder))])
    assert body["class_name"] is None
    assert fields_of(body["uploaded_files"], "filename", "class_name", "photograph") == [
        ("fruits.zip/fruits/Fresh Pears/a.jpg", "fresh_pears", "fresh_pears/a"),
        ("fruits.zip/fruits/train/plum/b.jpg", "plum", "plum/b"),
        ("fruits.zip/fruits/plum/c.jpg", "plum", "plum/c"),
    ]
    assert fields_of(body["errors"], "filename", "code") == [
        ("fruits.zip/fruits/plum/words.txt", "not-an-image"),
        ("fruits.zip/fruits/!!/c.jpg", "bad-class-name"),
        ("fruits.zip/fruits/not_fruit/d.jpg", "bad-class-name"),
        ("fruits.zip/../../evil.jpg", "unsafe-path"),
        ("fruits.zip/fruits/plum/more.zip", "nested-archive"),
        ("fruits.zip/loose.jpg", "missing-class-name"),
    ]
    assert not list(Path("/").glob("evil.jpg"))


@pytest.mark.slow
def test_known_class_decides_among_nested_folders(service: TestClient) -> None:
    upload(service, [("a.jpg", photo(1))], "plum")
    upload(service, [("a.jpg", photo(7))], "mango")
    folder = {
        "plum/box 1/a.jpg": photo(2),
        "photos/plum/b.jpg": photo(3),
        "Plums/box 1/c.jpg": photo(4),
        "plum/mango/d.jpg": photo(5),
        "quince/e.jpg": photo(6),
    }
    body = upload(service, [("a.zip", zipped(folder))])
    assert fields_of(body["uploaded_files"], "filename", "class_name") == [
        ("a.zip/plum/box 1/a.jpg", "plum"),
        ("a.zip/photos/plum/b.jpg", "plum"),
        ("a.zip/quince/e.jpg", "quince"),
    ]
    assert fields_of(body["errors"], "filename", "code") == [
        ("a.zip/Plums/box 1/c.jpg", "similar-class"),
        ("a.zip/plum/mango/d.jpg", "several-class-folders"),
    ]


def test_folder_in_an_unknown_code_page_is_refused_by_name(service: TestClient) -> None:
    files = {"QQQQQQ/a.jpg": photo(1), "pear/b.jpg": photo(2)}
    data = zipped(files).replace(b"QQQQQQ", "りんご".encode("cp932"))
    body = upload(service, [("a.zip", data)])
    assert fields_of(body["uploaded_files"], "class_name") == [("pear",)]
    (error,) = body["errors"]
    assert error["code"] == "unreadable-folder-name"
    assert "/a.jpg" in error["detail"]
    # The folder does not matter if the form names the class.
    alone = zipped({"QQQQQQ/a.jpg": photo(1)}).replace(b"QQQQQQ", "りんご".encode("cp932"))
    assert upload(service, [("a.zip", alone)], "plum")["uploaded_count"] == 1


@pytest.mark.parametrize("folder", ["", "DCIM/", "photos/train/"])
def test_zip_without_class_folders_takes_the_class_of_the_form(
    service: TestClient, folder: str
) -> None:
    body = upload(service, [("a.zip", zipped({f"{folder}a.jpg": photo(1)}))], "plum")
    assert fields_of(body["uploaded_files"], "class_name") == [("plum",)]


def test_class_folders_take_precedence_over_the_class_of_the_form(service: TestClient) -> None:
    files = {"pear/a.jpg": photo(1), "plum/b.jpg": photo(2), "c.jpg": photo(3)}
    body = upload(service, [("a.zip", zipped(files))], "quince")
    class_names = fields_of(body["uploaded_files"], "class_name")
    assert class_names == [("pear",), ("plum",), ("quince",)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (zipped({"pear/a.jpg": photo(1)})[:-30], 422, "broken-archive"),
        (encrypted(zipped({"pear/a.jpg": photo(1)})), 422, "encrypted-archive"),
        (zipped({}), 422, "empty-archive"),
        (zipped({"a.jpg": photo(1)}), 422, "missing-class-name"),
        (
            zipped({f"pear/{number}.jpg": b"" for number in range(10_001)}),
            413,
            "too-many-entries",
        ),
        (
            zipped({f"pear/{number}.jpg": bytes(20 * 2**20) for number in range(2)}),
            413,
            "archive-too-large",
        ),
    ],
    ids=["cut off", "encrypted", "empty", "no folders", "10,001 files", "bomb"],
)
def test_unusable_zip_is_rejected(serve: Serve, data: bytes, status: int, code: str) -> None:
    """On its own it is rejected; among other files it is one bad file."""
    service = serve(max_zip_bytes=30 * 2**20)
    assert_problem(send(service, [("a.zip", data)]), status, code)
    assert images(service) == 0
    good = zipped({"pear/a.jpg": photo(9)})
    body = upload(service, [("a.zip", data), ("good.zip", good)])
    assert fields_of(body["errors"], "filename", "code") == [("a.zip", code)]
    assert body["uploaded_count"] == 1


def test_zip_bomb_entry_is_one_bad_file(serve: Serve) -> None:
    service = serve(max_body_bytes=2**20)
    files = {"pear/bomb.jpg": bytes(100 * 2**20), "pear/a.jpg": photo(1)}
    body = upload(service, [("a.zip", zipped(files))])
    assert fields_of(body["errors"], "filename", "code") == [
        ("a.zip/pear/bomb.jpg", "file-too-large")
    ]
    assert body["uploaded_count"] == 1
