"""A tiny detector trained on drawn fruit finds drawn fruit."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.core.boxes import overlaps
from api.evaluation.build import measure_detector, with_detector
from api.evaluation.detection import measure_detection
from api.evaluation.summary import detection_lines
from api.model.detector import Detector
from api.model.instances import NoDetectorError
from api.model.package import BACKBONE, HEAD, REPLAY, Package, load_package, write_package
from api.settings import PROJECT
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.sampler import read_material
from api.training.detection.train import TrainedDetector, fit_network, train_detector
from tests.synthetic_images import draw_fruit
from tests.training.drawn import draw_corpus, shorten_detector

pytestmark = pytest.mark.slow
RECIPE = DetectorRecipe(input_size=96, steps=150, batch_size=8, warm_up_steps=5, averaging=0.9)
SIDE = 192


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return draw_corpus(tmp_path_factory.mktemp("drawn"), 40)


@pytest.fixture(scope="module")
def trained(corpus: TrainingCorpus) -> TrainedDetector:
    return train_detector(RECIPE, corpus)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """The shipped grader without a detector."""
    shipped = load_package(PROJECT / "models" / "default")

    def fill(parts: Path) -> None:
        for name in (BACKBONE, HEAD, REPLAY):
            (parts / name).write_bytes((shipped.folder / name).read_bytes())

    write_package(
        tmp_path / "package",
        fill,
        lambda files: shipped.manifest.model_copy(update={"files": files, "detector": None}),
    )
    return load_package(tmp_path / "package")


def test_drawn_fruit_is_found(trained: TrainedDetector) -> None:
    detector = Detector(trained.graph, trained.manifest)
    scene = Image.new("RGB", (2 * SIDE, SIDE), "white")
    true = []
    for k, kind in enumerate(("freshapples", "freshbanana")):
        fruit = draw_fruit(kind, seed=900 + k, size=SIDE)
        scene.paste(fruit, (k * SIDE, 0))
        left, top, right, bottom = Image.fromarray(
            (np.asarray(fruit).min(axis=2) < 200).astype(np.uint8)
        ).getbbox() or (0, 0, 0, 0)
        true.append((left + k * SIDE, top, right + k * SIDE, bottom))
    found = detector(np.asarray(scene))
    assert len(found) >= 2
    pairs = overlaps(np.array(true, np.float32), np.array([each.box for each in found], np.float32))
    assert pairs.max(axis=1).min() > 0.5
    assert [found[k].fruit for k in pairs.argmax(axis=1)] == ["apple", "banana"]


def test_same_seed_gives_the_same_detector(
    corpus: TrainingCorpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_detector(monkeypatch)
    short = dataclasses.replace(RECIPE, weights="none", steps=2, warm_up_steps=1)
    material = read_material(corpus, "train")
    first, second = (fit_network(short, material).get_weights() for _ in range(2))
    for before, after in zip(first, second, strict=True):
        assert np.array_equal(before, after)


def test_graph_with_weights_that_are_not_finite_is_refused(
    trained: TrainedDetector, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.training.detection.network import build_detector  # noqa: PLC0415
    from api.training.export import to_litert  # noqa: PLC0415

    shorten_detector(monkeypatch)
    network = build_detector(dataclasses.replace(RECIPE, weights="none"), 2)
    network.set_weights([np.full_like(weights, np.nan) for weights in network.get_weights()])
    with pytest.raises(ValueError, match="output is not finite"):
        Detector(to_litert(network), trained.manifest)


def test_detector_is_put_into_a_package_beside_the_same_grader(
    trained: TrainedDetector, package: Package, corpus: TrainingCorpus
) -> None:
    with pytest.raises(NoDetectorError, match=r"has no detector\. Give it one"):
        measure_detection(package, corpus)
    manifest = with_detector(package, trained, package.head.several, package.folder)
    assert manifest.version != package.manifest.version
    loaded = load_package(package.folder)
    for name in (BACKBONE, HEAD, REPLAY):
        assert manifest.files[name] == package.manifest.files[name]
    assert loaded.detector == trained.graph
    assert loaded.manifest.metrics == package.manifest.metrics
    assert TrainedDetector.of_package(loaded) == trained

    metrics = measure_detection(loaded, corpus, trays=4)
    assert metrics["single"][""]["photographs"] == len(corpus.photographs("test"))
    assert any("exactly one found" in line for line in detection_lines(metrics))
    assert (metrics["boxed"], metrics["worst_misses"]) == (None, [])

    measured = measure_detector(loaded, corpus, trays=4)
    assert measured.version == manifest.version
    again = load_package(package.folder)
    assert again.manifest.detector
    assert again.manifest.detector.metrics == metrics
    assert again.manifest.files == manifest.files
