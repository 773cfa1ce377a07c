"""A small detector, and jobs that train it on boxed photos of the catalog. Modules import the
fixtures they use, since a conftest.py would import TensorFlow in the fast lane.
"""

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from api.model.manifest import DetectorManifest
from api.model.package import Package, load_package
from api.retraining.job import RetrainJob
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.train import TrainedDetector
from tests.retraining.catalog import (
    DEFAULT,
    KNOWN,
    PICTURES,
    a_boxed_photo,
    picture,
    write_champion,
)
from tests.synthetic_images import encode
from tests.training.drawn import shorten_detector

FRUITS = ("apple", "banana")
TINY = DetectorRecipe(
    weights="none", input_size=64, width=16, tuning_steps=2, batch_size=4, warm_up_steps=1
)
Jobs = Callable[..., RetrainJob]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The small champion."""
    return load_package(write_champion(tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photos of the champion's classes, laid out as by `make data`."""
    root = tmp_path_factory.mktemp("imported")
    for class_name in KNOWN:
        (root / class_name).mkdir()
        for seed in range(PICTURES):
            (root / class_name / f"{seed}.png").write_bytes(encode(picture(class_name, seed)))
    return root


@pytest.fixture(scope="module")
def small_steps() -> Iterator[None]:
    """Make detector training small: a short network, and few composed scenes to judge it by.
    tests/training/detection tests the whole network.
    """
    with pytest.MonkeyPatch.context() as patch:
        shorten_detector(patch)
        patch.setattr("api.training.detection.threshold.SCENES", 12)
        patch.setattr("api.evaluation.compare_detectors.COMPOSED", 20)
        yield


@pytest.fixture(scope="module")
def tiny(small_steps: None) -> TrainedDetector:
    return tiny_detector()


@pytest.fixture
def make_job(small_steps: None, package: Package, imported: Path, tmp_path: Path) -> Jobs:
    """Makes jobs of the champion; takes the arguments of `detector_job`."""
    return partial(detector_job, package, imported, tmp_path)


@cache
def tiny_detector(fruits: tuple[str, ...] = FRUITS) -> TrainedDetector:
    """A small detector that finds nothing useful."""
    from api.training.detection.network import build_detector  # noqa: PLC0415
    from api.training.export import to_litert  # noqa: PLC0415

    graph = to_litert(build_detector(TINY, len(fruits)), half_precision=True)
    described = _manifest(fruits=fruits, recipe=TINY.as_dict(), input_size=TINY.input_size)
    return TrainedDetector(graph, described)


def three_fruits(threshold: float) -> DetectorManifest:
    """The shipped detector with another threshold."""
    assert DEFAULT.manifest.detector
    return _manifest(fruits=DEFAULT.manifest.detector.fruits, score_threshold=threshold)


def detector_job(
    champion: Package,
    imported: Path,
    folder: Path,
    detector: TrainedDetector | None,
    photos: int = 4,
    **rest: Any,
) -> RetrainJob:
    """A job with boxed photos of the catalog, all but one of them in the training split."""
    boxed, stored = [], {}
    for seed in range(2000, 2000 + photos):
        photo, data = a_boxed_photo(seed, KNOWN[0], None)
        photo.row.split = "test" if seed == 2000 else "train"
        stored[photo.row.blob] = data
        boxed.append(photo)
    manifest = champion.manifest.model_copy(
        update={"detector": detector.manifest if detector else None}
    )
    graph = detector.graph if detector else None
    return RetrainJob(
        dataclasses.replace(champion, manifest=manifest, detector=graph),
        photos=[],
        boxed_photos=boxed,
        started_by="me",
        read=stored.__getitem__,
        folder=folder,
        imported=imported,
        **{"options": {}, **rest},
    )


def _manifest(**changes: Any) -> DetectorManifest:
    assert DEFAULT.manifest.detector
    return DEFAULT.manifest.detector.model_copy(update={"probe": None, "catalog": None, **changes})
