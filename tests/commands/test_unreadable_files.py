"""One file that cannot be read, as on a bad sector, costs no other file."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from api.catalog.import_folder import import_folder
from api.commands.backup import service
from api.commands.backup.__main__ import main
from api.commands.import_boxes import import_boxes
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.failures import StoreError
from tests.catalog.photographs import photo
from tests.catalog.pictures import fill
from tests.catalog.test_box_upload import voc
from tests.commands.test_backup import a_state, configured
from tests.commands.test_damaged_backup import use
from tests.predictions.samples import a_stored_prediction
from tests.predictions.test_feedback_races import submit


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    state = tmp_path / "state"
    return configured(f"sqlite:///{state / 'catalog.db'}", state)


def break_reads_of(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    whole = Path.open

    def fail(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name in names:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", fail)


@pytest.mark.slow
def test_a_backup_leaves_it_out_and_names_it(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    a_state(settings, tmp_path)
    database, blobs = Database(settings.database), Blobs(settings.storage)
    submit(database, blobs, a_stored_prediction(database, blobs).id, "pears")
    database.close()
    [damaged] = blobs.keys("photographs")
    get = Blobs.get

    def fail(store: Blobs, key: str) -> bytes:
        if key == damaged and store.url == settings.storage:
            raise StoreError(errno.EIO, "Input/output error", key)
        return get(store, key)

    monkeypatch.setattr(Blobs, "get", fail)
    use(settings, monkeypatch)
    monkeypatch.setattr("sys.argv", ["backup", "save", str(tmp_path / "backup")])

    assert main() == 1

    printed = capsys.readouterr().out
    assert f"could not be read and is not in the backup: {damaged}." in printed
    elsewhere = configured(f"sqlite:///{tmp_path / 'new' / 'catalog.db'}", tmp_path / "new")
    report = service.restore(elsewhere, tmp_path / "backup")
    assert (report.manifest.gone, report.is_whole) == (0, False)
    assert list(Blobs(elsewhere.storage).keys("models"))


def test_an_import_of_boxes_goes_on(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "set"
    source.mkdir()
    for number, name in enumerate("abc"):
        (source / f"{name}.jpg").write_bytes(photo(number + 1))
        (source / f"{name}.xml").write_bytes(voc(f"{name}.jpg"))
    break_reads_of(monkeypatch, "b.jpg")
    report = import_boxes(settings, source)
    assert [one.filename for one in report.stored] == ["set/a.jpg", "set/c.jpg"]
    [refused] = report.errors
    assert (refused.filename, refused.code) == ("set/b.jpg", "unreadable-file")
    assert "Input/output error" in refused.detail


def test_an_import_of_a_folder_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"apple/{number}.png" for number in range(4)]
    source = fill(tmp_path / "source", {name: number for number, name in enumerate(names)})
    (source / "apple" / "noending").write_bytes(photo(9))
    with monkeypatch.context() as patch:
        break_reads_of(patch, "noending", "2.png")
        patch.setattr(shutil, "copyfile", lambda path, copy: copy.write_bytes(path.read_bytes()))
        report = import_folder(source, tmp_path / "target")
    assert report.copied == 3
    assert {(item.path, item.reason) for item in report.listing.skipped} == {
        ("apple/2.png", "it cannot be read: Input/output error"),
        ("apple/noending", "it cannot be read: Input/output error"),
    }
    again = import_folder(source, tmp_path / "target")
    assert (again.copied, again.already_there, again.listing.skipped) == (2, 3, ())


def test_an_import_names_a_folder_that_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = fill(tmp_path / "source", {"apple/1.png": 1, "pear/2.png": 2})
    scandir = os.scandir

    def fail(path: Any) -> Any:
        if Path(path) == source / "pear":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", fail)
    report = import_folder(source, tmp_path / "target")
    assert [(item.path, item.reason) for item in report.listing.skipped] == [
        ("pear", "it cannot be read: Permission denied")
    ]


def test_system_folders_and_readmes_are_no_part_of_an_import_of_boxes(
    settings: Settings, tmp_path: Path
) -> None:
    files = {
        "Annotations/a.xml": voc(),
        "JPEGImages/a.jpg": photo(1),
        "#recycle/a.jpg": photo(2),
        "classes.txt": b"freshapples",
        "README.dataset.txt": b"Apples of one orchard",
    }
    for name, data in files.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(data)
    report = import_boxes(settings, tmp_path / "set")
    assert ([one.filename for one in report.stored], report.errors) == (
        ["set/JPEGImages/a.jpg"],
        [],
    )
