"""Bounding boxes: rows, runs, and crops."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.core.imaging.decode import decode
from api.training.bounding_boxes import Box, BoxesError, crop, read_boxes
from tests.catalog.pictures import write
from tests.synthetic_images import encode

HEADER = "file,fruit,level,xmin,ymin,xmax,ymax\n"
FRAMES = {
    quality: encode(Image.new("RGB", (40, 30)), "JPEG", quality=quality) for quality in (60, 90)
}


def boxed_folder(folder: Path, rows: list[str], qualities: dict[str, int] | None = None) -> Path:
    """A folder with `rows` in its boxes.csv, and a small JPEG for each file they name."""
    (folder / "boxes.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))
    for name in {row.split(",")[0] for row in rows}:
        write(folder / name, FRAMES[(qualities or {}).get(name, 90)])
    return folder


def runs(folder: Path) -> dict[str, str]:
    return {box.path.name: box.run for box in read_boxes(folder)}


def test_rows_are_read(tmp_path: Path) -> None:
    boxed_folder(tmp_path, ["IMG_1.jpg,apple,fresh,1,2,30,20", "IMG_1.jpg,pear,normal,0,0,9,9"])
    path = tmp_path / "IMG_1.jpg"
    assert read_boxes(tmp_path) == (
        Box(path, "apple", "fresh", "IMG_1", 1, 2, 30, 20, source=tmp_path.name),
        Box(path, "pear", "past_best", "IMG_1", 0, 0, 9, 9, source=tmp_path.name),
    )


def test_missing_level_is_unknown(tmp_path: Path) -> None:
    boxed_folder(tmp_path, ["1.jpg,apple,,1,2,30,20", "1.jpg,pear,rotten,0,0,9,9"])
    assert [box.level for box in read_boxes(tmp_path)] == [None, "rotten"]
    (tmp_path / "boxes.csv").write_text("file,fruit,xmin,ymin,xmax,ymax\n1.jpg,apple,1,2,30,20\n")
    assert [box.level for box in read_boxes(tmp_path)] == [None]


def test_each_frame_folder_is_a_source_with_separate_runs(tmp_path: Path) -> None:
    """Even if one folder's frame numbers continue in the other and both show the same fruit."""
    boxed_folder(tmp_path, [f"{name}.jpg,apple,,1,2,30,20" for name in ("b/3", "a/1", "a/2")])
    boxes = {str(box.path.relative_to(tmp_path)): box for box in read_boxes(tmp_path)}
    assert {name: box.source for name, box in boxes.items()} == {
        "b/3.jpg": "b",
        "a/1.jpg": "a",
        "a/2.jpg": "a",
    }
    assert [boxes[f"{name}.jpg"].group for name in ("a/1", "a/2", "b/3")] == ["a/1", "a/1", "b/3"]


def test_frames_of_a_skipped_folder_are_left_out(tmp_path: Path) -> None:
    boxed_folder(tmp_path, [f"{name}.jpg,apple,,1,2,30,20" for name in ("a/b", "b/1", "c/a/1")])
    boxes = read_boxes(tmp_path, skip=["a", "1.jpg", tmp_path.name])
    assert [box.path.name for box in boxes] == ["1.jpg"]
    assert [box.source for box in boxes] == ["b"]


def test_absolute_path_is_read(tmp_path: Path) -> None:
    frame = write(tmp_path / "frames/1.jpg", FRAMES[90])
    write(tmp_path / "set/boxes.csv", f"{HEADER}{frame},apple,fresh,1,2,30,20\n".encode())
    assert [box.path for box in read_boxes(tmp_path / "set")] == [frame]


def test_csv_with_bom_and_crlf_is_read(tmp_path: Path) -> None:
    boxed_folder(tmp_path, ["IMG_1.jpg,apple,rotten,1,2,30,20"])
    text = (tmp_path / "boxes.csv").read_text()
    (tmp_path / "boxes.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read_boxes(tmp_path)[0].level == "rotten"


@pytest.mark.parametrize(
    "row",
    [
        "IMG_1.jpg,apple,mouldy,1,2,30,20",
        "IMG_1.jpg,apple,fresh,1,2,30",
        "IMG_1.jpg,apple,fresh,1,2,30,20.5",
        "IMG_1.jpg,apple,fresh,,2,30,20",
        "IMG_1.jpg,apple,fresh,30,2,1,20",
        "IMG_1.jpg,apple,fresh,1,20,30,20",
        "nowhere.jpg,apple,fresh,1,2,30,20",
        ",apple,fresh,1,2,30,20",
    ],
)
def test_invalid_row_is_rejected_with_its_line(tmp_path: Path, row: str) -> None:
    boxed_folder(tmp_path, ["IMG_1.jpg,apple,fresh,1,2,30,20", "IMG_1.jpg,pear,fresh,1,2,30,20"])
    with (tmp_path / "boxes.csv").open("a") as stream:
        stream.write(f"{row}\n")
    with pytest.raises(BoxesError, match="line 4") as refusal:
        read_boxes(tmp_path)
    assert refusal.value.status == 400


def test_missing_column_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text("file,fruit,level\nIMG_1.jpg,apple,fresh\n")
    with pytest.raises(BoxesError, match="xmin"):
        read_boxes(tmp_path)


def frames(*numbers: int, fruit: str = "apple") -> list[str]:
    return [f"IMG_{number}.jpg,{fruit},fresh,1,2,30,20" for number in numbers]


def test_run_ends_at_a_gap_in_the_numbers(tmp_path: Path) -> None:
    """Frames are sorted numerically (9 before 10), whatever the order of the rows."""
    boxed_folder(tmp_path, frames(111, 60, 9, 10))
    assert runs(tmp_path) == {
        "IMG_9.jpg": "IMG_9",
        "IMG_10.jpg": "IMG_9",
        "IMG_60.jpg": "IMG_9",
        "IMG_111.jpg": "IMG_111",
    }


def test_run_ends_where_no_fruit_is_shared(tmp_path: Path) -> None:
    rows = [*frames(1, 2), *frames(2, 3, fruit="pear"), *frames(4, fruit="plum")]
    boxed_folder(tmp_path, rows)
    assert runs(tmp_path) == {
        "IMG_1.jpg": "IMG_1",
        "IMG_2.jpg": "IMG_1",
        "IMG_3.jpg": "IMG_1",
        "IMG_4.jpg": "IMG_4",
    }


def test_run_ends_where_the_camera_setting_changes(tmp_path: Path) -> None:
    boxed_folder(tmp_path, frames(1, 2, 3, 4), {"IMG_3.jpg": 60, "IMG_4.jpg": 60})
    assert list(runs(tmp_path).values()) == ["IMG_1", "IMG_1", "IMG_3", "IMG_3"]


def test_each_frame_without_a_number_is_a_run(tmp_path: Path) -> None:
    rows = ["a.jpg,apple,fresh,1,2,30,20", "b.jpg,apple,fresh,1,2,30,20", *frames(1, 2)]
    boxed_folder(tmp_path, rows)
    assert list(runs(tmp_path).values()) == ["a", "b", "IMG_1", "IMG_1"]


def test_damaged_frame_is_still_listed(tmp_path: Path) -> None:
    boxed_folder(tmp_path, frames(1, 2))
    (tmp_path / "IMG_2.jpg").write_bytes(b"no picture")
    assert len(read_boxes(tmp_path)) == 2


def marked_frame(
    width: int, height: int, box: tuple[int, int, int, int], orientation: int
) -> bytes:
    """A white frame with a red `box` in upright pixels, stored with an EXIF orientation."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((255, 0, 0), box)
    if orientation == 6:
        image = image.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(image, "JPEG", quality=95, exif=exif)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("scale", [1, 6])
def test_crop_is_a_square_around_the_fruit(orientation: int, scale: int) -> None:
    """Boxes are in the file's upright pixels, even if a large frame was decoded at a smaller
    size."""
    box = Box(Path(), "apple", "fresh", "", *(scale * side for side in (80, 96, 160, 136)))
    corners = (box.xmin, box.ymin, box.xmax, box.ymax)
    decoded = decode(marked_frame(320 * scale, 240 * scale, corners, orientation))
    assert (decoded.image.width < decoded.width) == (scale > 1)
    ratio = decoded.image.width / 320
    cropped = crop(decoded, box, margin=0.25)
    assert list(cropped.size) == pytest.approx([120 * ratio] * 2, abs=1)
    red = np.argwhere(np.asarray(cropped, dtype=int)[..., 1] < 128) / ratio
    assert red.min(axis=0) == pytest.approx([40, 20], abs=2)
    assert red.max(axis=0) == pytest.approx([80, 100], abs=2)


def test_crop_ends_at_the_edge_of_the_frame() -> None:
    decoded = decode(marked_frame(100, 80, (0, 0, 40, 40), 1))
    box = Box(Path(), "apple", "fresh", "", 0, 0, 40, 40)
    assert crop(decoded, box, margin=0.0).size == (40, 40)
    assert crop(decoded, box, margin=0.5).size == (60, 60)
    far = Box(Path(), "apple", "fresh", "", 80, 60, 130, 110)
    assert crop(decoded, far, margin=0.0).size == (20, 20)
