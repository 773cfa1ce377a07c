"""How commands end: with status 0 only if they did something, and never with a traceback."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from api.commands import dataset, training
from api.commands.backup import __main__ as backup
from api.commands.bulk import __main__ as bulk
from api.settings import get_settings

Run = Callable[..., tuple[int, str, str]]
MAINS = {
    "dataset": (dataset.main, [], "api.commands.dataset.download_public_set"),
    "import-boxes": (dataset.main, ["import-boxes", "."], "api.commands.import_boxes.get_settings"),
    "backup": (backup.main, ["save", "x"], "api.commands.backup.__main__.get_settings"),
    "bulk": (bulk.main, ["photos", "--out", "x.csv"], "api.settings.get_settings"),
    "training": (training.main, ["measure", "x"], "api.commands.training.recipe_of"),
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("RIPELINE_STATE_DIR", str(tmp_path / "state"))
    for name in ("DATABASE_URL", "STORAGE_URL"):
        monkeypatch.delenv(name, raising=False)
    get_settings.cache_clear()

    def run(main: Callable[[], int], *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["command", *arguments])
        status = main()
        return status, *capsys.readouterr()

    return run


FULL = "No space left on device"
ENDINGS: dict[str, tuple[BaseException, int, str]] = {
    "interrupted": (KeyboardInterrupt(), 130, "Stopped."),
    "full disk": (OSError(errno.ENOSPC, FULL, "/data/x"), 1, f"/data/x: {FULL}."),
    "full disk, a copy": (OSError(errno.ENOSPC, FULL, "a", None, "/data/x"), 1, f"/data/x: {FULL}"),
    "full disk, no name": (OSError(errno.ENOSPC, FULL), 1, f"{FULL}."),
}


@pytest.mark.parametrize("name", MAINS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_interruption_and_full_disk_are_reported_in_words(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, ending: str
) -> None:
    main, arguments, called = MAINS[name]

    error, status, words = ENDINGS[ending]

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(called, fail)
    ended, out, printed = run(main, *arguments)
    assert (ended, out) == (status, "")
    assert printed.startswith(words)


def test_an_import_of_boxes_that_finds_nothing_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, out, error = run(dataset.main, "import-boxes", str(tmp_path / "empty"))
    assert (status, out) == (1, "")
    assert "no photos in" in error
    (tmp_path / "a.tar").write_bytes(b"no zip")
    status, out, error = run(dataset.main, "import-boxes", str(tmp_path / "a.tar"))
    assert (status, error) == (1, "")
    assert "Send a zip" in out
