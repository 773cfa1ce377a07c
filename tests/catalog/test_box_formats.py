"""Files of boxes that are odd but legal: each photo gets the classes that its file means."""

import json
import unicodedata
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.catalog.photographs import photo
from tests.catalog.test_box_upload import COCO_BOX, YOLO_LINE, boxes_of, coco, send, voc


def classes_of(client: TestClient) -> list[list[Any]]:
    return [[box["class_name"] for box in boxes] for boxes in boxes_of(client)]


@pytest.mark.parametrize(
    "names",
    [
        "names:\n  1: rottenapples\n  0: freshapples\n",
        "names: {0: freshapples, 1: rottenapples}\n",
        "names: [freshapples, # the good ones\n  rottenapples]\n",
        "names:\n  - freshapples  # the good ones\n  # the others\n  - 'rottenapples'\n",
        "# names: [x, y]\nnames: ['freshapples', \"rottenapples\"]\n",
        "names:\n\n  0: freshapples\n\n  1: rottenapples\n",
        "{names: [freshapples, rottenapples], nc: 2}",
    ],
)
def test_names_of_a_yaml_file(service: TestClient, names: str) -> None:
    report = send(service, {"a.txt": YOLO_LINE, "a.jpg": photo(1), "data.yaml": names.encode()})
    assert report["errors"] == []
    assert classes_of(service) == [["freshapples"]]


def test_yaml_numbers_with_gaps(service: TestClient) -> None:
    files = {"a.jpg": photo(1), "data.yaml": b"names:\n  1: rottenapples\n  4: freshapples\n"}
    report = send(service, {"a.txt": YOLO_LINE, **files})
    assert "class 0" in report["errors"][0]["detail"]
    send(service, {"a.txt": YOLO_LINE.replace(b"0 ", b"4 ", 1), **files})
    assert classes_of(service) == [["freshapples"]]


DEEP, LONG = "names: " + "[" * 9999, "names: [" + "x, " * 99_999 + "]"


@pytest.mark.parametrize(
    "text", [DEEP, LONG, "names: 7", "names: [", "- a", "names: {a: b}", "a: *b", "\0"]
)
def test_yaml_without_names_gives_no_class(service: TestClient, text: str) -> None:
    report = send(service, {"a.txt": YOLO_LINE, "a.jpg": photo(1), "data.yaml": text.encode()})
    assert report["stored"] == []
    assert report["errors"]


@pytest.mark.parametrize("levels", [1, 30])
def test_yaml_list_of_lists_names_no_class(service: TestClient, levels: int) -> None:
    """Written out, thirty levels have ten to the power of thirty names."""
    lines = ["l0: &l0 [a]"]
    lines += [f"l{k}: &l{k} [{', '.join([f'*l{k - 1}'] * 10)}]" for k in range(1, levels + 1)]
    text = "\n".join([*lines, f"names: *l{levels}"])
    report = send(service, {"a.txt": YOLO_LINE, "a.jpg": photo(1), "data.yaml": text.encode()})
    assert "no list names it" in report["errors"][0]["detail"]


def test_each_folder_has_its_own_list_of_classes(service: TestClient) -> None:
    files = {
        "one/classes.txt": b"freshapples\nrottenapples\n",
        "one/a.txt": YOLO_LINE,
        "one/a.jpg": photo(1),
        "two/classes.txt": b"rottenapples\nfreshapples\n",
        "two/b.txt": YOLO_LINE,
        "two/b.jpg": photo(2),
    }
    report = send(service, files)
    assert report["errors"] == []
    assert sorted(classes_of(service)) == [["freshapples"], ["rottenapples"]]


def test_names_in_another_unicode_form(service: TestClient) -> None:
    """macOS decomposes letters in file names; a tool's own file may have them composed."""
    composed, decomposed = (unicodedata.normalize(form, "pêche") for form in ("NFC", "NFD"))
    report = send(service, {"a.json": coco(COCO_BOX, name=f"{composed}.jpg"),
                            f"{decomposed}.jpg": photo(1)})  # fmt: skip
    assert (len(report["stored"]), report["errors"]) == (1, [])
    report = send(service, {"a.xml": voc(f"{decomposed}.jpg"), f"{composed}.jpg": photo(2)})
    assert (len(report["stored"]), report["errors"]) == (1, [])


def test_category_without_a_name_is_named(service: TestClient) -> None:
    document = json.loads(coco(COCO_BOX))
    document["annotations"][0]["category_id"] = 9
    report = send(service, {"a.json": json.dumps(document).encode(), "a.jpg": photo(1)})
    assert report["stored"] == []
    assert "category 9" in report["errors"][0]["detail"]


def test_windows_paths_and_sparse_categories(service: TestClient) -> None:
    document = json.loads(coco(COCO_BOX, name="C:\\photos\\a.jpg"))
    document["categories"] = [{"id": 0, "name": "rottenapples"}, {"id": 90, "name": "freshapples"}]
    document["annotations"][0]["category_id"] = 0
    report = send(service, {"a.json": json.dumps(document).encode(), "a.jpg": photo(1)})
    assert report["errors"] == []
    assert classes_of(service) == [["rottenapples"]]


def test_two_lists_of_classes_that_disagree_are_refused(service: TestClient) -> None:
    files = {"a.txt": YOLO_LINE, "a.jpg": photo(1), "data.yaml": b"names: [freshapples]"}
    report = send(service, files | {"classes.txt": b"rottenapples"})
    assert report["stored"] == []
    assert "classes.txt or data.yaml" in report["errors"][0]["detail"]
    assert len(send(service, files | {"classes.txt": b"freshapples"})["stored"]) == 1


def test_class_number_with_a_decimal_point(service: TestClient) -> None:
    files = {"a.txt": b"0.000000 0.375 0.5 0.5 0.5", "classes.txt": b"freshapples"}
    assert send(service, files | {"a.jpg": photo(1)})["errors"] == []
    assert classes_of(service) == [["freshapples"]]
