"""The detector of a full run: kept, trained further on new boxed photos, or trained anew."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from api.catalog.boxed_repository import BoxedPhoto
from api.core.formatting import number
from api.core.imaging.hashing import content_hash
from api.core.paired_comparison import DetectorComparison
from api.evaluation.compare_detectors import compare_detectors, held_out_pictures
from api.evaluation.detection import FruitGrader
from api.model.detector import Detector
from api.model.replay_buffer import ReplayBuffer
from api.registry.detector_rules import detector_notes, judge_detector, judge_first_detector
from api.retraining.detector_plan import DetectorPlan, fingerprint, plan_detector
from api.retraining.job import RetrainJob
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.restore import NotRestorableError
from api.training.detection.sampler import fruits_of_classes, read_material
from api.training.detection.train import TrainedDetector, train_detector
from api.training.frames import Frame
from api.training.train import TrainingDivergedError


@dataclass(frozen=True)
class DetectorOutcome:
    """The detector that a version gets, if any, and what to report: JSON-ready, with a `message`
    of whole sentences."""

    detector: TrainedDetector | None
    report: dict[str, Any]


def make_detector(job: RetrainJob, corpus: TrainingCorpus) -> DetectorOutcome:
    """The champion's detector, or a new one that is as good on held-out pictures.

    Raises what `train_detector` raises where a detector is trained anew.
    """
    current = TrainedDetector.of_package(job.champion)
    fruits = fruits_of_classes(corpus.classes)
    learned = fingerprint(_readable(job))
    plan = plan_detector(
        job.options.get("detector", "auto"),
        current.manifest if current else None,
        fruits,
        learned,
        _boxed_fruits(corpus.frames("train")),
    )
    if plan in (DetectorPlan.KEEP, DetectorPlan.NONE):
        kept = current if plan is DetectorPlan.KEEP else None
        return DetectorOutcome(kept, {"plan": plan.value, "message": _without(plan, current)})
    recipe = DetectorRecipe.from_dict(current.manifest.recipe if current else {})
    start = current if plan is DetectorPlan.TUNE else None
    try:
        trained = train_detector(recipe, corpus, job.progress, start=start, catalog=learned)
    except (NotRestorableError, TrainingDivergedError) as error:
        if start is None:
            raise
        message = (
            f"The detector stays the current one, which cannot be trained further: {error.detail} "
            'A full run with "detector": "train" makes one anew.'
        )
        return DetectorOutcome(current, {"plan": DetectorPlan.KEEP.value, "message": message})
    same = current if current and current.manifest.fruits == fruits else None
    comparison = _compare(job, corpus, same or trained, trained)
    objections = judge_detector(comparison) if same else judge_first_detector(comparison)
    report = {"plan": plan.value, "objections": objections, "comparison": asdict(comparison)}
    message = _trained(plan, trained, objections, comparison, has_current=same is not None)
    return DetectorOutcome(same if objections else trained, report | {"message": message})


def _readable(job: RetrainJob) -> list[BoxedPhoto]:
    return [each for each in job.boxed_photos if each.row.sha256 not in job.omissions.photos]


def _boxed_fruits(frames: Sequence[Frame]) -> Collection[str]:
    return {each.fruit for frame in frames for each in frame.boxes if each.fruit is not None}


def _compare(
    job: RetrainJob, corpus: TrainingCorpus, champion: TrainedDetector, candidate: TrainedDetector
) -> DetectorComparison:
    """On boxed photos, photos of one fruit and composed scenes that neither has learned."""
    frames = held_out_frames(job.replay, corpus.frames("test"))
    material = read_material(corpus, "test")
    return compare_detectors(
        Detector(champion.graph, champion.manifest),
        Detector(candidate.graph, candidate.manifest),
        held_out_pictures(frames, replace(material, boxed={})),
        FruitGrader(job.champion),
        job.progress,
    )


def held_out_frames(replay: ReplayBuffer, frames: Iterable[Frame]) -> list[Frame]:
    """Those of the test split that the champion has not learned: the runs of a source are dealt out
    anew when photos are imported."""
    learned = set(replay.sha256[replay.boxed & (replay.splits != "test")].tolist())
    return [frame for frame in frames if content_hash(frame.path.read_bytes()) not in learned]


def _without(plan: DetectorPlan, current: TrainedDetector | None) -> str:
    if plan is DetectorPlan.KEEP or current is None:
        return ""
    return (
        "This version has no detector: the current one finds other fruits than its classes name, "
        "and not all of these have boxes to train one on."
    )


def _trained(
    plan: DetectorPlan,
    trained: TrainedDetector,
    objections: Sequence[str],
    comparison: DetectorComparison,
    *,
    has_current: bool,
) -> str:
    learned = trained.manifest.catalog
    photos = number(learned.photographs, "boxed photo") if learned else "no boxed photos"
    how = "trained further on" if plan is DetectorPlan.TUNE else "trained anew with"
    notes = " ".join(detector_notes(comparison))
    if objections:
        kept = "the current one stays" if has_current else "this version has none"
        reasons = "; ".join(objections)
        return f"The detector that was {how} {photos} is not as good, so {kept}: {reasons}. {notes}"
    counts = comparison.overall
    result = f"{counts.candidate_right} of {counts.photographs} held-out pictures right"
    before = f" (before: {counts.champion_right})" if has_current else ""
    return f"The detector was {how} {photos}: {result}{before}. {notes}"
