"""What augmentation does: a photograph before, eight training views after, each with its grade."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.formatting import words
from api.core.imaging.resize import to_input
from api.core.labels import read_label
from api.insights.schemas import Augmentation, View
from api.model.predictor import Predictor

VIEWS = 8
QUALITY = 85
# A freshness score from here on is fresh.
SIDES = 0.5


def augmentation(
    runtime: Predictor, data: bytes, seed: int, image_id: str | None, class_name: str | None
) -> Augmentation:
    """Of the photograph in `data`, by the recipe of the version that serves.

    The same `seed`, 0 or more, gives the same views. Raises what `imaging.decode` raises.
    """
    # Imported here: it needs scipy, which takes memory and has no other use in this process.
    from api.training.augment import AugmentRates, augment  # noqa: PLC0415
    from api.training.recipe import Recipe  # noqa: PLC0415

    image = runtime.decode(data).image
    recipe, size = runtime.manifest.recipe, runtime.manifest.input_size
    # Without other fruit around: the photographs that they would come from are not at hand.
    rates = AugmentRates(
        clean=_knob(recipe, "clean_share", Recipe.clean_share),
        background=_knob(recipe, "background_share", Recipe.background_share),
        neighbours=0.0,
    )
    random = np.random.default_rng(seed)
    original = _view(runtime, to_input(image, size))
    views = [_view(runtime, augment(image, size, random, rates)) for _ in range(VIEWS)]
    label = read_label(class_name) if class_name else None
    return Augmentation(
        model_version=runtime.manifest.version,
        image_id=image_id,
        class_name=class_name,
        seed=seed,
        freshness=label.freshness if label else None,
        original=original,
        views=views,
        story=_story(original, views),
    )


def _view(runtime: Predictor, pixels: NDArray[np.uint8]) -> View:
    """Grade uint8 [size, size, 3] as it is."""
    probabilities = runtime.probabilities(pixels)
    best = int(probabilities.argmax())
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=QUALITY)
    return View(
        picture=f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}",
        predicted_class=runtime.manifest.classes[best],
        confidence=float(probabilities[best]),
        freshness_score=runtime.freshness_score(probabilities),
    )


def _story(original: View, views: list[View]) -> str:
    agreed = sum(view.predicted_class == original.predicted_class for view in views)
    start = (
        f"As it is, the grader calls it {words(original.predicted_class)}, and so it does "
        f"{agreed} of {len(views)} training views."
    )
    scores = [view.freshness_score for view in views if view.freshness_score is not None]
    if original.freshness_score is None or not scores:
        return start
    low, high = min(scores), max(scores)
    start = (
        f"{start} Its freshness score is {original.freshness_score * 100:.0f} of 100, and in the "
        f"views between {low * 100:.0f} and {high * 100:.0f}"
    )
    if (low >= SIDES) == (high >= SIDES) == (original.freshness_score >= SIDES):
        return (
            f"{start}: never on the other side, whatever is done to the photograph. That is what "
            "augmentation is for."
        )
    return (
        f"{start}: light, blur or background sway the grader here. More photographs like the views "
        "that changed its mind make it steadier."
    )


def _knob(recipe: dict[str, Any], name: str, default: float) -> float:
    found = recipe.get(name)
    return float(found) if isinstance(found, int | float) else default
