"""What a backup holds: its manifest, its checksums and its files, and the checks on them.

backup.json    the manifest, written last: without it, a backup is incomplete
SHA256SUMS     a line for every other file, as `sha256sum --check` reads it
catalog.db     SQLite, or catalog.dump from PostgreSQL
blobs/         photographs/, models/, predicted/
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from pydantic import AwareDatetime, BaseModel, ValidationError

from api.catalog import photo_files as photos
from api.core.errors import ProblemError
from api.model.package import MANIFEST as PACKAGE_MANIFEST
from api.predictions import record
from api.registry import store

MANIFEST = "backup.json"
CHECKSUMS = "SHA256SUMS"
BLOBS = "blobs"
FOLDERS = (photos.FOLDER, store.FOLDER, record.FOLDER)
NAMED = 5


class BackupError(ProblemError):
    code = "no-backup"


class NotEmptyError(BackupError):
    code = "not-empty"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is not empty, and nothing is ever overwritten. Name another, or empty it "
            "yourself."
        )


class BackupManifest(BaseModel):
    """Describes a backup.

    `catalog`: the kind of database. `blobs`: how many. `tables`: rows of each. `checksums`: SHA-256
    of SHA256SUMS. `gone`: photos of the catalog that were not in the store when it was copied.
    Backups of early versions lack the last three.
    """

    made_at: AwareDatetime
    api_version: str
    catalog: str
    blobs: int
    tables: dict[str, int] = {}
    checksums: str | None = None
    gone: int = 0
    unreadable: list[str] = []


def read_manifest(folder: Path) -> BackupManifest:
    """Raises BackupError."""
    try:
        return BackupManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise BackupError(f"{folder} is not a complete backup: {MANIFEST} is missing.") from None
    except ValidationError:
        raise BackupError(f"{folder / MANIFEST} is damaged. Nothing was restored.") from None


def list_files(folder: Path) -> set[str]:
    """The files of a backup, as paths with `/`. Raises BackupError for links and special files."""
    files = set()
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(parent, name)
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_dir() or path.is_file()):
                raise BackupError(
                    f"{relative} is a link or not a plain file; no backup has these: it could lead "
                    "out of the folder. Nothing was restored."
                )
            if path.is_file():
                files.add(relative)
    return files


def format_checksums(folder: Path) -> bytes:
    """The text of SHA256SUMS for all files in `folder`."""
    names = sorted(list_files(folder))
    return "".join(f"{file_hash(folder / name)}  {name}\n" for name in names).encode()


def read_checksums(folder: Path, manifest: BackupManifest) -> dict[str, str] | None:
    """File to SHA-256; None for a backup without checksums. Raises BackupError."""
    path = folder / CHECKSUMS
    if manifest.checksums is None and not path.exists():
        return None
    if not path.is_file() or file_hash(path) != manifest.checksums:
        raise BackupError(
            f"{CHECKSUMS} is missing or is not the one that {MANIFEST} names. Nothing was restored."
        )
    lines = path.read_text("utf-8").splitlines()
    return {name: value for value, name in (line.split("  ", 1) for line in lines)}


def check_files(folder: Path, files: set[str], checksums: Mapping[str, str]) -> None:
    """Raises BackupError for anything missing, extra or changed."""
    expected = set(checksums)
    for what, names in (
        ("missing", expected - files),
        ("not part of it", files - expected - {MANIFEST, CHECKSUMS}),
        ("outside of it", {name for name in expected if _leads_out(name)}),
    ):
        _refuse(folder, what, names)
    _refuse(folder, "changed", (n for n in expected if file_hash(folder / n) != checksums[n]))


def check_file_count(folder: Path, files: set[str], catalog: str, blobs: int) -> None:
    """What can be checked without checksums: file names and counts. Raises BackupError."""
    _refuse(folder, "not part of it", files - {MANIFEST, catalog} - set(_blob_files(files)))
    if (found := sum(1 for _ in _blob_files(files))) != blobs:
        raise BackupError(
            f"{folder} holds {found} blobs, and {MANIFEST} says {blobs}. Nothing was restored."
        )


def blob_keys(files: Iterable[str]) -> list[str]:
    """The keys of the blobs among the files of a backup, sorted."""
    return sorted(name.removeprefix(f"{BLOBS}/") for name in _blob_files(files))


def blob_counts(keys: Iterable[str]) -> dict[str, int]:
    """The number of blobs of each kind."""
    return dict(sorted(Counter(key.partition("/")[0] for key in keys).items()))


def model_versions(keys: Iterable[str]) -> list[str]:
    """The versions with a complete package."""
    paths = (PurePosixPath(key).parts for key in keys)
    return [
        path[1] for path in paths if path[0] == store.FOLDER and path[2:] == (PACKAGE_MANIFEST,)
    ]


def file_hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _blob_files(files: Iterable[str]) -> Iterable[str]:
    prefixes = tuple(f"{BLOBS}/{folder}/" for folder in FOLDERS)
    return (name for name in files if name.startswith(prefixes))


def _leads_out(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts


def _refuse(folder: Path, what: str, names: Iterable[str]) -> None:
    """Raises BackupError if there are any `names`."""
    found = sorted(names)
    if found:
        rest = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise BackupError(
            f"The backup {folder} is not as it was made. {what.capitalize()}: "
            f"{', '.join(found[:NAMED])}{rest}. Nothing was restored."
        )
