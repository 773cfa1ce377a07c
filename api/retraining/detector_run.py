"""A run that trains only the detector: its version has the champion's grader."""

from api.core.errors import ProblemError
from api.evaluation.build import measure_detector, with_detector
from api.model.package import load_package
from api.retraining.detector_plan import DetectorPlan, plan_detector_run
from api.retraining.full_corpus import build_detector_corpus
from api.retraining.job import Candidate, RetrainJob
from api.retraining.new_detector import NewDetector, learnable_boxes, train_new_detector
from api.training.corpus import TrainingCorpus
from api.training.detection.restore import NotRestorableError
from api.training.detection.sampler import fruits_of_classes
from api.training.detection.train import TrainedDetector
from api.training.train import TrainingDivergedError

# Composed trays to measure a detector on.
TRAYS = 40


class NotTunableError(ProblemError):
    code = "detector-not-tunable"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The current detector cannot be trained further: {reason} A run with "
            '"mode": "detector" and "detector": "train" trains a new one.'
        )


def make_candidate(job: RetrainJob) -> Candidate:
    """The champion's package with another detector, even if that is not as good.

    Raises what `plan_detector_run`, `build_detector_corpus` and `train_detector` raise, or
    NotTunableError.
    """
    champion = job.champion.manifest
    current = TrainedDetector.of_package(job.champion)
    fruits = fruits_of_classes(champion.classes)
    from_scratch = job.options.get("detector") == "train"
    if current and not from_scratch:
        fruits = current.manifest.fruits
    corpus = build_detector_corpus(job, fruits)
    plan = plan_detector_run(champion.detector, learnable_boxes(job), from_scratch=from_scratch)
    try:
        new = train_new_detector(job, corpus, plan, current)
    except (NotRestorableError, TrainingDivergedError) as error:
        if plan is DetectorPlan.TRAIN:
            raise
        raise NotTunableError(error.detail) from error
    return with_grader_of_champion(job, corpus, new)


def with_grader_of_champion(job: RetrainJob, corpus: TrainingCorpus, new: NewDetector) -> Candidate:
    """The champion's package with a new detector, measured on the test split of `corpus`."""
    folder = job.folder / "detector"
    with_detector(
        job.champion,
        new.detector,
        job.champion.head.several,
        folder,
        parent=job.champion.manifest.version,
        started_by=job.started_by,
    )
    manifest = measure_detector(load_package(folder), corpus, job.progress, TRAYS)
    return Candidate(folder, manifest, None, new.report | {"message": new.result})
