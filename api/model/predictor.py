"""Grading in three steps: pre (bytes to pixels), core (pixels to features) and post (features to an
answer).
"""

import copy
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.arrays import FloatArray, pool
from api.core.freshness_levels import HALF, LevelThresholds
from api.core.heads import Head
from api.core.imaging.decode import MAX_PIXELS, Photograph, decode
from api.core.imaging.preprocess import resize, to_input
from api.core.imaging.stored_image import hash_thumbnail, select_stored_image
from api.core.labels import Freshness, Level, read_label
from api.core.ood import drift_features
from api.model.explain import activation_map, data_uri, overlay
from api.model.interpretation import describe
from api.model.litert import FORWARD_BATCH, LiteRTBackbone
from api.model.manifest import Manifest
from api.model.package import Package

# A forward pass leaves little of the program in the processor's cache, so that every other step
# costs far less for several in one go than for each after a pass of its own. The first of a turn
# waits for the last: so few, and none is begun after so long.
MAX_BATCH = 8
MAX_BATCH_SECONDS = 0.01

_Gives = TypeVar("_Gives")
_Item = TypeVar("_Item")
# uint8 [n, size, size, 3] to feature maps float32 [n, h, w, channels]; callable from any thread.
Backbone = Callable[[NDArray[np.uint8]], FloatArray]


@dataclass(frozen=True)
class Grade:
    """The answer for one photograph.

    `confidence` is the calibrated probability of `class_name`; `freshness_score` goes from 0
    (rotten) to 1 (fresh) and is None where no class speaks of freshness. `freshness_level` is what
    the thresholds make of it, and None where the class does not speak of freshness. `heatmap` is a
    PNG data URI where it was asked for. `kept` is the `select_stored_image` of the photo, `seen`
    its `hash_thumbnail`; `features` float16 [n] are its `drift_features`.
    """

    class_name: str
    probabilities: dict[str, float]
    fruit: str
    freshness: Freshness | None
    freshness_score: float | None
    freshness_level: Level | None
    recognised: bool
    interpretation: str
    milliseconds: float
    heatmap: str | None
    kept: bytes | Image.Image = field(compare=False, repr=False)
    seen: Image.Image = field(compare=False, repr=False)
    features: NDArray[np.float16] = field(compare=False, repr=False)

    @property
    def confidence(self) -> float:
        return self.probabilities[self.class_name]


class PredictRequest(NamedTuple):
    """The bytes of one photograph, and whether a heat map is wanted."""

    data: bytes
    explain: bool = False


class Preprocessed(NamedTuple):
    """One photograph on its way: as the network sees it, decoded, where a heat map shall lie over
    it, what there is to keep and to sign of it, and how long that took in seconds.
    """

    square: Image.Image
    picture: Image.Image | None
    kept: bytes | Image.Image
    signed: Image.Image
    seconds: float


class HeadOutput(NamedTuple):
    """What the head says of one photograph: by its feature map float32 [h, w, channels], the
    probabilities float32 [classes], whether it is any of them, and its `features`.
    """

    feature_map: FloatArray
    probabilities: FloatArray
    recognised: bool
    features: NDArray[np.float16]


class Predictor:
    """One loaded grader. Thread-safe.

    `own_thresholds` are what the model was fitted to, `thresholds` what tells the levels; both are
    None where no class speaks of freshness.
    """

    def __init__(
        self, manifest: Manifest, backbone: Backbone, head: Head, max_pixels: int = MAX_PIXELS
    ) -> None:
        self.manifest = manifest
        self._backbone = backbone
        self._head = head
        self._max_pixels = max_pixels
        labels = [read_label(name) for name in manifest.classes]
        self._fresh = [k for k, label in enumerate(labels) if label.freshness == "fresh"]
        self._rotten = [k for k, label in enumerate(labels) if label.freshness == "rotten"]
        self.own_thresholds = self._own_thresholds()
        self.thresholds = self.own_thresholds

    @classmethod
    def of_package(
        cls, package: Package, max_pixels: int = MAX_PIXELS, threads: int = 0
    ) -> "Predictor":
        """Warmed up to grade `threads` photographs at once, the first as fast as the next.

        Raises ValueError or RuntimeError for a graph that LiteRT cannot run.
        """
        backbone = LiteRTBackbone(package.backbone, threads)
        return cls(package.manifest, backbone, package.head, max_pixels)

    def with_thresholds(self, chosen: LevelThresholds | None) -> "Predictor":
        """The same loaded grader with the thresholds that were chosen, None for its own."""
        other = copy.copy(self)
        other.thresholds = chosen or self.own_thresholds
        return other

    def grade(self, data: bytes, explain: bool = False) -> Grade:
        """Grade the bytes of one photograph. Raises what `imaging.decode` raises."""
        [outcome] = self.predict_batch([PredictRequest(data, explain)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def predict_batch(self, asked: Iterable[PredictRequest | Exception]) -> list[Grade | Exception]:
        """As `grade` each of a few, every step for all of them; each is taken when the one before
        is decoded. What is wrong with one is the outcome of that one and of no other; so is what
        comes in place of a photograph.
        """
        seen = [
            _attempt(self._see, one) if isinstance(one, PredictRequest) else one for one in asked
        ]
        good = [one for one in seen if isinstance(one, Preprocessed)]
        graded = iter(self._grade_seen(good) if good else [])
        return [next(graded) if isinstance(one, Preprocessed) else one for one in seen]

    def _see(self, asked: PredictRequest) -> Preprocessed:
        started = time.perf_counter()
        photograph = self.pre(asked.data)
        square = resize(photograph.image, self.manifest.input_size)
        # Few ask for the decoded picture, and a turn of large ones would take much memory.
        picture = photograph.image if asked.explain else None
        kept = select_stored_image(asked.data, photograph)
        return Preprocessed(
            square, picture, kept, hash_thumbnail(square), time.perf_counter() - started
        )

    def _grade_seen(self, seen: Sequence[Preprocessed]) -> list[Grade | Exception]:
        started = time.perf_counter()
        judged = _attempt(self._judge, seen)
        if isinstance(judged, Exception):
            return [judged] * len(seen)
        share = (time.perf_counter() - started) / len(seen)
        return [
            _attempt(self.post, one._replace(seconds=one.seconds + share), found)
            for one, found in zip(seen, judged, strict=True)
        ]

    def _judge(self, seen: Sequence[Preprocessed]) -> list[HeadOutput]:
        pixels = np.stack([np.asarray(one.square, dtype=np.uint8) for one in seen])
        maps = [
            self._backbone(pixels[k : k + FORWARD_BATCH])
            for k in range(0, len(pixels), FORWARD_BATCH)
        ]
        embeddings = np.concatenate([pool(some) for some in maps])
        probabilities, recognised, projected = self._head.judge(embeddings)
        columns = (
            [one for some in maps for one in some],
            probabilities,
            recognised.tolist(),
            drift_features(projected),
        )
        return [HeadOutput(*row) for row in zip(*columns, strict=True)]

    def pre(self, data: bytes) -> Photograph:
        return decode(data, self._max_pixels)

    def core(self, photograph: Photograph) -> FloatArray:
        """Feature map float32 [1, h, w, channels] of one photograph."""
        return self.forward(to_input(photograph.image, self.manifest.input_size))

    def forward(self, pixels: NDArray[np.uint8]) -> FloatArray:
        """Feature map float32 [1, h, w, channels] of uint8 [size, size, 3]."""
        return self._backbone(pixels[None])

    def embed(self, data: bytes) -> FloatArray:
        """Embedding float32 [1, channels] of a photograph. Raises what `imaging.decode` raises."""
        return pool(self.core(self.pre(data)))

    def probabilities(self, feature_map: FloatArray) -> FloatArray:
        """Calibrated probabilities float32 [classes] of one feature map."""
        found: FloatArray = self._head.probabilities(pool(feature_map))[0]
        return found

    def post(self, seen: Preprocessed, judged: HeadOutput) -> Grade:
        """What the head says of a photograph, in words and pictures."""
        started = time.perf_counter()
        probabilities = judged.probabilities
        best = int(probabilities.argmax())
        class_name = self.manifest.classes[best]
        label = read_label(class_name)
        of_class = dict(zip(self.manifest.classes, probabilities.tolist(), strict=True))
        score = self.freshness_score(probabilities)
        level = self._level(label.freshness, score)
        heatmap = None
        if seen.picture:
            activation = activation_map(judged.feature_map, self._head.cam_weights(best))
            heatmap = data_uri(overlay(seen.picture, activation))
        return Grade(
            class_name=class_name,
            probabilities=of_class,
            fruit=label.fruit,
            freshness=label.freshness,
            freshness_score=score,
            freshness_level=level,
            recognised=judged.recognised,
            interpretation=describe(of_class, judged.recognised, level),
            milliseconds=(seen.seconds + time.perf_counter() - started) * 1000,
            heatmap=heatmap,
            kept=seen.kept,
            seen=seen.signed,
            features=judged.features,
        )

    def freshness_score(self, probabilities: FloatArray) -> float | None:
        """The share of the fresh classes among those that speak of freshness: 0 to 1."""
        of_class = probabilities.tolist()
        fresh = sum(of_class[k] for k in self._fresh)
        rotten = sum(of_class[k] for k in self._rotten)
        return fresh / (fresh + rotten) if fresh + rotten > 0 else None

    def _own_thresholds(self) -> LevelThresholds | None:
        if not self._fresh and not self._rotten:
            return None
        freshness = self._head.freshness
        if freshness is None:
            return LevelThresholds(HALF)
        return LevelThresholds(freshness.rotten_below, freshness.fresh_from)

    def _level(self, freshness: Freshness | None, score: float | None) -> Level | None:
        """Of a class that may speak of freshness. The score of any other says nothing of it."""
        if freshness is None or score is None or self.thresholds is None:
            return None
        return self.thresholds.level(score)


def take_batch(items: Iterable[_Item], most: int = MAX_BATCH) -> Iterator[_Item]:
    """As many of `items` as `Predictor.predict_batch` is given in one go: at most so many, and none
    after TURN_SECONDS but the first.
    """
    ends = time.monotonic() + MAX_BATCH_SECONDS
    for count, item in enumerate(items, 1):
        yield item
        if count >= most or time.monotonic() > ends:
            return


def _attempt(step: Callable[..., _Gives], *values: Any) -> _Gives | Exception:
    """What the step gives, or what it raises."""
    try:
        return step(*values)
    except Exception as error:
        return error
