"""Embeds catalog photos that the champion has not seen, and merges the catalog into its replay."""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from api.core.arrays import pool
from api.core.imaging.resize import to_input
from api.model.predictor import Backbone
from api.model.replay_buffer import ReplayBuffer
from api.retraining.boxed_fruits import CatalogPhoto
from api.retraining.job import RetrainJob
from api.retraining.plan import ClassSelection, Photo, select_classes
from api.retraining.progress import Stage
from api.retraining.training_rows import TrainingRows, merge_catalog, not_embedded
from api.settings import usable_cores

# Share of the image that the zoomed-in view cuts off on each side.
ZOOM_MARGIN = 0.08


def build_training_rows(
    job: RetrainJob,
    backbone: Backbone,
    unlearnable: Callable[[TrainingRows], Collection[str]] = lambda _rows: (),
) -> TrainingRows:
    """Embed catalog photos that the champion has not seen, and merge the catalog into its replay.

    Classes that `unlearnable` finds are left out, unless the request names classes, there is
    nothing else to learn, or only one class would remain. Notes in `job.omissions` what is left
    out. Raises what `select_classes` raises.
    """
    # Selected twice: without its unreadable photos, a class may be too small.
    selection = _select(job)
    embedded = _embed_classes(job, backbone, selection.classes)
    selection = _select(job)
    job.omissions.classes.update(selection.left_out)
    rows = _merge(job, embedded, selection.classes)
    if job.options.get("classes"):
        return rows
    left_out = unlearnable(rows)
    classes = tuple(name for name in selection.classes if name not in left_out)
    in_catalog = [photo.sha256 for photo in job.photos]
    removed = ~np.isin(job.replay.sha256[job.replay.catalog], in_catalog)
    learns = (rows.is_new & np.isin(rows.names, classes)).any() or removed.any()
    if not left_out or not learns or len(classes) < 2:
        return rows
    for name in left_out:
        photographs = rows.replay.photographs[rows.names == name]
        job.omissions.unlearnable[name] = len(np.unique(photographs))
    return _merge(job, embedded, classes)


def rows_of_classes(job: RetrainJob, backbone: Backbone, classes: tuple[str, ...]) -> TrainingRows:
    """`build_training_rows` for given `classes`."""
    return _merge(job, _embed_classes(job, backbone, classes), classes)


def _select(job: RetrainJob) -> ClassSelection:
    known = job.champion.manifest.classes
    in_catalog = {
        (photo.class_name, photo.photograph, photo.split)
        for photo in job.photos
        if photo.sha256 not in job.omissions.photos
    }
    photos = imported_photos(job.replay, known) | in_catalog
    return select_classes(known, photos, job.options.get("classes"))


def _embed_classes(
    job: RetrainJob, backbone: Backbone, classes: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    photos = [photo for photo in job.photos if photo.class_name in classes]
    return _embed(job, not_embedded(job.replay, photos), backbone)


def _merge(
    job: RetrainJob, embedded: Mapping[str, NDArray[np.float32]], classes: tuple[str, ...]
) -> TrainingRows:
    known = job.champion.manifest.classes
    return merge_catalog(job.replay, known, job.photos, embedded, classes)


def imported_photos(replay: ReplayBuffer, known_classes: Sequence[str]) -> set[Photo]:
    """The photos of `replay`, a buffer over `known_classes`, that are not from the catalog."""
    imported = ~replay.catalog
    names = np.array(known_classes)[replay.targets[imported].argmax(axis=1)]
    columns = (names, replay.photographs[imported], replay.splits[imported])
    return set(zip(*(column.tolist() for column in columns), strict=True))


def augmented_views(image: Image.Image) -> list[Image.Image]:
    """The image mirrored, and zoomed in, as extra views to train on.

    With 42 photos of a varied new class, recall rises by 4 points (docs/log/retraining.md).
    """
    width, height = image.size
    x, y = round(width * ZOOM_MARGIN), round(height * ZOOM_MARGIN)
    return [ImageOps.mirror(image), image.crop((x, y, width - x, height - y))]


def _embed(
    job: RetrainJob, photos: Sequence[CatalogPhoto], backbone: Backbone
) -> dict[str, NDArray[np.float32]]:
    """Embeddings by SHA-256, float32 [1 + views, channels], computed on all cores.

    Only photos of the train split have views. Photos that cannot be read are left out.
    """
    size = job.champion.manifest.input_size
    embedded: dict[str, NDArray[np.float32]] = {}

    def embed(photo: CatalogPhoto) -> None:
        read = job.read_photo(photo)
        if read is None:
            return
        image = read[1]
        images = [image, *(augmented_views(image) if photo.split == "train" else ())]
        embedded[photo.sha256] = np.concatenate(
            [pool(backbone(to_input(one, size)[None])) for one in images]
        )

    job.progress(Stage.EMBEDDING_NEW, 0, len(photos))
    with ThreadPoolExecutor(usable_cores()) as threads:
        for done, _ in enumerate(threads.map(embed, photos), start=1):
            job.progress(Stage.EMBEDDING_NEW, done, len(photos))
    return embedded
