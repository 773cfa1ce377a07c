"""Exploratory data analysis for the notebook: class balance, appearance, augmented views."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageOps

from api.core.appearance import appearance
from api.core.imaging.resize import to_input
from api.core.labels import read_label
from api.evaluation.plots import GREEN, GREY, panels
from api.model.predictor import Predictor
from api.training.augment import AugmentRates, augment
from api.training.class_folders import PhotoFile
from api.training.corpus import TrainingCorpus
from api.training.recipe import Recipe
from api.training.samples import Sample, load_image, photograph_samples

BROWN = "#9a6b3f"
TRAITS = ("brightness", "saturation", "hue")
CAPTION_HEIGHT = 14
JPEG_QUALITY = 80


def sample_each_class(corpus: TrainingCorpus, count: int) -> dict[str, list[Sample]]:
    """Up to `count` photographs of each class, evenly spaced, each in its unaltered file."""
    by_class = {}
    for name in corpus.classes:
        files = [file for file in corpus.listing.files if file.class_name == name]
        samples = photograph_samples(corpus.listing.root, files, corpus.classes)
        steps = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
        by_class[name] = [samples[k] for k in steps]
    return by_class


def contact_sheet(
    images: Sequence[Image.Image], captions: Sequence[str], columns: int, side: int = 84
) -> bytes:
    """A JPEG of at least one image, in rows of `columns`, each under its caption.

    Images are cropped to squares of `side` pixels, captions to their column.
    """
    rows = -(-len(images) // columns)
    height = side + CAPTION_HEIGHT
    sheet = Image.new("RGB", (columns * (side + 2), rows * height), "white")
    for k, (image, caption) in enumerate(zip(images, captions, strict=True)):
        cell = Image.new("RGB", (side, height), "white")
        ImageDraw.Draw(cell).text((1, 1), caption, "black", font_size=10)
        cell.paste(ImageOps.fit(image, (side, side)), (0, CAPTION_HEIGHT))
        sheet.paste(cell, (k % columns * (side + 2), k // columns * height))
    stream = io.BytesIO()
    sheet.save(stream, "JPEG", quality=JPEG_QUALITY)
    return stream.getvalue()


def plot_class_balance(files: Sequence[PhotoFile]) -> Figure:
    """Files and photographs of every class."""
    file_counts = Counter(file.class_name for file in files)
    photographs = {(file.class_name, file.photograph) for file in files}
    photograph_counts = Counter(name for name, _ in photographs)
    names = sorted(file_counts)
    figure, (axes,) = panels(1, width=1.7, height=0.3 + 0.13 * len(names))
    at = np.arange(len(names))
    axes.barh(at - 0.2, [file_counts[name] for name in names], 0.4, color=GREY, label="files")
    counts = [photograph_counts[name] for name in names]
    axes.barh(at + 0.2, counts, 0.4, color=GREEN, label="photographs")
    axes.set_yticks(at, [read_label(name).words for name in names])
    axes.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def measure_appearance(samples: Mapping[str, Sequence[Sample]]) -> pd.DataFrame:
    """TRAITS of the samples of each class, with its `words`, `fruit` and `freshness`.

    Hue runs from -90 to 270 degrees, so that reds stay together.
    """
    rows = []
    for name, group in samples.items():
        label = read_label(name)
        about = {"words": label.words, "fruit": label.fruit, "freshness": label.freshness}
        rows += [about | asdict(appearance(load_image(sample))) for sample in group]
    measured = pd.DataFrame(rows)
    measured["hue"] -= 360 * (measured["hue"] > 270)
    return measured


def plot_fresh_and_rotten(measured: pd.DataFrame) -> Figure:
    """Box plots of brightness, saturation and hue by fruit, fresh beside rotten."""
    fruits = sorted(measured.loc[measured["freshness"].notna(), "fruit"].unique())
    figure, row = panels(len(TRAITS), width=0.9)
    for axes, trait in zip(row, TRAITS, strict=True):
        for shift, freshness, colour in ((-0.2, "fresh", GREEN), (0.2, "rotten", BROWN)):
            of_side = measured[measured["freshness"] == freshness]
            values = [of_side.loc[of_side["fruit"] == fruit, trait] for fruit in fruits]
            axes.boxplot(
                values,
                positions=np.arange(len(fruits)) + shift,
                widths=0.34,
                showfliers=False,
                patch_artist=True,
                boxprops={"facecolor": colour, "alpha": 0.7},
                medianprops={"color": "black"},
            )
        axes.set_xticks(range(len(fruits)), fruits)
        axes.set_title(f"{trait.capitalize()}: fresh green, rotten brown", fontsize="medium")
    return figure


def median_trait(measured: pd.DataFrame, trait: str) -> dict[str, float]:
    """The median of a trait by label, in words."""
    medians = measured.groupby("words")[trait].median()
    return {str(words): float(value) for words, value in medians.items()}


def augmented_views(
    image: Image.Image, recipe: Recipe, count: int, seed: int = 0
) -> list[Image.Image]:
    """`count` training views of an image, none left clean."""
    rng = np.random.default_rng(seed)
    rates = AugmentRates(clean=0.0, background=recipe.background_share, neighbours=0.0)
    return [Image.fromarray(augment(image, recipe.input_size, rng, rates)) for _ in range(count)]


def freshness_scores(predictor: Predictor, images: Sequence[Image.Image]) -> list[float]:
    """The freshness score of each RGB image, 0 to 1, as the service gives it; NaN without one."""
    size = predictor.manifest.input_size
    scores = [
        predictor.freshness_score(predictor.probabilities(to_input(image, size)))
        for image in images
    ]
    return [float("nan") if score is None else score for score in scores]


def plot_score_spread(
    original: Mapping[str, float], views: Mapping[str, Sequence[float]]
) -> Figure:
    """By class, the freshness scores of a photo and of its augmented views."""
    figure, (axes,) = panels(1, width=1.7, height=0.3 + 0.11 * len(views))
    for y, (name, scores) in enumerate(views.items()):
        axes.plot(scores, [y] * len(scores), "o", color=GREY, alpha=0.5)
        axes.plot(original[name], y, "D", color=GREEN)
    axes.set_yticks(range(len(views)), [read_label(name).words for name in views])
    axes.invert_yaxis()
    axes.set(xlabel="Freshness score: original green, augmented grey", xlim=(-0.03, 1.03))
    return figure
