"""The split of an added photo follows its pixels and a secret of the catalog, not its name."""

import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from api.catalog import repository
from api.catalog.service import remove_images
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash
from api.core.splits import SPLITS, secret_split_of, split_of
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import SplitSecretRow
from tests.catalog.photographs import Uploader, photo, rows_of, training_index_of

PHOTOS = 24


def new_catalog(folder: Path) -> Uploader:
    database = Database(f"sqlite:///{folder / 'catalog.db'}")
    database.upgrade()
    return Uploader(database, Blobs(str(folder / "blobs")))


def secret_of(database: Database) -> bytes:
    with database.reading() as session:
        return session.scalars(select(SplitSecretRow.value)).one()


@pytest.mark.slow
def test_split_does_not_follow_the_file_name(database: Database, blobs: Blobs) -> None:
    """By the hash of their names, which anybody can compute, all would be in the train split."""
    names = [name for name in map(str, range(200)) if split_of(f"pear/{name}") == "train"]
    uploader = Uploader(database, blobs)
    rows = [uploader.store(photo(seed), "pear", f"{names[seed]}.jpg") for seed in range(PHOTOS)]
    splits = [row.split for row in rows]
    assert Counter(splits)["train"] < PHOTOS
    remove_images(database, blobs, [row.id for row in rows])
    again = [uploader.store(photo(seed), "apple", "other.png").split for seed in range(PHOTOS)]
    assert again == splits


@pytest.mark.slow
def test_catalogs_deal_differently(tmp_path: Path) -> None:
    dealt = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        uploader = new_catalog(tmp_path / name)
        dealt.append([uploader.store(photo(seed)).split for seed in range(PHOTOS)])
        assert len(secret_of(uploader.database)) == 32
        uploader.database.close()
    assert dealt[0] != dealt[1]


def test_other_metadata_or_format_does_not_change_the_split(
    database: Database, blobs: Blobs
) -> None:
    uploader = Uploader(database, blobs)
    splits = set()
    for number, data in enumerate((photo(1, "PNG"), photo(1, "PNG") + b"\0", photo(1, "BMP"))):
        row = uploader.store(data, filename=f"{number}.png")
        pixels = decode(data).image.tobytes()
        assert row.split == secret_split_of(content_hash(pixels), secret_of(database))
        splits.add(row.split)
        remove_images(database, blobs, [row.id])
    assert len(splits) == 1


@pytest.mark.slow
def test_different_photos_named_as_saved_copies_are_different_photos(
    database: Database, blobs: Blobs
) -> None:
    uploader = Uploader(database, blobs)
    rows = [
        uploader.store(photo(seed), "pear", f"rotated_by_{seed}_x.jpg") for seed in range(PHOTOS)
    ]
    assert len({row.photograph for row in rows}) == PHOTOS
    assert len({row.split for row in rows}) > 1


def test_no_name_joins_a_group_of_the_training_data(database: Database, blobs: Blobs) -> None:
    known = training_index_of((photo(1), "pear", "pear/x", "test"))
    row = Uploader(database, blobs, known).store(photo(2), "pear", "translation_x.png")
    assert row.photograph.startswith("pear/x-")


def test_no_name_guesses_the_group_of_a_later_photo(database: Database, blobs: Blobs) -> None:
    uploader = Uploader(database, blobs)
    guess = f"x-{content_hash(photo(3))[:8]}.jpg"
    sent = ((photo(1), "x.jpg"), (photo(2), guess), (photo(3), "x.jpg"))
    assert len({uploader.store(data, filename=name).photograph for data, name in sent}) == 3


def test_secret_is_made_once_by_many_processes(database: Database, database_url: str) -> None:
    at_once = Barrier(6)

    def read(_: int) -> bytes:
        own = Database(database_url)
        at_once.wait(timeout=60)
        with own.session() as session:
            repository.lock_images(session)
            secret = repository.split_secret(session)
        own.close()
        return secret

    with ThreadPoolExecutor(6) as pool:
        secrets = set(pool.map(read, range(6)))
    assert secrets == {secret_of(database)}


def test_older_catalog_keeps_splits_and_groups(database_url: str, blobs: Blobs) -> None:
    database = Database(database_url)
    database.upgrade("0002")
    names = ("pear/a", "pear/b", "pear/c")
    with database.session() as session:
        for group, split in zip(names, SPLITS, strict=True):
            session.execute(
                text(
                    "INSERT INTO images (id, sha256, signature, class_name, photograph, split, "
                    "origin, filename, width, height, bytes, brightness, saturation, hue, blob, "
                    "created_at) VALUES (:group, :group, :signature, 'pear', :group, :split, "
                    "'upload', 'a.jpg', 1, 1, 1, 0, 0, 0, 'x', '2026-11-01')"
                ),
                {"group": group, "split": split, "signature": "00" * 80},
            )
    database.upgrade()
    row = Uploader(database, blobs).store(photo(1), "pear", "rotated_by_15_a.jpg")
    after = [(row.photograph, row.split) for row in rows_of(database)]
    assert after[:3] == list(zip(names, SPLITS, strict=True))
    assert row.photograph not in names
    database.close()


def test_secret_is_in_no_response_log_or_error(
    client: TestClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with database.session() as session:
        repository.lock_images(session)
        secret = repository.split_secret(session)
    with pytest.raises(IntegrityError) as raised, database.session() as session:
        session.execute(SplitSecretRow.__table__.insert().values(id=1, value=secret))  # type: ignore[attr-defined]
    hidden = (secret.hex(), repr(secret), repr(secret)[2:-1])
    assert not any(text in f"{raised.value}{raised.value!r}{caplog.text}" for text in hidden)
    assert "secret" not in client.get("/openapi.json").text.lower()
