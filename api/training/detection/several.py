"""Fits `core.several` on scenes: what tells several fruits from one on the grader's feature map."""

from collections.abc import Iterator
from itertools import islice

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from api.core.arrays import FloatArray
from api.core.imaging.resize import resize, to_input
from api.core.progress import Progress, silent
from api.core.several import SeveralFruits
from api.model.engines.litert import FORWARD_BATCH
from api.model.predictor import Backbone
from api.training import devices
from api.training.augment import color_jitter, corrupt
from api.training.corpus import TrainingCorpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.sampler import Material, SceneSampler, read_material

# Channels of the two convolutions.
REDUCED, MIXED = 24, 24
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 12, 64, 1e-3, 1e-2, 0.2
# At most this many scenes are drawn per scene used: those without a clear number are skipped.
MAX_DRAWS = 5


def fit_several(
    recipe: DetectorRecipe,
    corpus: TrainingCorpus,
    backbone: Backbone,
    input_size: int,
    progress: Progress = silent,
) -> SeveralFruits | None:
    """Learn from scenes of the training split. Deterministic on a CPU.

    None if they all show one fruit, or all several.
    """
    material = read_material(corpus, "train")
    maps, several = embed_scenes(recipe, material, backbone, input_size, progress)
    if not several.any() or several.all():
        return None
    network = _train(recipe, maps, several)
    reduce, kernel, output = (
        network.get_layer(name).get_weights() for name in ("reduce", "kernel", "output")
    )
    return SeveralFruits(reduce[0][0, 0], reduce[1], *kernel, *output)


def embed_scenes(
    recipe: DetectorRecipe,
    material: Material,
    backbone: Backbone,
    input_size: int,
    progress: Progress = silent,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Feature maps float32 [n, h, w, channels] of augmented scenes, and whether each shows several
    fruits: bool [n]."""
    scenes = draw_scenes(recipe, material, input_size)
    maps: list[FloatArray] = []
    several: list[bool] = []
    # Batch by batch, since all pictures at once would take half a gigabyte.
    while batch := list(islice(scenes, FORWARD_BATCH)):
        maps.append(backbone(np.stack([picture for picture, _ in batch])))
        several += [has_several for _, has_several in batch]
        progress("Embedding scenes", len(several), recipe.several_scenes)
    stacked = np.concatenate(maps) if maps else np.empty((0, 0, 0, 0), np.float32)
    return stacked, np.array(several, bool)


def draw_scenes(
    recipe: DetectorRecipe, material: Material, input_size: int
) -> Iterator[tuple[NDArray[np.uint8], bool]]:
    """Augmented pictures uint8 [size, size, 3], and whether each shows several fruits.

    Scenes without fruit, and those with one fruit that may show more, are left out.
    """
    sampler = SceneSampler(recipe, material)
    drawn = 0
    for number in range(MAX_DRAWS * recipe.several_scenes):
        if drawn == recipe.several_scenes:
            return
        scene = sampler.draw(number)
        count = len(scene.boxes)
        if count == 0 or (count == 1 and (len(scene.ignored) or not scene.complete)):
            continue
        drawn += 1
        rng = np.random.default_rng((recipe.seed, number, 1))
        image = corrupt(resize(scene.image, input_size), rng)
        yield color_jitter(to_input(image, input_size), rng), count > 1


def _train(recipe: DetectorRecipe, maps: FloatArray, several: NDArray[np.bool_]) -> keras.Model:
    keras.backend.clear_session()
    keras.utils.set_random_seed(recipe.seed)
    devices.make_deterministic()
    image = keras.Input(maps.shape[1:])
    x = layers.Dropout(DROPOUT)(image)
    x = layers.Conv2D(REDUCED, 1, activation="relu", name="reduce")(x)
    x = layers.Conv2D(MIXED, 3, padding="same", activation="relu", name="kernel")(x)
    x = layers.Concatenate()([layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D()(x)])
    network = keras.Model(image, layers.Dense(1, name="output")(layers.Dropout(DROPOUT)(x)))
    network.compile(
        keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    share = several.mean()
    weights = np.where(several, 0.5 / share, 0.5 / (1 - share))
    targets = several.astype(np.float32)[:, None]
    network.fit(maps, targets, BATCH, EPOCHS, sample_weight=weights, verbose=0)
    return network
