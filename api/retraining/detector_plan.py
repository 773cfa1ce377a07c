"""Whether a run trains the detector, and how long that takes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy.orm import Session

from api.catalog import boxed_repository
from api.catalog.box_formats import UNNAMED
from api.catalog.box_frames import LabelledBox
from api.catalog.boxed_repository import BoxedPhoto
from api.core.errors import ConflictError
from api.core.imaging.hashing import content_hash
from api.model.manifest import BoxedFingerprint, DetectorManifest
from api.storage.tables.photos import BoxedPhotoRow

# What a request asks for. auto: train it further if there are boxed photos it has not learned.
DetectorOption = Literal["auto", "keep", "train"]
# Measured on two cores: one training step, and everything around the steps.
SECONDS_PER_STEP, FIXED_SECONDS = 0.25, 60.0


class NoBoxedPhotosError(ConflictError):
    code = "no-boxed-photos"
    detail = (
        "There are no photos with boxes for the detector to learn from. Draw boxes around the "
        "fruits of a photo (PUT /predictions/{id}/boxes), or upload some that have boxes (POST "
        "/upload-boxed-photos). Some are held out to judge by, so add several."
    )


class BoxesLearnedError(ConflictError):
    code = "boxes-learned"

    def __init__(self, champion: str) -> None:
        super().__init__(
            f"The detector of version {champion} has already learned all photos with boxes. "
            'Add more, correct some, or send {"force": true}.'
        )


class NoDetectorToTuneError(ConflictError):
    code = "no-detector"
    detail = (
        "The version in use has no detector to train further. Make its first one: "
        '{"mode": "detector", "detector": "train"}, which takes half an hour.'
    )


class DetectorPlan(StrEnum):
    """KEEP the champion's detector, TUNE it (train it further), TRAIN a new one, or have NONE."""

    KEEP = "keep"
    TUNE = "tune"
    TRAIN = "train"
    NONE = "none"


def plan_detector(
    option: DetectorOption,
    current: DetectorManifest | None,
    fruits: tuple[str, ...],
    boxed: BoxedFingerprint | None,
    boxed_fruits: Collection[str],
) -> DetectorPlan:
    """The plan for a version of `fruits`. `boxed` are the catalog's boxed photos to learn,
    `boxed_fruits` the fruits that have boxes, including imported ones.

    If the fruits have changed, a new detector must be trained, which needs boxes of each fruit. A
    version without a detector gets its first only on request.
    """
    if option == "train":
        return DetectorPlan.TRAIN
    if current is None:
        return DetectorPlan.NONE
    if current.fruits == fruits:
        is_new = option == "auto" and boxed != current.catalog
        return DetectorPlan.TUNE if is_new else DetectorPlan.KEEP
    can_train = option == "auto" and set(fruits) <= set(boxed_fruits)
    return DetectorPlan.TRAIN if can_train else DetectorPlan.NONE


def plan_detector_run(
    current: DetectorManifest | None, boxed: BoxedFingerprint | None, *, from_scratch: bool
) -> DetectorPlan:
    """The plan for a run that trains only the detector: TRAIN if `from_scratch`, else TUNE.

    Raises NoDetectorToTuneError, NoBoxedPhotosError.
    """
    if from_scratch:
        return DetectorPlan.TRAIN
    if current is None:
        raise NoDetectorToTuneError()
    if boxed is None and current.catalog is None:
        raise NoBoxedPhotosError()
    return DetectorPlan.TUNE


def check_detector_run(
    manifest: Mapping[str, Any],
    boxed: BoxedFingerprint | None,
    option: DetectorOption,
    *,
    force: bool,
) -> None:
    """Check that a run that trains only the detector has something to learn, or `force`.

    Raises BoxesLearnedError and what `plan_detector_run` raises.
    """
    current = _detector_of(manifest)
    plan = plan_detector_run(current, boxed, from_scratch=option == "train")
    if plan is DetectorPlan.TUNE and current and boxed == current.catalog and not force:
        raise BoxesLearnedError(manifest["version"])


def expected_plan(
    manifest: Mapping[str, Any], boxed: BoxedFingerprint | None, option: DetectorOption
) -> DetectorPlan:
    """The plan of a full run before its classes are known: assumes the same fruits as before."""
    current = _detector_of(manifest)
    return plan_detector(option, current, current.fruits if current else (), boxed, ())


def _detector_of(manifest: Mapping[str, Any]) -> DetectorManifest | None:
    stored = manifest.get("detector")
    return DetectorManifest.model_validate(stored) if stored else None


def detector_seconds(plan: DetectorPlan, manifest: Mapping[str, Any]) -> float:
    """How long a plan takes on the reference machine, for the detector of a manifest."""
    if plan not in (DetectorPlan.TUNE, DetectorPlan.TRAIN):
        return 0.0
    # Imported here: a process that only serves loads no training code.
    from api.training.detection.recipe import DetectorRecipe  # noqa: PLC0415

    recipe = DetectorRecipe.from_dict((manifest.get("detector") or {}).get("recipe", {}))
    steps = recipe.tuning_steps if plan is DetectorPlan.TUNE else recipe.steps
    return FIXED_SECONDS + SECONDS_PER_STEP * steps


def fingerprint(photos: Iterable[BoxedPhoto]) -> BoxedFingerprint | None:
    """The fingerprint of those `photos` that a detector learns, the train split, if any."""
    learned = [photo for photo in photos if photo.row.split == "train"]
    if not learned:
        return None
    lines = sorted(_line(*photo) for photo in learned)
    return BoxedFingerprint(
        photographs=len(learned),
        boxes=sum(len(photo.boxes) for photo in learned),
        sha256=content_hash("\n".join(lines).encode()),
    )


def _line(row: BoxedPhotoRow, boxes: Sequence[LabelledBox]) -> str:
    places = (
        f"{','.join(f'{float(corner):.3f}' for corner in box)},{name or UNNAMED}"
        for box, name in boxes
    )
    return " ".join([row.sha256, str(row.complete), *sorted(places)])


def load_learnable(session: Session, max_pixels: int) -> list[BoxedPhoto]:
    """The boxed photos that can be read, as far as is known."""
    return [
        photo
        for photo in boxed_repository.all_photos(session)
        if not photo.row.unreadable and photo.row.width * photo.row.height <= max_pixels
    ]
