"""From an order to rows: whatever the champion's network has not seen is embedded by it."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from api.imaging.decode import decode
from api.imaging.preprocess import to_input
from api.predict.head import pool
from api.predict.runtime import Backbone
from api.retrain.candidate import Order
from api.retrain.choosing import choose_classes, require_enough
from api.retrain.material import CatalogPhoto, Material, assemble, not_embedded
from api.settings import usable_cores

STAGE = "Looking at new photographs"
log = logging.getLogger(__name__)


def prepare(order: Order, backbone: Backbone) -> Material:
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


def _embed(
    order: Order, photos: Sequence[CatalogPhoto], backbone: Backbone
) -> dict[str, NDArray[np.float32]]:
    """Embeddings float32 [channels] by SHA-256, on all cores; without those removed meanwhile."""
    size = order.champion.manifest.input_size

    def embed(photo: CatalogPhoto) -> NDArray[np.float32] | None:
        try:
            data = order.read(photo.blob)
        except FileNotFoundError:
            log.warning("%s is not there any more and is left out.", photo.blob)
            return None
        feature_map = backbone(to_input(decode(data).image, size)[None])
        embedding: NDArray[np.float32] = pool(feature_map)[0]
        return embedding

    found = {}
    order.progress(STAGE, 0, len(photos))
    with ThreadPoolExecutor(usable_cores()) as threads:
        rows = threads.map(embed, photos)
        for done, (photo, row) in enumerate(zip(photos, rows, strict=True), start=1):
            if row is not None:
                found[photo.sha256] = row
            order.progress(STAGE, done, len(photos))
    return found
