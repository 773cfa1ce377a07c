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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "x", "--seed", "-1"], "-1 is too small: it must be at least 0"),
        (["train", "x", "--learning-rate", "-0.1"], "must be a number above 0"),
        (["train", "x", "--learning-rate", "nan"], "must be a number above 0"),
        (["train", "x", "--learning-rate", "inf"], "must be a number above 0"),
        (["compare", "x", "--sizes", "160", "0"], "0 is too small: it must be at least 1"),
        (["train", "x", "--epochs", "0"], "0 is too small: it must be at least 1"),
    ],
)
def test_numbers_that_no_training_can_use_are_refused_at_once(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(training.main, *arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *((name, "--out") for name in ("train", "detection", "crossvalidate", "compare")),
        *((name, "--package") for name in ("detector", "measure", "detection")),
    ],
)
def test_an_output_that_cannot_be_written_is_reported_before_the_work(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str, option: str
) -> None:
    """It was found out after hours of training."""
    monkeypatch.setitem(training.COMMANDS, command, lambda *_: ["Trained for hours."])
    (tmp_path / "file").write_bytes(b"")
    out = tmp_path / "file" / "package"
    status, printed, error = run(training.main, command, "x", option, str(out))
    assert (status, printed) == (1, "")
    assert str(tmp_path / "file") in error
    out = tmp_path / "new" / "folder" / "package"
    assert run(training.main, command, "x", option, str(out))[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_import_of_boxes_that_finds_nothing_fails(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    status, out, error = run(dataset.main, "import-boxes", str(tmp_path / "empty"))
    assert (status, out) == (1, "")
    assert "no photos in" in error
    (tmp_path / "a.tar").write_bytes(b"no zip")
    status, out, error = run(dataset.main, "import-boxes", str(tmp_path / "a.tar"))
    assert (status, error) == (1, "")
    assert "Send a zip" in out
