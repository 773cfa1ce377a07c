"""Photographs for a full retraining: what was imported, and the catalog's as files."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from api.core.layout import EmptyFolderError, Layout, discover
from api.model.replay_buffer import Replay
from api.retraining.candidate import RetrainJob
from api.retraining.class_selection import choose_classes
from api.retraining.errors import PhotographsMissingError
from api.retraining.training_rows import CatalogPhoto
from api.training.bounding_boxes import read_boxes
from api.training.class_folders import INDEX, Listing, PhotoFile, read_class_folders, read_index
from api.training.corpus import TrainingCorpus, require_enough

# Names in the folder of a run: a link to the imported photographs, and the catalog's.
IMPORTED = "imported"
CATALOG = "catalog"
# Of a class that the champion knows, at least this share of its photographs must be here.
LEAST_SHARE = 0.5


def build_corpus(order: RetrainJob) -> TrainingCorpus:
    """Everything to train on, as one set under `order.folder`.

    Raises UnknownClassesError or TooFewClassesError, PhotographsMissingError where what the
    champion learned is not on this machine, and TooFewPhotographsError.
    """
    root = order.folder / "photographs"
    root.mkdir()
    classes = choose_classes(
        order.champion.manifest.classes,
        {photo.class_name for photo in order.photos},
        order.options.get("classes"),
    )
    layout = _layout(order.imported)
    imported: Sequence[PhotoFile] = ()
    if layout is not None:
        # A link, so that both kinds of photographs lie under one root.
        (root / IMPORTED).symlink_to(order.imported.resolve(), target_is_directory=True)
        imported = read_class_folders(
            layout, read_index(order.imported / INDEX), order.progress
        ).files
    photos = [photo for photo in order.photos if photo.class_name in classes]
    in_catalog = {photo.sha256 for photo in photos}
    files = [
        replace(file, path=f"{IMPORTED}/{file.path}")
        for file in imported
        if file.class_name in classes and file.sha256 not in in_catalog
    ]
    _require_known(order, classes, [*files, *photos])
    from_catalog = list(_written(order, photos, root))
    listing = Listing(root, (*files, *from_catalog), ())
    require_enough(listing)
    boxes = [box for folder in layout.boxed for box in read_boxes(folder)] if layout else []
    return TrainingCorpus(
        listing,
        tuple(boxes),
        others=_linked(root, order.imported, layout.others if layout else ()),
        near=_linked(root, order.imported, layout.near if layout else ()),
        catalog=frozenset(file.path for file in from_catalog),
    )


def _linked(root: Path, imported: Path, paths: Sequence[Path]) -> tuple[Path, ...]:
    """Files of the imported set as they lie under the `root` of the run."""
    return tuple(root / IMPORTED / path.relative_to(imported) for path in paths)


def _layout(folder: Path) -> Layout | None:
    """Where the imported photographs lie; None where there are none."""
    try:
        return discover(folder) if folder.is_dir() else None
    except EmptyFolderError:
        return None


def _require_known(
    order: RetrainJob, classes: Sequence[str], there: Iterable[PhotoFile | CatalogPhoto]
) -> None:
    """Raises PhotographsMissingError."""
    learned = _learned(order.replay, order.champion.manifest.classes)
    here = Counter(name for name, _ in {(item.class_name, item.photograph) for item in there})
    missing = [name for name in classes if here[name] < LEAST_SHARE * learned[name]]
    if missing:
        raise PhotographsMissingError(missing)


def _learned(replay: Replay, classes: Sequence[str]) -> Counter[str]:
    """How many photographs of each class the champion was made of, but for the catalog's: those
    are here, or were removed on purpose."""
    rows = ~replay.boxed & ~replay.catalog
    labels = replay.targets[rows].argmax(axis=1).tolist()
    names = {(classes[k], name) for k, name in zip(labels, replay.photographs[rows], strict=True)}
    return Counter(class_name for class_name, _ in names)


def _written(order: RetrainJob, photos: Sequence[CatalogPhoto], root: Path) -> Iterable[PhotoFile]:
    """The catalog's photographs as files; without those that were removed meanwhile."""
    for done, photo in enumerate(photos, start=1):
        order.progress("Fetching photographs", done, len(photos))
        try:
            data = order.read(photo.blob)
        except FileNotFoundError:
            continue
        path = f"{CATALOG}/{photo.class_name}/{photo.sha256}{Path(photo.blob).suffix}"
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
        yield PhotoFile(
            path=path,
            class_name=photo.class_name,
            supplied_split="",
            photograph=photo.photograph,
            split=photo.split,
            width=photo.width,
            height=photo.height,
            bytes=len(data),
            sha256=photo.sha256,
            signature=photo.signature.tobytes().hex(),
        )
