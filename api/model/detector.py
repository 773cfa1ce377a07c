"""Finding the fruits of a photo: a small graph that looks at the whole picture.

The graph marks the centre of each fruit on a grid and says how far the fruit reaches from there,
without anchors: X. Zhou et al., "Objects as Points", 2019; Z. Liu et al., "Training-Time-Friendly
Network for Real-Time Object Detection", 2020.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.core.arrays import FloatArray, check_finite, sigmoid
from api.core.boxes import Box, suppress
from api.core.imaging.resize import to_input
from api.model.engines.choice import CompiledGraph, open_graph
from api.model.manifest import DetectorManifest
from api.model.package import Package
from api.model.probe import probe_images
from api.settings import EngineName

# uint8 [n, size, size, 3] to grids float32 [n, h, w, 5 + fruits]; thread-safe.
Network = Callable[[NDArray[np.uint8]], FloatArray]
# Channels of a cell: the logit of a fruit's centre, the logarithms of the distances to its left,
# top, right and bottom edges in shares of the picture, then a logit for each kind of fruit.
CENTRE, DISTANCES, KINDS = 0, slice(1, 5), slice(5, None)
# At most this many peaks are decoded, those with the highest scores.
MAX_PEAKS = 100
# Larger values may overflow in `exp`, and no distance is longer than the picture.
MAX_LOG_DISTANCE = 1.0
# Difference allowed in a probe image's highest score from the one recorded in the package.
PROBE_TOLERANCE = 0.1


@dataclass(frozen=True)
class Detection:
    """A fruit in a photo: `box` in pixels of it, `score` 0 to 1, `fruit` as in `apple`."""

    box: Box
    score: float
    fruit: str


class RawDetections(NamedTuple):
    """Boxes float32 [n, 4] in shares of the picture's width and height, scores float32 [n], and
    fruit indices int64 [n]; best first."""

    boxes: FloatArray
    scores: FloatArray
    fruits: NDArray[np.int64]


class Detector:
    """A loaded detector. Thread-safe.

    `graph` maps uint8 [n, size, size, 3] to float32 [n, h, w, 5 + fruits]. It takes little memory
    until it is first used. Raises ValueError or RuntimeError for a graph that the engine cannot
    run, or whose output does not fit the manifest, is not finite, or differs from when it was made.
    """

    def __init__(
        self, graph: bytes, manifest: DetectorManifest, engine: EngineName = "litert"
    ) -> None:
        self.manifest = manifest
        self._network = open_graph(graph, self._check, engine)
        self._network.release()

    @classmethod
    def of_package(cls, package: Package, engine: EngineName = "litert") -> "Detector | None":
        """The detector of a package; None for a package without one.

        Raises ValueError for one that is not fit to serve.
        """
        manifest = package.manifest.detector
        if package.detector is None or manifest is None:
            return None
        try:
            return cls(package.detector, manifest, engine)
        except (ValueError, RuntimeError) as error:
            version = package.manifest.version
            raise ValueError(
                f"The detector of version {version} is not fit to serve. {error}"
            ) from error

    def _check(self, network: CompiledGraph) -> None:
        """Raises ValueError if the scores of the probe are not those of the manifest."""
        scores = probe_detector(network, self.manifest)
        if self.manifest.probe is None:
            return
        difference = np.abs(np.subtract(scores, self.manifest.probe)).max()
        if not difference <= PROBE_TOLERANCE:
            raise ValueError(f"It scores differently from when it was made, by {difference:.2f}.")

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Detection]:
        """The fruits of one upright RGB picture, uint8 [height, width, 3], best first."""
        height, width = pixels.shape[:2]
        raw = self.detect(pixels)
        corners = raw.boxes * np.array([width, height, width, height], np.float32)
        return [
            Detection(Box(*corner), score, self.manifest.fruits[fruit])
            for corner, score, fruit in zip(
                corners.tolist(), raw.scores.tolist(), raw.fruits.tolist(), strict=True
            )
        ]

    def detect(
        self, pixels: NDArray[np.uint8], score_threshold: float | None = None
    ) -> RawDetections:
        """Like calling it, in shares of the picture; with another threshold for measurements.

        The mean of the grids of the picture and of its mirror image is decoded.
        """
        view = to_input(Image.fromarray(pixels), self.manifest.input_size)
        upright, mirrored = self._network(np.stack([view, view[:, ::-1]]))
        grid = (upright + mirror_grid(mirrored)) / 2
        threshold = self.manifest.score_threshold if score_threshold is None else score_threshold
        return decode_grid(grid, threshold, self.manifest.max_overlap)


def decode_grid(grid: FloatArray, score_threshold: float, max_overlap: float) -> RawDetections:
    """Boxes of the local maxima of `grid` [h, w, 5 + fruits], after non-maximum suppression. Raises
    NotFiniteError.
    """
    check_finite(grid)
    height, width, _ = grid.shape
    scores = sigmoid(grid[..., CENTRE])
    rows, columns = np.nonzero(_is_peak(scores) & (scores >= score_threshold))
    best = np.argsort(-scores[rows, columns], kind="stable")[:MAX_PEAKS]
    rows, columns = rows[best], columns[best]
    cells = grid[rows, columns]
    left, top, right, bottom = np.exp(np.minimum(cells[:, DISTANCES], MAX_LOG_DISTANCE)).T
    x, y = (columns + 0.5) / width, (rows + 0.5) / height
    corners = np.stack([x - left, y - top, x + right, y + bottom], axis=1)
    boxes = np.clip(corners, 0, 1).astype(np.float32)
    peak_scores = scores[rows, columns]
    kept = suppress(boxes, peak_scores, max_overlap)
    fruits = cells[:, KINDS].argmax(axis=1)
    return RawDetections(boxes[kept], peak_scores[kept], fruits[kept])


def mirror_grid(grid: FloatArray) -> FloatArray:
    """The grid [h, w, 5 + fruits] of the mirror image: left and right change places."""
    mirrored = grid[:, ::-1].copy()
    left, right = DISTANCES.start, DISTANCES.start + 2
    mirrored[..., [left, right]] = mirrored[..., [right, left]]
    return mirrored


def probe_detector(network: Network, manifest: DetectorManifest) -> list[float]:
    """The highest score of each image of `model.probe`.

    Raises ValueError if the output has the wrong shape or is not finite.
    """
    highest = []
    for image in probe_images(manifest.input_size):
        grid = network(image[None])
        if grid.ndim != 4 or grid.shape[-1] != KINDS.start + len(manifest.fruits):
            raise ValueError(f"It gives {grid.shape} for {len(manifest.fruits)} fruits.")
        if not np.isfinite(grid).all():
            raise ValueError("Its output is not finite.")
        highest.append(float(sigmoid(grid[..., CENTRE]).max()))
    return highest


def _is_peak(scores: FloatArray) -> NDArray[np.bool_]:
    """Whether a cell is at least as high as its eight neighbours: bool [h, w]."""
    height, width = scores.shape
    padded = np.pad(scores, 1, constant_values=-np.inf)
    neighbours = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    peak: NDArray[np.bool_] = scores >= np.max(neighbours, axis=0)
    return peak
