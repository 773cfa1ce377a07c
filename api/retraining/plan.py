"""What a run would learn, and how long it would take."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.catalog.boxed_repository import BoxedPhoto
from api.core.errors import ConflictError
from api.model.manifest import BoxedFingerprint, Manifest
from api.model.package import REPLAY, read_manifest
from api.model.training_index import TrainingIndex
from api.registry import repository as models
from api.registry.store import fetch_package
from api.retraining import repository
from api.retraining.boxed_fruits import load_boxed_fruits
from api.retraining.detector_plan import (
    DetectorOption,
    DetectorPlan,
    detector_seconds,
    expected_plan,
    fingerprint,
    load_learnable,
)
from api.retraining.omissions import (
    MIN_PER_CLASS,
    MIN_TRAIN_PER_CLASS,
    TOO_LARGE,
    describe_left_out,
)
from api.retraining.service import Mode, NoChampionError
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.tables.models import ModelRow

# Measured on two cores, by mode where it differs, without detector training. A view is a
# training row (fast), one augmented image of one epoch (full), or a photo that is read (detector).
FIXED_SECONDS = {"fast": 6.0, "full": 60.0, "detector": 10.0}
SECONDS_PER_NEW = 0.02
SECONDS_PER_VIEW = {"fast": 0.003, "full": 0.017, "detector": 0.01}
# A last run that differs from the estimate by more than this factor was an outlier.
MAX_CORRECTION = 10.0
# Class, source group and split of a photo.
Photo = tuple[str, str, str]


class TooFewClassesError(ConflictError):
    code = "too-few-classes"

    def __init__(self, classes: Sequence[str], left_out: Mapping[str, int]) -> None:
        detail = (
            f"A grader needs at least two classes; this one would have {len(classes)} "
            f"({', '.join(classes) or 'none'}). {describe_left_out(left_out)}"
        )
        super().__init__(detail.strip())


class TooFewOfClassError(ConflictError):
    code = "too-few-of-class"

    def __init__(self, few: Mapping[str, int]) -> None:
        """`few` has classes that the request names, and their numbers of different photos."""
        named = ", ".join(f"{name} ({count})" for name, count in few.items())
        super().__init__(
            f"Too few different photos of {named}: each class needs at least {MIN_PER_CLASS}, "
            "some of them in the train split; about 30 do well. Upload more, or leave the class "
            "out of 'classes'."
        )


class UnknownClassesError(ConflictError):
    code = "unknown-classes"

    def __init__(self, unknown: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(
            f"There are no photos of {', '.join(unknown)}. There are some of: {', '.join(known)}."
        )


@dataclass(frozen=True)
class CatalogDiff:
    """The catalog compared with what the champion learned: numbers of images.

    `added` is by class, without classes that are too small to learn; `relabelled` images have
    another class now.
    """

    added: dict[str, int]
    relabelled: int
    removed: int

    @property
    def any(self) -> bool:
        return bool(self.added or self.relabelled or self.removed)


@dataclass(frozen=True)
class ClassSelection:
    """The `classes` of a candidate.

    `left_out`: too small to learn, with their numbers of different photos.
    """

    classes: tuple[str, ...]
    left_out: dict[str, int]


class UnreadablePhoto(BaseModel):
    """A photo in the catalog that retraining skips."""

    image_id: str
    filename: str
    reason: str = Field(description="Why the photo is skipped, in English.")


@dataclass(frozen=True)
class RetrainPlan:
    """What a run would start from: the `manifest` of the champion, `rows` photos to train and test
    on, and the `boxed` photos that a detector learns.

    `photos`: a hash of all photos and boxes of the catalog and their classes, readable or not.
    """

    champion: str
    catalog_diff: CatalogDiff
    left_out: dict[str, int]
    unreadable: list[UnreadablePhoto]
    rows: int
    manifest: dict[str, Any]
    boxed: BoxedFingerprint | None
    photos: str

    @property
    def new(self) -> int:
        return sum(self.catalog_diff.added.values())

    @property
    def new_boxed(self) -> int:
        """Boxed photos to train the current detector further on; 0 if it has learned them."""
        is_new = self.detector_plan("full") is DetectorPlan.TUNE
        return self.boxed.photographs if self.boxed and is_new else 0

    def detector_plan(self, mode: Mode) -> DetectorPlan:
        """What a run without options does to the detector."""
        if mode == "full":
            return expected_plan(self.manifest, self.boxed, "auto")
        if mode == "detector":
            return DetectorPlan.TUNE if self.manifest.get("detector") else DetectorPlan.TRAIN
        return DetectorPlan.KEEP


def make_plan(
    session: Session, blobs: Blobs, settings: Settings, classes: Sequence[str] | None = None
) -> RetrainPlan:
    """Raises NoChampionError, BadPackageError, and what `select_classes` raises.

    It reads no photo: the catalog records those that a run could not read, and their sizes.
    """
    version = models.champion_version(session)
    if version is None:
        raise NoChampionError()
    manifest = models.get_model(session, version).manifest
    learned = _learned(fetch_package(blobs, version, settings.model_cache).folder)
    images: list[Any] = []
    unreadable = []
    classes_of: dict[str, str] = {}
    for fruit in load_boxed_fruits(session, manifest["classes"]):
        classes_of[fruit.sha256] = fruit.class_name
        unread = fruit.unreadable or fruit.pixels > settings.max_pixels
        if not unread or fruit.sha256 in learned.labels:
            images.append(fruit)
    for image in repository.image_groups(session):
        classes_of[image.sha256] = image.class_name
        reason = TOO_LARGE if image.pixels > settings.max_pixels else image.unreadable
        if reason:
            unreadable.append(
                UnreadablePhoto(image_id=image.id, filename=image.filename, reason=reason)
            )
        # A photo that was learned before need not be read again.
        if not reason or image.sha256 in learned.labels:
            images.append(image)
    in_catalog = ((image.class_name, image.photograph, image.split) for image in images)
    selection = select_classes(manifest["classes"], learned.imported.union(in_catalog), classes)
    labels = {image.sha256: image.class_name for image in images}
    diff = _catalog_diff(labels, learned, selection.left_out)
    rows = manifest["data"]["files"] + sum(diff.added.values()) - diff.removed
    boxed = fingerprint(load_learnable(session, settings.max_pixels))
    photos = hashlib.sha256(json.dumps(sorted(classes_of.items())).encode()).hexdigest()
    return RetrainPlan(version, diff, selection.left_out, unreadable, rows, manifest, boxed, photos)


def select_classes(
    known: Sequence[str], photos: Collection[Photo], requested: Sequence[str] | None
) -> ClassSelection:
    """The candidate's classes: those `requested`, or else all known ones, then new ones by name.

    Without a request, classes with too few of `photos` are left out, known ones too. Raises
    UnknownClassesError, TooFewOfClassError (of requested classes), TooFewClassesError.
    """
    different = Counter(name for name, _ in {photo[:2] for photo in photos})
    train = Counter(name for name, _, split in set(photos) if split == "train")
    available = {*known, *different}
    if requested is None:
        names = [*known, *sorted(available - set(known))]
    elif unknown := sorted(set(requested) - available):
        raise UnknownClassesError(unknown, sorted(available))
    else:
        names = sorted(set(requested))
    few = {
        name: different[name]
        for name in names
        if different[name] < MIN_PER_CLASS or train[name] < MIN_TRAIN_PER_CLASS
    }
    if few and requested is not None:
        raise TooFewOfClassError(few)
    classes = tuple(name for name in names if name not in few)
    if len(classes) < 2:
        raise TooFewClassesError(classes, few)
    return ClassSelection(classes, few)


@dataclass(frozen=True)
class _Learned:
    """What a package learned: class by SHA-256, SHA-256 from the catalog, and imported photos."""

    labels: dict[str, str]
    from_catalog: frozenset[str]
    imported: frozenset[Photo]


@lru_cache(maxsize=2)  # A package never changes.
def _learned(package: Path) -> _Learned:
    index = TrainingIndex.load(package / REPLAY, read_manifest(package).classes)
    whole, imported = ~index.boxed | index.catalog, ~index.catalog
    photos = (index.class_names, index.photographs, index.splits)
    return _Learned(
        dict(zip(index.sha256[whole].tolist(), index.class_names[whole].tolist(), strict=True)),
        frozenset(index.sha256[whole & index.catalog].tolist()),
        frozenset(zip(*(column[imported].tolist() for column in photos), strict=True)),
    )


def _catalog_diff(
    labels: Mapping[str, str], learned: _Learned, left_out: Collection[str]
) -> CatalogDiff:
    added = Counter(
        name
        for sha256, name in labels.items()
        if sha256 not in learned.labels and name not in left_out
    )
    return CatalogDiff(
        added=dict(sorted(added.items())),
        relabelled=sum(learned.labels.get(sha256, name) != name for sha256, name in labels.items()),
        removed=len(learned.from_catalog - labels.keys()),
    )


def estimate_seconds(session: Session, mode: Mode, plan: RetrainPlan) -> float:
    """How long the run would take, corrected by how long the last one of its mode took here."""
    expected = expected_seconds(mode, plan.manifest["recipe"], plan.rows, plan.new)
    expected += detector_seconds(plan.detector_plan(mode), plan.manifest)
    last = repository.last_succeeded(session, mode)
    model = session.get(ModelRow, last.candidate) if last and last.candidate else None
    if last and last.started_at and last.finished_at and model:
        data, recipe = model.manifest["data"], model.manifest["recipe"]
        actual = (last.finished_at - last.started_at).total_seconds()
        detector = (last.verdict or {}).get("figures", {}).get("detector", {})
        trained = DetectorPlan(detector.get("plan", DetectorPlan.KEEP))
        before = expected_seconds(mode, recipe, data["files"], 0)
        correction = actual / (before + detector_seconds(trained, model.manifest))
        expected *= min(max(correction, 1 / MAX_CORRECTION), MAX_CORRECTION)
    return round(expected, 1)


def detector_share(
    manifest: Manifest, boxed: Iterable[BoxedPhoto], option: DetectorOption
) -> float:
    """The share of a full run's time that the detector takes: 0 to 1."""
    stored = manifest.model_dump()
    seconds = detector_seconds(expected_plan(stored, fingerprint(boxed), option), stored)
    return seconds / (seconds + expected_seconds("full", manifest.recipe, manifest.data.files, 0))


def expected_seconds(mode: Mode, recipe: dict[str, Any], rows: int, new: int) -> float:
    """Seconds on the reference machine for `rows` photos, of which `new` are new."""
    views = rows
    if mode == "full":
        # Imported here: a process that only serves loads no training code.
        from api.training.recipe import Recipe  # noqa: PLC0415

        # The recipe of an old package has no `views`: an epoch was every photo once.
        views = recipe.get("views", rows) * recipe.get("epochs", Recipe.epochs)
    return FIXED_SECONDS[mode] + SECONDS_PER_NEW * new + SECONDS_PER_VIEW[mode] * views
