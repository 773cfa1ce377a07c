"""A changed backup is refused with a clear message, and nothing is written."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from api.commands.backup import service
from api.commands.backup.__main__ import main
from api.commands.backup.contents import CHECKSUMS, MANIFEST, BackupError, NotEmptyError
from api.core.imaging.hashing import content_hash
from api.settings import Settings, get_settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.commands.test_backup import a_state, configured, destroy
from tests.commands.test_backup import settings as settings  # noqa: PLC0414 - a fixture
from tests.predictions.samples import a_stored_prediction
from tests.predictions.test_feedback_races import submit
from tests.registry.versions import a_small_package, register_package

pytestmark = pytest.mark.slow
HEAD = "blobs/models/b/head.npz"


@pytest.fixture
def backup(settings: Settings, tmp_path: Path) -> Path:
    """A backup of a version, a prediction and a training photo; its service is gone."""
    a_state(settings, tmp_path)
    database, blobs = Database(settings.database), Blobs(settings.storage)
    submit(database, blobs, a_stored_prediction(database, blobs).id, "pears")
    database.close()
    service.save(settings, tmp_path / "backup")
    destroy(settings)
    return tmp_path / "backup"


def catalog_of(backup: Path) -> Path:
    (path,) = backup.glob("catalog.*")
    return path


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def link(path: Path, target: Path) -> None:
    path.unlink()
    path.symlink_to(target)


def rename_in_checksums(backup: Path, name: str, to: str) -> None:
    """Make it look as if the backup had been made with that name in it."""
    path = backup / CHECKSUMS
    path.write_text(path.read_text().replace(f"  {name}\n", f"  {to}\n"))
    edit_manifest(backup, checksums=content_hash(path.read_bytes()))


def edit_manifest(backup: Path, **values: Any) -> None:
    path = backup / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def as_of_earlier_version(backup: Path) -> None:
    """Turn it into a backup of an earlier version, without checksums and counts."""
    (backup / CHECKSUMS).unlink()
    manifest = json.loads((backup / MANIFEST).read_text())
    kept = ("made_at", "api_version", "catalog", "blobs")
    (backup / MANIFEST).write_text(json.dumps({name: manifest[name] for name in kept}))


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a blob is missing": (lambda b: (b / HEAD).unlink(), f"Missing: {HEAD}"),
    "a blob is cut": (lambda b: (b / HEAD).write_bytes(b""), f"Changed: {HEAD}"),
    "a bit of a blob": (lambda b: flip(b / HEAD, 9), f"Changed: {HEAD}"),
    "another blob": (lambda b: (b / "blobs/models/c").write_bytes(b"x"), "Not part of it"),
    "a hidden file": (lambda b: (b / "blobs/.x").write_bytes(b"x"), "Not part of it: blobs/.x"),
    "a file beside": (lambda b: (b / "notes").write_bytes(b"x"), "Not part of it: notes"),
    "catalog empty": (lambda b: catalog_of(b).write_bytes(b""), "Changed: catalog"),
    "a bit of the catalog": (lambda b: flip(catalog_of(b), 4000), "Changed: catalog"),
    "a file is a link": (lambda b: link(b / HEAD, b / MANIFEST), "is a link"),
    "a folder is a link": (lambda b: (b / "blobs/photos").symlink_to(b.parent), "is a link"),
    "the checksums are a link": (lambda b: link(b / CHECKSUMS, b / MANIFEST), "is a link"),
    "no checksums": (lambda b: (b / CHECKSUMS).unlink(), CHECKSUMS),
    "other checksums": (lambda b: flip(b / CHECKSUMS, 5), CHECKSUMS),
    "a name leads out": (lambda b: rename_in_checksums(b, HEAD, "../x"), "Missing: ../x"),
    "manifest cut": (lambda b: (b / MANIFEST).write_bytes(b"{"), "damaged"),
    "fewer rows named": (lambda b: edit_manifest(b, tables={"images": 7}), "does not describe"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_backup_is_refused(settings: Settings, backup: Path, damage: str) -> None:
    harm, message = DAMAGE[damage]
    harm(backup)
    with pytest.raises(BackupError) as refused:
        service.restore(settings, backup)
    assert message in refused.value.detail
    assert not settings.state_dir.exists()


OLD_DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a blob is missing": (lambda b: (b / HEAD).unlink(), "blobs, and backup.json says"),
    "a file beside": (lambda b: (b / "notes").write_bytes(b"x"), "Not part of it: notes"),
    "a link": (lambda b: link(b / HEAD, b / MANIFEST), "is a link"),
    "catalog empty": (lambda b: catalog_of(b).write_bytes(b""), "catalog"),
    "catalog cut": (
        lambda b: catalog_of(b).write_bytes(catalog_of(b).read_bytes()[:-5000]),
        "catalog",
    ),
    "not a catalog": (lambda b: catalog_of(b).write_bytes(b"x" * 9000), "catalog"),
}


@pytest.mark.parametrize("damage", OLD_DAMAGE)
def test_damaged_backup_of_an_earlier_version_is_refused(
    settings: Settings, backup: Path, damage: str
) -> None:
    as_of_earlier_version(backup)
    harm, message = OLD_DAMAGE[damage]
    harm(backup)
    with pytest.raises(BackupError) as refused:
        service.restore(settings, backup)
    assert message in refused.value.detail
    assert not settings.state_dir.exists()


def test_catalog_of_another_time_is_refused(settings: Settings, backup: Path) -> None:
    """An intact catalog, but one without rows for the files in the backup."""
    as_of_earlier_version(backup)
    empty = backup.parent / "empty"
    other = configured(settings.database_url, empty)
    if settings.database_url.startswith("sqlite"):
        other = configured(f"sqlite:///{empty / 'catalog.db'}", empty)
    a_state(other, empty.parent / "other")
    service.save(other, backup.parent / "empty-backup")
    shutil.copyfile(catalog_of(backup.parent / "empty-backup"), catalog_of(backup))
    destroy(other)
    with pytest.raises(BackupError, match="do not belong together: of 0 training photos"):
        service.restore(settings, backup)


def test_catalog_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    settings = configured(f"sqlite:///{tmp_path / 'state' / 'catalog.db'}", tmp_path / "state")
    a_state(settings, tmp_path)
    service.save(settings, tmp_path / "backup")
    destroy(settings)
    as_of_earlier_version(tmp_path / "backup")
    with closing(sqlite3.connect(tmp_path / "backup" / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BackupError, match="newer one has upgraded it"):
        service.restore(settings, tmp_path / "backup")


def test_damaged_catalog_is_not_saved(tmp_path: Path) -> None:
    settings = configured(f"sqlite:///{tmp_path / 'state' / 'catalog.db'}", tmp_path / "state")
    a_state(settings, tmp_path)
    catalog = tmp_path / "state" / "catalog.db"
    catalog.write_bytes(b"not a database" * 1000)
    with pytest.raises(BackupError, match="not a database"):
        service.save(settings, tmp_path / "backup")
    assert not (tmp_path / "backup" / MANIFEST).exists()


def test_other_files_in_the_store_are_not_overwritten(settings: Settings, backup: Path) -> None:
    Blobs(settings.storage).put("models/b/head.npz", b"another")
    with pytest.raises(NotEmptyError, match=r"models/b/head\.npz"):
        service.restore(settings, backup)
    assert Blobs(settings.storage).get("models/b/head.npz") == b"another"


@pytest.mark.parametrize(
    ("version", "file", "status"),
    [("a", "head.npz", 0), ("b", "head.npz", 1), ("b", "manifest.json", 1)],
)
def test_damaged_package_in_the_store_is_named(
    settings: Settings,
    tmp_path: Path,
    *,
    version: str,
    file: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is saved anyway. If it is the champion's, a restored service has no model."""
    a_state(settings, tmp_path)
    database, blobs = Database(settings.database), Blobs(settings.storage)
    register_package(database, blobs, a_small_package(tmp_path, "a"))
    database.close()
    key = f"models/{version}/{file}"
    if file == "manifest.json":
        blobs.delete(key)
    else:
        blobs.put(key, b"another")
    use(settings, monkeypatch)
    for command in ("save", "restore"):
        monkeypatch.setattr("sys.argv", ["backup", command, str(tmp_path / "backup")])
        assert main() == status
        printed = capsys.readouterr().out
        assert f"Version {version} is damaged in the store: {file}." in printed
        assert "Model versions: a" in printed
        assert ("It is the one in use" in printed) == bool(status)
        destroy(settings)
    get_settings.cache_clear()


def use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the command use these settings."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("STORAGE_URL", settings.storage_url)
    monkeypatch.setenv("RIPELINE_STATE_DIR", str(settings.state_dir))
    get_settings.cache_clear()


@pytest.mark.parametrize("old", [False, True])
def test_restore_reports_what_it_brought_back(
    settings: Settings,
    backup: Path,
    old: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if old:
        as_of_earlier_version(backup)
    use(settings, monkeypatch)
    monkeypatch.setattr("sys.argv", ["backup", "restore", str(backup)])
    assert main() == 0
    get_settings.cache_clear()
    printed = capsys.readouterr().out
    assert "champion 1" in printed
    assert "feedback 1, images 1" in printed
    assert "photographs 1, predicted 1" in printed.replace("models 4, ", "")
    assert "Model versions: b." in printed
    assert ("has no checksums" in printed) == old
