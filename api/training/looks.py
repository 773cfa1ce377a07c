"""What photographs look like in a few numbers, for the insights into the data."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from api.dataset.appearance import appearance
from api.dataset.boxed import crop
from api.imaging.decode import decode
from api.registry.replay import LOOKS
from api.training.samples import BOX_MARGIN, Sample


def looks(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """Of the first file of each sample, cut to its box: float32 [n, 5], the columns LOOKS.

    A box is as large as it is in the file. Decodes every file.
    """
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        rows = list(threads.map(_look, samples))
    return np.array(rows, np.float32).reshape(-1, len(LOOKS))


def _look(sample: Sample) -> tuple[float, ...]:
    photograph, box = decode(sample.copies[0].read_bytes()), sample.box
    if box is None:
        return (*astuple(appearance(photograph.image)), photograph.width, photograph.height)
    found = appearance(crop(photograph, box, BOX_MARGIN))
    return (*astuple(found), box.xmax - box.xmin, box.ymax - box.ymin)
