"""Many files are cut into small parcels; a zip is cut too, and none of its files is lost."""

import zipfile
from collections import deque
from io import BytesIO
from zipfile import ZipFile

import pytest
from photos import Photo
from transfer import parcels
from transfer.parcels import MOST_BYTES, MOST_FILES, Parcel

from tests.ui.fake_collect import zipped


def cut(*files: Photo, keep_folders: bool = True) -> list[Parcel]:
    return list(parcels.parcels(deque(files), keep_folders=keep_folders))


def unpacked(photo: Photo) -> dict[str, bytes]:
    with ZipFile(BytesIO(photo.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_many_photos_make_parcels_of_a_bounded_number_in_order() -> None:
    photos = [Photo(f"{number}.jpg", b"x") for number in range(2 * MOST_FILES + 1)]

    found = cut(*photos)

    assert [parcel.count for parcel in found] == [MOST_FILES, MOST_FILES, 1]
    assert [photo for parcel in found for photo in parcel.sent] == photos


def test_large_photos_make_parcels_of_a_bounded_size() -> None:
    half = bytes(MOST_BYTES // 2)

    found = cut(*(Photo(name, half) for name in "abc"), Photo("d", bytes(MOST_BYTES + 1)))

    assert [[photo.name for photo in parcel.sent] for parcel in found] == [["a", "b"], ["c"], ["d"]]


def test_each_file_is_let_go_when_it_was_cut() -> None:
    files = deque(Photo(f"{number}.jpg", b"x") for number in range(2 * MOST_FILES))

    next(parcels.parcels(files, keep_folders=True))

    assert len(files) < MOST_FILES


def test_a_zip_becomes_small_zips_under_its_name_with_its_folders() -> None:
    entries = {f"fruits/kiwi/{number}.jpg": bytes([number]) for number in range(MOST_FILES + 2)}

    first, second = cut(Photo("set.zip", zipped(entries)))

    assert first.sent[0].name == second.sent[0].name == "set.zip"
    assert unpacked(first.sent[0]) | unpacked(second.sent[0]) == entries
    assert first.pieces[0] == Photo("set.zip/fruits/kiwi/0.jpg", b"\0")
    assert (first.count, second.count) == (MOST_FILES, 2)


def test_without_folders_no_folder_can_name_a_class() -> None:
    entries = {"a/1.jpg": b"1", "b/1.jpg": b"2", "b/2.jpg": b"3"}

    first, second = cut(Photo("set.zip", zipped(entries)), keep_folders=False)

    assert unpacked(first.sent[0]) == {"1.jpg": b"1"}
    assert unpacked(second.sent[0]) == {"1.jpg": b"2", "2.jpg": b"3"}


def test_hidden_files_are_passed_over() -> None:
    zip_file = zipped(
        {"kiwi/": b"", "kiwi/1.jpg": b"1", "__MACOSX/1.jpg": b"", "kiwi/._1.jpg": b""}
    )

    [parcel] = cut(Photo("set.zip", zip_file))

    assert [piece.name for piece in parcel.pieces] == ["set.zip/kiwi/1.jpg"]
    assert parcels.count([Photo("set.zip", zip_file), Photo("a.jpg", b"a")]) == 2


@pytest.mark.parametrize("data", [b"PK\x03\x04 and no more", zipped({})])
def test_a_zip_that_cannot_be_used_is_left_to_the_api(data: bytes) -> None:
    photo = Photo("broken.zip", data)

    assert cut(photo) == [Parcel((photo,), (photo,))]
    assert parcels.count([photo]) == 1


def test_a_damaged_file_in_a_zip_costs_only_itself() -> None:
    data = zipped({"kiwi/1.jpg": b"first", "kiwi/2.jpg": b"second"}).replace(b"first", b"wrong")

    [parcel] = cut(Photo("set.zip", data))

    assert [piece.name for piece in parcel.pieces] == ["set.zip/kiwi/2.jpg"]
    [(name, reason)] = parcel.unread
    assert name == "set.zip/kiwi/1.jpg"
    assert "damaged" in reason
    assert parcel.count == 2


def test_a_zip_of_damaged_files_alone_has_nothing_to_send() -> None:
    data = zipped({"kiwi/1.jpg": b"first"}).replace(b"first", b"wrong")

    [parcel] = cut(Photo("set.zip", data))

    assert (parcel.sent, parcel.count) == ((), 1)


def test_a_zip_with_an_endless_directory_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parcels, "_LONGEST_DIRECTORY", 100)
    photo = Photo("bomb.zip", zipped({f"{number}.jpg": b"" for number in range(100)}))

    assert cut(photo) == [Parcel((photo,), (photo,))]


def test_a_compression_that_needs_much_memory_is_not_unpacked() -> None:
    file = BytesIO()
    with ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("1.jpg", b"x")

    [parcel] = cut(Photo("set.zip", file.getvalue()))

    assert len(parcel.unread) == 1
