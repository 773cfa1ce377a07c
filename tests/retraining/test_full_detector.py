"""The detector in a full run: trained further on new boxed photos, kept if the new one is worse."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from api.core.errors import ProblemError
from api.core.imaging.hashing import content_hash
from api.model.replay_buffer import ReplayBuffer
from api.retraining import full_detector, new_detector
from api.retraining.detector_plan import fingerprint
from api.retraining.full_corpus import build_corpus
from api.retraining.full_detector import make_detector
from api.retraining.new_detector import held_out_frames
from api.retraining.progress import RunAbortedError, Stage, stage_ranges
from api.training.detection.train import TrainedDetector
from api.training.frames import Frame
from tests.retraining.catalog import DEFAULT
from tests.retraining.detectors import FRUITS, TINY, Jobs, three_fruits
from tests.retraining.detectors import imported as imported  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import make_job as make_job  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import package as package  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import small_steps as small_steps  # noqa: PLC0414 - a fixture
from tests.retraining.detectors import tiny as tiny  # noqa: PLC0414 - a fixture

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("eager_training")
def test_new_boxed_photos_train_the_detector_further_once(
    make_job: Jobs, tiny: TrainedDetector, tmp_path: Path
) -> None:
    stages: set[str] = set()
    job = make_job(tiny, progress=lambda stage, _done, _total: stages.add(stage))
    corpus = build_corpus(job)
    assert [len(corpus.frames(split)) for split in ("train", "validation", "test")] == [3, 0, 1]
    outcome = make_detector(job, corpus)
    assert outcome.detector
    manifest = outcome.detector.manifest
    assert outcome.new
    assert outcome.new.detector == outcome.detector
    assert outcome.detector.graph != tiny.graph
    assert manifest.catalog == fingerprint(job.boxed_photos)
    assert manifest.catalog
    assert (manifest.catalog.photographs, manifest.catalog.boxes) == (3, 6)
    assert manifest.recipe == TINY.as_dict()
    assert outcome.report["plan"] == "tune"
    assert outcome.report["comparison"]["photographs"] == 1
    assert "trained further on 3 boxed photos" in outcome.report["message"]
    assert "Only 2 fruits with a box" in outcome.report["message"]
    assert "Training the detector" in stages
    assert stages <= set(stage_ranges("full", 0.2))

    # Learned photos are not learned again.
    (tmp_path / "second").mkdir()
    again = dataclasses.replace(make_job(outcome.detector), folder=tmp_path / "second")
    kept = make_detector(again, build_corpus(again))
    assert kept.detector == outcome.detector
    assert kept.report == {"plan": "keep", "message": ""}


@pytest.mark.usefixtures("eager_training")
def test_ended_run_stops_between_the_steps(make_job: Jobs, tiny: TrainedDetector) -> None:
    steps = []

    def progress(stage: str, done: int, _total: int) -> None:
        if stage == Stage.TRAINING_DETECTOR:
            steps.append(done)
            raise RunAbortedError("run")

    job = make_job(tiny, progress=progress)
    with pytest.raises(RunAbortedError):
        make_detector(job, build_corpus(job))
    assert steps == [1]


def test_detector_that_is_worse_is_not_taken(
    make_job: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DEFAULT.detector
    current = TrainedDetector(DEFAULT.detector, three_fruits(0.375))
    blind = TrainedDetector(DEFAULT.detector, three_fruits(0.999))
    monkeypatch.setattr(new_detector, "train_detector", lambda *_, **__: blind)
    monkeypatch.setattr(full_detector, "fruits_of_classes", lambda _: current.manifest.fruits)
    job = make_job(current)
    outcome = make_detector(job, build_corpus(job))
    assert outcome.detector is not None
    assert outcome.detector.manifest.score_threshold == 0.375
    assert outcome.new is None
    assert "is not as good, so the current one stays: it is right on" in outcome.report["message"]
    assert outcome.report["objections"]


def test_detector_that_cannot_be_trained_further_stays(
    make_job: Jobs, tiny: TrainedDetector
) -> None:
    other = dataclasses.replace(TINY, width=24).as_dict()
    detector = dataclasses.replace(
        tiny, manifest=tiny.manifest.model_copy(update={"recipe": other})
    )
    job = make_job(detector)
    outcome = make_detector(job, build_corpus(job))
    assert outcome.detector == detector
    assert outcome.report["plan"] == "keep"
    assert "cannot be trained further: The graph lacks" in outcome.report["message"]


def test_boxed_photo_that_cannot_be_read_is_left_out(
    make_job: Jobs, tiny: TrainedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs: list[Any] = []

    def fail(*_: Any, catalog: Any, **__: Any) -> None:
        catalogs.append(catalog)
        raise ProblemError("stop")

    monkeypatch.setattr(new_detector, "train_detector", fail)
    job = make_job(tiny)
    gone = job.boxed_photos[1].row
    read = job.read

    def read_others(blob: str) -> bytes:
        if blob == gone.blob:
            raise FileNotFoundError(blob)
        return read(blob)

    job = dataclasses.replace(job, read=read_others)
    corpus = build_corpus(job)
    assert len(corpus.catalog_frames) == 3
    assert job.omissions.figures["skipped_photos"] == [
        {"image_id": None, "filename": "2001.png", "reason": "its file is missing"}
    ]
    with pytest.raises(ProblemError, match="stop"):
        make_detector(job, corpus)
    assert catalogs[0].photographs == 2


def test_version_with_other_fruits_and_no_boxes_of_them_has_no_detector(
    make_job: Jobs, monkeypatch: pytest.MonkeyPatch, tiny: TrainedDetector
) -> None:
    monkeypatch.setattr(full_detector, "fruits_of_classes", lambda _: (*FRUITS, "kiwi"))
    job = make_job(tiny)
    outcome = make_detector(job, build_corpus(job))
    assert outcome.detector is None
    assert outcome.report["message"].startswith("This version has no detector")


def test_frames_that_the_champion_learned_are_not_judged_by(tmp_path: Path) -> None:
    frames = []
    for k in range(3):
        path = tmp_path / f"{k}.png"
        path.write_bytes(bytes([k]))
        frames.append(Frame(path, path.name, "phone", "test", (), complete=True))
    replay = SimpleNamespace(
        sha256=np.array([content_hash(bytes([k])) for k in (0, 1, 2)]),
        boxed=np.array([True, True, False]),
        splits=np.array(["train", "test", "train"]),
    )
    assert held_out_frames(cast("ReplayBuffer", replay), frames) == frames[1:]
