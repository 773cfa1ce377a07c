"""Grading each fruit of a photo: the detector finds them, and the grader sees a crop of each.

A photo with many fruits takes as long as many photos, so it is graded in short steps, and other
photos get their turn in between (`model.batcher`).
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from PIL import Image

from api.core.boxes import Box
from api.core.errors import ConflictError
from api.core.imaging.crop import crop_photo, square_side
from api.core.imaging.decode import DecodedImage
from api.core.imaging.resize import resize
from api.model.engines.litert import FORWARD_BATCH
from api.model.grade import FruitGrade, Grade, Instance, Instances
from api.model.interpretation import describe_several
from api.model.predictor import Finder, HeadOutput, Predictor, PredictRequest, Preprocessed

# At most this many fruits of a photo are graded, those with the highest scores.
MAX_INSTANCES = 50
# Pictures that a step grades, including the photo itself: one forward pass.
STEP = FORWARD_BATCH
# A photo is decoded to at most about this many pixels, to limit memory: Pillow takes 4 bytes each.
MAX_DETAIL_PIXELS = 16_000_000


class NoDetectorError(ConflictError):
    code = "no-detector"
    detail = (
        "The model in use cannot find single fruits, since its package has no detector. Leave out "
        "'instances' to have the photo graded as a whole, or promote a version with a detector "
        "(in GET /models/{version}: manifest.detector)."
    )


def check_detector(predictor: Predictor) -> Finder:
    """The detector. Raises NoDetectorError if there is none."""
    if predictor.detector is None:
        raise NoDetectorError()
    return predictor.detector


def grade_instances(
    predictor: Predictor, requests: Iterable[PredictRequest | Exception]
) -> list[Grade | Exception]:
    """`Predictor.predict_batch` for requests with `instances`, photo by photo."""
    return [
        _grade_whole(predictor, one) if isinstance(one, PredictRequest) else one for one in requests
    ]


def _grade_whole(predictor: Predictor, request: PredictRequest) -> Grade | Exception:
    try:
        grading = InstanceGrading(predictor, request)
    except NoDetectorError as error:
        return error
    while (result := grading.try_step()) is None:
        pass
    return result


def grade_boxes(
    predictor: Predictor, photo: DecodedImage, boxes: Sequence[Box]
) -> list[FruitGrade]:
    """The grade of each box, in pixels of the upright photo, from the pixels of `photo`. Raises
    NotFiniteError."""
    crops = _cut_out(predictor, photo, boxes)
    return [predictor.fruit_grade(output) for output in predictor.forward(crops)] if crops else []


class InstanceGrading:
    """The grading of one photo and of each fruit in it. Call `step` until it returns the grade.

    Each step may run in another thread. The grade of the whole photo is as without instances.
    """

    def __init__(self, predictor: Predictor, request: PredictRequest) -> None:
        self._detector = check_detector(predictor)
        self._predictor = predictor
        self._request = request
        self._photo: Preprocessed | None = None
        self._size = (0, 0)
        self._found: list[tuple[Box, float]] = []
        # The photo and its crops, at the network's input size.
        self._pictures: list[Image.Image] = []
        self._outputs: list[HeadOutput] = []
        self._ungraded = 0
        self._seconds = 0.0

    @property
    def has_begun(self) -> bool:
        return self._photo is not None

    @property
    def steps_left(self) -> int:
        """Steps after the next one, as far as known."""
        left = math.ceil((len(self._pictures) - len(self._outputs)) / STEP)
        return max(0, left - 1)

    def step(self) -> Grade | None:
        """The grade once it is complete. Raises what `imaging.decode` raises, NotFiniteError."""
        started = time.perf_counter()
        photo = self._photo
        if photo is None:
            self._photo = self._find()
        else:
            done = len(self._outputs)
            self._outputs += self._predictor.forward(self._pictures[done : done + STEP])
        self._seconds += time.perf_counter() - started
        if photo is None or len(self._outputs) < len(self._pictures):
            return None
        return self._grade(photo)

    def try_step(self) -> Grade | Exception | None:
        """`step`, with the exception it raised as its result."""
        try:
            return self.step()
        except Exception as error:
            return error

    def _find(self) -> Preprocessed:
        """Find the fruits and cut them out."""
        predictor = self._predictor
        decoded = predictor.decode(self._request.data)
        photo = predictor.preprocess_decoded(self._request, decoded)
        found = self._detector(np.asarray(decoded.image))
        self._size = (decoded.width, decoded.height)
        self._ungraded = max(0, len(found) - MAX_INSTANCES)
        self._found = [
            (_in_photo(fruit.box, decoded), fruit.score) for fruit in found[:MAX_INSTANCES]
        ]
        boxes = [box for box, _ in self._found]
        if boxes:
            decoded = self._detailed(decoded, boxes)
        self._pictures = [photo.input_image, *_cut_out(predictor, decoded, boxes)]
        return photo

    def _detailed(self, decoded: DecodedImage, boxes: Sequence[Box]) -> DecodedImage:
        """The photo with as many pixels as the smallest fruit needs to fill the network's input."""
        width, height = self._size
        enlarged = min(map(square_side, boxes)) / self._predictor.manifest.input_size
        factor = max(int(enlarged), math.ceil(math.sqrt(width * height / MAX_DETAIL_PIXELS)))
        if factor * decoded.image.width >= width:
            return decoded
        return self._predictor.decode(self._request.data, max(1, min(width, height) // factor))

    def _grade(self, photo: Preprocessed) -> Grade:
        whole, *rest = self._outputs
        # The fruits themselves say whether there are several.
        alone = whole._replace(several=None)
        grade = self._predictor.postprocess(photo._replace(seconds=self._seconds), alone)
        fruits = tuple(
            Instance(box, score, self._predictor.fruit_grade(output))
            for (box, score), output in zip(self._found, rest, strict=True)
        )
        instances = Instances(*self._size, fruits, self._ungraded)
        interpretation = grade.interpretation
        if instances.several:
            interpretation = describe_several([fruit.grade for fruit in fruits], instances.ungraded)
        return replace(
            grade,
            instances=instances,
            several=instances.several,
            interpretation=interpretation,
        )


def _cut_out(predictor: Predictor, photo: DecodedImage, boxes: Sequence[Box]) -> list[Image.Image]:
    """A crop around each box, at the network's input size."""
    size = predictor.manifest.input_size
    return [resize(crop_photo(photo, box), size) for box in boxes]


def _in_photo(box: Box, decoded: DecodedImage) -> Box:
    """`box` in whole pixels of the upright photo, at least one wide and high."""
    across = decoded.width / decoded.image.width
    down = decoded.height / decoded.image.height
    x_min = min(max(0, round(box.x_min * across)), decoded.width - 1)
    y_min = min(max(0, round(box.y_min * down)), decoded.height - 1)
    x_max = max(x_min + 1, min(decoded.width, round(box.x_max * across)))
    y_max = max(y_min + 1, min(decoded.height, round(box.y_max * down)))
    return Box(x_min, y_min, x_max, y_max)
