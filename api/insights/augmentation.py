"""A photo and eight augmented training views of it, each with its grade."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.formatting import words
from api.core.imaging.resize import to_input
from api.core.labels import read_label
from api.insights.schemas import Augmentation, View
from api.model.predictor import Predictor

VIEWS = 8
JPEG_QUALITY = 85
# Freshness score from which a view counts as fresh.
FRESH_FROM = 0.5


def augmentation(
    predictor: Predictor, data: bytes, seed: int, image_id: str | None, class_name: str | None
) -> Augmentation:
    """Augment the photo in `data` by the recipe of the serving version.

    The same `seed` (0 or more) gives the same views. Raises what `imaging.decode` raises.
    """
    # Imported here: serving has no other use for training code.
    from api.training.augment import AugmentRates, augment  # noqa: PLC0415
    from api.training.recipe import Recipe  # noqa: PLC0415

    image = predictor.decode(data).image
    recipe, size = predictor.manifest.recipe, predictor.manifest.input_size
    # No neighbouring fruit: the photos to take it from are not available here.
    rates = AugmentRates(
        clean=recipe.get("clean_share", Recipe.clean_share),
        background=recipe.get("background_share", Recipe.background_share),
        neighbours=0.0,
    )
    random = np.random.default_rng(seed)
    original = _view(predictor, to_input(image, size))
    views = [_view(predictor, augment(image, size, random, rates)) for _ in range(VIEWS)]
    return Augmentation(
        model_version=predictor.manifest.version,
        image_id=image_id,
        class_name=class_name,
        seed=seed,
        freshness=read_label(class_name).freshness if class_name else None,
        original=original,
        views=views,
        story=_story(original, views),
    )


def _view(predictor: Predictor, pixels: NDArray[np.uint8]) -> View:
    """`pixels` uint8 [size, size, 3]."""
    probabilities = predictor.probabilities(pixels)
    best = int(probabilities.argmax())
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=JPEG_QUALITY)
    return View(
        picture=f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}",
        predicted_class=predictor.manifest.classes[best],
        confidence=float(probabilities[best]),
        freshness_score=predictor.freshness_score(probabilities),
    )


def _story(original: View, views: list[View]) -> str:
    agreed = sum(view.predicted_class == original.predicted_class for view in views)
    start = (
        f"The grader calls the original {words(original.predicted_class)}, and {agreed} of "
        f"{len(views)} training views too."
    )
    scores = [view.freshness_score for view in views if view.freshness_score is not None]
    if original.freshness_score is None or not scores:
        return start
    low, high = min(scores), max(scores)
    start = (
        f"{start} Its freshness score is {original.freshness_score * 100:.0f} of 100, and in the "
        f"views between {low * 100:.0f} and {high * 100:.0f}"
    )
    if (low >= FRESH_FROM) == (high >= FRESH_FROM) == (original.freshness_score >= FRESH_FROM):
        return (
            f"{start}: always on the same side, whatever is done to the photo. That is what "
            "augmentation is for."
        )
    return (
        f"{start}: light, blur or background sway the grader here. More photos like the views "
        "that changed its mind make it steadier."
    )
