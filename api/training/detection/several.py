"""Fits `core.several`: what tells several fruits from one on the grader's feature map."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import keras
import numpy as np
from keras import layers
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

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
from api.training.samples import Sample, load_image

# Channels of the two convolutions.
REDUCED, MIXED = 24, 24
EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, DROPOUT = 12, 64, 1e-3, 1e-2, 0.2
# At most this many scenes are drawn per scene used: those without a clear number are skipped.
MAX_DRAWS = 5
# Augmented views of each photo whose fruits were counted.
VIEWS = 3

# A picture uint8 [size, size, 3], and whether it shows several fruits.
Example = tuple[NDArray[np.uint8], bool]


def fit_several(
    recipe: DetectorRecipe,
    corpus: TrainingCorpus,
    backbone: Backbone,
    input_size: int,
    progress: Progress = silent,
) -> SeveralFruits | None:
    """Learn from scenes and from counted photos, all of the training split. Deterministic on a CPU.

    None if they all show one fruit, or all several.
    """
    scenes = draw_scenes(recipe, read_material(corpus, "train"), input_size)
    examples = chain(scenes, draw_counted_photos(recipe, corpus, input_size))
    most = recipe.several_scenes + VIEWS * len(_counted_photos(corpus))
    maps, several = embed_examples(examples, most, backbone, progress)
    if not several.any() or several.all():
        return None
    network = _train(recipe, maps, several)
    reduce, kernel, output = (
        network.get_layer(name).get_weights() for name in ("reduce", "kernel", "output")
    )
    return SeveralFruits(reduce[0][0, 0], reduce[1], *kernel, *output)


def embed_examples(
    examples: Iterable[Example], most: int, backbone: Backbone, progress: Progress = silent
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Feature maps float32 [n, h, w, channels], and whether each shows several fruits: bool [n].

    There are at `most` that many examples.
    """
    remaining = iter(examples)
    maps: FloatArray = np.empty((0, 0, 0, 0), np.float32)
    several: list[bool] = []
    # Batch by batch and into one array, since all pictures at once would take most of a gigabyte,
    # and joining the maps of the batches more than another.
    while batch := list(islice(remaining, FORWARD_BATCH)):
        embedded = backbone(np.stack([picture for picture, _ in batch]))
        if not several:
            maps = np.empty((most, *embedded.shape[1:]), np.float32)
        maps[len(several) : len(several) + len(batch)] = embedded
        several += [has_several for _, has_several in batch]
        progress("Embedding scenes", len(several), most)
    return maps[: len(several)], np.array(several, bool)


def draw_scenes(recipe: DetectorRecipe, material: Material, input_size: int) -> Iterator[Example]:
    """Augmented scenes. Those without fruit, and those with one fruit that may show more, are left
    out."""
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
        yield _augmented(resize(scene.image, input_size), rng), count > 1


def draw_counted_photos(
    recipe: DetectorRecipe, corpus: TrainingCorpus, input_size: int
) -> Iterator[Example]:
    """Augmented views of whole photos of the class folders.

    From scenes alone, it takes too many photos of one fruit for trays.
    """
    for number, (sample, has_several) in enumerate(_counted_photos(corpus)):
        picture = resize(load_image(sample), input_size)
        for view in range(VIEWS):
            rng = np.random.default_rng((recipe.seed, number, view, 2))
            pixels = _augmented(picture, rng)
            yield np.fliplr(pixels) if rng.random() < 0.5 else pixels, has_several


def _counted_photos(corpus: TrainingCorpus) -> list[tuple[Sample, bool]]:
    """Each with whether it shows several fruits."""
    counts = ((each, corpus.fruit_count(each)) for each in corpus.photographs("train"))
    return [(each, count == "several") for each, count in counts if count in ("one", "several")]


def _augmented(picture: Image.Image, rng: Generator) -> NDArray[np.uint8]:
    return color_jitter(to_input(corrupt(picture, rng), picture.width), rng)


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
