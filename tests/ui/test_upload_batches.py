"""Splitting files and zips into small upload batches without losing any."""

import zipfile
from collections import deque
from io import BytesIO
from zipfile import ZipFile

import pytest
from photos import Photo
from transfer import upload_batches
from transfer.upload_batches import MAX_BYTES, MAX_FILES, UploadBatch

from api.core import layout
from tests.ui.fake_collect import zipped


def split(*files: Photo, keep_folders: bool = True) -> list[UploadBatch]:
    return list(upload_batches.split(deque(files), keep_folders=keep_folders))


def unpacked(photo: Photo) -> dict[str, bytes]:
    with ZipFile(BytesIO(photo.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_batches_have_a_limited_number_of_photos_in_order() -> None:
    photos = [Photo(f"{number}.jpg", b"x") for number in range(2 * MAX_FILES + 1)]

    batches = split(*photos)

    assert [batch.count for batch in batches] == [MAX_FILES, MAX_FILES, 1]
    assert [photo for batch in batches for photo in batch.files] == photos


def test_batches_have_a_limited_size() -> None:
    half = bytes(MAX_BYTES // 2)

    batches = split(*(Photo(name, half) for name in "abc"), Photo("d", bytes(MAX_BYTES + 1)))

    assert [[photo.name for photo in batch.files] for batch in batches] == [
        ["a", "b"],
        ["c"],
        ["d"],
    ]


def test_files_are_released_while_they_are_split() -> None:
    files = deque(Photo(f"{number}.jpg", b"x") for number in range(2 * MAX_FILES))

    next(upload_batches.split(files, keep_folders=True))

    assert len(files) < MAX_FILES


def test_names_of_macos_keep_their_letters_and_code_pages_are_not_guessed() -> None:
    def without_flag(name: bytes) -> bytes:
        return zipped({f"{'Q' * len(name)}/1.jpg": b"1"}).replace(b"Q" * len(name), name)

    (batch,) = split(Photo("set.zip", without_flag("pêches".encode())))
    assert unpacked(batch.files[0]) == {"pêches/1.jpg": b"1"}

    (batch,) = split(Photo("set.zip", without_flag("りんご".encode("cp932"))))
    assert batch.files == ()
    [(_, reason)] = batch.unreadable
    assert "cannot be read" in reason
    (batch,) = split(Photo("set.zip", without_flag("りんご".encode("cp932"))), keep_folders=False)
    assert unpacked(batch.files[0]) == {"1.jpg": b"1"}


def test_zip_is_split_into_small_zips_with_its_name_and_folders() -> None:
    entries = {f"fruits/kiwi/{number}.jpg": bytes([number]) for number in range(MAX_FILES + 2)}

    first, second = split(Photo("set.zip", zipped(entries)))

    assert first.files[0].name == second.files[0].name == "set.zip"
    assert unpacked(first.files[0]) | unpacked(second.files[0]) == entries
    assert first.photos[0] == Photo("set.zip/fruits/kiwi/0.jpg", b"\0")
    assert (first.count, second.count) == (MAX_FILES, 2)


def test_without_keep_folders_entries_have_no_folder() -> None:
    entries = {"a/1.jpg": b"1", "b/1.jpg": b"2", "b/2.jpg": b"3"}

    first, second = split(Photo("set.zip", zipped(entries)), keep_folders=False)

    assert unpacked(first.files[0]) == {"1.jpg": b"1"}
    assert unpacked(second.files[0]) == {"1.jpg": b"2", "2.jpg": b"3"}


def test_hidden_files_are_skipped() -> None:
    zip_file = zipped(
        {"kiwi/": b"", "kiwi/1.jpg": b"1", "__MACOSX/1.jpg": b"", "kiwi/._1.jpg": b""}
    )

    [batch] = split(Photo("set.zip", zip_file))

    assert [photo.name for photo in batch.photos] == ["set.zip/kiwi/1.jpg"]
    assert upload_batches.count_photos([Photo("set.zip", zip_file), Photo("a.jpg", b"a")]) == 2


@pytest.mark.parametrize("data", [b"PK\x03\x04 and no more", zipped({})])
def test_unusable_zip_is_sent_unchanged(data: bytes) -> None:
    photo = Photo("broken.zip", data)

    assert split(photo) == [UploadBatch((photo,), (photo,))]
    assert upload_batches.count_photos([photo]) == 1


def test_damaged_file_in_a_zip_does_not_affect_the_others() -> None:
    data = zipped({"kiwi/1.jpg": b"first", "kiwi/2.jpg": b"second"}).replace(b"first", b"wrong")

    [batch] = split(Photo("set.zip", data))

    assert [photo.name for photo in batch.photos] == ["set.zip/kiwi/2.jpg"]
    [(name, reason)] = batch.unreadable
    assert name == "set.zip/kiwi/1.jpg"
    assert "damaged" in reason
    assert batch.count == 2


def test_zip_with_only_damaged_files_has_nothing_to_send() -> None:
    data = zipped({"kiwi/1.jpg": b"first"}).replace(b"first", b"wrong")

    [batch] = split(Photo("set.zip", data))

    assert (batch.files, batch.count) == ((), 1)


def test_zip_with_a_huge_directory_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_batches, "_MAX_DIRECTORY_BYTES", 100)
    photo = Photo("bomb.zip", zipped({f"{number}.jpg": b"" for number in range(100)}))

    assert split(photo) == [UploadBatch((photo,), (photo,))]


def test_memory_hungry_compression_is_not_unpacked() -> None:
    file = BytesIO()
    with ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("1.jpg", b"x")

    [batch] = split(Photo("set.zip", file.getvalue()))

    assert len(batch.unreadable) == 1


def test_system_files_are_left_out_as_by_the_api(photo: bytes) -> None:
    names = ["pear/a.jpg", "pear/@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "#recycle/b.jpg", "pear\\"]
    zip_file = Photo("set.zip", zipped(dict.fromkeys([*names, "pear/Thumbs.db"], photo)))
    assert upload_batches.count_photos([zip_file]) == 1
    assert upload_batches.SYSTEM_FOLDERS == layout.SYSTEM_FOLDERS
    assert upload_batches.SYSTEM_FILES == layout.SYSTEM_FILES
