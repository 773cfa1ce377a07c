"""Full retraining: fine-tunes the backbone in Keras on the photos themselves."""

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from api.catalog.duplicate_index import read_signatures
from api.core.errors import ProblemError
from api.core.layout import EmptyFolderError, Layout, discover
from api.core.paired_comparison import Contradictions, ModelComparison
from api.core.splits import SPLITS, Split
from api.evaluation.build import build_package
from api.evaluation.compare_models import (
    ComparedModel,
    HeldOut,
    compare_latency,
    compare_models,
)
from api.model.litert import LiteRTBackbone
from api.model.manifest import Manifest
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import ReplayBuffer
from api.retraining.embed_catalog import imported_photos, rows_of_classes
from api.retraining.held_out import (
    JudgedRows,
    changed_labels,
    judged_rows,
    right_by_key,
    row_of_keys,
    too_few_held_out,
    with_first_judgement,
)
from api.retraining.job import Candidate, RetrainJob
from api.retraining.label_agreement import find_contradictions, label_agreement
from api.retraining.omissions import readable_files
from api.retraining.plan import ClassSelection, select_classes
from api.retraining.progress import Stage
from api.retraining.training_rows import (
    CATALOG,
    TrainingRows,
)
from api.storage.tables import ImageRow
from api.training.bounding_boxes import read_boxes
from api.training.class_folders import INDEX, Listing, PhotoFile, read_class_folders, read_index
from api.training.corpus import TrainingCorpus, require_enough
from api.training.detection.sampler import fruits_of_classes
from api.training.detection.train import TrainedDetector
from api.training.grader import embed_samples
from api.training.recipe import Recipe
from api.training.replay import measure_appearance

# Subfolder of the corpus: a link to the imported photos. Those of the catalog are in CATALOG.
IMPORTED = "imported"
# Of the photos that the champion learned of a class, at least this share must be here.
MIN_SHARE = 0.5
# Has no ImageNet weights.
CUSTOM_CNN = "custom_cnn"


class PhotographsMissingError(ProblemError):
    code = "photographs-missing"

    def __init__(self, classes: Sequence[str]) -> None:
        super().__init__(
            f"Full retraining needs the photographs themselves, and most of those of "
            f"{', '.join(classes)} are not on the worker's machine (only what the model kept of "
            "them). Import them there (make data), use the mode fast, or name the classes to "
            "learn in 'classes'."
        )


def make_candidate(job: RetrainJob) -> Candidate:
    """Raises what `build_corpus` and `build_package` raise."""
    corpus = build_corpus(job)
    champion = job.champion.manifest
    backbone = LiteRTBackbone(job.champion.backbone)
    # As the champion sees the photos: for the label agreement, and to judge its labels.
    data = rows_of_classes(job, backbone, corpus.classes)
    judged = JudgedRows.join(
        [
            judged_rows(job.replay, champion.classes, data),
            _imported_since(job, corpus, backbone),
        ]
    )
    contradicted, contradictions = find_contradictions(
        data,
        job.champion.head,
        champion.classes,
        {photo.sha256: photo.id for photo in job.photos},
    )
    earlier = with_first_judgement(
        dataclasses.replace(data.replay, contradicted=contradicted),
        data.classes,
        right_by_key(job.champion.head, champion.classes, judged.rows(~judged.held_out.is_new)),
    )
    folder = job.folder / "package"
    manifest = build_package(
        corpus,
        make_recipe(champion, job.options),
        folder,
        job.progress,
        on_epoch=job.on_epoch,
        parent=champion.version,
        started_by=job.started_by,
        earlier=earlier,
        detector=_kept_detector(job, corpus),
    )
    package = load_package(folder)
    comparison = _compare_with_champion(job, data, package, judged, contradictions)
    return Candidate(folder, manifest, comparison)


def _kept_detector(job: RetrainJob, corpus: TrainingCorpus) -> TrainedDetector | None:
    """The champion's detector, unless it finds other fruits than those of the classes."""
    detector = TrainedDetector.of_package(job.champion)
    same = detector and detector.manifest.fruits == fruits_of_classes(corpus.classes)
    return detector if same else None


def make_recipe(manifest: Manifest, options: dict[str, Any]) -> Recipe:
    """The champion's recipe, with what the request changes."""
    names = {field.name for field in dataclasses.fields(Recipe)}
    recipe = Recipe(**{name: value for name, value in manifest.recipe.items() if name in names})
    changes = {name: options[name] for name in ("architecture", "epochs") if options.get(name)}
    if changes.get("architecture", recipe.architecture) != recipe.architecture:
        changes["weights"] = "none" if changes["architecture"] == CUSTOM_CNN else "imagenet"
    return dataclasses.replace(recipe, **changes)


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
    available: list[PhotoFile | ImageRow] = [*imported_files, *job.photos]
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
    )


def _imported_layout(folder: Path) -> Layout:
    """Empty if nothing was imported."""
    try:
        return discover(folder)
    except EmptyFolderError:
        return Layout(folder, (), (), ())


def _select(job: RetrainJob, available: Iterable[PhotoFile | ImageRow]) -> ClassSelection:
    """The classes of what the champion learned and of the files that are `available`."""
    known = job.champion.manifest.classes
    photos = {(item.class_name, item.photograph, item.split) for item in available}
    photos |= imported_photos(job.replay, known)
    return select_classes(known, photos, job.options.get("classes"))


def _require_learned(
    job: RetrainJob, classes: Sequence[str], available: Iterable[PhotoFile | ImageRow]
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
    """Write the catalog's photos of `classes` to files, except those that cannot be read."""
    photos = [photo for photo in job.photos if photo.class_name in classes]
    for done, photo in enumerate(photos, start=1):
        job.progress(Stage.FETCHING, done, len(photos))
        read = job.read_photo(photo)
        if read is None:
            continue
        data = read[0]
        path = f"{CATALOG}/{photo.class_name}/{photo.sha256}{Path(photo.blob).suffix}"
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


def _imported_since(
    job: RetrainJob, corpus: TrainingCorpus, backbone: LiteRTBackbone
) -> JudgedRows:
    """The held-out photos that were imported on this machine after the champion was made."""
    known = set(job.replay.sha256.tolist())
    samples = [
        sample
        for sample in corpus.photographs("test")
        if corpus.by_path[sample.copies[0]].path not in corpus.catalog
        and corpus.by_path[sample.copies[0]].sha256 not in known
    ]
    files = [corpus.by_path[sample.copies[0]] for sample in samples]
    held_out = HeldOut(
        class_names=np.array([file.class_name for file in files], np.str_),
        photographs=np.array([file.photograph for file in files], np.str_),
        sources=np.array([sample.source for sample in samples], np.str_),
        looks=measure_appearance(samples),
        is_new=np.zeros(len(files), bool),
        first_right=np.full(len(files), -1, np.int8),
    )
    return JudgedRows(
        held_out,
        embed_samples(backbone, samples, job.champion.manifest.input_size),
        np.array([file.sha256 for file in files], np.str_),
        read_signatures(file.signature for file in files),
    )


def _compare_with_champion(
    job: RetrainJob,
    data: TrainingRows,
    package: Package,
    judged: JudgedRows,
    contradictions: Contradictions,
) -> ModelComparison:
    """Compare both on the held-out photos that are on this machine.

    Photos that the candidate has learned, because they were held out by another rule, do not count.
    """
    job.progress(Stage.COMPARING, 0, 2)
    known, classes = job.champion.manifest.classes, package.manifest.classes
    replay = ReplayBuffer.load(package.folder / REPLAY)
    rows = row_of_keys(replay)
    embeddings = np.concatenate([replay.embeddings, replay.retired.embeddings])
    not_learned = np.append(replay.splits == "test", np.ones(len(replay.retired), bool))
    present = judged.rows(
        np.array([key in rows and not_learned[rows[key]] for key in judged.keys], bool)
    )
    others = [job.replay.others, replay.others]
    ood = [each.rows(each.splits != "train") for each in others]
    candidate = ComparedModel(
        classes,
        package.head,
        embeddings[[rows[key] for key in present.keys]],
        ood[1].embeddings,
        others[1].embeddings,
    )
    is_test = replay.splits == "test"
    test = dataclasses.replace(candidate, embeddings=replay.embeddings[is_test])
    size = job.champion.manifest.input_size
    return compare_models(
        ComparedModel(
            known,
            job.champion.head,
            present.embeddings,
            ood[0].embeddings,
            others[0].embeddings,
        ),
        candidate,
        present.held_out,
        changed_labels=changed_labels(job.replay, known, job.photos),
        contradictions=contradictions,
        milliseconds=compare_latency(
            LiteRTBackbone(job.champion.backbone),
            LiteRTBackbone(package.backbone),
            (size, package.manifest.input_size),
        ),
        **label_agreement(
            data,
            known,
            test.predictions_by_sha256(replay.sha256[is_test]),
            too_few_held_out(present.held_out, known, classes),
        ),
    )
