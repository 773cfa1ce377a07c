"""The meaning of folders and names in a zip or dataset."""

import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from api.catalog.archive import UploadLimits, ZipArchive
from api.core.layout import SeveralClassFoldersError, class_folder, discover
from api.training.class_folders import read_class_folders
from tests.catalog.pictures import fill
from tests.catalog.zips import zipped

LIMITS = UploadLimits(zip_files=20, zip_bytes=5_000, file_bytes=1_000)
KNOWN = {"freshapples", "rottenapples", "kiwi"}


def entries(data: bytes) -> dict[str, tuple[str, ...]]:
    return {entry.path: entry.folders for entry in ZipArchive(io.BytesIO(data), LIMITS).entries}


def named(raw: bytes, extra: bytes = b"", flag: bool = False) -> bytes:
    """A zip with one file in a folder whose name is these bytes, by default without the UTF-8
    flag."""
    stand_in = b"Q" * len(raw)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo(f"{stand_in.decode()}/1.jpg")
        info.extra = extra
        archive.writestr(info, b"1")
    data = bytearray(stream.getvalue().replace(stand_in, raw))
    if flag:
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            struct.pack_into("<H", data, data.index(mark) + offset, 0x800)
    return bytes(data)


SPLITS = ("train", "Training", "val", "VALID", "Validation", "test", "testing")


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("{}/kiwi/1.jpg", ("kiwi",)),
        ("kiwi/{}/1.jpg", ("kiwi",)),
        ("set/{}/kiwi/1.jpg", ("set", "kiwi")),
        ("set/kiwi/{}/1.jpg", ("set", "kiwi")),
        ("{}/1.jpg", ()),
    ],
)
def test_split_folders_are_not_classes(split: str, path: str, folders: tuple[str, ...]) -> None:
    name = path.format(split)
    assert entries(zipped({name: b"1"})) == {name: folders}


def test_photo_beside_the_class_folders_of_a_split_has_no_class() -> None:
    files = {"set/train/kiwi/1.jpg": b"1", "set/val/3.jpg": b"3", "pear/val/4.jpg": b"4"}
    files["pear/5.jpg"] = b"5"
    assert entries(zipped(files)) == {
        "set/train/kiwi/1.jpg": ("set", "kiwi"),
        "set/val/3.jpg": (),
        "pear/val/4.jpg": ("pear",),
        "pear/5.jpg": ("pear",),
    }


@pytest.mark.parametrize("plain", ["images", "IMG", "Photos", "DCIM", "New Folder"])
@pytest.mark.parametrize(
    ("path", "folders"),
    [
        ("mango/{}/1.jpg", ("mango",)),
        ("{}/mango/1.jpg", ("mango",)),
        ("mango/{}/train/1.jpg", ("mango",)),
        ("set/{}/val/mango/1.jpg", ("set", "mango")),
        ("{}/1.jpg", ()),
        ("train/{}/1.jpg", ()),
        ("{}/train/1.jpg", ()),
    ],
)
def test_folders_that_just_hold_photos_are_not_classes(
    plain: str, path: str, folders: tuple[str, ...], tmp_path: Path
) -> None:
    name = path.format(plain)
    assert entries(zipped({name: b"1"})) == {name: folders}
    layout = discover(fill(tmp_path, {name: 1, "kiwi/2.png": 2}))
    found = {file.class_name for file in read_class_folders(layout).files}
    assert found == {"kiwi", *folders[-1:]}


@pytest.mark.parametrize(
    ("folders", "name"),
    [
        (("kiwi",), "kiwi"),
        (("kiwi", "batch 7"), "kiwi"),
        (("Kiwi", "val", "batch 7"), "Kiwi"),
        (("Fresh Apples", "box 1"), "Fresh Apples"),
        (("photos", "rottenapples"), "rottenapples"),
        (("photos", "mango"), "mango"),
        (("kiwi", "Kiwi"), "Kiwi"),
        ((), ""),
        (("val",), ""),
        (("---", "..."), "..."),
    ],
)
def test_folder_that_names_a_known_class_decides(folders: tuple[str, ...], name: str) -> None:
    assert class_folder(folders, KNOWN) == name


@pytest.mark.parametrize("folders", [("kiwi", "freshapples"), ("Fresh apple", "x", "rottenapples")])
def test_two_known_classes_in_a_path_are_asked_about(folders: tuple[str, ...]) -> None:
    with pytest.raises(SeveralClassFoldersError) as refusal:
        class_folder(folders, KNOWN)
    assert all(f"'{name}'" in refusal.value.detail for name in (folders[0], folders[-1]))


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("pêches".encode(), "pêches"),
        ("früchte".encode(), "früchte"),
        ("りんご".encode(), "りんご"),
        ("яблоки".encode(), "яблоки"),
        (b"kiwi", "kiwi"),
    ],
)
def test_names_in_utf_8_without_the_flag(raw: bytes, name: str) -> None:
    for flag in (False, True):
        (entry,) = ZipArchive(io.BytesIO(named(raw, flag=flag)), LIMITS).entries
        assert (entry.folder, entry.has_readable_folders) == (name, True)


@pytest.mark.parametrize(
    ("name", "code_page"),
    [
        ("りんご", "cp932"),
        ("红苹果", "gbk"),
        ("яблоки", "cp866"),
        ("사과", "cp949"),
        ("pêches", "cp850"),
        ("früchte", "cp1252"),
    ],
)
def test_names_in_a_code_page_are_not_guessed(name: str, code_page: str) -> None:
    raw = name.encode(code_page)
    (entry,) = ZipArchive(io.BytesIO(named(raw)), LIMITS).entries
    assert not entry.has_readable_folders
    # WinZip and Info-ZIP add the name in UTF-8.
    body = struct.pack("<BI", 1, zlib.crc32(raw + b"/1.jpg")) + f"{name}/1.jpg".encode()
    extra = struct.pack("<HH", 0x5455, 1) + b"\0" + struct.pack("<HH", 0x7075, len(body)) + body
    (entry,) = ZipArchive(io.BytesIO(named(raw, extra)), LIMITS).entries
    assert (entry.folder, entry.has_readable_folders) == (name, True)


def test_file_names_in_a_code_page_do_not_matter() -> None:
    data = zipped({"kiwi/QQQ.jpg": b"1"}).replace(b"QQQ", "é1é".encode("cp850"))
    (entry,) = ZipArchive(io.BytesIO(data), LIMITS).entries
    assert (entry.folder, entry.has_readable_folders) == ("kiwi", True)


def test_splits_and_nested_folders_of_a_dataset(tmp_path: Path) -> None:
    files = ["kiwi/train/1.png", "kiwi/val/2.png", "kiwi/Valid/3.png", "Pear/test/b 1/4.png"]
    fill(tmp_path, {name: number for number, name in enumerate(files)})
    listing = read_class_folders(discover(tmp_path))
    assert {row.path: (row.class_name, row.supplied_split) for row in listing.files} == {
        "kiwi/train/1.png": ("kiwi", "train"),
        "kiwi/val/2.png": ("kiwi", "validation"),
        "kiwi/Valid/3.png": ("kiwi", "validation"),
        "Pear/test/b 1/4.png": ("b_1", "test"),
    }


def test_photo_in_no_class_folder_of_a_dataset_is_reported(tmp_path: Path) -> None:
    fill(tmp_path, {"set/train/kiwi/1.png": 1, "set/val/2.png": 2, "test/3.png": 3})
    layout = discover(tmp_path)
    assert [path.name for path in layout.class_files] == ["1.png"]
    assert {item.path for item in layout.skipped} == {"set/val/2.png", "test/3.png"}
    assert {item.reason for item in layout.skipped} == {"it is not in a class folder"}
