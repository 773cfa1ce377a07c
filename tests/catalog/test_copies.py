"""Copies of a photo are recognised by their pixels; different fruits on one tray are not copies."""

from collections.abc import Callable
from functools import partial

import pytest
from PIL import Image, ImageEnhance, ImageOps

from api.catalog.service import remove_images
from api.catalog.thumbnails import encode_thumbnail
from api.core.imaging.alignment import thumbnail_pixels
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from tests.catalog.photographs import Uploader, photo, rows_of, training_index_of
from tests.synthetic_images import KINDS, draw_fruit, draw_tray, encode

Cut = tuple[float, float, float, float]
SIDES: tuple[Cut, ...] = (
    (0.1, 0, 0, 0),
    (0, 0.1, 0, 0),
    (0, 0, 0.1, 0),
    (0, 0, 0, 0.1),
    (0.05, 0.05, 0.05, 0.05),
)
TURNS = list(Image.Transpose)


def cropped(image: Image.Image, cut: Cut) -> Image.Image:
    left, top, right, bottom = cut
    width, height = image.size
    box = (left * width, top * height, (1 - right) * width, (1 - bottom) * height)
    return image.crop(tuple(round(edge) for edge in box))  # type: ignore[arg-type]


EDITS: dict[str, Callable[[Image.Image], Image.Image]] = {
    **{method.name.lower(): partial(Image.Image.transpose, method=method) for method in TURNS},
    **{f"cropped {cut}": partial(cropped, cut=cut) for cut in SIDES},
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "half as large": lambda image: image.resize((image.width // 2, image.height // 2)),
    "mirrored, cropped": lambda image: cropped(ImageOps.mirror(image), SIDES[-1]),
}


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    return encode(image, "JPEG", quality=quality)


@pytest.fixture
def uploader(database: Database, blobs: Blobs) -> Uploader:
    return Uploader(database, blobs)


@pytest.mark.parametrize("edit", EDITS)
def test_edited_copies_are_known(database: Database, blobs: Blobs, edit: str) -> None:
    """Both in the catalog and among the photos that the model learned from."""
    original = draw_fruit("rottenapples", 3, 224)
    copy = jpeg(EDITS[edit](original))
    uploader = Uploader(database, blobs)
    uploader.store(photo(8), filename="other.jpg")
    row = uploader.store(jpeg(original), "pear")
    match = uploader.upload_duplicate(copy, "apple")
    assert (match.kind, match.image_id, match.class_name) == ("near", row.id, "pear")
    assert f"relabel it: PATCH /dataset/images/{row.id}" in match.message
    remove_images(database, blobs, [image.id for image in rows_of(database)])
    index = training_index_of(
        (photo(8), "freshapples", "freshapples/other", "train"),
        (jpeg(original), "rottenapples", "rottenapples/a", "test"),
    )
    match = Uploader(database, blobs, index).upload_duplicate(copy, "rottenapples")
    assert (match.kind, match.image_id, match.of) == ("near", None, "rottenapples/a")


@pytest.mark.slow
@pytest.mark.parametrize("quality", [40, 60, 80, 95])
def test_photos_saved_again_are_known(uploader: Uploader, quality: int) -> None:
    for seed, kind in enumerate(KINDS):
        row = uploader.store(jpeg(draw_tray(kind, seed)), filename=f"{seed}.jpg")
        assert uploader.upload_duplicate(jpeg(draw_tray(kind, seed), quality)).image_id == row.id


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.2, 0.25, 0.33])
def test_different_fruits_on_one_tray_are_different_photos(
    uploader: Uploader, share: float
) -> None:
    """With a fixed camera, only the fruit changes."""
    for seed in range(6):
        for kind in KINDS:
            uploader.store(jpeg(draw_tray(kind, seed, share)), kind, f"{kind}{seed}.jpg")
    rows = rows_of(uploader.database)
    assert len({row.photograph for row in rows}) == 36


@pytest.mark.slow
def test_different_drawings_are_different_photos(uploader: Uploader) -> None:
    for seed in range(8):
        for kind in KINDS:
            uploader.store(photo(seed, kind=kind), kind, f"{kind}{seed}.jpg")


def test_images_of_older_catalogs_are_compared_by_their_blobs(
    uploader: Uploader, database: Database
) -> None:
    rows = [uploader.store(jpeg(draw_tray("freshapples", n)), filename=f"{n}.jpg") for n in (0, 1)]
    with database.session() as session:
        for row in rows:
            session.get_one(ImageRow, row.id).thumbnail = None
    again = Uploader(database, uploader.blobs)
    copy = jpeg(ImageOps.mirror(draw_tray("freshapples", 1)))
    assert again.upload_duplicate(copy).image_id == rows[1].id
    again.store(jpeg(draw_tray("freshapples", 2)), filename="2.jpg")
    uploader.blobs.delete(rows[0].blob)
    uploader.blobs.put(rows[1].blob, b"damaged")
    Uploader(database, uploader.blobs).store(copy, filename="3.jpg")


def test_thumbnails_are_small_and_true() -> None:
    for seed, kind in enumerate(KINDS):
        pixels = thumbnail_pixels(draw_tray(kind, seed))
        assert len(encode_thumbnail(pixels)) < 6000
        assert pixels.shape == (64, 64, 3)


@pytest.mark.parametrize("original_first", [True, False])
def test_saved_copies_join_the_group_of_their_original(
    uploader: Uploader, original_first: bool
) -> None:
    """Copies turned by any angle are matched by name if the pixels agree."""
    original = draw_fruit("rottenoranges", 4, 224)
    files = [
        ("x.png", original),
        ("rotated_by_15_x.png", original.rotate(15, fillcolor="white")),
        ("rotated_by_30_x.png", original.rotate(30, fillcolor="white")),
    ]
    files = files if original_first else files[::-1]
    rows = [uploader.store(jpeg(image), "pear", name) for name, image in files]
    assert {row.photograph for row in rows} == {"pear/x"}
    assert len({row.split for row in rows}) == 1
    other = uploader.store(photo(7, kind="rottenoranges"), "pear", "rotated_by_15_x.jpg")
    assert other.photograph.startswith("pear/x-")
