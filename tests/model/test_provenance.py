"""The versions in a manifest: libraries, and the revision of the code."""

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from api import __version__
from api.model import provenance

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the project's folder."""
    monkeypatch.delenv(provenance.REVISION_VARIABLE, raising=False)
    monkeypatch.setattr(provenance, "PROJECT", tmp_path / "project")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "init", "--quiet")
    (folder / "code.py").write_text("1")
    git(folder, "add", "code.py")
    git(folder, "commit", "--quiet", "--message", "first")
    return git(folder, "rev-parse", "HEAD")


def test_revision_names_the_commit_and_uncommitted_changes(project: Path) -> None:
    whole = commit(project)
    clean = provenance.revision()
    assert clean
    assert len(clean) >= 7
    assert whole.startswith(clean)
    # A tag does not count as a revision, since it can move.
    git(project, "tag", "--annotate", "v9", "--message", "nine")
    assert provenance.revision() == clean
    (project / "code.py").write_text("2")
    assert provenance.revision() == f"{clean}-dirty"
    assert provenance.versions_of(["numpy"]) == {
        "ripeline": f"{__version__}+{clean}-dirty",
        "numpy": version("numpy"),
    }


def test_environment_names_the_revision_of_an_image(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(provenance.REVISION_VARIABLE, "abc1234")
    assert provenance.versions_of([]) == {"ripeline": f"{__version__}+abc1234"}


def test_library_may_be_the_build_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    def installed(name: str) -> str:
        if name != "tensorflow-cpu":
            raise PackageNotFoundError(name)
        return "2.21.0"

    monkeypatch.setattr(provenance, "version", installed)
    # OpenVINO may be missing.
    found = provenance.versions_of(["tensorflow", "openvino"])
    assert found["tensorflow"] == "2.21.0"
    assert "openvino" not in found


def test_version_is_unchanged_without_repository_commit_or_git(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(project.parent)
    # A repository in a parent folder is not this code's.
    assert provenance.versions_of([]) == {"ripeline": __version__}
    git(project, "init", "--quiet")
    assert provenance.revision() is None
    monkeypatch.setenv("PATH", str(project))
    assert provenance.revision() is None


def test_libraries_with_another_version_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"numpy": "2.4", "pillow": "13.0", "tensorflow-cpu": "2.21", "ripeline": "0.2"}

    def find(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(provenance, "version", find)
    made_with = {"ripeline": "0.1", "numpy": "2.3", "pillow": "13.0", "keras": "3.15"}
    assert provenance.changed_libraries(made_with) == {"numpy": True, "pillow": False}
    assert provenance.changed_libraries({"tensorflow": "2.21"}) == {"tensorflow": False}
