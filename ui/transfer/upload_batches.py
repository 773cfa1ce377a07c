"""Splits many files, including zips, into batches small enough for one request.

Memory holds one batch besides the files themselves; each file is freed once it has been split.
"""

import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePosixPath
from uuid import uuid4

from photos import Photo

MAX_FILES = 25
MAX_BYTES = 8 * 2**20
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800
# Other methods need as much memory as the zip asks for; the API rejects them.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The API unpacks no larger file.
_MAX_FILE_BYTES = 25 * 2**20
# Large enough for the directory of a zip with as many files as the API accepts.
_MAX_DIRECTORY_BYTES = 8 * 2**20
# The API skips them too: thumbnails and deleted files of macOS, Windows, Linux, Synology and QNAP.
SYSTEM_FOLDERS = {
    *("__macosx", "$recycle.bin", "recycler", "system volume information", "lost+found"),
    *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@__thumb"),
}
SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini"}
_DAMAGED = "It could not be unpacked: the zip is damaged, or this file in it is larger than 25 MB."
_UNREADABLE_NAME = (
    "The zip does not say how the names of its folders are written, so the class cannot be read. "
    "Name the folder in English letters, or make the zip with another program."
)


@dataclass(frozen=True)
class UploadBatch:
    """One request.

    `photos` have the names that the response uses. `files` are what is sent: the photos themselves,
    or one zip of them. `unreadable` lists files that could not be read from their zip, with
    reasons. `key` stays the same if it is sent again.
    """

    files: tuple[Photo, ...]
    photos: tuple[Photo, ...]
    unreadable: tuple[tuple[str, str], ...] = ()
    key: str = field(default_factory=lambda: uuid4().hex, compare=False)

    @property
    def count(self) -> int:
        return len(self.photos) + len(self.unreadable)


def count_photos(files: Iterable[Photo]) -> int:
    """Photos in the files; a zip that cannot be opened counts as one."""
    return sum(_count(file) for file in files)


def split(
    files: deque[Photo], *, keep_folders: bool, most: int = MAX_FILES
) -> Iterator[UploadBatch]:
    """Split the files into batches of at most `most`; each is removed from `files` once split.

    Without `keep_folders`, folders in zips are dropped, so that they do not name classes. A zip
    that cannot be opened is sent unchanged: the API says what is wrong with it.
    """
    loose: list[Photo] = []
    while files:
        file = files.popleft()
        entries = _entries(file)
        if entries is None:
            if loose and _is_full(loose, file, most):
                yield UploadBatch(tuple(loose), tuple(loose))
                loose = []
            loose.append(file)
        elif entries:
            yield from _split_zip(file, entries, keep_folders, most)
        else:
            yield UploadBatch((file,), (file,))
    if loose:
        yield UploadBatch(tuple(loose), tuple(loose))


def _split_zip(
    file: Photo, entries: list[zipfile.ZipInfo], keep_folders: bool, most: int
) -> Iterator[UploadBatch]:
    batch: list[Photo] = []
    unreadable: list[tuple[str, str]] = []
    with zipfile.ZipFile(BytesIO(file.data)) as archive:
        for entry in entries:
            path, is_certain = _path_of(entry)
            name = str(path) if keep_folders else path.name
            if keep_folders and not is_certain and not str(path.parent).isascii():
                unreadable.append((f"{file.name}/{name}", _UNREADABLE_NAME))
                continue
            data = _read(archive, entry)
            if data is None:
                unreadable.append((f"{file.name}/{name}", _DAMAGED))
                continue
            photo = Photo(name, data)
            # Without their folders, two entries may have the same name.
            is_full = batch and _is_full(batch, photo, most)
            if is_full or any(name == other.name for other in batch):
                yield _zip_batch(file.name, batch, unreadable)
                batch, unreadable = [], []
            batch.append(photo)
    if batch or unreadable:
        yield _zip_batch(file.name, batch, unreadable)


def _zip_batch(name: str, entries: list[Photo], unreadable: list[tuple[str, str]]) -> UploadBatch:
    """A batch with one small zip that has the name of the large one."""
    photos = tuple(Photo(f"{name}/{entry.name}", entry.data) for entry in entries)
    if not entries:
        return UploadBatch((), (), tuple(unreadable))
    archive_bytes = BytesIO()
    with zipfile.ZipFile(archive_bytes, "w") as archive:
        for entry in entries:
            archive.writestr(entry.name, entry.data)
    return UploadBatch((Photo(name, archive_bytes.getvalue()),), photos, tuple(unreadable))


def _is_full(batch: list[Photo], more: Photo, most: int) -> bool:
    size = sum(len(photo.data) for photo in batch) + len(more.data)
    return len(batch) == most or size > MAX_BYTES


def _count(file: Photo) -> int:
    entries = _entries(file)
    return 1 if not entries else len(entries)


def _entries(file: Photo) -> list[zipfile.ZipInfo] | None:
    """The files of a zip to upload; None if the file is not a zip, [] if it is unusable."""
    if not file.data.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(_BoundedDirectory(file.data)) as archive:
            visible = [entry for entry in archive.infolist() if _is_visible(entry)]
    except Exception:  # a broken directory makes zipfile raise errors of any kind
        return []
    return [] if any(entry.flag_bits & _ENCRYPTED for entry in visible) else visible


def _path_of(entry: zipfile.ZipInfo) -> tuple[PurePosixPath, bool]:
    """The file's path in the zip, and whether that is certain: macOS writes names in UTF-8 without
    saying so, Windows in the code page of its language."""
    name, is_certain = entry.filename, True
    if not (entry.flag_bits & _UTF8_NAME or name.isascii()):
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            is_certain = False
    return PurePosixPath(name.replace("\\", "/")), is_certain


def _is_visible(entry: zipfile.ZipInfo) -> bool:
    path = _path_of(entry)[0]
    hidden = any(part.startswith(".") and part != ".." for part in path.parts)
    of_system = any(part.lower() in SYSTEM_FOLDERS for part in path.parts[:-1])
    is_folder = entry.is_dir() or entry.filename.endswith("\\")
    return not (is_folder or hidden or of_system or path.name.lower() in SYSTEM_FILES)


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    if entry.file_size > _MAX_FILE_BYTES or entry.compress_type not in _METHODS:
        return None
    try:
        return archive.read(entry)
    except Exception:  # as above
        return None


class _BoundedDirectory(BytesIO):
    """Bounds the single read with which zipfile loads a zip's directory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("The directory is too long.")
        return super().read(size)
