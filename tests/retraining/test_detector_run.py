"""A run that trains only the detector: the grader stays the same, file for file."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from api.core.imaging.hashing import content_hash
from api.evaluation.build import with_detector
from api.model.package import BACKBONE, DETECTOR, HEAD, REPLAY, Package, load_package
from api.registry import repository as registered
from api.registry import service as registry
from api.retraining import detector_run, new_detector, progress, run_process, service
from api.retraining.detector_plan import NoBoxedPhotosError, NoDetectorToTuneError, fingerprint
from api.retraining.full_corpus import PhotographsMissingError, build_detector_corpus
from api.retraining.progress import ProgressReporter, RunAbortedError, Stage, stage_ranges
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.models import ModelRow, RunRow
from api.training.detection.train import TrainedDetector
from tests.retraining.catalog import DEFAULT, GRADER_MADE_AT, KNOWN, Run
from tests.retraining.detectors import FRUITS, TINY, Jobs, three_fruits, tiny_detector
from tests.retraining.detectors import imported as imported  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import make_job as make_job  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import package as package  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import small_steps as small_steps  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import tiny as tiny  # noqa: PLC0414 - a fixture
from tests.retraining.test_boxed_fruits import add_boxed_photo
from tests.training.drawn_collection import draw_collection

pytestmark = pytest.mark.slow
GRADER = (BACKBONE, HEAD, REPLAY)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _few_trays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector_run, "TRAYS", 4)


@pytest.mark.usefixtures("eager_training")
def test_detector_is_trained_further_and_the_grader_stays(
    make_job: Jobs, tiny: TrainedDetector, package: Package
) -> None:
    stages: set[str] = set()
    job = make_job(tiny, progress=lambda stage, _done, _total: stages.add(stage))
    candidate = detector_run.make_candidate(job)
    manifest = candidate.manifest
    assert candidate.comparison is None
    assert load_package(candidate.folder).manifest == manifest
    for name in GRADER:
        assert manifest.files[name] == package.manifest.files[name]
    assert manifest.files[DETECTOR] != content_hash(tiny.graph)
    assert (manifest.parent, manifest.started_by) == ("champion", "me")
    assert manifest.version != "champion"
    assert manifest.grader_made_at == GRADER_MADE_AT < manifest.created_at
    assert manifest.metrics == package.manifest.metrics
    assert manifest.detector
    assert manifest.detector.catalog == fingerprint(job.boxed_photos)
    assert manifest.detector.metrics["single"]
    assert candidate.detector["plan"] == "tune"
    assert "trained further on 3 boxed photos: " in candidate.detector["message"]
    assert {Stage.TRAINING_DETECTOR, Stage.COMPARING_DETECTORS} <= stages
    assert stages <= set(stage_ranges("detector"))


def test_detector_that_is_worse_is_kept_for_a_person_to_judge(
    make_job: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DEFAULT.detector
    blind = TrainedDetector(DEFAULT.detector, three_fruits(0.999))
    monkeypatch.setattr(new_detector, "train_detector", lambda *_, **__: blind)
    current = TrainedDetector(DEFAULT.detector, three_fruits(0.375))
    candidate = detector_run.make_candidate(make_job(current))
    assert candidate.detector["objections"]
    assert candidate.manifest.detector
    assert candidate.manifest.detector.score_threshold == 0.999


def test_without_boxed_photos_there_is_nothing_to_learn(
    make_job: Jobs, tiny: TrainedDetector
) -> None:
    # The only boxed photo is held out.
    with pytest.raises(NoBoxedPhotosError, match="upload-boxed-photos"):
        detector_run.make_candidate(make_job(tiny, photos=1))


def test_without_a_detector_one_must_be_trained_from_the_start(
    make_job: Jobs, tiny: TrainedDetector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoDetectorToTuneError, match='"detector": "train"'):
        detector_run.make_candidate(make_job(None))
    starts: list[Any] = []

    def train(*_: Any, start: Any, **__: Any) -> TrainedDetector:
        starts.append(start)
        return tiny

    monkeypatch.setattr(new_detector, "train_detector", train)
    (tmp_path / "second").mkdir()
    job = dataclasses.replace(
        make_job(None, options={"detector": "train"}), folder=tmp_path / "second"
    )
    candidate = detector_run.make_candidate(job)
    assert starts == [None]
    assert candidate.detector["plan"] == "train"
    # It finds nothing.
    assert candidate.detector["objections"]


def test_detector_of_another_shape_must_be_trained_from_the_start(
    make_job: Jobs, tiny: TrainedDetector
) -> None:
    other = dataclasses.replace(TINY, width=24).as_dict()
    detector = dataclasses.replace(
        tiny, manifest=tiny.manifest.model_copy(update={"recipe": other})
    )
    with pytest.raises(detector_run.NotTunableError, match=r'lacks.*"detector": "train"'):
        detector_run.make_candidate(make_job(detector))


@pytest.mark.usefixtures("eager_training")
def test_fruit_that_the_detector_does_not_find_is_left_out(make_job: Jobs) -> None:
    """A fast run may have added it."""
    candidate = detector_run.make_candidate(make_job(tiny_detector(("apple",))))
    assert candidate.manifest.detector
    assert candidate.manifest.detector.fruits == ("apple",)
    assert candidate.manifest.classes == KNOWN


def test_imported_photos_must_be_on_this_machine(
    make_job: Jobs, tiny: TrainedDetector, tmp_path: Path
) -> None:
    job = dataclasses.replace(make_job(tiny), imported=tmp_path / "nothing")
    with pytest.raises(PhotographsMissingError, match=r"Training the detector .* would forget"):
        build_detector_corpus(job, FRUITS)


def test_boxes_imported_since_are_for_a_full_run(
    make_job: Jobs, tiny: TrainedDetector, imported: Path, tmp_path: Path
) -> None:
    """The champion's replay buffer says which imported photos a detector has learned."""
    collection = draw_collection(tmp_path / "collection")
    for class_name in KNOWN:
        (collection / class_name).mkdir(exist_ok=True)
        for path in (imported / class_name).iterdir():
            (collection / class_name / f"more-{path.name}").write_bytes(path.read_bytes())
    job = dataclasses.replace(make_job(tiny), imported=collection)
    assert build_detector_corpus(job, FRUITS).boxes == ()

    learned = sorted((collection / "phone").glob("*.jpg"))[:2]
    rows = np.arange(len(job.replay.sha256)) < len(learned)
    sha256 = job.replay.sha256.copy()
    sha256[rows] = [content_hash(path.read_bytes()) for path in learned]
    photographs = np.where(rows, "boxed/phone/run", job.replay.photographs)
    known = dataclasses.replace(job.replay, sha256=sha256, photographs=photographs)
    folder = tmp_path / "second"
    folder.mkdir()
    again = dataclasses.replace(job, folder=folder)
    vars(again)["replay"] = known
    assert {box.path for box in build_detector_corpus(again, FRUITS).boxes} == set(learned)


@pytest.fixture(autouse=True)
def photographs(imported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The photos imported on the worker's machine."""
    monkeypatch.setattr(run_process, "IMPORTED_PHOTOGRAPHS", imported)


@pytest.fixture
def champion() -> str:
    """Each test installs its own champion."""
    return ""


@pytest.fixture
def install(
    database: Database, blobs: Blobs, package: Package, tmp_path: Path
) -> Callable[[TrainedDetector], str]:
    """Installs a champion with a detector, and adds boxed photos."""

    def register(detector: TrainedDetector) -> str:
        folder = tmp_path / "serving"
        manifest = with_detector(package, detector, package.head.several, folder)
        registry.register_shipped(database, blobs, folder)
        for seed in range(2000, 2010):
            add_boxed_photo(database, blobs, seed, *KNOWN)
        return manifest.version

    return register


def test_first_new_detector_keeps_the_date_of_the_grader(
    package: Package, tiny: TrainedDetector, tmp_path: Path
) -> None:
    manifest = package.manifest.model_copy(update={"grader_created_at": None})
    package = dataclasses.replace(package, manifest=manifest)
    described = with_detector(package, tiny, package.head.several, tmp_path / "first")
    assert described.grader_made_at == manifest.created_at
    assert load_package(tmp_path / "first").manifest == described


@on_sqlite
@pytest.mark.usefixtures("eager_training")
def test_whole_run_serves_the_new_detector(
    run: Run, install: Callable[..., str], database: Database, tiny: TrainedDetector
) -> None:
    before = install(tiny)
    finished = run("detector")
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    assert finished.verdict["promote"], finished.message
    assert finished.verdict["reasons"] == [
        "It grades as before; what is new is how it finds the fruits of a photo."
    ]
    assert "serves. The detector was trained further on" in finished.message
    with database.reading() as session:
        assert registered.champion_version(session) == finished.candidate
        row = session.get_one(ModelRow, finished.candidate)
        assert (row.origin, row.parent) == ("detector", before)


@on_sqlite
def test_worse_detector_becomes_a_challenger(
    run: Run, install: Callable[..., str], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DEFAULT.detector
    blind = TrainedDetector(DEFAULT.detector, three_fruits(0.999))
    monkeypatch.setattr(new_detector, "train_detector", lambda *_, **__: blind)
    before = install(TrainedDetector(DEFAULT.detector, three_fruits(0.375)))
    finished = run("detector")
    assert finished.state == "succeeded", finished.message
    assert finished.verdict
    assert not finished.verdict["passed"]
    assert "It does not find fruits well enough: it is right on" in finished.message
    with database.reading() as session:
        assert registered.champion_version(session) == before
        assert session.get_one(ModelRow, finished.candidate).pruned_at is None


@on_sqlite
def test_run_that_has_nothing_to_learn_says_what_to_do(
    run: Run, install: Callable[..., str], blobs: Blobs, tiny: TrainedDetector
) -> None:
    install(tiny)
    for name in list(blobs.keys("boxed-photos/")):
        blobs.delete(name)
    finished = run("detector")
    assert finished.state == "failed"
    assert "no photos with boxes" in finished.message
    assert "upload-boxed-photos" in finished.message


@on_sqlite
@pytest.mark.usefixtures("eager_training")
def test_cancelled_run_ends_at_its_next_step(
    run: Run,
    install: Callable[..., str],
    database: Database,
    tiny: TrainedDetector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    longer = dataclasses.replace(TINY, tuning_steps=6).as_dict()
    manifest = tiny.manifest.model_copy(update={"recipe": longer})
    before = install(dataclasses.replace(tiny, manifest=manifest))
    monkeypatch.setattr(progress, "MIN_WRITE_SECONDS", 0.0)
    report, steps = ProgressReporter.__call__, []

    def count(self: ProgressReporter, stage: str, done: int, total: int) -> None:
        report(self, stage, done, total)
        if stage == Stage.TRAINING_DETECTOR:
            steps.append(done)
            if done == 2:
                with database.session() as session:
                    [row] = session.scalars(select(RunRow))
                    service.end(row, "cancelled", "Cancelled.")

    monkeypatch.setattr(ProgressReporter, "__call__", count)
    with pytest.raises(RunAbortedError):
        run("detector")
    assert steps == [1, 2]
    with database.reading() as session:
        assert registered.champion_version(session) == before
        assert [row.version for row in session.scalars(select(ModelRow))] == [before]
