"""Grading in three steps: preprocess (bytes to pixels), forward (pixels to features and
probabilities), postprocess (probabilities to a grade).
"""

import copy
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.arrays import FloatArray, check_finite, pool
from api.core.errors import each_its_own
from api.core.freshness_levels import LevelThresholds, fitted_thresholds
from api.core.heads import Head
from api.core.imaging.decode import DRAFT_SIDE, MAX_PIXELS, DecodedImage, decode
from api.core.imaging.resize import hash_thumbnail, resize, select_stored_image, to_input
from api.core.labels import Label, read_label
from api.core.ood import drift_features
from api.model.backbone import open_backbone
from api.model.detector import Detection, Detector
from api.model.engines.choice import EngineInfo, time_graph
from api.model.engines.litert import FORWARD_BATCH
from api.model.explain import activation_map, data_uri, overlay
from api.model.grade import FruitGrade, Grade
from api.model.interpretation import describe
from api.model.manifest import Manifest
from api.model.package import Package
from api.settings import EngineName

# A forward pass evicts the program from the processor's caches, so pre- and postprocessing cost far
# less in a batch than image by image. The first image waits for the last, hence both limits.
MAX_BATCH = 8
MAX_BATCH_SECONDS = 0.01

_NO_FRUITS: Mapping[str, LevelThresholds] = MappingProxyType({})
_Result = TypeVar("_Result")
_Item = TypeVar("_Item")
# uint8 [n, size, size, 3] to feature maps float32 [n, h, w, channels]; thread-safe.
Backbone = Callable[[NDArray[np.uint8]], FloatArray]
# The fruits of an upright RGB picture, uint8 [height, width, 3], best first; thread-safe.
Finder = Callable[[NDArray[np.uint8]], list[Detection]]


class PredictRequest(NamedTuple):
    """The bytes of an image file, whether to add a heat map, and whether to grade each fruit too,
    which `model.instances` does.
    """

    data: bytes
    explain: bool = False
    instances: bool = False


class Preprocessed(NamedTuple):
    """An image ready for the network: `input_image` has the network's input size.

    `decoded` is set only for a heat map. `seconds` is the time preprocessing took.
    """

    input_image: Image.Image
    decoded: Image.Image | None
    stored_image: bytes | Image.Image
    hash_thumbnail: Image.Image
    seconds: float


class HeadOutput(NamedTuple):
    """One image's feature map float32 [h, w, channels], probabilities float32 [classes], whether it
    is any of the classes, its `drift_features` float16 [n], and whether it plainly shows several
    fruits (None if the head cannot tell).
    """

    feature_map: FloatArray
    probabilities: FloatArray
    recognised: bool
    features: NDArray[np.float16]
    several: bool | None = None


class Predictor:
    """A loaded model. Thread-safe.

    `own_thresholds` are the freshness thresholds fitted with the model, `thresholds` those in use;
    both are None where no class has a freshness. `fruit_thresholds` are those of fruits that have
    their own. `detector` is None for a package without one; `engine` is None if not known.
    """

    def __init__(
        self,
        manifest: Manifest,
        backbone: Backbone,
        head: Head,
        max_pixels: int = MAX_PIXELS,
        detector: Finder | None = None,
        *,
        engine: EngineInfo | None = None,
    ) -> None:
        self.manifest = manifest
        self.detector = detector
        self.engine = engine
        self._backbone = backbone
        self.head = head
        self._max_pixels = max_pixels
        labels = [read_label(name) for name in manifest.classes]
        self._fresh = [k for k, label in enumerate(labels) if label.freshness == "fresh"]
        self._rotten = [k for k, label in enumerate(labels) if label.freshness == "rotten"]
        self.own_thresholds = fitted_thresholds(manifest.classes, head.thresholds)
        self.thresholds = self.own_thresholds
        self.fruit_thresholds = _NO_FRUITS

    @classmethod
    def of_package(
        cls,
        package: Package,
        max_pixels: int = MAX_PIXELS,
        threads: int = 0,
        engine: EngineName = "litert",
    ) -> "Predictor":
        """Warmed up for `threads` concurrent forward passes, after grading the probe. The detector
        takes its memory when it is first used.

        Raises what `open_backbone` and `Detector.of_package` raise.
        """
        manifest = package.manifest
        try:
            backbone = open_backbone(package, engine, threads)
        except ValueError as error:
            raise ValueError(f"Version {manifest.version} is not fit to serve. {error}") from error
        detector = Detector.of_package(package, engine)
        info = time_graph(backbone, manifest.input_size)
        return cls(manifest, backbone, package.head, max_pixels, detector, engine=info)

    def with_thresholds(
        self,
        thresholds: LevelThresholds | None,
        by_fruit: Mapping[str, LevelThresholds] = _NO_FRUITS,
    ) -> "Predictor":
        """The same loaded model with other freshness thresholds; None for its own. Those in
        `by_fruit` replace them for single fruits.
        """
        other = copy.copy(self)
        other.thresholds = thresholds or self.own_thresholds
        other.fruit_thresholds = by_fruit
        return other

    def predict(self, data: bytes, explain: bool = False) -> Grade:
        """Grade an image file's bytes. Raises what `imaging.decode` raises, NotFiniteError."""
        [result] = self.predict_batch([PredictRequest(data, explain)])
        if isinstance(result, Exception):
            raise result
        return result

    def predict_batch(
        self, requests: Iterable[PredictRequest | Exception]
    ) -> list[Grade | Exception]:
        """`predict` for a few images, each step for all of them.

        One result per request, in order: its grade, or its own error; an exception in place of a
        request is passed through. The next request is taken once the one before it is decoded.
        """
        inputs = [
            _attempt(self.preprocess, request) if isinstance(request, PredictRequest) else request
            for request in requests
        ]
        good = [item for item in inputs if isinstance(item, Preprocessed)]
        grades = iter(self._grade(good) if good else [])
        return [next(grades) if isinstance(item, Preprocessed) else item for item in inputs]

    def preprocess(self, request: PredictRequest) -> Preprocessed:
        started = time.perf_counter()
        prepared = self.preprocess_decoded(request, self.decode(request.data))
        return prepared._replace(seconds=time.perf_counter() - started)

    def preprocess_decoded(self, request: PredictRequest, decoded: DecodedImage) -> Preprocessed:
        """`preprocess` of a decoded image, with `seconds` 0."""
        input_image = resize(decoded.image, self.manifest.input_size)
        return Preprocessed(
            input_image,
            # Kept on request only: a batch of large images would take much memory.
            decoded.image if request.explain else None,
            select_stored_image(request.data, decoded),
            hash_thumbnail(input_image),
            0.0,
        )

    def _grade(self, inputs: Sequence[Preprocessed]) -> list[Grade | Exception]:
        started = time.perf_counter()
        outputs = _attempt(self.forward, [item.input_image for item in inputs])
        if isinstance(outputs, Exception):
            return [*each_its_own(outputs, len(inputs))]
        share = (time.perf_counter() - started) / len(inputs)
        return [
            _attempt(self.postprocess, item._replace(seconds=item.seconds + share), output)
            for item, output in zip(inputs, outputs, strict=True)
        ]

    def forward(self, inputs: Sequence[Image.Image]) -> list[HeadOutput]:
        """`inputs` have the network's input size."""
        pixels = np.stack([np.asarray(image, dtype=np.uint8) for image in inputs])
        maps = [
            self._backbone(pixels[k : k + FORWARD_BATCH])
            for k in range(0, len(pixels), FORWARD_BATCH)
        ]
        embeddings = np.concatenate([pool(part) for part in maps])
        probabilities, recognised, projected = self.head.predict(embeddings)
        columns = (
            [feature_map for part in maps for feature_map in part],
            probabilities,
            recognised.tolist(),
            drift_features(projected),
            self._shows_several(maps, recognised),
        )
        return [HeadOutput(*row) for row in zip(*columns, strict=True)]

    def _shows_several(
        self, maps: Sequence[FloatArray], recognised: NDArray[np.bool_]
    ) -> list[bool] | list[None]:
        if self.head.several is None:
            return [None] * len(recognised)
        several = np.concatenate([self.head.several.shows_several(part) for part in maps])
        shown: list[bool] = (several & recognised).tolist()
        return shown

    def postprocess(self, item: Preprocessed, output: HeadOutput) -> Grade:
        started = time.perf_counter()
        graded = self.fruit_grade(output)
        heatmap = None
        if item.decoded:
            best = int(output.probabilities.argmax())
            activation = activation_map(output.feature_map, self.head.cam_weights(best))
            heatmap = data_uri(overlay(item.decoded, activation))
        return Grade(
            **vars(graded),
            interpretation=describe(
                graded.probabilities,
                graded.recognised,
                graded.freshness_level,
                several=bool(output.several),
            ),
            milliseconds=(item.seconds + time.perf_counter() - started) * 1000,
            heatmap=heatmap,
            stored_image=item.stored_image,
            hash_thumbnail=item.hash_thumbnail,
            features=output.features,
            several=output.several,
        )

    def fruit_grade(self, output: HeadOutput) -> FruitGrade:
        check_finite(output.probabilities, output.features)
        class_name = self.manifest.classes[int(output.probabilities.argmax())]
        label = read_label(class_name)
        score = self.freshness_score(output.probabilities)
        thresholds = self.level_thresholds(label)
        probabilities = zip(self.manifest.classes, output.probabilities.tolist(), strict=True)
        return FruitGrade(
            class_name=class_name,
            probabilities=dict(probabilities),
            fruit=label.fruit,
            freshness=label.freshness,
            freshness_score=score,
            freshness_level=thresholds.level(score) if thresholds and score is not None else None,
            recognised=output.recognised,
            thresholds=thresholds if self.fruit_thresholds else None,
        )

    def level_thresholds(self, label: Label) -> LevelThresholds | None:
        """Those in use for a class; None if it has no freshness: the score is not about it then."""
        return self.fruit_thresholds.get(label.fruit, self.thresholds) if label.freshness else None

    def decode(self, data: bytes, min_side: int = DRAFT_SIDE) -> DecodedImage:
        """As `imaging.decode`; raises the same."""
        return decode(data, self._max_pixels, min_side=min_side)

    def feature_map(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Feature map float32 [1, h, w, channels] of uint8 [size, size, 3]."""
        return self._backbone(pixels[None])

    def embed(self, data: bytes) -> FloatArray:
        """Embedding float32 [1, channels] of an image file. Raises what `imaging.decode` raises."""
        return self.embed_image(self.decode(data).image)[None]

    def embed_image(self, image: Image.Image) -> FloatArray:
        """Embedding float32 [channels] of an RGB image."""
        embedding: FloatArray = pool(self.feature_map(to_input(image, self.manifest.input_size)))[0]
        return embedding

    def probabilities(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Calibrated probabilities float32 [classes] of uint8 [size, size, 3]."""
        result: FloatArray = self.head.probabilities(pool(self.feature_map(pixels)))[0]
        return result

    def freshness_score(self, probabilities: FloatArray) -> float | None:
        """Probability of the fresh classes given that the class has a freshness: 0 to 1."""
        of_class = probabilities.tolist()
        fresh = sum(of_class[k] for k in self._fresh)
        rotten = sum(of_class[k] for k in self._rotten)
        return fresh / (fresh + rotten) if fresh + rotten > 0 else None


def take_batch(items: Iterable[_Item], most: int = MAX_BATCH) -> Iterator[_Item]:
    """The next batch for `Predictor.predict_batch`: up to `most` of `items`, and none after
    MAX_BATCH_SECONDS.
    """
    deadline = time.monotonic() + MAX_BATCH_SECONDS
    for count, item in enumerate(items, 1):
        yield item
        if count >= most or time.monotonic() > deadline:
            return


def _attempt(step: Callable[..., _Result], *values: Any) -> _Result | Exception:
    """The result of the step, or the exception it raised."""
    try:
        return step(*values)
    except Exception as error:
        return error
