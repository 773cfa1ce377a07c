"""What the notebook looks at, on a drawn collection."""

import numpy as np
import pytest

from api.training.corpus import TrainingCorpus, read_corpus
from api.training.recipe import Recipe
from tests.drawing import draw_fruit
from tests.training.drawn_collection import CLASSES, draw_collection

exploration = pytest.importorskip("api.evaluation.eda", exc_type=ImportError)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("collection")))


def test_some_of_each_class_and_no_saved_copy(corpus: TrainingCorpus) -> None:
    found = exploration.some_of_each(corpus, 5)
    assert list(found) == list(CLASSES)
    paths = [sample.copies[0] for group in found.values() for sample in group]
    assert len(set(paths)) == 5 * len(CLASSES)
    assert not [path for path in paths if path.name.startswith("rotated")]


def test_balance_tells_files_from_photographs(corpus: TrainingCorpus) -> None:
    files, photographs = exploration.class_balance(corpus.listing.files).axes[0].containers
    assert sum(bar.get_width() for bar in files) == len(corpus.listing.files)
    assert sum(bar.get_width() for bar in photographs) == corpus.fingerprint().photographs


def test_drawn_rotten_fruit_is_darker(corpus: TrainingCorpus) -> None:
    found = exploration.looks(exploration.some_of_each(corpus, 6))
    brightness = exploration.medians(found, "brightness")
    assert brightness["rotten apple"] < brightness["fresh apple"]
    assert brightness["rotten banana"] < brightness["fresh banana"]
    assert len(exploration.fresh_against_rotten(found).axes) == 3


def test_views_differ_and_are_the_same_every_time() -> None:
    image = draw_fruit("freshapples")
    recipe = Recipe(input_size=32)
    first, second = (exploration.views(image, recipe, 6) for _ in range(2))
    assert [np.asarray(view).tobytes() for view in first] == [
        np.asarray(view).tobytes() for view in second
    ]
    assert len({np.asarray(view).tobytes() for view in first}) == 6


def test_spread_marks_the_photograph_among_its_views() -> None:
    axes = exploration.score_spread({"freshapples": 0.9}, {"freshapples": [0.7, 0.8]}).axes[0]
    of_views, as_it_is = axes.lines
    assert list(of_views.get_xdata()) == [0.7, 0.8]
    assert list(as_it_is.get_xdata()) == [0.9]
