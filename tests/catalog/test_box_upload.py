"""Zips of boxed photos from other tools, well-formed and hostile."""

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.catalog.conftest import Serve
from tests.catalog.photographs import photo
from tests.catalog.zips import zipped
from tests.synthetic_images import draw_fruit, encode

# In pixels of the drawn photos, which are 96 x 96.
EDGES = {"x_min": 12.0, "y_min": 24.0, "x_max": 60.0, "y_max": 72.0}
FRUIT = {"box": EDGES, "class_name": "freshapples"}
PLACE = {"box": EDGES, "class_name": None}


def voc(name: str = "a.jpg", size: tuple[int, int] = (96, 96), *, objects: str = "") -> bytes:
    box = "<bndbox><xmin>12</xmin><ymin>24</ymin><xmax>60</xmax><ymax>72</ymax></bndbox>"
    objects = objects or f"<object><name>freshapples</name>{box}</object>"
    return (
        f"<annotation><filename>{name}</filename><size><width>{size[0]}</width>"
        f"<height>{size[1]}</height><depth>3</depth></size>{objects}</annotation>"
    ).encode()


def coco(*bboxes: Any, name: str = "a.jpg", **image: Any) -> bytes:
    document = {
        "images": [{"id": 7, "file_name": name, "width": 96, "height": 96} | image],
        "categories": [{"id": 3, "name": "freshapples"}, {"id": 4, "name": "fruit"}],
        "annotations": [
            {"id": key, "image_id": 7, "category_id": 3, "bbox": bbox}
            for key, bbox in enumerate(bboxes)
        ],
    }
    return json.dumps(document).encode()


YOLO_LINE = b"0 0.375 0.5 0.5 0.5\n"
COCO_BOX = [12, 24, 48, 48]


def send(client: TestClient, files: Mapping[str, bytes]) -> Any:
    response = client.post("/upload-boxed-photos", files={"files": ("set.zip", zipped(files))})
    assert response.status_code == 200, response.text
    return response.json()


def boxes_of(client: TestClient) -> list[Any]:
    photos = client.get("/dataset/boxed-photos").json()["boxed_photos"]
    return [one["boxes"] for one in photos]


@pytest.mark.parametrize(
    "files",
    [
        {"Annotations/a.xml": voc(), "JPEGImages/a.jpg": photo(1)},
        {"a.xml": voc(size=(0, 0)), "a.jpg": photo(1)},
        {"train/_annotations.coco.json": coco(COCO_BOX), "train/a.jpg": photo(1)},
        {"labels/a.txt": YOLO_LINE, "images/a.jpg": photo(1), "classes.txt": b"freshapples\n"},
        {"a.txt": YOLO_LINE, "a.jpg": photo(1), "data.yaml": b"nc: 1\nnames: ['freshapples']\n"},
        {"a.txt": YOLO_LINE, "a.jpg": photo(1), "data.yaml": b"names:\n  0: freshapples\nnc: 1\n"},
        {"a.txt": YOLO_LINE, "a.jpg": photo(1), "data.yaml": b"names:\n- freshapples\n"},
    ],
)
def test_each_format_gives_the_same_boxes(service: TestClient, files: dict[str, bytes]) -> None:
    report = send(service, files)
    assert (report["boxes"], report["errors"], report["known"]) == (1, [], [])
    assert boxes_of(service) == [[FRUIT]]
    again = send(service, files)
    assert (again["boxes"], len(again["known"]), again["stored"]) == (0, 1, [])


def test_class_named_fruit_gives_only_a_place(service: TestClient) -> None:
    send(service, {"a.txt": YOLO_LINE, "a.jpg": photo(1), "classes.txt": b"fruit"})
    assert boxes_of(service) == [[PLACE]]


def test_empty_file_of_boxes_says_that_there_is_no_fruit(service: TestClient) -> None:
    report = send(service, {"a.txt": b"", "a.jpg": photo(1), "classes.txt": b"fruit"})
    assert (len(report["stored"]), boxes_of(service)) == (1, [[]])


def test_photo_without_boxes_and_boxes_without_photo_are_refused(service: TestClient) -> None:
    report = send(service, {"a.xml": voc("gone.jpg"), "b.xml": voc("c.jpg"), "c.jpg": photo(1),
                            "d.jpg": photo(2)})  # fmt: skip
    assert len(report["stored"]) == 1
    details = {error["filename"]: error["detail"] for error in report["errors"]}
    assert "'gone.jpg' was not sent" in details["set.zip/a.xml"]
    assert "No file of boxes" in details["set.zip/d.jpg"]


def test_photo_whose_boxes_are_given_twice_is_refused(service: TestClient) -> None:
    report = send(service, {"a.json": coco(COCO_BOX), "b.json": coco([1, 1, 9, 9]),
                            "a.jpg": photo(1)})  # fmt: skip
    assert report["stored"] == []
    assert ["twice" in error["detail"] for error in report["errors"]] == [True]


def test_names_that_differ_in_case(service: TestClient) -> None:
    report = send(service, {"a.xml": voc("A.JPG"), "a.jpg": photo(1)})
    assert len(report["stored"]) == 1
    report = send(service, {"b.xml": voc("B.JPG"), "b.jpg": photo(2), "B.jpg": photo(3)})
    assert report["stored"] == []
    assert any("Several photos" in error["detail"] for error in report["errors"])
    report = send(service, {"c.xml": voc("C.jpg"), "c.jpg": photo(2), "C.jpg": photo(3)})
    assert [one["filename"] for one in report["stored"]] == ["set.zip/C.jpg"]


@pytest.mark.parametrize("stated", [(80, 96), (96, 80), (96, 96)])
def test_stated_size_tells_whether_boxes_are_on_the_turned_photo(
    service: TestClient, stated: tuple[int, int]
) -> None:
    """The file is 96 x 80 pixels with an EXIF orientation; upright it is 80 x 96."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(draw_fruit("freshapples", 1).crop((0, 0, 96, 80)), "JPEG", exif=exif)
    report = send(service, {"a.xml": voc(size=stated), "a.jpg": data})
    if stated == (96, 96):
        assert report["errors"][0]["code"] == "other-photo-size"
        return
    turned = {"x_min": 8.0, "y_min": 12.0, "x_max": 56.0, "y_max": 60.0}
    assert boxes_of(service) == [[FRUIT if stated == (80, 96) else FRUIT | {"box": turned}]]


ENTITIES = b'<!DOCTYPE a [<!ENTITY x "%s">]><annotation>&x;</annotation>' % (b"y" * 99)
OUTSIDE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotation>&x;</annotation>'
HOSTILE: dict[str, dict[str, bytes]] = {
    "entities": {"a.xml": ENTITIES},
    "outside entity": {"a.xml": OUTSIDE},
    "UTF-16 entities": {"a.xml": ENTITIES.decode().encode("utf-16")},
    "no XML": {"a.xml": b"\0" * 50},
    "deep XML": {"a.xml": b"<a>" * 100_000},
    "no numbers in XML": {"a.xml": voc(objects="<object><name>x</name></object>")},
    "many objects": {"a.xml": voc(objects="<object/>" * 100_000)},
    "size in words": {"a.xml": voc(size=("x", "y"))},  # type: ignore[arg-type]
    "endless size": {"a.xml": voc(size=("inf", "inf"))},  # type: ignore[arg-type]
    "deep JSON": {"a.json": b"[" * 100_000},
    "no JSON": {"a.json": b'{"images": '},
    "long number": {"a.json": b'{"images": [' + b"9" * 9999 + b"]}"},
    "images of numbers": {"a.json": b'{"images": [1], "annotations": [2]}'},
    "huge numbers": {"a.json": coco([10**300, 10**300, 10**308, 10**308])},
    "negative sides": {"a.json": coco([50, 50, -20, -20])},
    "no side": {"a.json": coco([50, 50, 0, 0])},
    "outside": {"a.json": coco([50, 50, 90, 10])},
    "text": {"a.json": coco(["a", "b", "c", "d"])},
    "three numbers": {"a.json": coco([1, 2, 3])},
    "no number": {"a.json": coco([float("nan"), 1, 9, 9])},
    "huge integer": {"a.json": coco([10**400, 1, 9, 9])},
    "absurd size": {"a.json": coco(COCO_BOX, width=10**30, height=-1)},
    "path out": {"a.json": coco(COCO_BOX, name="../../a/../etc/passwd")},
    "many boxes": {"a.json": coco(*[COCO_BOX] * 201)},
    "YOLO NaN": {"a.txt": b"0 nan 0.5 0.5 0.5", "classes.txt": b"freshapples"},
    "YOLO inf": {"a.txt": b"0 0.5 0.5 1e999 0.5", "classes.txt": b"freshapples"},
    "YOLO class": {"a.txt": b"7 0.5 0.5 0.5 0.5", "classes.txt": b"freshapples"},
    "YOLO negative class": {"a.txt": b"-1 0.5 0.5 0.5 0.5", "classes.txt": b"freshapples"},
    "YOLO polygon": {"a.txt": b"0 0.5 0.5 0.5 0.5 0.1 0.1", "classes.txt": b"freshapples"},
    "YOLO pixels": {"a.txt": b"0 50 50 20 20", "classes.txt": b"freshapples"},
    "a class of no letters": {"a.txt": YOLO_LINE, "classes.txt": b"///"},
    "a look-alike": {"a.txt": YOLO_LINE, "classes.txt": "fresh\u0430pples".encode()},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_boxes_are_refused_in_words(service: TestClient, kind: str) -> None:
    report = send(service, HOSTILE[kind] | {"a.jpg": photo(1)})
    assert report["stored"] == []
    assert all(error["detail"] for error in report["errors"])
    assert report["errors"]
    assert boxes_of(service) == []
    # The same photo can be sent again with valid boxes.
    assert len(send(service, {"a.xml": voc(), "a.jpg": photo(1)})["stored"]) == 1


@pytest.mark.slow
def test_a_million_boxes_are_refused(service: TestClient) -> None:
    files = {"a.txt": YOLO_LINE * 1_000_000, "a.jpg": photo(1), "classes.txt": b"freshapples"}
    [first, *_] = send(service, files)["errors"]
    assert first["code"] == "too-many-boxes"


def test_path_out_of_the_zip_is_refused(service: TestClient) -> None:
    report = send(service, {"../../a.xml": voc(), "../../a.jpg": photo(1)})
    assert report["stored"] == []
    assert {error["code"] for error in report["errors"]} >= {"unsafe-path"}


def test_damaged_photo_affects_no_other(service: TestClient) -> None:
    report = send(service, {"a.xml": voc(), "a.jpg": photo(1)[:300], "b.xml": voc("b.jpg"),
                            "b.jpg": photo(2)})  # fmt: skip
    assert [one["filename"] for one in report["stored"]] == ["set.zip/b.jpg"]
    assert [error["filename"] for error in report["errors"]] == ["set.zip/a.jpg"]


@pytest.mark.parametrize(
    "data",
    [photo(1), b"", b"PK\x03\x04" + b"\xe1" * 50],
    ids=["a photo", "nothing", "only its start"],
)
def test_file_that_is_not_a_zip_is_refused(service: TestClient, data: bytes) -> None:
    files = {"files": ("a.jpg", io.BytesIO(data))}
    response = service.post("/upload-boxed-photos", files=files)
    if data.startswith(b"PK"):
        assert (response.status_code, response.json()["code"]) == (422, "broken-archive")
    else:
        assert response.status_code == 200
        assert [error["code"] for error in response.json()["errors"]] == ["not-a-zip"]


def test_export_gives_the_same_boxes_back(serve: Serve, tmp_path: Path) -> None:
    first = serve(state_dir=tmp_path / "first")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encode(draw_fruit("rottenapples", 3).crop((0, 0, 96, 80)), "JPEG", exif=exif)
    crowd = json.loads(coco(COCO_BOX, [0.1, 0.2, 30.3, 40.7], name="b.png"))
    crowd["annotations"][0] |= {"category_id": 4}
    crowd["annotations"] += [{"image_id": 7, "category_id": 3, "bbox": COCO_BOX, "iscrowd": 1}]
    send(first, {"a.xml": voc(size=(96, 80)), "a.jpg": turned})
    send(first, {"b.json": json.dumps(crowd).encode(), "b.png": photo(2, "PNG")})
    exported = first.get("/dataset/boxed-photos/export")
    assert exported.headers["content-type"] == "application/zip"
    second = serve(state_dir=tmp_path / "second")
    answer = second.post("/upload-boxed-photos", files={"files": ("x.zip", exported.content)})
    assert (answer.json()["boxes"], answer.json()["errors"]) == (3, [])

    def marks(client: TestClient) -> list[Any]:
        photos = client.get("/dataset/boxed-photos").json()["boxed_photos"]
        names = ("width", "height", "complete", "boxes")
        return sorted(([one[name] for name in names] for one in photos), key=str)

    expected = marks(first)
    assert [one[2] for one in expected] == [True, False]
    for ours, theirs in zip(marks(second), expected, strict=True):
        assert ours[:3] == theirs[:3]
        for box, other in zip(ours[3], theirs[3], strict=True):
            assert box["class_name"] == other["class_name"]
            assert box["box"] == pytest.approx(other["box"])


def test_photo_that_cannot_be_read_is_left_out_of_the_export(serve: Serve, tmp_path: Path) -> None:
    """As on a bad sector: the others are still worth having."""
    client = serve(state_dir=tmp_path)
    send(client, {"a.txt": YOLO_LINE, "b.txt": YOLO_LINE, "classes.txt": b"freshapples\n",
                  "a.jpg": photo(1), "b.jpg": photo(2)})  # fmt: skip
    damaged = next((tmp_path / "blobs" / "photographs").rglob("*.jpg"))
    damaged.unlink()
    damaged.mkdir()

    exported = client.get("/dataset/boxed-photos/export")

    names = zipfile.ZipFile(io.BytesIO(exported.content)).namelist()
    assert [Path(name).suffix for name in names] == [".jpg", ".json"]
    assert damaged.name not in names[0]
    shown = client.get(f"/dataset/boxed-photos/{damaged.stem}/photograph")
    assert (shown.status_code, shown.json()["code"]) == (404, "image-damaged")
