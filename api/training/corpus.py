"""The photographs of one training run, dealt into what is learned from and what is held out."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from api.core.errors import ProblemError
from api.core.labels import fruits_of
from api.core.layout import NEAR, discover
from api.core.progress import Progress, silent
from api.core.splits import SPLITS, Split, split_of
from api.model.manifest import DataFingerprint
from api.training.bounding_boxes import Box, read_boxes
from api.training.class_folders import INDEX, Listing, PhotoFile, read_class_folders, read_index
from api.training.samples import (
    Sample,
    boxed_samples,
    far_samples,
    file_samples,
    near_samples,
    photograph_samples,
)


@dataclass(frozen=True)
class TrainingSplit:
    """What one grader of `classes` may see. Nothing in here may be reported on.

    `training` is what it learns from: one sample a photograph. By `validation`, one sample a file
    of other photographs, training stops and thresholds are set. Both hold boxed fruits, and samples
    without a target: near misses and other things.
    """

    classes: tuple[str, ...]
    training: Sequence[Sample]
    validation: Sequence[Sample]


class TooFewPhotographsError(ProblemError):
    code = "too-few-photographs"


@dataclass(frozen=True)
class TrainingCorpus:
    """Class folders, boxed photographs, near misses and photographs of other things.

    All lie under the root of `listing`. `near` are files of other produce, `others` of other
    things; `catalog` has the paths of those files that came from the catalog. A split deals all of
    them, each by its group: photograph, run, kind of other produce, or file.
    """

    listing: Listing
    boxes: tuple[Box, ...]
    others: tuple[Path, ...]
    near: tuple[Path, ...] = ()
    catalog: frozenset[str] = frozenset()

    @property
    def classes(self) -> tuple[str, ...]:
        return self.listing.classes

    @cached_property
    def by_path(self) -> dict[Path, PhotoFile]:
        return {self.listing.root / file.path: file for file in self.listing.files}

    def files(self, split: Split) -> tuple[PhotoFile, ...]:
        return tuple(file for file in self.listing.files if file.split == split)

    def photographs(self, split: Split) -> list[Sample]:
        """One sample for each photograph of a split."""
        return photograph_samples(self.listing.root, self.files(split), self.classes)

    def file_samples(self, split: Split) -> list[Sample]:
        """One sample for each file of a split, saved copies included."""
        return file_samples(self.listing.root, self.files(split), self.classes)

    def boxed(self, split: Split) -> list[Sample]:
        """One sample for each boxed fruit of the classes, run by run on one side."""
        return _of(split, boxed_samples(self.boxes, self.classes))

    def near_misses(self, split: Split) -> list[Sample]:
        """Photographs of other produce, without a target: a kind is on one side only.

        A kind that is a fruit of the classes, as one that a user has added, is no near miss.
        """
        known = {fruit for name in self.classes for fruit in fruits_of(name)}
        found = near_samples(self.listing.root, self.near)
        return _of(
            split,
            [item for item in found if not known & fruits_of(item.group.removeprefix(NEAR))],
        )

    def far(self, split: Split) -> list[Sample]:
        """Photographs of other things, without a target."""
        return _of(split, far_samples(self.listing.root, self.others))

    def study(self) -> TrainingSplit:
        """What the grader that will serve may see: all but the test split."""
        train, validation = (
            [*self.boxed(split), *self.near_misses(split), *self.far(split)] for split in SPLITS[:2]
        )
        return TrainingSplit(
            classes=self.classes,
            training=[*self.photographs("train"), *train],
            validation=[*self.file_samples("validation"), *validation],
        )

    def fingerprint(self) -> DataFingerprint:
        digest = hashlib.sha256()
        for sha256 in sorted(file.sha256 for file in self.listing.files):
            digest.update(sha256.encode())
        return DataFingerprint(
            files=len(self.listing.files),
            photographs=len({file.photograph for file in self.listing.files}),
            boxed=len(self.boxes),
            sha256=digest.hexdigest(),
        )


def read_corpus(
    root: Path, progress: Progress = silent, skip: Collection[str] = ()
) -> TrainingCorpus:
    """Read all kinds of folders under `root`, but for those with one of the names `skip`.

    Raises EmptyFolderError, BoxesError, or TooFewPhotographsError where a split of a class would
    be empty or there is but one class.
    """
    layout = discover(root, skip)
    listing = read_class_folders(layout, read_index(root / INDEX), progress)
    require_enough(listing)
    boxes = tuple(box for folder in layout.boxed for box in read_boxes(folder, skip))
    return TrainingCorpus(listing, boxes, layout.others, layout.near)


def require_enough(listing: Listing) -> None:
    """Raises TooFewPhotographsError."""
    if len(listing.classes) < 2:
        raise TooFewPhotographsError(
            f"{listing.root} has {len(listing.classes)} class folder(s) with pictures; a grader "
            "needs at least two."
        )
    for split in ("train", "validation", "test"):
        missing = set(listing.classes) - {
            file.class_name for file in listing.files if file.split == split
        }
        if missing:
            raise TooFewPhotographsError(
                f"Too few photographs of {', '.join(sorted(missing))}: none falls into the "
                f"{split} split. About 30 different photographs of a class are enough."
            )


def _of(split: Split, samples: list[Sample]) -> list[Sample]:
    return [sample for sample in samples if split_of(sample.group) == split]
