"""Trains a new detector or the current one further, and compares both on held-out pictures."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from api.core.formatting import number
from api.core.imaging.hashing import content_hash
from api.core.paired_comparison import DetectorComparison
from api.evaluation.compare_detectors import compare_detectors, held_out_pictures
from api.evaluation.detection import FruitGrader
from api.model.detector import Detector
from api.model.manifest import BoxedFingerprint
from api.model.replay_buffer import ReplayBuffer
from api.registry.detector_rules import detector_notes, judge_detector, judge_first_detector
from api.retraining.detector_plan import DetectorPlan, fingerprint
from api.retraining.job import RetrainJob
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.sampler import read_material
from api.training.detection.train import TrainedDetector, train_detector
from api.training.frames import Frame


@dataclass(frozen=True)
class NewDetector:
    """A detector trained by the plan TUNE or TRAIN. `replaced` is the one in use; None if there is
    none or it finds other fruits. Without `objections` the new one is as good."""

    plan: DetectorPlan
    detector: TrainedDetector
    replaced: TrainedDetector | None
    comparison: DetectorComparison
    objections: list[str]

    @property
    def report(self) -> dict[str, Any]:
        """For the stored verdict, JSON-ready; without a message."""
        return {
            "plan": self.plan.value,
            "objections": self.objections,
            "comparison": asdict(self.comparison),
        }

    @property
    def how(self) -> str:
        """How it was made: the words after "was"."""
        learned = self.detector.manifest.catalog
        photos = number(learned.photographs, "boxed photo") if learned else "no boxed photos"
        how = "further on" if self.plan is DetectorPlan.TUNE else "from scratch with"
        return f"trained {how} {photos}"

    @property
    def result(self) -> str:
        """Sentences: how it was made and what it has right."""
        counts = self.comparison.overall
        right = f"{counts.candidate_right} of {counts.photographs} held-out photos right"
        before = f" (before: {counts.champion_right})" if self.replaced else ""
        return f"The detector was {self.how}: {right}{before}. {self.notes}"

    @property
    def notes(self) -> str:
        return " ".join(detector_notes(self.comparison))


def train_new_detector(
    job: RetrainJob, corpus: TrainingCorpus, plan: DetectorPlan, current: TrainedDetector | None
) -> NewDetector:
    """Train by `plan`, TUNE (which needs a `current` one) or TRAIN, and compare.

    Raises what `train_detector` raises.
    """
    recipe = DetectorRecipe.from_dict(current.manifest.recipe if current else {})
    start = current if plan is DetectorPlan.TUNE else None
    learned = learnable_boxes(job)
    trained = train_detector(recipe, corpus, job.progress, start=start, catalog=learned)
    same = current if current and current.manifest.fruits == trained.manifest.fruits else None
    comparison = _compare(job, corpus, same or trained, trained)
    objections = judge_detector(comparison) if same else judge_first_detector(comparison)
    return NewDetector(plan, trained, same, comparison, objections)


def learnable_boxes(job: RetrainJob) -> BoxedFingerprint | None:
    """The boxed photos that a detector learns: those that could be read."""
    skipped = job.omissions.photos
    return fingerprint(each for each in job.boxed_photos if each.row.sha256 not in skipped)


def held_out_frames(replay: ReplayBuffer, frames: Iterable[Frame]) -> list[Frame]:
    """Frames of the test split that the champion has not learned: importing photos deals the runs
    of a source to new splits."""
    learned = set(replay.sha256[replay.boxed & (replay.splits != "test")].tolist())
    return [frame for frame in frames if content_hash(frame.path.read_bytes()) not in learned]


def _compare(
    job: RetrainJob, corpus: TrainingCorpus, champion: TrainedDetector, candidate: TrainedDetector
) -> DetectorComparison:
    """Compare on boxed photos, photos of one fruit and composed scenes that neither has learned."""
    frames = held_out_frames(job.replay, corpus.frames("test"))
    material = read_material(corpus, "test", candidate.manifest.fruits)
    return compare_detectors(
        Detector(champion.graph, champion.manifest),
        Detector(candidate.graph, candidate.manifest),
        held_out_pictures(frames, replace(material, boxed={})),
        FruitGrader(job.champion),
        job.progress,
    )
