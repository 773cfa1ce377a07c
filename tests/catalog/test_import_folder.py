"""Importing a folder copies, resumes, reports, keeps groups, and leaves the source unchanged."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from api.catalog import import_folder as module
from api.catalog.import_folder import OverlapError, import_folder
from api.core.layout import EmptyFolderError
from api.core.splits import SPLITS
from api.training.class_folders import INDEX, read_index
from tests.catalog.pictures import contents, fill, picture, write
from tests.synthetic_images import draw_fruit, encode

FILES = {
    f"train/{name}/{number}.png": number + start
    for name, start in (("apple", 0), ("pear", 20))
    for number in range(8)
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return fill(tmp_path / "source", FILES)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "project" / "photographs"


def groups_and_splits(target: Path) -> dict[str, tuple[str, str]]:
    return {row.path: (row.photograph, row.split) for row in read_index(target / INDEX)}


def test_files_are_copied_and_indexed(source: Path, target: Path) -> None:
    report = import_folder(source, target)
    assert (report.copied, report.already_there) == (16, 0)
    copies = contents(target)
    del copies[INDEX]
    assert copies == contents(source)
    assert read_index(target / INDEX) == report.listing.files
    assert {row.path for row in report.listing.files} == set(FILES)


def test_second_run_copies_nothing_and_changes_nothing(source: Path, target: Path) -> None:
    write(source / "train/apple/cut.png", picture(50)[:200])
    write(source / "train/apple/twin.png", picture(0))
    first = import_folder(source, target)
    before = contents(target)
    second = import_folder(source, target)
    assert (first.copied, first.already_there) == (16, 0)
    assert (second.copied, second.already_there) == (0, 16)
    assert second.listing == first.listing
    assert contents(target) == before


@pytest.mark.parametrize("copied_before", [0, 1, 9])
def test_interrupted_import_resumes(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch, copied_before: int
) -> None:
    """The unfinished copy is a `.part` file, which does not count as an image."""
    calls = 0

    def cut_off(original: Path, copy: Path, **_: object) -> None:
        nonlocal calls
        calls += 1
        if calls > copied_before:
            copy.write_bytes(original.read_bytes()[:100])
            raise KeyboardInterrupt
        copy.write_bytes(original.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", cut_off)
        with pytest.raises(KeyboardInterrupt):
            import_folder(source, target)
    assert not (target / INDEX).exists()
    whole = [path for path in contents(target) if not path.endswith(".part")]
    assert len(whole) == copied_before
    assert all(contents(target)[path] == contents(source)[path] for path in whole)

    report = import_folder(source, target)
    assert (report.copied, report.already_there) == (16 - copied_before, copied_before)
    assert report.listing.skipped == ()
    copies = contents(target)
    del copies[INDEX]
    assert copies == contents(source)


def test_damaged_copies_of_an_interrupted_import_are_deleted_later(
    source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(source / "train/apple/cut.png", picture(50)[:200])

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_index", fail)
        with pytest.raises(OSError, match="full"):
            import_folder(source, target)
    import_folder(source, target)
    assert not (target / "train/apple/cut.png").exists()


def test_part_file_of_an_earlier_run_is_ignored(source: Path, target: Path) -> None:
    write(target / "train/apple/.0.png.part", b"half")
    write(target / "train/apple/.gone.png.part", b"half")
    report = import_folder(source, target)
    assert report.copied == 16
    assert report.listing.skipped == ()
    assert {row.path for row in report.listing.files} == set(FILES)


def test_new_files_are_added_without_changing_existing_groups(source: Path, target: Path) -> None:
    """Including a copy and a near-duplicate that sort before the known photo."""
    import_folder(source, target)
    before = groups_and_splits(target)
    fill(source, {"train/apple/!.png": 0, "train/apple/new.png": 70})
    near = draw_fruit("freshapples", 3, size=64).resize((90, 90))
    write(source / "train/apple/!near.jpg", encode(near, "JPEG"))
    write(source / "another/plum/1.png", picture(71))
    report = import_folder(source, target)
    after = groups_and_splits(target)
    assert report.copied == 3
    assert after["train/apple/!near.jpg"] == before["train/apple/3.png"]
    assert {path: after[path] for path in before} == before
    assert set(after) - set(before) == {
        "train/apple/!near.jpg",
        "train/apple/new.png",
        "another/plum/1.png",
    }
    assert report.listing.classes == ("apple", "pear", "plum")


def test_import_from_another_folder_keeps_earlier_files(
    source: Path, target: Path, tmp_path: Path
) -> None:
    import_folder(source, target)
    before = groups_and_splits(target)
    elsewhere = fill(tmp_path / "elsewhere", {"apple/x.png": 80, "apple/a.png": 2})
    import_folder(elsewhere, target)
    after = groups_and_splits(target)
    assert {path: after[path] for path in before} == before
    assert "apple/x.png" in after
    assert all((target / path).is_file() for path in after)


def test_report_counts_imported_and_skipped_files(source: Path, target: Path) -> None:
    write(source / "train/apple/cut.png", picture(50)[:200])
    write(source / "train/apple/twin.png", picture(0))
    write(source / "train/apple/notes.txt", b"ripe")
    fill(source, {"not_fruit/chair.png": 90, "phone/frames/IMG_1.png": 91})
    fill(source, {"other/pear/1.png": 92, "market/other/freshguava/1.png": 93})
    write(source / "phone/boxes.csv", b"file,fruit,level,xmin,ymin,xmax,ymax\n")
    report = import_folder(source, target)
    text = "\n".join(report.lines)
    assert "21 files copied, 0 were there already." in text
    assert "16 files of 16 photographs in 2 classes:" in text
    pears = Counter(row.split for row in report.listing.files if row.class_name == "pear")
    shares = [f"{pears[split]} {split}" for split in SPLITS]
    assert f"  pear: {', '.join(shares)}" in text
    besides = "1 folder(s) of boxed photographs, 2 photographs of other produce, 1 photographs of"
    assert f"Also: {besides} other things." in text
    assert "3 files were skipped:" in text
    assert "train/apple/twin.png: the same file as train/apple/0.png" in text
    assert "train/apple/notes.txt: not a picture format" in text
    assert (target / "phone/frames/IMG_1.png").is_file()
    assert (target / "not_fruit/chair.png").is_file()
    assert (target / "other/pear/1.png").is_file()
    assert (target / "market/other/freshguava/1.png").is_file()
    assert not (target / "train/apple/notes.txt").exists()


def test_long_list_of_skipped_files_is_cut(source: Path, target: Path) -> None:
    for number in range(33):
        write(source / f"train/apple/{number}.txt", b"x")
    lines = import_folder(source, target).lines
    assert "33 files were skipped:" in lines
    assert lines[-1].strip() == "and 13 more"


def test_source_is_unchanged(source: Path, target: Path, tmp_path: Path) -> None:
    """Links are followed; their targets are not touched."""
    outside = fill(tmp_path / "outside", {"kept.png": 60, "class/1.png": 61})
    write(outside / "cut.png", picture(62)[:200])
    write(source / "train/apple/cut.png", picture(50)[:200])
    write(source / "train/apple/twin.png", picture(0))
    write(source / "train/apple/old.gif", b"GIF89a")
    (source / "train/apple/link.png").symlink_to(outside / "kept.png")
    (source / "train/apple/linked_cut.png").symlink_to(outside / "cut.png")
    (source / "train/apple/gone.png").symlink_to(outside / "nowhere.png")
    (source / "train/folder").symlink_to(outside / "class", target_is_directory=True)
    before = contents(source), contents(outside)
    report = import_folder(source, target)
    assert (contents(source), contents(outside)) == before
    assert not (target / "train/apple/link.png").is_symlink()
    assert not (target / "train/apple/linked_cut.png").exists()
    assert "train/apple/link.png" in {row.path for row in report.listing.files}
    assert {"train/apple/gone.png", "train/folder"} < {item.path for item in report.listing.skipped}


def test_other_files_in_the_target_are_not_deleted(source: Path, target: Path) -> None:
    write(target / "apple/mine.png", b"broken, and mine")
    write(target / "apple/mine.txt", b"notes")
    import_folder(source, target)
    assert (target / "apple/mine.png").read_bytes() == b"broken, and mine"
    assert (target / "apple/mine.txt").read_bytes() == b"notes"


@pytest.mark.parametrize("inner", ["", "train", "."])
@pytest.mark.parametrize("swapped", [False, True])
def test_overlapping_folders_are_rejected(source: Path, inner: str, swapped: bool) -> None:
    """Otherwise the import would delete the user's files as if they were its own copies."""
    write(source / "train/apple/twin.png", picture(0))
    before = contents(source)
    pair = (source, source / inner)
    with pytest.raises(OverlapError):
        import_folder(*(pair[::-1] if swapped else pair))
    assert contents(source) == before


def test_empty_source_is_rejected(tmp_path: Path, target: Path) -> None:
    with pytest.raises(EmptyFolderError):
        import_folder(tmp_path / "nowhere", target)
    assert not target.exists()
