"""The photos that a full run or a detector run learns from: imported ones on this machine, and
those of the catalog."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from api.core.errors import ProblemError
from api.core.imaging.hashing import content_hash
from api.core.layout import EmptyFolderError, Layout, discover
from api.core.splits import SPLITS, Split
from api.retraining.boxed_frames import write_frames
from api.retraining.boxed_fruits import BoxedFruit, CatalogPhoto
from api.retraining.embed_catalog import imported_photos
from api.retraining.job import RetrainJob
from api.retraining.omissions import readable_files
from api.retraining.plan import ClassSelection, select_classes
from api.retraining.progress import Stage
from api.retraining.service import Mode
from api.retraining.training_rows import CATALOG
from api.training.bounding_boxes import read_boxes
from api.training.class_folders import INDEX, Listing, PhotoFile, read_class_folders, read_index
from api.training.corpus import TrainingCorpus, require_enough
from api.training.detection.sampler import fruits_of_classes

# Subfolder of the corpus: a link to the imported photos. Those of the catalog are in CATALOG.
IMPORTED = "imported"
# At least this share of a class's photos that the champion learned must be on this machine.
MIN_SHARE = 0.5


class PhotographsMissingError(ProblemError):
    code = "photographs-missing"

    def __init__(self, classes: Sequence[str], mode: Mode) -> None:
        training, else_do = (
            ("Full retraining", ", use the mode fast, or name the classes to learn in 'classes'")
            if mode == "full"
            else ("Training the detector", "; from new photographs alone it would forget them")
        )
        super().__init__(
            f"{training} needs the photographs themselves, and most of those of "
            f"{', '.join(classes)} are not on the worker's machine (only what the model kept of "
            f"them). Import them there (make data){else_do}."
        )


def build_corpus(job: RetrainJob) -> TrainingCorpus:
    """The corpus of imported and catalog photos, under `job.folder`.

    Notes what it leaves out in `job.omissions`. Raises PhotographsMissingError,
    TooFewPhotographsError and what `select_classes` raises.
    """
    root, layout = _make_root(job), _imported_layout(job.imported)
    known = job.champion.manifest.classes
    imported = _read_imported(job, layout)
    imported_files = _files_to_learn(job, imported)
    available: list[PhotoFile | CatalogPhoto] = [*imported_files, *job.photos]
    _require_learned(job, _select(job, available).classes, available, "full")
    catalog_files = list(_write_catalog(job, root, _select(job, available).classes))
    # Selected again: without its unreadable photos, a class may be too small.
    files = [*imported_files, *catalog_files]
    skipped = job.omissions.photos
    selection = _select(job, [item for item in available if item.sha256 not in skipped])
    job.omissions.classes.update(selection.left_out)
    classes = set(selection.classes)
    if "classes" not in job.options:
        classes -= _leave_out_unsplit(job, files)
    listing = Listing(root, tuple(file for file in files if file.class_name in classes), ())
    require_enough(listing)
    served = {*known, *job.replay.retired.class_names.tolist()}
    return dataclasses.replace(
        _corpus(job, layout, listing, fruits_of_classes(listing.classes)),
        catalog=frozenset(file.path for file in catalog_files),
        retired=tuple(
            file
            for file in imported
            if file.class_name in served - classes and file.split == "test"
        ),
    )


def build_detector_corpus(job: RetrainJob, fruits: Collection[str]) -> TrainingCorpus:
    """The photos that teach a detector of `fruits`, under `job.folder`: as in a full run, but a
    class may have few.

    Imported boxes that the champion has not learned are left out: its replay tells which photos
    may judge a detector, and does not change. Notes what is left out in `job.omissions`. Raises
    PhotographsMissingError.
    """
    root, layout = _make_root(job), _imported_layout(job.imported)
    imported = _files_to_learn(job, _read_imported(job, layout))
    known = job.champion.manifest.classes
    _require_learned(job, known, [*imported, *job.photos], "detector")
    listing = Listing(root, (*imported, *_write_catalog(job, root, known)), ())
    corpus = _corpus(job, layout, listing, fruits)
    learned = set(job.replay.sha256[job.replay.boxed].tolist())
    paths = {
        path
        for path in {box.path for box in corpus.boxes}
        if content_hash(path.read_bytes()) in learned
    }
    boxes = tuple(box for box in corpus.boxes if box.path in paths)
    return dataclasses.replace(corpus, boxes=boxes)


def _make_root(job: RetrainJob) -> Path:
    """The folder of all photos of the corpus, with a link to the imported ones."""
    root = job.folder / "photographs"
    root.mkdir()
    (root / IMPORTED).symlink_to(job.imported.resolve(), target_is_directory=True)
    return root


def _read_imported(job: RetrainJob, layout: Layout) -> list[PhotoFile]:
    """The imported class folders, with paths relative to the root of the corpus."""
    index = read_index(job.imported / INDEX) if layout.class_files else ()
    files = read_class_folders(layout, index, job.progress).files
    return [dataclasses.replace(file, path=f"{IMPORTED}/{file.path}") for file in files]


def _files_to_learn(job: RetrainJob, imported: Iterable[PhotoFile]) -> list[PhotoFile]:
    """Imported files of the champion's classes that are not also in the catalog."""
    known = job.champion.manifest.classes
    in_catalog = {photo.sha256 for photo in job.photos}
    return [file for file in imported if file.class_name in known and file.sha256 not in in_catalog]


def _corpus(
    job: RetrainJob, layout: Layout, listing: Listing, fruits: Collection[str]
) -> TrainingCorpus:
    """`listing` with boxes, other produce and other things. The catalog's boxed photos are read for
    a detector of `fruits`."""
    root = listing.root
    # Class folders are checked as they are read.
    boxes = [box for folder in layout.boxed for box in read_boxes(folder)]
    unchecked = [*layout.others, *layout.near, *{box.path for box in boxes}]
    readable = set(readable_files(unchecked, job.imported, job.omissions))

    def linked(paths: Sequence[Path]) -> tuple[Path, ...]:
        return tuple(
            root / IMPORTED / path.relative_to(job.imported) for path in paths if path in readable
        )

    return TrainingCorpus(
        listing,
        tuple(box for box in boxes if box.path in readable),
        far_files=linked(layout.others),
        near_files=linked(layout.near),
        catalog_frames=tuple(write_frames(job, root, fruits)),
    )


def _imported_layout(folder: Path) -> Layout:
    """Empty if nothing was imported."""
    try:
        return discover(folder)
    except EmptyFolderError:
        return Layout(folder, (), (), ())


def _select(job: RetrainJob, available: Iterable[PhotoFile | CatalogPhoto]) -> ClassSelection:
    """Select from the classes that the champion learned and those of the `available` files."""
    known = job.champion.manifest.classes
    photos = {(item.class_name, item.photograph, item.split) for item in available}
    photos |= imported_photos(job.replay, known)
    return select_classes(known, photos, job.options.get("classes"))


def _require_learned(
    job: RetrainJob,
    classes: Sequence[str],
    available: Iterable[PhotoFile | CatalogPhoto],
    mode: Mode,
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
        raise PhotographsMissingError(missing, mode)


def _leave_out_unsplit(job: RetrainJob, files: Sequence[PhotoFile]) -> set[str]:
    """Note and return the classes that lack photos in a split: full retraining needs all splits."""
    splits = {(file.class_name, file.split) for file in files}
    names = {file.class_name for file in files}
    unsplit = {name for name in names if any((name, split) not in splits for split in SPLITS)}
    for name in unsplit:
        photos = {file.photograph for file in files if file.class_name == name}
        job.omissions.classes[name] = len(photos)
    return unsplit


def _write_catalog(job: RetrainJob, root: Path, classes: Collection[str]) -> Iterable[PhotoFile]:
    """Write the catalog's photos of `classes` to files, with boxes cropped as in serving.

    Unreadable ones are left out.
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
