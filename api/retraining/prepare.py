"""From an order to rows: whatever the champion's network has not seen is embedded by it."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from api.core.arrays import pool
from api.core.imaging.decode import decode
from api.core.imaging.preprocess import to_input
from api.model.predictor import Backbone
from api.retraining.candidate import RetrainJob
from api.retraining.class_selection import choose_classes, require_enough
from api.retraining.training_rows import CatalogPhoto, TrainingRows, assemble, not_embedded
from api.settings import usable_cores

STAGE = "Looking at new photographs"
# Of the picture, on each side, that a nearer view leaves out.
MARGIN = 0.08
log = logging.getLogger(__name__)


def prepare(order: RetrainJob, backbone: Backbone) -> TrainingRows:
    """The rows of the new grader, embedded by the champion's `backbone`.

    Raises UnknownClassesError, TooFewClassesError or TooFewOfClassError before any work is done.
    """
    known = order.champion.manifest.classes
    there = {photo.class_name for photo in order.photos}
    classes = choose_classes(known, there, order.options.get("classes"))
    photos = [photo for photo in order.photos if photo.class_name in classes]
    require_enough(order.replay, known, photos, classes)
    new = not_embedded(order.replay, photos)
    embedded = _embed(order, new, backbone)
    gone = {photo.sha256 for photo in new} - embedded.keys()
    kept = [photo for photo in photos if photo.sha256 not in gone]
    return assemble(order.replay, known, kept, embedded, classes)


def views(image: Image.Image) -> list[Image.Image]:
    """Other pictures of the same, to learn from besides: what is new is often little.

    With 42 photos of a varied new class, recall rises by 2 to 6 points (docs/log/retraining.md).
    """
    width, height = image.size
    across, down = round(width * MARGIN), round(height * MARGIN)
    nearer = image.crop((across, down, width - across, height - down))
    return [ImageOps.mirror(image), nearer]


def _embed(
    order: RetrainJob, photos: Sequence[CatalogPhoto], backbone: Backbone
) -> dict[str, NDArray[np.float32]]:
    """Embeddings by SHA-256, float32 [1 + views, channels]; without those removed meanwhile.

    On all cores. Only photographs to learn from have views.
    """
    size = order.champion.manifest.input_size

    def embed(photo: CatalogPhoto) -> NDArray[np.float32] | None:
        try:
            data = order.read(photo.blob)
        except FileNotFoundError:
            log.warning("%s is not there any more and is left out.", photo.blob)
            return None
        image = decode(data).image
        seen = [image, *(views(image) if photo.split == "train" else ())]
        return np.concatenate([pool(backbone(to_input(one, size)[None])) for one in seen])

    found = {}
    order.progress(STAGE, 0, len(photos))
    with ThreadPoolExecutor(usable_cores()) as threads:
        rows = threads.map(embed, photos)
        for done, (photo, row) in enumerate(zip(photos, rows, strict=True), start=1):
            if row is not None:
                found[photo.sha256] = row
            order.progress(STAGE, done, len(photos))
    return found
