"""Building a package from a folder of drawn images."""

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.core.layout import EmptyFolderError
from api.evaluation.build import build_package
from api.model.manifest import Manifest
from api.model.package import REPLAY, load_package
from api.model.predictor import Predictor
from api.model.replay_buffer import ReplayBuffer
from api.training import train as module
from api.training.backbones.architectures import build_network
from api.training.corpus import TooFewPhotographsError, TrainingCorpus, read_corpus
from api.training.grader import train_grader
from api.training.recipe import Recipe
from tests.synthetic_images import draw_fruit, encode

RECIPE = Recipe(epochs=1, views=160, input_size=64, batch_size=16)
CLASSES = ("freshapples", "freshbanana")
PICTURES = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of fruit, and noise images."""
    root = tmp_path_factory.mktemp("drawn")
    for class_name in CLASSES:
        (root / class_name).mkdir()
        for seed in range(PICTURES):
            data = encode(draw_fruit(class_name, seed=seed), "JPEG")
            (root / class_name / f"{seed}.jpg").write_bytes(data)
    (root / "not_fruit").mkdir()
    for seed in range(12):
        noise = np.random.default_rng(seed).integers(0, 256, (80, 80, 3), dtype=np.uint8)
        (root / "not_fruit" / f"{seed}.png").write_bytes(encode(Image.fromarray(noise), "PNG"))
    return root


@pytest.fixture(scope="module")
def corpus(folder: Path) -> TrainingCorpus:
    return read_corpus(folder)


@pytest.fixture(scope="module")
def built(
    corpus: TrainingCorpus, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Manifest, dict[str, tuple[int, int]]]:
    """The package, its manifest, and the last progress of each stage."""
    package = tmp_path_factory.mktemp("models") / "drawn"
    progress_by_stage: dict[str, tuple[int, int]] = {}

    def progress(stage: str, done: int, total: int) -> None:
        progress_by_stage[stage] = (done, total)

    return package, build_package(corpus, RECIPE, package, progress), progress_by_stage


def test_package_grades_unseen_images(
    built: tuple[Path, Manifest, object],
) -> None:
    package, manifest, _ = built
    runtime = Predictor.of_package(load_package(package))
    correct = [
        runtime.predict(encode(draw_fruit(class_name, seed=seed), "JPEG")).class_name == class_name
        for class_name in CLASSES
        for seed in range(1000, 1010)
    ]
    assert sum(correct) >= 0.8 * len(correct)
    assert manifest.metrics["test_by_photograph"]["accuracy"] > 0.9


def test_manifest_describes_the_run(built: tuple[Path, Manifest, object]) -> None:
    _, manifest, _ = built
    assert manifest.classes == CLASSES
    assert manifest.recipe == RECIPE.as_dict()
    assert manifest.feature_shape == (2, 2, 1280)
    assert manifest.data.photographs <= 2 * PICTURES
    agreement = manifest.metrics["export_agreement"]
    assert agreement["same_class"] == agreement["photographs"] > 0
    assert len(manifest.metrics["training_curves"]) == 1
    assert manifest.metrics["rejection"]["other_files"] > 0
    assert set(manifest.metrics["rejection"]["drawn_rejected"]) == {"noise", "flat_colour", "blank"}
    scores = manifest.metrics["test_by_photograph"]
    assert scores["expected_calibration_error_before_scaling"] >= 0
    assert {"reliability", "roc", "precision_recall", "slices", "worst_mistakes"} <= set(scores)
    assert len(manifest.model_dump_json()) < 60_000


def test_every_stage_reports_completion(
    built: tuple[Path, Manifest, dict[str, tuple[int, int]]],
) -> None:
    _, _, progress_by_stage = built
    assert "Fine-tuning" in progress_by_stage
    assert all(done == total for done, total in progress_by_stage.values())


def test_replay_has_the_embeddings_of_every_photo(
    built: tuple[Path, Manifest, object], corpus: TrainingCorpus
) -> None:
    package, manifest, _ = built
    replay = ReplayBuffer.load(package / REPLAY)
    assert len(replay.embeddings) == manifest.data.photographs
    assert set(replay.splits) == {"train", "validation", "test"}
    assert set(replay.photographs) == {file.photograph for file in corpus.listing.files}
    head = load_package(package).head
    predicted = head.probabilities(replay.embeddings).argmax(axis=1)
    assert (predicted == replay.targets.argmax(axis=1)).mean() > 0.9


def test_training_is_reproducible(
    built: tuple[Path, Manifest, object], corpus: TrainingCorpus
) -> None:
    package, manifest, _ = built
    again = train_grader(RECIPE, corpus.training_split())
    head = load_package(package).head
    assert list(again.history) == manifest.metrics["training_curves"]
    assert np.array_equal(again.head.kinds.weights, head.kinds.weights)
    # Two classes of sound fruit, so no freshness head.
    assert again.head.freshness is head.freshness is None


@pytest.mark.usefixtures("eager_training")
def test_weights_are_interpolated_by_the_kept_share(corpus: TrainingCorpus, tmp_path: Path) -> None:
    pretrained = tmp_path / "own.weights.h5"
    untouched = build_network("custom_cnn", 32, "none")
    with warnings.catch_warnings():
        # Keras' save_weights uses an array interface that NumPy 2 deprecates.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        untouched.save_weights(pretrained)
    recipe = dataclasses.replace(
        RECIPE,
        architecture="custom_cnn",
        weights=str(pretrained),
        input_size=32,
        views=32,
        learning_rate=0.01,
        averaging=0.1,
    )
    split = corpus.training_split()
    before, half, after = (
        module.train(dataclasses.replace(recipe, kept_share=share), split).backbone.get_weights()
        for share in (1.0, 0.5, 0.0)
    )
    assert all(np.array_equal(a, b) for a, b in zip(before, untouched.get_weights(), strict=True))
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(before, after, strict=True))
    for a, b, c in zip(before, half, after, strict=True):
        assert b == pytest.approx((a + c) / 2, abs=1e-5)


def test_empty_and_small_folders_are_different_errors(tmp_path: Path) -> None:
    with pytest.raises(EmptyFolderError):
        read_corpus(tmp_path)
    (tmp_path / "freshapples").mkdir()
    for seed in range(3):
        path = tmp_path / "freshapples" / f"{seed}.jpg"
        path.write_bytes(encode(draw_fruit("freshapples", seed=seed), "JPEG"))
    with pytest.raises(TooFewPhotographsError, match="at least two"):
        read_corpus(tmp_path)
    (tmp_path / "mango").mkdir()
    (tmp_path / "mango" / "1.jpg").write_bytes(encode(draw_fruit("freshoranges", seed=1), "JPEG"))
    with pytest.raises(TooFewPhotographsError, match="none falls into the"):
        read_corpus(tmp_path)
