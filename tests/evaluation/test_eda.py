"""Exploratory data analysis on the drawn collection."""

import io

import numpy as np
import pytest
from PIL import Image

from api.training.corpus import TrainingCorpus, read_corpus
from api.training.recipe import Recipe
from tests.synthetic_images import draw_fruit
from tests.training.drawn_collection import CLASSES, draw_collection

eda = pytest.importorskip("api.evaluation.eda", exc_type=ImportError)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("collection")))


def test_sample_each_class_skips_saved_copies(corpus: TrainingCorpus) -> None:
    samples = eda.sample_each_class(corpus, 5)
    assert list(samples) == list(CLASSES)
    paths = [sample.copies[0] for group in samples.values() for sample in group]
    assert len(set(paths)) == 5 * len(CLASSES)
    assert not [path for path in paths if path.name.startswith("rotated")]


def test_class_balance_counts_files_and_photos(corpus: TrainingCorpus) -> None:
    files, photographs = eda.plot_class_balance(corpus.listing.files).axes[0].containers
    assert sum(bar.get_width() for bar in files) == len(corpus.listing.files)
    assert sum(bar.get_width() for bar in photographs) == corpus.fingerprint().photographs


def test_drawn_rotten_fruit_is_darker(corpus: TrainingCorpus) -> None:
    appearance = eda.measure_appearance(eda.sample_each_class(corpus, 6))
    brightness = eda.median_trait(appearance, "brightness")
    assert brightness["rotten apple"] < brightness["fresh apple"]
    assert brightness["rotten banana"] < brightness["fresh banana"]
    assert len(eda.plot_fresh_and_rotten(appearance).axes) == 3


def test_views_differ_and_are_deterministic() -> None:
    image = draw_fruit("freshapples")
    recipe = Recipe(input_size=32)
    first, second = (eda.augmented_views(image, recipe, 6) for _ in range(2))
    assert [np.asarray(view).tobytes() for view in first] == [
        np.asarray(view).tobytes() for view in second
    ]
    assert len({np.asarray(view).tobytes() for view in first}) == 6


def test_score_spread_marks_the_original() -> None:
    axes = eda.plot_score_spread({"freshapples": 0.9}, {"freshapples": [0.7, 0.8]}).axes[0]
    of_views, original = axes.lines
    assert list(of_views.get_xdata()) == [0.7, 0.8]
    assert list(original.get_xdata()) == [0.9]


def open_jpeg(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    assert image.format == "JPEG"
    return image


def test_contact_sheet_fills_rows_in_order() -> None:
    colours = ["red", "lime", "blue"]
    images = [Image.new("RGB", (50, 30), colour) for colour in colours]
    sheet = open_jpeg(eda.contact_sheet(images, colours, columns=2, side=40))
    assert sheet.size == (84, 2 * (40 + eda.CAPTION_HEIGHT))
    for channel, (x, y) in enumerate([(20, 34), (62, 34), (20, 34 + 54)]):
        pixel = np.array(sheet.getpixel((x, y)))
        assert pixel[channel] > 200
        assert np.delete(pixel, channel).max() < 60
    assert sheet.getpixel((62, 34 + 54)) == pytest.approx((255, 255, 255), abs=6)


def test_long_caption_is_cut_at_its_column() -> None:
    images = [Image.new("RGB", (40, 40), "white")] * 2
    without = open_jpeg(eda.contact_sheet(images, ["", ""], columns=2, side=40))
    long = open_jpeg(eda.contact_sheet(images, ["a caption that is far too long", ""], 2, side=40))
    changed = np.abs(np.asarray(without, int) - np.asarray(long, int)).max(axis=2) > 40
    assert changed[:, :40].any()
    assert not changed[:, 48:].any()


def test_contact_sheet_of_thirty_is_small() -> None:
    images = [draw_fruit("freshapples", seed=seed) for seed in range(30)]
    assert len(eda.contact_sheet(images, ["fresh apple"] * 30, columns=10)) < 80_000
