"""Reading class folders: the rows, and the reasons for skipping files."""

import os
from pathlib import Path

import pytest

from api.core.imaging.hashing import content_hash
from api.core.layout import EmptyFolderError, Skipped, discover
from api.core.splits import split_of
from api.training.class_folders import Listing, read_class_folders
from tests.catalog.pictures import fill, picture, write
from tests.synthetic_images import draw_fruit, encode


def read(root: Path) -> Listing:
    return read_class_folders(discover(root))


def reasons(skipped: tuple[Skipped, ...]) -> dict[str, str]:
    return {item.path: item.reason for item in skipped}


def test_class_folders_with_and_without_a_supplied_split(tmp_path: Path) -> None:
    files = ["train/apple/1.png", "Test/apple/2.png", "set/Training/pear/3.png", "Ripe Plum/4.png"]
    fill(tmp_path, {name: number for number, name in enumerate(files)})
    listing = read(tmp_path)
    assert listing.skipped == ()
    assert listing.classes == ("apple", "pear", "ripe_plum")
    rows = {file.path: file for file in listing.files}
    assert {path: (row.class_name, row.supplied_split) for path, row in rows.items()} == {
        "train/apple/1.png": ("apple", "train"),
        "Test/apple/2.png": ("apple", "test"),
        "set/Training/pear/3.png": ("pear", "train"),
        "Ripe Plum/4.png": ("ripe_plum", ""),
    }
    assert [rows[path].source for path in files] == ["", "", "set", ""]


def test_row_describes_the_file(tmp_path: Path) -> None:
    data = encode(draw_fruit("freshbanana", size=70).resize((70, 50)), "WEBP")
    write(tmp_path / "banana" / "a.webp", data)
    (row,) = read(tmp_path).files
    assert (row.width, row.height, row.bytes) == (70, 50, len(data))
    assert row.sha256 == content_hash(data)
    assert row.photograph == "banana/a"
    assert row.source == ""
    assert row.split == split_of("banana/a")
    assert len(bytes.fromhex(row.signature)) == 80


def test_copies_of_a_photo_share_its_split(tmp_path: Path) -> None:
    fill(tmp_path, {f"apple/{number}.png": number for number in range(25)})
    for number in range(25):
        rotated = draw_fruit("freshapples", number, 64).rotate(30)
        write(tmp_path / f"apple/rotated_by_30_{number}.png", encode(rotated))
    files = read(tmp_path).files
    assert len(files) == 50
    assert len({file.photograph for file in files}) == 25
    assert len({(file.photograph, file.split) for file in files}) == 25
    assert {file.split for file in files} == {"train", "validation", "test"}


def test_boxed_and_not_fruit_folders_are_not_classes(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {
            "apple/1.png": 1,
            "phone/IMG_1.png": 2,
            "phone/more/IMG_2.png": 3,
            "not_fruit/chair.png": 4,
            "not_fruit/animals/cat.png": 5,
        },
    )
    (tmp_path / "phone" / "boxes.csv").write_text("file\n")
    layout = discover(tmp_path)
    assert layout.class_files == (tmp_path / "apple/1.png",)
    assert layout.boxed == (tmp_path / "phone",)
    assert layout.others == (
        tmp_path / "not_fruit/chair.png",
        tmp_path / "not_fruit/animals/cat.png",
    )


def test_damaged_file_is_skipped_with_a_reason(tmp_path: Path) -> None:
    fill(tmp_path, {"apple/1.png": 1})
    write(tmp_path / "apple/cut.png", picture(2)[:300])
    write(tmp_path / "apple/empty.jpg", b"")
    write(tmp_path / "apple/text.jpg", b"hello")
    write(tmp_path / "apple/renamed.png", encode(draw_fruit("freshapples"), "GIF"))
    listing = read(tmp_path)
    assert [file.path for file in listing.files] == ["apple/1.png"]
    skipped = reasons(listing.skipped)
    assert "cut off" in skipped.pop("apple/cut.png")
    assert "empty" in skipped.pop("apple/empty.jpg")
    assert "Send one of" in skipped.pop("apple/text.jpg")
    assert "Send one of" in skipped.pop("apple/renamed.png")
    assert not skipped


def test_folder_with_invalid_class_name_is_skipped(tmp_path: Path) -> None:
    fill(tmp_path, {"apple/1.png": 1, "---/2.png": 2})
    listing = read(tmp_path)
    assert listing.classes == ("apple",)
    assert "letter or digit" in reasons(listing.skipped)["---/2.png"]


def test_identical_file_is_skipped_naming_the_first(tmp_path: Path) -> None:
    """In another class it is kept, since a person has to decide which is right."""
    fill(tmp_path, {"apple/1.png": 1, "apple/2.png": 1, "train/apple/3.png": 1, "pear/1.png": 1})
    listing = read(tmp_path)
    assert [file.path for file in listing.files] == ["apple/1.png", "pear/1.png"]
    assert reasons(listing.skipped) == {
        "apple/2.png": "the same file as apple/1.png",
        "train/apple/3.png": "the same file as apple/1.png",
    }
    assert len({file.split for file in listing.files}) == 1


def test_files_that_are_not_images_are_reported(tmp_path: Path) -> None:
    fill(tmp_path, {"apple/1.png": 1, "apple/2.PNG": 2, "loose.png": 3, "not_fruit/a.png": 4})
    for name in ("apple/a.gif", "apple/notes.txt", "apple/none", "not_fruit/b.tiff", "gifs/c.gif"):
        write(tmp_path / name, b"x")
    for name in (
        "LICENSE",
        "apple/README.md",
        "apple/readme",
        "apple/index.csv",
        "apple/.DS_Store",
        "apple/.hidden.png",
        ".cache/apple/4.png",
    ):
        write(tmp_path / name, b"x")
    listing = read(tmp_path)
    assert [file.path for file in listing.files] == ["apple/1.png", "apple/2.PNG"]
    skipped = reasons(listing.skipped)
    assert "class folder" in skipped.pop("loose.png")
    assert set(skipped) == {
        "apple/a.gif",
        "apple/notes.txt",
        "apple/none",
        "not_fruit/b.tiff",
        "gifs/c.gif",
    }
    assert all(".heic" in reason for reason in skipped.values())


def test_photos_with_odd_names_are_read(tmp_path: Path) -> None:
    names = ["a.jfif", "b.JPE", "c.hif", "no ending"]
    for number, name in enumerate(names):
        kind = "HEIF" if name.endswith("hif") else "JPEG"
        write(tmp_path / "apple" / name, encode(draw_fruit("freshapples", number), kind))
    listing = read(tmp_path)
    assert [file.path for file in listing.files] == [f"apple/{name}" for name in names]


def test_broken_links_and_links_to_devices_or_folders_are_reported(tmp_path: Path) -> None:
    fill(tmp_path, {"apple/1.png": 1})
    (tmp_path / "apple/gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "apple/device.png").symlink_to("/dev/null")
    (tmp_path / "apple/round").symlink_to(tmp_path, target_is_directory=True)
    listing = read(tmp_path)
    assert [file.path for file in listing.files] == ["apple/1.png"]
    assert reasons(listing.skipped) == {
        "apple/gone.png": "a broken link, or not an ordinary file",
        "apple/device.png": "a broken link, or not an ordinary file",
        "apple/round": "a link to a folder",
    }


def test_undecodable_file_name_is_reported(tmp_path: Path) -> None:
    """Archives from other systems contain such names, which cannot be hashed or stored."""
    fill(tmp_path, {"apple/1.png": 1})
    name = os.fsdecode(b"\xe4pfel.png")
    try:
        write(tmp_path / "apple" / name, picture(2))
    except OSError:
        pytest.skip("this file system takes no such name")
    listing = read(tmp_path)
    assert [file.path for file in listing.files] == ["apple/1.png"]
    assert list(reasons(listing.skipped)) == [r"apple/\udce4pfel.png"]


@pytest.mark.parametrize("names", [(), ("loose.png",), ("apple/a.gif",), (".apple/1.png",)])
def test_folder_without_photos_is_rejected(tmp_path: Path, names: tuple[str, ...]) -> None:
    fill(tmp_path, dict.fromkeys(names, 1))
    with pytest.raises(EmptyFolderError) as refusal:
        discover(tmp_path)
    assert str(tmp_path) in refusal.value.detail


def test_missing_folder_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(EmptyFolderError):
        discover(tmp_path / "nowhere")


def test_known_rows_are_reused_without_reading(tmp_path: Path) -> None:
    """A known file is recognised by path and length, so it is not decoded again."""
    fill(tmp_path, {"apple/1.png": 1, "apple/2.png": 2})
    first = read(tmp_path)
    (tmp_path / "apple/1.png").write_bytes(b"\0" * first.files[0].bytes)
    assert read_class_folders(discover(tmp_path), first.files) == first


def test_known_file_of_another_length_is_read_again(tmp_path: Path) -> None:
    fill(tmp_path, {"apple/1.png": 1})
    first = read(tmp_path)
    data = encode(draw_fruit("freshapples", 9, 80))
    write(tmp_path / "apple/1.png", data)
    (row,) = read_class_folders(discover(tmp_path), first.files).files
    assert row.sha256 == content_hash(data)
    assert row.photograph == first.files[0].photograph


def test_known_file_is_kept_over_its_copy(tmp_path: Path) -> None:
    """Otherwise a copy that sorts first could move the photo to another split."""
    fill(tmp_path, {"apple/m.png": 1, "apple/z.png": 2})
    first = read(tmp_path)
    fill(tmp_path, {"apple/a.png": 1})
    second = read_class_folders(discover(tmp_path), first.files)
    assert second.files == first.files
    assert reasons(second.skipped) == {"apple/a.png": "the same file as apple/m.png"}


def test_progress_counts_every_file(tmp_path: Path) -> None:
    fill(tmp_path, {f"apple/{number}.png": number for number in range(5)})
    calls: list[tuple[int, int]] = []
    read_class_folders(
        discover(tmp_path), progress=lambda _stage, done, total: calls.append((done, total))
    )
    assert calls == [(done, 5) for done in range(1, 6)]
