"""The lock files have hashes everywhere, the same versions in all, and no URLs."""

import re
from pathlib import Path

import pytest
from packaging.markers import Marker

from api.settings import PROJECT

LOCKS = [PROJECT / "requirements.txt", *sorted((PROJECT / "requirements").glob("*.txt"))]
TRAINING_ONLY = {"tensorflow", "tensorflow-cpu", "keras", "mlflow", "torch", "scikit-learn"}


def pinned(lock: Path) -> dict[str, set[str]]:
    """The versions pinned for each package."""
    versions: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE):
        versions.setdefault(name, set()).add(version)
    return versions


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_package_has_hashes_and_no_url(lock: Path) -> None:
    text = lock.read_text()
    assert "--hash=sha256:" in text
    assert "-url" not in text
    assert "://" not in text
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("name", ["serve", "ui"])
def test_api_and_app_install_no_training_libraries(name: str) -> None:
    packages = pinned(PROJECT / "requirements" / f"{name}.txt")
    assert not TRAINING_ONLY & set(packages)


@pytest.mark.parametrize("name", ["serve", "ui", "worker"])
def test_root_lock_includes_the_versions_of_the_containers(name: str) -> None:
    everything = pinned(LOCKS[0])
    for package, versions in pinned(PROJECT / "requirements" / f"{name}.txt").items():
        # The container's TensorFlow has no CUDA; its version numbers are the same.
        assert versions <= everything[package.removesuffix("-cpu")], package


def test_worker_image_has_tensorflow_without_cuda() -> None:
    text = (PROJECT / "requirements" / "worker.txt").read_text()
    builds = re.findall(r"^(tensorflow[a-z-]*)==\S+ ; ([^\\\n]+)", text, re.MULTILINE)
    linux = {"sys_platform": "linux", "platform_machine": "x86_64"}
    assert [name for name, marker in builds if Marker(marker).evaluate(linux)] == ["tensorflow-cpu"]


@pytest.mark.parametrize("name", ["cluster", "otel"])
def test_extra_lock_has_the_same_versions_as_the_root_lock(name: str) -> None:
    everything = pinned(LOCKS[0])
    extra = pinned(PROJECT / "requirements" / f"{name}.txt")
    common = everything.keys() & extra.keys()
    assert {"ai-edge-litert", "numpy", "pillow"} <= common
    for package in common:
        assert extra[package] <= everything[package], package
