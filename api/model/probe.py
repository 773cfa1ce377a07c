"""The probe: three drawn images that every package grades when it is made, loaded or promoted.

The manifest records the grades given when the package was made, so a package that was changed, or
an engine that computes something else, is noticed before it serves.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from api.core.arrays import FloatArray, pool
from api.core.heads import Head

# Difference allowed in the logarithm of a probability, so that small ones count too. Engines and
# processors round differently, by 0.01 in single precision.
TOLERANCE = 0.5
SMALLEST = 1e-6
# Radius and colour of the drawn fruit, and the colour of its background.
_DRAWN = (
    (0.42, (196, 40, 36), (248, 248, 246)),
    (0.30, (236, 200, 60), (120, 124, 118)),
    (0.46, (90, 64, 40), (210, 190, 160)),
)


@cache
def probe_images(size: int) -> NDArray[np.uint8]:
    """Shaded discs, with dark spots on the last: uint8 [3, size, size, 3], read-only."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    distance = np.hypot(x - 0.5, y - 0.5)
    shade = (1.1 - 0.6 * (x + y) / 2)[..., None]
    images = []
    for radius, fruit, background in _DRAWN:
        inside = (distance < radius)[..., None]
        images.append(np.where(inside, np.array(fruit) * shade, np.array(background)))
    spots = np.sin(18 * x) * np.sin(18 * y) > 0.8
    images[-1][spots] = images[-1][spots] / 3
    drawn: NDArray[np.uint8] = np.clip(np.rint(images), 0, 255).astype(np.uint8)
    drawn.flags.writeable = False
    return drawn


def grade_probe(
    backbone: Callable[[NDArray[np.uint8]], FloatArray], head: Head, size: int
) -> list[list[float]]:
    """The probabilities of the images, [3][classes]. Raises ValueError if they are not valid."""
    try:
        embeddings = np.concatenate([pool(backbone(image[None])) for image in probe_images(size)])
        probabilities, _, features = head.predict(embeddings)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"It cannot grade: {error}") from error
    if probabilities.shape != (len(_DRAWN), head.classes):
        raise ValueError(f"It gives {probabilities.shape} probabilities.")
    if not np.isfinite(features).all() or not np.isfinite(probabilities).all():
        raise ValueError("Its output is not finite.")
    if probabilities.min() < 0 or np.abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("Its probabilities do not sum to 1.")
    return [[float(value) for value in row] for row in probabilities]


def check_probe(answers: Sequence[Sequence[float]], recorded: Sequence[Sequence[float]]) -> None:
    """Raises ValueError if the answers are not those of the manifest."""
    if np.shape(answers) != np.shape(recorded):
        raise ValueError("It has different classes from when it was made.")
    logs = [np.log(np.maximum(values, SMALLEST)) for values in (answers, recorded)]
    difference = float(np.abs(logs[0] - logs[1]).max())
    if difference > TOLERANCE:
        raise ValueError(
            "It grades differently from when it was made: a probability differs by a factor of "
            f"{np.exp(difference):.1f}."
        )
