"""The detector of a full run: kept, trained further on new boxed photos, or newly trained."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from api.retraining.detector_plan import DetectorPlan, plan_detector
from api.retraining.job import RetrainJob
from api.retraining.new_detector import NewDetector, learnable_boxes, train_new_detector
from api.training.corpus import TrainingCorpus
from api.training.detection.restore import NotRestorableError
from api.training.detection.sampler import fruits_of_classes
from api.training.detection.train import TrainedDetector
from api.training.frames import Frame
from api.training.train import TrainingDivergedError


@dataclass(frozen=True)
class DetectorOutcome:
    """The detector that a version gets, if any, and a JSON-ready report with a `message` in whole
    sentences. `new` is set if it is a new one that may also replace the champion's."""

    detector: TrainedDetector | None
    report: dict[str, Any]
    new: NewDetector | None = None


def make_detector(job: RetrainJob, corpus: TrainingCorpus) -> DetectorOutcome:
    """The champion's detector, or a new one that is as good on held-out pictures.

    Raises what `train_detector` raises if the plan is TRAIN.
    """
    current = TrainedDetector.of_package(job.champion)
    plan = plan_detector(
        job.options.get("detector", "auto"),
        current.manifest if current else None,
        fruits_of_classes(corpus.classes),
        learnable_boxes(job),
        _boxed_fruits(corpus.frames("train")),
    )
    if plan in (DetectorPlan.KEEP, DetectorPlan.NONE):
        kept = current if plan is DetectorPlan.KEEP else None
        return DetectorOutcome(
            kept, {"plan": plan.value, "message": _message_without_new(plan, current)}
        )
    try:
        new = train_new_detector(job, corpus, plan, current)
    except (NotRestorableError, TrainingDivergedError) as error:
        if plan is DetectorPlan.TRAIN:
            raise
        message = (
            f"The current detector stays, because it cannot be trained further: {error.detail} "
            'A full run with "detector": "train" trains a new one.'
        )
        return DetectorOutcome(current, {"plan": DetectorPlan.KEEP.value, "message": message})
    report = new.report | {"message": _message(new)}
    if new.objections:
        return DetectorOutcome(new.replaced, report)
    return DetectorOutcome(new.detector, report, new if new.replaced else None)


def _boxed_fruits(frames: Sequence[Frame]) -> Collection[str]:
    return {each.fruit for frame in frames for each in frame.boxes if each.fruit is not None}


def _message_without_new(plan: DetectorPlan, current: TrainedDetector | None) -> str:
    if plan is DetectorPlan.KEEP or current is None:
        return ""
    return (
        "This version has no detector: the current one finds other fruits than its classes name, "
        "and not all of these have boxes to train one on."
    )


def _message(new: NewDetector) -> str:
    if not new.objections:
        return new.result
    kept = "the current one stays" if new.replaced else "this version has none"
    reasons = "; ".join(new.objections)
    return f"The detector that was {new.how} is not as good, so {kept}: {reasons}. {new.notes}"
