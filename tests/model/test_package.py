"""Packages are verified on loading and written atomically."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.core.imaging.hashing import content_hash
from api.model.manifest import Manifest
from api.model.package import (
    BACKBONE,
    DETECTOR,
    HEAD,
    MANIFEST,
    PARTS,
    REPLAY,
    BadPackageError,
    load_package,
    parts_of,
    write_package,
)
from api.model.replay_buffer import ReplayBuffer
from tests.registry.samples import CLASSES, a_detector_manifest, a_head, a_replay, describer, filler


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package of version `old`."""
    write_package(tmp_path / "default", filler(b"old graph"), describer("old"))
    return tmp_path / "default"


def hash_again(folder: Path, name: str) -> None:
    """Update the manifest's hash of a changed part."""
    raw = json.loads((folder / MANIFEST).read_text())
    raw["files"][name] = content_hash((folder / name).read_bytes())
    (folder / MANIFEST).write_text(json.dumps(raw))


def change_manifest(folder: Path, **fields: object) -> None:
    raw = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(raw | fields))


def test_package_round_trips(tmp_path: Path) -> None:
    head = a_head(seed=3)
    folder = tmp_path / "models" / "default"
    manifest = write_package(folder, filler(b"graph", head), describer("v1"))
    loaded = load_package(folder)
    assert loaded.folder == folder
    assert loaded.backbone == b"graph"
    assert loaded.manifest == manifest
    assert loaded.manifest.classes == CLASSES
    assert np.array_equal(loaded.head.kinds.weights, head.kinds.weights)
    assert np.array_equal(loaded.head.ood.means, head.ood.means)
    assert loaded.head.temperature == head.temperature
    assert (
        ReplayBuffer.load(folder / REPLAY).photographs.tolist() == a_replay().photographs.tolist()
    )
    assert sorted(path.name for path in folder.iterdir()) == sorted((*PARTS, MANIFEST))
    assert [path.name for path in folder.parent.iterdir()] == ["default"]


@pytest.mark.parametrize("name", [*PARTS, MANIFEST])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BadPackageError, match=name):
        load_package(folder)


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""]
)
def test_changed_file_is_named(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    with pytest.raises(BadPackageError, match=f"{name}.*changed"):
        load_package(folder)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b"{}", b'{"format": 1}'])
def test_unreadable_manifest_is_rejected(folder: Path, text: bytes) -> None:
    (folder / MANIFEST).write_bytes(text)
    with pytest.raises(BadPackageError, match=MANIFEST):
        load_package(folder)


def test_another_manifest_format_is_rejected(folder: Path) -> None:
    change_manifest(folder, format=2)
    with pytest.raises(BadPackageError, match="format 2"):
        load_package(folder)


def test_manifest_without_a_hash_is_rejected(folder: Path) -> None:
    change_manifest(folder, files={})
    with pytest.raises(BadPackageError, match=BACKBONE):
        load_package(folder)


@pytest.mark.parametrize(
    "fields", [{"classes": ["freshapples"]}, {"feature_shape": [2, 2, 5]}, {"classes": [*"abc"]}]
)
def test_classes_and_channels_must_match_the_head(folder: Path, fields: dict[str, object]) -> None:
    change_manifest(folder, **fields)
    with pytest.raises(BadPackageError, match="does not fit"):
        load_package(folder)


@pytest.mark.parametrize(
    "kind", ["text", "empty", "flipped bit", "other arrays", "pickle", "nan", "strings"]
)
def test_invalid_head_with_a_valid_hash_is_rejected(folder: Path, kind: str) -> None:
    path = folder / HEAD
    if kind == "other arrays":
        np.savez(path, weights=np.zeros((4, 2)))
    elif kind == "pickle":
        np.savez(path, weights=np.array([object()], dtype=object))
    elif kind == "strings":
        np.savez(path, kind_weights=np.array(["no", "numbers"]))
    elif kind == "nan":
        head = a_head()
        weights = np.full_like(head.kinds.weights, np.nan)
        replace(head, kinds=replace(head.kinds, weights=weights)).save(path)
    elif kind == "flipped bit":
        data = bytearray(path.read_bytes())
        data[data.index(a_head().kinds.weights.tobytes())] ^= 1
        path.write_bytes(data)
    else:
        path.write_bytes(b"no head" if kind == "text" else b"")
    hash_again(folder, HEAD)
    with pytest.raises(BadPackageError, match=HEAD):
        load_package(folder)


@pytest.mark.parametrize("kind", ["missing", "a file", "empty"])
def test_folder_without_a_package_is_rejected(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "default"
    if kind == "a file":
        folder.write_text("no folder")
    elif kind == "empty":
        folder.mkdir()
    with pytest.raises(BadPackageError, match=MANIFEST):
        load_package(folder)


def test_package_is_replaced(folder: Path) -> None:
    write_package(folder, filler(b"new graph"), describer("new"))
    loaded = load_package(folder)
    assert (loaded.manifest.version, loaded.backbone) == ("new", b"new graph")
    assert [path.name for path in folder.parent.iterdir()] == ["default"]


def fill_half(folder: Path) -> None:
    (folder / BACKBONE).write_bytes(b"new gr")
    raise KeyboardInterrupt


def fill_too_little(folder: Path) -> None:
    (folder / BACKBONE).write_bytes(b"new graph")


def fail_to_describe(_hashes: dict[str, str]) -> Manifest:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("fill", "describe"),
    [
        (fill_half, describer("new")),
        (fill_too_little, describer("new")),
        (filler(b"new graph"), fail_to_describe),
    ],
)
def test_crash_while_writing_keeps_the_old_package(
    folder: Path,
    fill: Callable[[Path], None],
    describe: Callable[[dict[str, str]], Manifest],
) -> None:
    """The files of the failed write do not affect the next one."""
    with pytest.raises((KeyboardInterrupt, FileNotFoundError)):
        write_package(folder, fill, describe)
    assert load_package(folder).backbone == b"old graph"
    write_package(folder, filler(b"newer graph"), describer("newer"))
    assert load_package(folder).manifest.version == "newer"
    assert [path.name for path in folder.parent.iterdir()] == ["default"]


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_crash_while_replacing_keeps_a_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    """The process is killed before the first rename, between the two, or before the backup is
    deleted."""
    rename, remaining = Path.rename, renames

    def counted(path: Path, target: Path) -> Path:
        nonlocal remaining
        if remaining == 0:
            raise KeyboardInterrupt
        remaining -= 1
        return rename(path, target)

    def killed(path: Path, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", counted)
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            write_package(folder, filler(b"new graph"), describer("new"))
    assert load_package(folder).manifest.version == ("new" if renames == 2 else "old")
    write_package(folder, filler(), describer("newer"))
    assert load_package(folder).manifest.version == "newer"
    assert load_package(folder).folder == folder


@pytest.fixture
def with_detector(tmp_path: Path) -> Path:
    """A package with a detector."""
    folder = tmp_path / "with_detector"
    write_package(
        folder, filler(detector=b"finds"), describer(detector=a_detector_manifest(input_size=96))
    )
    return folder


def test_package_with_a_detector_round_trips(with_detector: Path) -> None:
    package = load_package(with_detector)
    assert package.detector == b"finds"
    assert package.manifest.detector == a_detector_manifest(input_size=96)
    assert package.manifest.files[DETECTOR] == content_hash(b"finds")
    names = (*PARTS, DETECTOR, MANIFEST)
    assert sorted(path.name for path in with_detector.iterdir()) == sorted(names)


def test_package_without_a_detector_has_none(folder: Path) -> None:
    package = load_package(folder)
    assert package.detector is None
    assert package.manifest.detector is None
    assert parts_of(package.manifest) == PARTS


def test_older_manifest_without_the_detector_field_is_read(folder: Path) -> None:
    raw = json.loads((folder / MANIFEST).read_text())
    del raw["detector"]
    (folder / MANIFEST).write_text(json.dumps(raw))
    assert load_package(folder).detector is None


@pytest.mark.parametrize(
    "change", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""]
)
def test_changed_detector_is_refused(with_detector: Path, change: Callable[[bytes], bytes]) -> None:
    (with_detector / DETECTOR).write_bytes(change(b"finds"))
    with pytest.raises(BadPackageError, match=f"{DETECTOR}.*changed"):
        load_package(with_detector)


def test_missing_detector_is_refused(with_detector: Path) -> None:
    (with_detector / DETECTOR).unlink()
    with pytest.raises(BadPackageError, match=f"{DETECTOR}.*missing"):
        load_package(with_detector)


def test_detector_without_a_hash_is_refused(with_detector: Path) -> None:
    files = dict(load_package(with_detector).manifest.files)
    del files[DETECTOR]
    change_manifest(with_detector, files=files)
    with pytest.raises(BadPackageError, match=DETECTOR):
        load_package(with_detector)


def test_detector_that_the_manifest_does_not_describe_is_not_loaded(folder: Path) -> None:
    (folder / DETECTOR).write_bytes(b"laid beside it")
    assert load_package(folder).detector is None


def test_detector_and_its_description_are_written_together(tmp_path: Path) -> None:
    for fill, describe in (
        (filler(detector=b"finds"), describer()),
        (filler(), describer(detector=a_detector_manifest())),
    ):
        with pytest.raises(ValueError, match="belong together"):
            write_package(tmp_path / "package", fill, describe)
        assert not (tmp_path / "package").exists()
