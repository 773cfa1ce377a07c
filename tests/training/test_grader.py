"""A real grader of drawn pictures: when it has an expert, and that this is exported with it."""

from dataclasses import replace

import numpy as np
import pytest

from api.predict.head import MOST
from api.training.corpus import Corpus, read_corpus
from api.training.export import check_agreement
from api.training.grader import Grader, expert_wanted, train_grader
from api.training.recipe import Recipe
from api.training.samples import inputs
from api.training.study import Study
from tests.training.collection import draw_collection

RECIPE = Recipe(epochs=1, input_size=32, batch_size=32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("collection")))


@pytest.fixture(scope="module")
def study(corpus: Corpus) -> Study:
    return corpus.study(RECIPE)


@pytest.fixture(scope="module")
def grader(study: Study) -> Grader:
    return train_grader(RECIPE, study)


def test_the_expert_is_asked_about_what_looks_like_the_class_folders(
    grader: Grader, study: Study
) -> None:
    expert = grader.head.expert
    assert expert
    share = expert.share(grader.embed(study.training))
    studio = np.array([sample.studio for sample in study.training])
    assert share[studio].min() > MOST / 2 > share[~studio].max()
    assert expert.share(grader.embed(study.others)).max() < MOST / 2


def test_the_exported_graph_has_the_texture(grader: Grader, corpus: Corpus) -> None:
    pixels = inputs(corpus.photographs("test"), RECIPE.input_size)
    agreement = check_agreement(grader.keras_backbone, grader.backbone, pixels, grader.head.logits)
    assert agreement.same_class == len(pixels) > 0
    assert grader.head.channels == grader.keras_backbone.output_shape[-1] == 1280 + 2 * 672 + 1


def test_there_is_none_where_it_could_not_be_taught(study: Study) -> None:
    """Nor where it is not wanted, nor where every photograph was uploaded by somebody."""
    studio = [sample for sample in study.training if sample.studio]
    files = frozenset(path for sample in studio for path in sample.copies)
    assert expert_wanted(RECIPE, study)
    assert not expert_wanted(replace(RECIPE, expert=False), study)
    assert not expert_wanted(replace(RECIPE, architecture="custom_cnn"), study)
    assert not expert_wanted(RECIPE, replace(study, training=studio))
    assert not expert_wanted(RECIPE, replace(study, uploads=files))


def test_uploads_are_learned_but_do_not_open_the_gate(corpus: Corpus) -> None:
    """Where they were taken nobody knows: those of a phone would open it for all of its kind."""
    path = corpus.listing.files[0].path
    uploaded = replace(corpus, catalog=frozenset([path])).study(RECIPE)
    assert uploaded.uploads == {corpus.listing.root / path}
