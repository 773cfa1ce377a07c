"""Bounding boxes: a folder of frames and a `boxes.csv` with one row for each fruit.

Columns: `file, fruit, level, xmin, ymin, xmax, ymax`, the box in pixels of the upright image, the
level one of fresh, normal (past its best, still edible) and rotten. An unknown level is empty; the
column may be missing.
"""

import csv
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path, PurePath

from PIL import Image

from api.core.boxes import Box as PixelBox
from api.core.errors import ProblemError
from api.core.imaging.crop import crop_photo
from api.core.imaging.decode import DecodedImage
from api.core.labels import Level

# Names of the levels in the file.
LEVEL_NAMES: dict[str, Level] = {"fresh": "fresh", "normal": "past_best", "rotten": "rotten"}
# Frames of one run have numbers at most this far apart.
MAX_NUMBER_GAP = 50


class BoxesError(ProblemError):
    code = "bad-boxes"


@dataclass(frozen=True)
class Box:
    """One fruit in a frame; corners in pixels.

    `level` is None if unknown. `run` is the series of frames of the same fruits, named after its
    first frame; `source` is the frame's folder.
    """

    path: Path
    fruit: str
    level: Level | None
    run: str
    xmin: int
    ymin: int
    xmax: int
    ymax: int
    source: str = field(default="", kw_only=True)

    @property
    def group(self) -> str:
        """The unit of a split. Includes the source, since run names repeat across sources."""
        return f"{self.source}/{self.run}"


def read_boxes(folder: Path, skip: Collection[str] = ()) -> tuple[Box, ...]:
    """Read `boxes.csv`, except frames in subfolders named in `skip`.

    Raises BoxesError, with the line, for an invalid row or a missing file.
    """
    boxes: list[Box] = []
    fruits: dict[Path, set[str]] = {}
    with (folder / "boxes.csv").open(newline="", encoding="utf-8-sig") as stream:
        for line, row in enumerate(csv.DictReader(stream), start=2):
            try:
                level = LEVEL_NAMES[row["level"]] if row.get("level") else None
                corners = (int(row["xmin"]), int(row["ymin"]), int(row["xmax"]), int(row["ymax"]))
                path = folder / row["file"]
                skipped = any(part in skip for part in PurePath(row["file"]).parts[:-1])
                if corners[0] >= corners[2] or corners[1] >= corners[3]:
                    raise ValueError(corners)
            except (KeyError, TypeError, ValueError):
                raise BoxesError(
                    f"{folder / 'boxes.csv'}, line {line}: needs file, fruit, level (one of "
                    f"{', '.join(LEVEL_NAMES)}; empty where it is not known) and four whole "
                    "numbers xmin, ymin, xmax, ymax, xmin under xmax and ymin under ymax."
                ) from None
            if skipped:
                continue
            if not path.is_file():
                raise BoxesError(f"{folder / 'boxes.csv'}, line {line}: there is no file {path}.")
            boxes.append(Box(path, row["fruit"], level, "", *corners, source=path.parent.name))
            fruits.setdefault(path, set()).add(row["fruit"])
    runs = _runs(fruits)
    return tuple(replace(box, run=runs[box.path]) for box in boxes)


def crop(photograph: DecodedImage, box: Box, margin: float) -> Image.Image:
    """Crop the box to a square with a margin of `margin` times its longer side.

    It is clipped to the frame, so a crop at the edge is not square.
    """
    return crop_photo(photograph, PixelBox(box.xmin, box.ymin, box.xmax, box.ymax), margin)


def _runs(fruits: dict[Path, set[str]]) -> dict[Path, str]:
    """Split the frames of each folder, in order of their numbers, into runs of the same fruits.

    A new run starts where the numbers jump, where consecutive frames share no fruit, or where the
    camera or its settings change (other JPEG quantisation tables). A frame without a number is a
    run of its own.
    """
    numbered = sorted(
        (path.parent, int(match[0]), path)
        for path in fruits
        if (match := re.search(r"\d+$", path.stem))
    )
    runs = {path: path.stem for path in fruits}
    for (folder, number, path), (next_folder, next_number, next_path) in pairwise(numbered):
        if (
            next_folder == folder
            and next_number - number <= MAX_NUMBER_GAP
            and fruits[next_path] & fruits[path]
            and _camera_setting(next_path) == _camera_setting(path)
        ):
            runs[next_path] = runs[path]
    return runs


@cache
def _camera_setting(path: Path) -> str:
    try:
        with Image.open(path) as image:
            return str(getattr(image, "quantization", ""))
    except OSError:  # A damaged file is reported where it is decoded.
        return ""
