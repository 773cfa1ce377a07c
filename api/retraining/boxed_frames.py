"""The catalog's boxed photos as a detector learns them: whole, with all their boxes."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import cast

from api.catalog.box_formats import UNNAMED
from api.catalog.box_frames import LabelledBox
from api.core.labels import fruits_of, read_label
from api.core.splits import Split
from api.retraining.job import RetrainJob
from api.retraining.training_rows import CATALOG
from api.training.frames import Frame, FrameBox

# Subfolder of a run's photos.
FOLDER = "boxed"


def write_frames(job: RetrainJob, root: Path, fruits: Collection[str]) -> Iterator[Frame]:
    """Write the boxed photos under `root`, for a detector of `fruits`.

    Unreadable ones are left out, and noted in `job.omissions`.
    """
    for row, boxes in job.boxed_photos:
        read = job.read_photo(row)
        if read is None:
            continue
        path = root / FOLDER / f"{row.sha256}{Path(row.blob).suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(read[0])
        yield Frame(
            path,
            row.filename,
            CATALOG,
            cast("Split", row.split),
            tuple(_frame_box(box, fruits) for box in boxes),
            row.complete,
            row.sha256,
        )


def _frame_box(labelled: LabelledBox, fruits: Collection[str]) -> FrameBox:
    box, name = labelled
    if name is None or name == UNNAMED:
        return FrameBox(box, None, None)
    known = sorted(fruits_of(name) & set(fruits))
    label = read_label(name)
    return FrameBox(box, known[0] if known else label.fruit, label.level)
