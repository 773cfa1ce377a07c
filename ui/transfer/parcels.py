"""Many files cut into parcels small enough to send one at a time, zips among them.

Only one parcel is in memory beside the files themselves, and each file is let go when it was cut.
"""

import zipfile
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePosixPath

from photos import Photo

MOST_FILES = 25
MOST_BYTES = 8 * 2**20
_ENCRYPTED = 0x1
# The others need as much memory as the zip asks for; the API refuses them.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The API unpacks no file that is longer, so nor does this process.
_LONGEST_FILE = 25 * 2**20
# Of a zip's directory: the API takes no more files than this has room for.
_LONGEST_DIRECTORY = 8 * 2**20
_DAMAGED = "It could not be unpacked: the zip is damaged, or this file in it is larger than 25 MB."


@dataclass(frozen=True)
class Parcel:
    """What to send at once.

    `pieces` are the photographs in it, each under the name that the answer gives it; `sent` the
    files to send, which are the same or one zip of them. `unread` could not be read from their zip:
    name and reason.
    """

    sent: tuple[Photo, ...]
    pieces: tuple[Photo, ...]
    unread: tuple[tuple[str, str], ...] = ()

    @property
    def count(self) -> int:
        return len(self.pieces) + len(self.unread)


def count(files: Iterable[Photo]) -> int:
    """How many photographs the files hold; a zip that cannot be opened counts as one."""
    return sum(_count(file) for file in files)


def parcels(files: deque[Photo], *, keep_folders: bool) -> Iterator[Parcel]:
    """Cut the files; each leaves `files` when it was cut.

    Without `keep_folders`, folders in zips are dropped, so that they name no class. A zip that
    cannot be opened is sent as it is: the API says what is wrong with it.
    """
    loose: list[Photo] = []
    while files:
        file = files.popleft()
        entries = _entries(file)
        if entries is None:
            if loose and _full(loose, file):
                yield Parcel(tuple(loose), tuple(loose))
                loose = []
            loose.append(file)
        elif entries:
            yield from _unpacked(file, entries, keep_folders)
        else:
            yield Parcel((file,), (file,))
    if loose:
        yield Parcel(tuple(loose), tuple(loose))


def _unpacked(file: Photo, entries: list[zipfile.ZipInfo], keep_folders: bool) -> Iterator[Parcel]:
    held: list[Photo] = []
    unread: list[tuple[str, str]] = []
    with zipfile.ZipFile(BytesIO(file.data)) as archive:
        for entry in entries:
            path = PurePosixPath(entry.filename.replace("\\", "/"))
            name = str(path) if keep_folders else path.name
            data = _read(archive, entry)
            if data is None:
                unread.append((f"{file.name}/{name}", _DAMAGED))
                continue
            piece = Photo(name, data)
            # Without their folders, two entries may have one name.
            if held and (_full(held, piece) or any(name == other.name for other in held)):
                yield _repacked(file.name, held, unread)
                held, unread = [], []
            held.append(piece)
    if held or unread:
        yield _repacked(file.name, held, unread)


def _repacked(name: str, entries: list[Photo], unread: list[tuple[str, str]]) -> Parcel:
    """A parcel of one small zip under the name of the large one."""
    pieces = tuple(Photo(f"{name}/{entry.name}", entry.data) for entry in entries)
    if not entries:
        return Parcel((), (), tuple(unread))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for entry in entries:
            archive.writestr(entry.name, entry.data)
    return Parcel((Photo(name, packed.getvalue()),), pieces, tuple(unread))


def _full(held: list[Photo], more: Photo) -> bool:
    size = sum(len(photo.data) for photo in held) + len(more.data)
    return len(held) == MOST_FILES or size > MOST_BYTES


def _count(file: Photo) -> int:
    entries = _entries(file)
    return 1 if not entries else len(entries)


def _entries(file: Photo) -> list[zipfile.ZipInfo] | None:
    """What a zip holds but for folders and hidden files; None where the file is no zip.

    Empty where the zip cannot be used as a whole.
    """
    if not file.data.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(_Bounded(file.data)) as archive:
            found = [entry for entry in archive.infolist() if _is_shown(entry)]
    except Exception:  # zipfile raises whatever a broken directory leads it to
        return []
    return [] if any(entry.flag_bits & _ENCRYPTED for entry in found) else found


def _is_shown(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    hidden = any(part.startswith(".") and part != ".." for part in parts) or "__MACOSX" in parts
    return not entry.is_dir() and not hidden


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    if entry.file_size > _LONGEST_FILE or entry.compress_type not in _METHODS:
        return None
    try:
        return archive.read(entry)
    except Exception:  # as above
        return None


class _Bounded(BytesIO):
    """zipfile reads the directory of a zip in one piece, however long it says that it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LONGEST_DIRECTORY:
            raise zipfile.BadZipFile("The directory is too long.")
        return super().read(size)
