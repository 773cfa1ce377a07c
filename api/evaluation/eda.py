"""Looking at the photographs before learning from them, and at what augmentation does to them.

For the notebook: values in; values or a Matplotlib figure out.
"""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from api.core.appearance import Appearance, appearance
from api.core.labels import Label, read_label
from api.evaluation.plots import GREEN, GREY, panels
from api.model.predictor import Predictor
from api.training.augment import AugmentRates, augment
from api.training.class_folders import PhotoFile
from api.training.corpus import TrainingCorpus
from api.training.recipe import Recipe
from api.training.samples import Sample, photograph_samples, load_image

BROWN = "#9a6b3f"
TRAITS = ("brightness", "saturation", "hue")


@dataclass(frozen=True)
class Look:
    """How one photograph of a fruit looks."""

    label: Label
    appearance: Appearance


def some_of_each(corpus: TrainingCorpus, count: int) -> dict[str, list[Sample]]:
    """By class up to `count` photographs, evenly out of their order, each in its unaltered file."""
    found = {}
    for name in corpus.classes:
        files = [file for file in corpus.listing.files if file.class_name == name]
        samples = photograph_samples(corpus.listing.root, files, corpus.classes)
        steps = np.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int)
        found[name] = [samples[k] for k in steps]
    return found


def looks(samples: Mapping[str, Sequence[Sample]]) -> list[Look]:
    """Measure photographs, given by class."""
    return [
        Look(read_label(name), appearance(load_image(sample)))
        for name, group in samples.items()
        for sample in group
    ]


def class_balance(files: Sequence[PhotoFile]) -> Figure:
    """Files and photographs of every class: what was counted, and what there is to learn from."""
    of_files = Counter(file.class_name for file in files)
    photographs = {(file.class_name, file.photograph) for file in files}
    of_photographs = Counter(name for name, _ in photographs)
    names = sorted(of_files)
    figure, (axes,) = panels(1, width=1.7, height=0.3 + 0.13 * len(names))
    at = np.arange(len(names))
    axes.barh(at - 0.2, [of_files[name] for name in names], 0.4, color=GREY, label="files")
    counts = [of_photographs[name] for name in names]
    axes.barh(at + 0.2, counts, 0.4, color=GREEN, label="photographs")
    axes.set_yticks(at, [read_label(name).words for name in names])
    axes.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def fresh_against_rotten(found: Sequence[Look]) -> Figure:
    """Brightness, saturation and hue of each fruit, fresh beside rotten, as boxes of the middle
    half. Hue runs from -90 to 270 degrees, so that reds stay together."""
    fruits = sorted({look.label.fruit for look in found if look.label.freshness})
    figure, row = panels(len(TRAITS), width=0.9)
    for axes, trait in zip(row, TRAITS, strict=True):
        for shift, freshness, colour in ((-0.2, "fresh", GREEN), (0.2, "rotten", BROWN)):
            values = [
                [
                    _unrolled(trait, getattr(look.appearance, trait))
                    for look in found
                    if (look.label.fruit, look.label.freshness) == (fruit, freshness)
                ]
                for fruit in fruits
            ]
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


def medians(found: Sequence[Look], trait: str) -> dict[str, float]:
    """The median of a trait for every fruit and freshness, in words."""
    groups: dict[str, list[float]] = {}
    for look in found:
        value = _unrolled(trait, getattr(look.appearance, trait))
        groups.setdefault(look.label.words, []).append(value)
    return {words: float(np.median(values)) for words, values in sorted(groups.items())}


def views(image: Image.Image, recipe: Recipe, count: int, seed: int = 0) -> list[Image.Image]:
    """`count` views of a photograph as training would see it, none left clean."""
    rng = np.random.default_rng(seed)
    kind = AugmentRates(0.0, recipe.background_share, 0.0)
    return [Image.fromarray(augment(image, recipe.input_size, rng, kind)) for _ in range(count)]


def freshness_scores(runtime: Predictor, pictures: Sequence[Image.Image]) -> list[float]:
    """The freshness score of each picture, 0 to 1, as the service would give it."""
    scores = []
    for picture in pictures:
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        score = runtime.predict(stream.getvalue()).freshness_score
        scores.append(float("nan") if score is None else score)
    return scores


def score_spread(as_it_is: Mapping[str, float], of_views: Mapping[str, Sequence[float]]) -> Figure:
    """Freshness scores of a photograph of each class, as it is and in its augmented views."""
    figure, (axes,) = panels(1, width=1.7, height=0.3 + 0.11 * len(of_views))
    for y, (name, scores) in enumerate(of_views.items()):
        axes.plot(scores, [y] * len(scores), "o", color=GREY, alpha=0.5)
        axes.plot(as_it_is[name], y, "D", color=GREEN)
    axes.set_yticks(range(len(of_views)), [read_label(name).words for name in of_views])
    axes.invert_yaxis()
    axes.set(xlabel="Freshness score: as it is green, augmented grey", xlim=(-0.03, 1.03))
    return figure


def _unrolled(trait: str, value: float) -> float:
    return value - 360 if trait == "hue" and value > 270 else value
