"""The score from which a box counts, chosen on photos of the validation split."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from api.core.progress import Progress, silent
from api.model.detector import Detector
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.sampler import Material
from api.training.detection.scenes import Composer
from api.training.detection.targets import Scene

_Item = TypeVar("_Item")
CANDIDATES = tuple(round(0.1 + 0.025 * k, 3) for k in range(25))
# Composed scenes, and at most this many photos of each other group.
SCENES, MOST = 120, 120
WITHOUT_FRUIT = 0.5


def choose_threshold(
    detector: Detector, material: Material, recipe: DetectorRecipe, progress: Progress = silent
) -> float:
    """The threshold at which the most pictures have the right number of fruits.

    Composed scenes, photos of one fruit and photos with boxes count equally, photos without fruit
    half: the grader can still reject what a false box shows. Of equally good thresholds, the middle
    one is chosen.
    """
    rng = np.random.default_rng(recipe.seed)
    composer = Composer(material.cutouts, material.clutter, material.empty, 2 * recipe.input_size)
    without_fruit = [*_some(material.other, rng), *_some(material.empty, rng)]
    groups = [
        (1.0, [composer.compose(rng) for _ in range(SCENES)] if material.cutouts else []),
        (1.0, _some(material.single, rng)),
        (1.0, _some(_complete(material), rng)),
        (WITHOUT_FRUIT, [Scene.empty(image) for image in without_fruit]),
    ]
    total, done = sum(len(group) for _, group in groups), 0
    right = np.zeros(len(CANDIDATES))
    for weight, group in groups:
        rows = []
        for scene in group:
            scores = detector.detect(np.asarray(scene.image), CANDIDATES[0]).scores
            found = (scores[:, None] >= np.array(CANDIDATES)).sum(axis=0)
            rows.append(found == len(scene.boxes))
            done += 1
            progress("Choosing the detector's threshold", done, total)
        if rows:
            right += weight * np.mean(rows, axis=0)
    best = np.flatnonzero(right >= right.max() - 1e-9)
    return CANDIDATES[int(best[len(best) // 2])]


def _complete(material: Material) -> list[Scene]:
    """The scenes with boxes whose number of fruits is known."""
    scenes = [scene for _, group in sorted(material.boxed.items()) for scene in group]
    return [scene for scene in scenes if scene.complete and not len(scene.ignored)]


def _some(items: Sequence[_Item], rng: np.random.Generator) -> list[_Item]:
    return [items[int(k)] for k in rng.permutation(len(items))[:MOST]]
