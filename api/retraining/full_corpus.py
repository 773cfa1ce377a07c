"""The corpus of a full retraining: the imported photos that are here, and those of the catalog."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from api.core.errors import ProblemError
from api.core.layout import EmptyFolderError, Layout, discover
from api.core.splits import SPLITS, Split
from api.retraining.boxed_frames import write_frames
from api.retraining.boxed_fruits import BoxedFruit, CatalogPhoto
from api.retraining.embed_catalog import imported_photos
from api.retraining.job import RetrainJob
from api.retraining.omissions import readable_files
from api.retraining.plan import ClassSelection, select_classes
from api.retraining.progress import Stage
from api.retraining.training_rows import CATALOG
from api.training.bounding_boxes import read_boxes
from api.training.class_folders import INDEX, Listing, PhotoFile, read_class_folders, read_index
from api.training.corpus import TrainingCorpus, require_enough
from api.training.detection.sampler import fruits_of_classes

# Subfolder of the corpus: a link to the imported photos. Those of the catalog are in CATALOG.
IMPORTED = "imported"
# Of the photos that the champion learned of a class, at least this share must be here.
MIN_SHARE = 0.5


class PhotographsMissingError(ProblemError):
    code = "photographs-missing"

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(
            f"Full retraining needs the photographs themselves, and most of those of "
            f"{', '.join(classes)} are not on the worker's machine (only what the model kept of "
            "them). Import them there (make data), use the mode fast, or name the classes to "
            "learn in 'classes'."
        )


def build_corpus(job: RetrainJob) -> TrainingCorpus:
    """The corpus of imported and catalog photos, under `job.folder`.

    Notes what it leaves out in `job.omissions`. Raises PhotographsMissingError,
    TooFewPhotographsError and what `select_classes` raises.
    """
    root = job.folder / "photographs"
    root.mkdir()
    known = job.champion.manifest.classes
    layout = _imported_layout(job.imported)
    # A link, so that all photos lie under one root.
    (root / IMPORTED).symlink_to(job.imported.resolve(), target_is_directory=True)
    index = read_index(job.imported / INDEX) if layout.class_files else ()
    imported = read_class_folders(layout, index, job.progress).files
    in_catalog = {photo.sha256 for photo in job.photos}
    imported_files = [
        dataclasses.replace(file, path=f"{IMPORTED}/{file.path}")
        for file in imported
        if file.class_name in known and file.sha256 not in in_catalog
    ]
    available: list[PhotoFile | CatalogPhoto] = [*imported_files, *job.photos]
    _require_learned(job, _select(job, available).classes, available)
    catalog_files = list(_write_catalog(job, root, _select(job, available).classes))
    # Again: what cannot be read may leave a class too small.
    files = [*imported_files, *catalog_files]
    skipped = job.omissions.photos
    selection = _select(job, [item for item in available if item.sha256 not in skipped])
    job.omissions.classes.update(selection.left_out)
    classes = set(selection.classes)
    if "classes" not in job.options:
        classes -= _leave_out_unsplit(job, files)
    listing = Listing(root, tuple(file for file in files if file.class_name in classes), ())
    require_enough(listing)

    # Class folders are checked as they are read.
    boxes = [box for folder in layout.boxed for box in read_boxes(folder)]
    unchecked = [*layout.others, *layout.near, *{box.path for box in boxes}]
    readable = set(readable_files(unchecked, job.imported, job.omissions))

    def linked(paths: Sequence[Path]) -> tuple[Path, ...]:
        return tuple(
            root / IMPORTED / path.relative_to(job.imported) for path in paths if path in readable
        )

    served = {*known, *job.replay.retired.class_names.tolist()}
    retired = (
        dataclasses.replace(file, path=f"{IMPORTED}/{file.path}")
        for file in imported
        if file.class_name in served - classes and file.split == "test"
    )
    return TrainingCorpus(
        listing,
        tuple(box for box in boxes if box.path in readable),
        far_files=linked(layout.others),
        near_files=linked(layout.near),
        catalog=frozenset(file.path for file in catalog_files),
        retired=tuple(retired),
        catalog_frames=tuple(write_frames(job, root, fruits_of_classes(listing.classes))),
    )


def _imported_layout(folder: Path) -> Layout:
    """Empty if nothing was imported."""
    try:
        return discover(folder)
    except EmptyFolderError:
        return Layout(folder, (), (), ())


def _select(job: RetrainJob, available: Iterable[PhotoFile | CatalogPhoto]) -> ClassSelection:
    """The classes of what the champion learned and of the files that are `available`."""
    known = job.champion.manifest.classes
    photos = {(item.class_name, item.photograph, item.split) for item in available}
    photos |= imported_photos(job.replay, known)
    return select_classes(known, photos, job.options.get("classes"))


def _require_learned(
    job: RetrainJob, classes: Sequence[str], available: Iterable[PhotoFile | CatalogPhoto]
) -> None:
    """Raises PhotographsMissingError if too few of the photos that the champion learned are here.

    Catalog photos are not required: those that are missing were removed on purpose.
    """
    replay = job.replay
    rows = ~replay.boxed & ~replay.catalog
    names = np.array(job.champion.manifest.classes)[replay.targets[rows].argmax(axis=1)]
    photographs = {*zip(names.tolist(), replay.photographs[rows].tolist(), strict=True)}
    learned = Counter(name for name, _ in photographs)
    here = Counter(name for name, _ in {(item.class_name, item.photograph) for item in available})
    missing = [name for name in classes if here[name] < MIN_SHARE * learned[name]]
    if missing:
        raise PhotographsMissingError(missing)


def _leave_out_unsplit(job: RetrainJob, files: Sequence[PhotoFile]) -> set[str]:
    """Note and return the classes without a photo in some split, which full retraining needs."""
    splits = {(file.class_name, file.split) for file in files}
    names = {file.class_name for file in files}
    unsplit = {name for name in names if any((name, split) not in splits for split in SPLITS)}
    for name in unsplit:
        photos = {file.photograph for file in files if file.class_name == name}
        job.omissions.classes[name] = len(photos)
    return unsplit


def _write_catalog(job: RetrainJob, root: Path, classes: Collection[str]) -> Iterable[PhotoFile]:
    """Write the catalog's photos of `classes` to files, boxes as they are cropped in serving.

    Those that cannot be read are left out.
    """
    photos = [photo for photo in job.photos if photo.class_name in classes]
    for done, photo in enumerate(photos, start=1):
        job.progress(Stage.FETCHING, done, len(photos))
        read = job.read_photo(photo)
        if read is None:
            continue
        data, image = read
        suffix = Path(photo.blob).suffix
        if isinstance(photo, BoxedFruit):
            data, suffix = _as_png(image), ".png"
        path = f"{CATALOG}/{photo.class_name}/{photo.sha256}{suffix}"
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
        yield PhotoFile(
            path=path,
            class_name=photo.class_name,
            supplied_split="",
            photograph=photo.photograph,
            split=cast("Split", photo.split),
            width=photo.width,
            height=photo.height,
            bytes=len(data),
            sha256=photo.sha256,
            signature=photo.signature,
        )


def _as_png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
