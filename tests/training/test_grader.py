"""A grader trained on drawn images: its two heads and exported graph."""

from types import SimpleNamespace

import numpy as np
import pytest

from api.training.corpus import TrainingCorpus, read_corpus
from api.training.export import ExportError, check_agreement
from api.training.grader import Grader, train_grader
from api.training.recipe import Recipe
from api.training.samples import load_inputs
from tests.training.collection import draw_collection

RECIPE = Recipe(epochs=1, views=320, input_size=32, batch_size=32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("collection")))


@pytest.fixture(scope="module")
def grader(corpus: TrainingCorpus) -> Grader:
    return train_grader(RECIPE, corpus.training_split())


def test_grader_has_kind_and_freshness_heads(grader: Grader, corpus: TrainingCorpus) -> None:
    head = grader.head
    kinds = int(head.kind_of.max()) + 1
    assert head.classes == len(corpus.classes)
    # One output more than there are kinds: "none of them".
    assert head.kinds.weights.shape == (1280, kinds + 1)
    assert head.freshness is not None
    samples = corpus.photographs("test")
    probabilities = head.probabilities(grader.embed(samples))
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_exported_graph_agrees_with_keras(grader: Grader, corpus: TrainingCorpus) -> None:
    pixels = load_inputs(corpus.photographs("test"), RECIPE.input_size)
    log_probabilities = grader.head.log_probabilities
    agreement = check_agreement(grader.keras_backbone, grader.backbone, pixels, log_probabilities)
    assert agreement.same_class == len(pixels) > 0
    assert grader.head.channels == grader.keras_backbone.output_shape[-1] == 1280


@pytest.mark.parametrize(("margin", "agrees"), [(5e-5, True), (5e-4, False)])
def test_graph_may_differ_only_on_ties(margin: float, agrees: bool) -> None:
    maps = [
        np.array([0, margin], np.float32).reshape(1, 1, 1, 2),
        np.zeros((1, 1, 1, 2), np.float32),
    ]
    keras_backbone = SimpleNamespace(predict_on_batch=lambda _image: maps[0])
    arguments = (
        keras_backbone,
        lambda _images: maps[1],
        np.zeros((1, 8, 8, 3), np.uint8),
        lambda embeddings: embeddings,
    )
    if agrees:
        assert check_agreement(*arguments).same_class == 1
    else:
        with pytest.raises(ExportError):
            check_agreement(*arguments)


def test_nan_fails_the_export_check() -> None:
    feature_map = np.full((1, 1, 1, 4), np.nan, np.float32)
    keras_backbone = SimpleNamespace(predict_on_batch=lambda _image: feature_map)
    with pytest.raises(ExportError):
        check_agreement(
            keras_backbone,
            lambda _images: feature_map,
            np.zeros((2, 8, 8, 3), np.uint8),
            lambda embeddings: embeddings,
        )


def test_most_held_out_fruit_is_recognised(grader: Grader, corpus: TrainingCorpus) -> None:
    fruit = [sample for sample in corpus.training_split().validation if sample.target]
    assert grader.head.recognises(grader.embed(fruit)).mean() >= 0.9
    assert np.isfinite(grader.head.ood.threshold)
