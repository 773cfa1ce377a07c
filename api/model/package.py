"""Model packages on disk: folders that are either complete or not there.

`backbone.tflite` (uint8 image to feature map), `head.npz` (everything after the embedding),
`replay.npz` (embeddings of the training photos), in most packages `detector.tflite` (finds the
fruits of a photo) and, written last, `manifest.json`. None of these files can execute code.
"""

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.core.heads import Head
from api.core.imaging.hashing import content_hash
from api.model.manifest import FORMAT, Manifest

BACKBONE = "backbone.tflite"
HEAD = "head.npz"
REPLAY = "replay.npz"
MANIFEST = "manifest.json"
DETECTOR = "detector.tflite"
PARTS = (BACKBONE, HEAD, REPLAY)


class BadPackageError(Exception):
    """The folder is not a valid model package; the message says why."""


@dataclass(frozen=True)
class Package:
    """A verified package in memory. `backbone` and `detector` are LiteRT graphs."""

    folder: Path
    manifest: Manifest
    backbone: bytes
    head: Head
    detector: bytes | None = None


def load_package(folder: Path) -> Package:
    """Read and verify a package. Raises BadPackageError."""
    folder = _recover(folder)
    manifest = read_manifest(folder)
    try:
        for name in parts_of(manifest):
            _verify(folder / name, manifest.files.get(name))
        backbone = (folder / BACKBONE).read_bytes()
        detector = (folder / DETECTOR).read_bytes() if manifest.detector else None
    except OSError as error:
        raise BadPackageError(f"{folder} cannot be read: {error}") from error
    try:
        head = Head.load(folder / HEAD)
    except (OSError, EOFError, KeyError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise BadPackageError(f"{folder / HEAD} cannot be read: {error}") from error
    if (head.channels, head.classes) != (manifest.feature_shape[2], len(manifest.classes)):
        raise BadPackageError(f"{folder / HEAD} does not fit the classes of the manifest.")
    return Package(folder, manifest, backbone, head, detector)


def parts_of(manifest: Manifest) -> tuple[str, ...]:
    """The files of a package besides its manifest."""
    return (*PARTS, DETECTOR) if manifest.detector else PARTS


def read_manifest(folder: Path) -> Manifest:
    """The manifest, without verifying the other files. Raises BadPackageError."""
    folder = _recover(folder)
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BadPackageError(f"{folder} has no {MANIFEST}: it is not a model package.") from None
    except (OSError, ValueError) as error:
        raise BadPackageError(f"{folder / MANIFEST} cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise BadPackageError(
            f"{folder} is of format {manifest.format}; this version reads format {FORMAT}."
        )
    return manifest


def write_package(
    folder: Path, fill: Callable[[Path], None], describe: Callable[[dict[str, str]], Manifest]
) -> Manifest:
    """Write a package atomically, replacing one that exists.

    `fill` writes the parts into a folder; `describe` makes the manifest from their SHA-256. Raises
    ValueError if only one of the two has a detector.
    """
    temporary = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    fill(temporary)
    has_detector = (temporary / DETECTOR).exists()
    names = (*PARTS, DETECTOR) if has_detector else PARTS
    manifest = describe({name: content_hash((temporary / name).read_bytes()) for name in names})
    if has_detector != (manifest.detector is not None):
        raise ValueError(f"{DETECTOR} and the manifest's description of it belong together.")
    (temporary / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    if folder.exists():
        replaced = _backup(folder)
        shutil.rmtree(replaced, ignore_errors=True)
        folder.rename(replaced)
        temporary.rename(folder)
        shutil.rmtree(replaced)
    else:
        temporary.rename(folder)
    return manifest


def version_name(created: datetime, files: Mapping[str, str]) -> str:
    """The version name, from the creation time and the SHA-256 of the head."""
    return f"{created:%Y%m%d-%H%M%S}-{files[HEAD][:7]}"


def _recover(folder: Path) -> Path:
    """`folder`, or its backup where a crash between the two renames of `write_package` left it."""
    backup = _backup(folder)
    return backup if not folder.exists() and backup.exists() else folder


def _backup(folder: Path) -> Path:
    """Where `write_package` moves the package that it replaces."""
    return folder.with_name(f".{folder.name}.replaced")


def _verify(path: Path, expected: str | None) -> None:
    if not path.is_file():
        raise BadPackageError(f"{path} is missing.")
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != expected:
        raise BadPackageError(f"{path} is not the file that the manifest names: it was changed.")
