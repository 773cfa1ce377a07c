"""A backup or a restore on a full disk says which disk, and what to do."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from api.commands.backup.__main__ import main
from api.settings import Settings, get_settings
from api.storage import blobs
from tests.commands.test_backup import a_state, configured, destroy
from tests.commands.test_damaged_backup import use

pytestmark = pytest.mark.slow
FULL = os.strerror(errno.ENOSPC)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    state = tmp_path / "state"
    settings = configured(f"sqlite:///{state / 'catalog.db'}", state)
    a_state(settings, tmp_path)
    return settings


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    use(settings, monkeypatch)

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["backup", *arguments])
        status = main()
        return status, capsys.readouterr().err

    yield run
    get_settings.cache_clear()


def fill_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """No database that is written has room for a second page."""
    connect = sqlite3.connect

    def tiny(path: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(path, **options)
        if not options.get("uri"):
            connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", tiny)


def fill_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of a store can be written. The error of a write names no file."""

    def fail(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, FULL)

    monkeypatch.setattr(blobs, "atomic_write", fail)


def test_no_space_for_the_catalog_of_a_backup(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_databases(monkeypatch)
    status, error = run("save", str(tmp_path / "backup"))
    assert status == 1
    assert error.startswith(f"{tmp_path / 'backup' / 'catalog.db'}: {FULL}. ")
    assert "Remove its folder" in error


def test_no_space_for_the_files_of_a_backup(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fill_store(patch)
        status, error = run("save", str(tmp_path / "backup"))
    assert status == 1
    assert error.startswith(f"{tmp_path / 'backup' / 'blobs' / 'models'}")
    assert f": {FULL}. The backup is not complete." in error
    assert "is not a complete backup" in run("restore", str(tmp_path / "backup"))[1]


@pytest.mark.parametrize("fill", [fill_databases, fill_store])
def test_restore_goes_on_once_there_is_space(
    run: Run,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fill: Callable[[pytest.MonkeyPatch], None],
) -> None:
    assert run("save", str(tmp_path / "backup")) == (0, "")
    destroy(settings)
    with monkeypatch.context() as patch:
        fill(patch)
        status, error = run("restore", str(tmp_path / "backup"))
    assert status == 1
    assert error.startswith(str(settings.state_dir))
    assert f": {FULL}. Run the restore again to continue." in error
    assert run("restore", str(tmp_path / "backup")) == (0, "")
