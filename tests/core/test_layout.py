"""The folder layout of a dataset, and the source of an image."""

from pathlib import Path, PurePosixPath

import pytest

from api.core.layout import EmptyFolderError, Skipped, discover, source_of
from tests.catalog.pictures import fill


def write_images(root: Path, *names: str) -> Path:
    return fill(root, dict.fromkeys(names, 1))


def names(root: Path, paths: tuple[Path, ...]) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in paths)


def test_folder_named_other_has_near_ood_images(tmp_path: Path) -> None:
    near = ["market/other/pear/1.png", "other/loose.png", "other/rottenguava/1.png"]
    far = ["not_fruit/chair.png", "not_fruit/other/lamp.png"]
    classes = ["another/1.png", "market/apple/1.png", "others/1.png"]
    layout = discover(write_images(tmp_path, *near, *far, *classes))
    assert names(tmp_path, layout.near) == near
    assert names(tmp_path, layout.others) == far
    assert names(tmp_path, layout.class_files) == classes
    assert layout.skipped == ()


def test_dataset_root_named_other_has_classes(tmp_path: Path) -> None:
    layout = discover(write_images(tmp_path / "other", "apple/1.png"))
    assert len(layout.class_files) == 1
    assert layout.near == ()


def test_dataset_may_have_only_near_ood_images(tmp_path: Path) -> None:
    assert len(discover(write_images(tmp_path, "other/pear/1.png")).near) == 1


def test_named_folders_are_skipped(tmp_path: Path) -> None:
    write_images(tmp_path, "market/apple/1.png", "a/market/pear/1.png", "supermarket/apple/1.png")
    write_images(tmp_path, "phone/1.png", ".market/1.png", "plum/market.png", "scenes/market/1.png")
    for name in ("phone", "scenes"):
        (tmp_path / name / "boxes.csv").write_text("file\n")
    layout = discover(tmp_path, skip=("market", "phone"))
    assert names(tmp_path, layout.class_files) == ["plum/market.png", "supermarket/apple/1.png"]
    assert layout.boxed == (tmp_path / "scenes",)
    left_out = ("a/market", "market", "phone", "scenes/market")
    assert set(layout.skipped) == {Skipped(name, "left out on request") for name in left_out}


SYSTEM_FOLDERS = ("@eaDir", "#recycle", "$RECYCLE.BIN", "lost+found", "__MACOSX", ".thumbnails")


@pytest.mark.parametrize("folder", SYSTEM_FOLDERS)
def test_system_folders_are_not_classes(tmp_path: Path, folder: str) -> None:
    write_images(tmp_path, "pear/1.png", f"{folder}/2.png", f"pear/{folder}/1.png/THUMB.png")
    (tmp_path / "pear" / "Thumbs.db").write_bytes(b"x")
    layout = discover(tmp_path)
    assert names(tmp_path, layout.class_files) == ["pear/1.png"]
    assert layout.skipped == ()


def test_root_is_not_skipped(tmp_path: Path) -> None:
    root = write_images(tmp_path / "market", "apple/1.png")
    assert len(discover(root, skip=["market"]).class_files) == 1
    with pytest.raises(EmptyFolderError):
        discover(root, skip=["apple"])


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("fruits/train/freshapples/a.jpg", "fruits"),
        ("fruits/Testing/freshapples/a.jpg", "fruits"),
        ("sources/white_paper/freshapples/a.jpg", "white_paper"),
        ("sources/market/other/pear/a.jpg", "market"),
        ("market/other/a.jpg", "market"),
        ("other/pear/a.jpg", ""),
        ("train/freshapples/a.jpg", ""),
        ("freshapples/a.jpg", ""),
        ("market/freshapples/images/a.jpg", "market"),
        ("Photos/freshapples/a.jpg", ""),
        ("a.jpg", ""),
    ],
)
def test_source_is_the_folder_above_the_class(path: str, source: str) -> None:
    assert source_of(PurePosixPath(path)) == source
