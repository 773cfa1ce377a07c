"""Photos with boxes around their fruits, to train and measure a detector on."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from api.core.boxes import Box as PixelBox
from api.core.labels import Level
from api.core.splits import Split
from api.training.bounding_boxes import Box

# For `sample_frames`.
SEED = 20261129


class FrameBox(NamedTuple):
    """One fruit, corners in pixels. `fruit` is None if only its place is known, `level` is None if
    its freshness is unknown."""

    box: PixelBox
    fruit: str | None
    level: Level | None


@dataclass(frozen=True)
class Frame:
    """An upright photo and its boxes; `name` is the file's, for people. Unless `complete`, there
    may be fruit without a box. `sha256` is that of a photo in the catalog; None for others."""

    path: Path
    name: str
    source: str
    split: Split
    boxes: tuple[FrameBox, ...]
    complete: bool
    sha256: str | None = None

    def levels(self, fruits: Collection[str]) -> list[Level | None]:
        """The levels of the boxes that a detector of `fruits` should find, in order."""
        return [each.level for each in self.boxes if each.fruit is None or each.fruit in fruits]


def imported_frames(
    boxes: Iterable[Box], fruits: Collection[str], split_of: Callable[[Box], Split]
) -> list[Frame]:
    """The frames of imported boxes that show any of `fruits`, in order.

    A frame whose boxes have no level may have fruit without a box: only one kind was boxed.
    """
    by_path: dict[Path, list[Box]] = defaultdict(list)
    for box in boxes:
        by_path[box.path].append(box)
    frames = []
    for path, own in by_path.items():
        known = [box for box in own if box.fruit in fruits]
        if not known:
            continue
        frames.append(
            Frame(
                path,
                path.name,
                own[0].source,
                split_of(known[0]),
                tuple(_frame_box(box) for box in own),
                any(box.level is not None for box in own),
            )
        )
    return frames


def sample_frames(frames: Sequence[Frame], most: int) -> list[Frame]:
    """At most `most` of the frames, always the same ones, in order. Small sources are kept whole
    if possible, since a detector learns equally from each source."""
    by_source: dict[str, list[int]] = defaultdict(list)
    for row, frame in enumerate(frames):
        by_source[frame.source].append(row)
    rng, kept = np.random.default_rng(SEED), list[int]()
    smallest_first = sorted(by_source.items(), key=lambda item: (len(item[1]), item[0]))
    for done, (_, rows) in enumerate(smallest_first):
        share = (most - len(kept)) // (len(by_source) - done)
        kept += rows if len(rows) <= share else rng.permutation(rows)[:share].tolist()
    return [frames[row] for row in sorted(kept)]


def _frame_box(box: Box) -> FrameBox:
    return FrameBox(PixelBox(box.xmin, box.ymin, box.xmax, box.ymax), box.fruit, box.level)
