"""Whether a full run trains the detector, and how long that takes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy.orm import Session

from api.catalog import boxed_repository
from api.catalog.box_formats import UNNAMED
from api.catalog.box_frames import LabelledBox
from api.catalog.boxed_repository import BoxedPhoto
from api.core.imaging.hashing import content_hash
from api.model.manifest import BoxedFingerprint, DetectorManifest
from api.storage.tables import BoxedPhotoRow

# Of a request. auto: train it further where there are boxed photos that it has not learned.
DetectorOption = Literal["auto", "keep", "train"]
# Measured on two cores: a training step, and all around it.
SECONDS_PER_STEP, FIXED_SECONDS = 0.25, 60.0


class DetectorPlan(StrEnum):
    """KEEP the champion's, TUNE it: train it further, TRAIN one anew, or have NONE."""

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
    """For a version of `fruits`; `boxed` are the catalog's boxed photos to learn, `boxed_fruits`
    the fruits that have boxes, imported ones too.

    With other fruits than before a detector must be trained anew, which needs boxes of each. A
    version without one gets its first only on request.
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


def expected_plan(
    manifest: Mapping[str, Any], boxed: BoxedFingerprint | None, option: DetectorOption
) -> DetectorPlan:
    """Before the run knows its classes: as if they name the same fruits as before."""
    stored = manifest.get("detector")
    current = DetectorManifest.model_validate(stored) if stored else None
    return plan_detector(option, current, current.fruits if current else (), boxed, ())


def detector_seconds(plan: DetectorPlan, manifest: Mapping[str, Any]) -> float:
    """How long a plan takes on the reference machine, for the detector of a manifest."""
    if plan not in (DetectorPlan.TUNE, DetectorPlan.TRAIN):
        return 0.0
    # Imported here: a process that only serves loads nothing of training.
    from api.training.detection.recipe import DetectorRecipe  # noqa: PLC0415

    recipe = DetectorRecipe.from_dict((manifest.get("detector") or {}).get("recipe", {}))
    steps = recipe.tuning_steps if plan is DetectorPlan.TUNE else recipe.steps
    return FIXED_SECONDS + SECONDS_PER_STEP * steps


def fingerprint(photos: Iterable[BoxedPhoto]) -> BoxedFingerprint | None:
    """Of those of `photos` that a detector learns, the training split; None if there are none."""
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
    """The boxed photos that can be read, as far as that is known."""
    return [
        photo
        for photo in boxed_repository.all_photos(session)
        if not photo.row.unreadable and photo.row.width * photo.row.height <= max_pixels
    ]
