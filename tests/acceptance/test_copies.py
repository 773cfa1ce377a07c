"""With real photos: no photo that the shipped model is measured on can be learned as a copy.

Needs RIPELINE_DATASET, a folder with the photos that the model was trained on.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from api.catalog.duplicate_index import DuplicateIndex, KnownPhotos, Photo, load_training_index
from api.core.imaging.alignment import thumbnail_pixels
from api.core.imaging.decode import decode
from api.core.imaging.hashing import content_hash
from api.model.package import load_package
from api.model.predictor import Predictor
from api.settings import PROJECT
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.synthetic_images import encode

pytestmark = pytest.mark.slow
MODEL = PROJECT / "models" / "default"
# Share of copies that must be found.
FOUND = 0.97


def cropped(image: Image.Image) -> Image.Image:
    return image.crop((0, 0, round(0.9 * image.width), image.height))


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "turned": partial(Image.Image.transpose, method=Image.Transpose.ROTATE_90),
    "cropped": cropped,
}


@pytest.fixture(scope="module")
def held_out(dataset: Path) -> list[Image.Image]:
    """The photos of the test split of the shipped package."""
    index = load_training_index(MODEL)
    wanted = {
        str(sha256)
        for sha256, split, boxed in zip(index.sha256, index.splits, index.boxed, strict=True)
        if split == "test" and not boxed
    }
    files = (path.read_bytes() for path in sorted(dataset.rglob("*.jpg")))
    images = [decode(data).image for data in files if content_hash(data) in wanted]
    if len(images) < 200:
        pytest.skip("the folder lacks the photos that the shipped model was trained on")
    return images


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def index(database: Database, tmp_path: Path) -> DuplicateIndex:
    predictor = Predictor.of_package(load_package(MODEL))
    known = KnownPhotos(
        Blobs(str(tmp_path / "blobs")), load_training_index(MODEL), predictor.embed_image
    )
    with database.reading() as session:
        return DuplicateIndex(session, known)


def copies_found(database: Database, index: DuplicateIndex, images: list[Image.Image]) -> int:
    found = 0
    for image in images:
        copy = decode(encode(image, "JPEG", quality=92)).image
        with database.reading() as session:
            found += index.find_copy(session, Photo(copy, thumbnail_pixels(copy))) is not None
    return found


def test_no_mirrored_held_out_photo_is_new(
    held_out: list[Image.Image], database: Database, index: DuplicateIndex
) -> None:
    mirror = Image.Transpose.FLIP_LEFT_RIGHT
    assert copies_found(database, index, [image.transpose(mirror) for image in held_out]) == len(
        held_out
    )


@pytest.mark.parametrize("edit", EDITS)
def test_turned_and_cropped_held_out_photos_are_known(
    held_out: list[Image.Image], database: Database, index: DuplicateIndex, edit: str
) -> None:
    images = [EDITS[edit](image) for image in held_out]
    assert copies_found(database, index, images) >= FOUND * len(images)
