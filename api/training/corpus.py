"""The photos of one training run, and their split into training, validation and test."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from api.core.errors import ProblemError
from api.core.imaging.hashing import content_hash
from api.core.labels import fruits_of
from api.core.layout import NEAR, discover
from api.core.progress import Progress, silent
from api.core.splits import SPLITS, TEST_SHARE, Split, position_of, split_of
from api.model.manifest import DataFingerprint
from api.training.bounding_boxes import Box, read_boxes
from api.training.class_folders import INDEX, Listing, PhotoFile, read_class_folders, read_index
from api.training.frames import Frame, imported_frames
from api.training.fruit_counts import FruitCount, fruit_count
from api.training.samples import (
    Sample,
    boxed_samples,
    far_ood_samples,
    file_samples,
    near_ood_samples,
    photograph_samples,
)

# A source with less than MIN_HELD_OUT of its boxes in the test split gets more runs there, but no
# run that would take it beyond MAX_HELD_OUT.
MIN_HELD_OUT = TEST_SHARE * 2 / 3
MAX_HELD_OUT = 0.25


@dataclass(frozen=True)
class TrainingSplit:
    """What a grader of `classes` may see; no metric may be reported on it.

    `training` has one sample for each photograph. `validation`, for the curves, calibration and
    thresholds, has one for each file. Both include boxed fruits and out-of-distribution samples.
    """

    classes: tuple[str, ...]
    training: Sequence[Sample]
    validation: Sequence[Sample]


class TooFewPhotographsError(ProblemError):
    code = "too-few-photographs"


@dataclass(frozen=True)
class TrainingCorpus:
    """Class folders, bounding boxes, and out-of-distribution photos: near (other produce) and far
    (other things).

    All files lie under the root of `listing`. `catalog` has the paths of files from the catalog,
    `retired` held-out files of classes that are left out. `catalog_frames` are the catalog's boxed
    photos, for the detector; their fruits are also among the files, as crops.
    Every sample is assigned to a split by its group: photograph, run, kind of produce, or file.
    Methods that take several splits return their samples split by split.
    """

    listing: Listing
    boxes: tuple[Box, ...]
    far_files: tuple[Path, ...]
    near_files: tuple[Path, ...] = ()
    catalog: frozenset[str] = frozenset()
    retired: tuple[PhotoFile, ...] = ()
    catalog_frames: tuple[Frame, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        return self.listing.classes

    @cached_property
    def by_path(self) -> dict[Path, PhotoFile]:
        return {self.listing.root / file.path: file for file in self.listing.files}

    def files(self, split: Split) -> tuple[PhotoFile, ...]:
        return tuple(file for file in self.listing.files if file.split == split)

    def photographs(self, *splits: Split) -> list[Sample]:
        """One sample for each photograph of the class folders."""
        root, classes = self.listing.root, self.classes
        return [
            sample
            for split in splits
            for sample in photograph_samples(root, self.files(split), classes)
        ]

    def fruit_count(self, sample: Sample) -> FruitCount | None:
        """How many fruits a photograph of the class folders shows; None if nobody has counted."""
        counts = (fruit_count(self.by_path[copy].sha256) for copy in sample.copies)
        return next(filter(None, counts), None)

    def of_one_fruit(self, *splits: Split) -> list[Sample]:
        """Those of `photographs` that show one fruit, or may do so."""
        return [
            each for each in self.photographs(*splits) if self.fruit_count(each) in ("one", None)
        ]

    def file_samples(self, *splits: Split) -> list[Sample]:
        """One sample for each file of the class folders, saved copies included."""
        files = [file for split in splits for file in self.files(split)]
        return file_samples(self.listing.root, files, self.classes)

    def boxed(self, *splits: Split) -> list[Sample]:
        """One sample for each box of a fruit of the classes; a run is in one split."""
        return [
            sample
            for split in splits
            for sample in self._all_boxed
            if self.split_of_run[sample.group] == split
        ]

    def frames(self, split: Split) -> list[Frame]:
        """Photos with boxes, for a detector: a run is in the split of its boxed samples."""
        known = {sample.box.fruit for sample in self._all_boxed if sample.box}
        imported = imported_frames(self.boxes, known, lambda box: self.split_of_run[box.group])
        return [frame for frame in (*imported, *self.catalog_frames) if frame.split == split]

    @cached_property
    def split_of_run(self) -> dict[str, Split]:
        """The split of each run, so that every source of boxes has held-out fruit.

        A source may have only a few long runs, whose hashes alone may put all into training.
        """
        boxes = Counter((sample.source, sample.group) for sample in self._all_boxed)
        total = Counter(sample.source for sample in self._all_boxed)
        splits = {group: split_of(group) for _, group in boxes}
        held_out = Counter[str]()
        for (source, group), count in boxes.items():
            held_out[source] += count * (splits[group] == "test")
        for source, group in sorted(boxes, key=lambda run: position_of(run[1])):
            more = held_out[source] + boxes[source, group]
            too_few = held_out[source] < MIN_HELD_OUT * total[source]
            if too_few and splits[group] != "test" and more <= MAX_HELD_OUT * total[source]:
                splits[group] = "test"
                held_out[source] = more
        return splits

    @cached_property
    def _all_boxed(self) -> list[Sample]:
        return boxed_samples(self.boxes, self.classes)

    def near_ood(self, *splits: Split) -> list[Sample]:
        """One sample for each photo of other produce; a kind is in one split.

        A kind that is also a fruit of the classes, such as one that a user added, is left out.
        """
        known = {fruit for name in self.classes for fruit in fruits_of(name)}
        samples = [
            sample
            for sample in near_ood_samples(self.listing.root, self.near_files)
            if not known & fruits_of(sample.group.removeprefix(NEAR))
        ]
        return _of_splits(samples, splits)

    def far_ood(self, *splits: Split) -> list[Sample]:
        """One sample for each photo of other things."""
        return _of_splits(far_ood_samples(self.listing.root, self.far_files), splits)

    def boxed_and_ood(self, split: Split) -> list[Sample]:
        return [*self.boxed(split), *self.near_ood(split), *self.far_ood(split)]

    def training_split(self) -> TrainingSplit:
        """For the grader that will serve: everything but the test split."""
        return TrainingSplit(
            classes=self.classes,
            training=[*self.photographs("train"), *self.boxed_and_ood("train")],
            validation=[*self.file_samples("validation"), *self.boxed_and_ood("validation")],
        )

    def split_without(self, held_out: Callable[[Sample], bool]) -> TrainingSplit:
        """For a grader that is evaluated on the `held_out` samples: everything else.

        The test split is training data here: it is special only to the grader that will serve.
        """

        def kept(*parts: Sequence[Sample]) -> list[Sample]:
            return [sample for part in parts for sample in part if not held_out(sample)]

        return TrainingSplit(
            classes=self.classes,
            training=kept(
                self.photographs("train"),
                self.boxed_and_ood("train"),
                self.photographs("test"),
                self.boxed_and_ood("test"),
            ),
            validation=kept(self.file_samples("validation"), self.boxed_and_ood("validation")),
        )

    def fingerprint(self) -> DataFingerprint:
        files = self.listing.files
        return DataFingerprint(
            files=len(files),
            photographs=len({file.photograph for file in files}),
            boxed=len(self.boxes),
            sha256=content_hash("".join(sorted(file.sha256 for file in files)).encode()),
        )


def read_corpus(
    root: Path, progress: Progress = silent, skip: Collection[str] = ()
) -> TrainingCorpus:
    """Read everything under `root`, except folders named in `skip`.

    Raises EmptyFolderError, BoxesError, or TooFewPhotographsError.
    """
    layout = discover(root, skip)
    listing = read_class_folders(layout, read_index(root / INDEX), progress)
    require_enough(listing)
    boxes = tuple(box for folder in layout.boxed for box in read_boxes(folder, skip))
    return TrainingCorpus(listing, boxes, layout.others, layout.near)


def require_enough(listing: Listing) -> None:
    """Raises TooFewPhotographsError for a single class, or a class without photographs in some
    split."""
    if len(listing.classes) < 2:
        raise TooFewPhotographsError(
            f"{listing.root} has {len(listing.classes)} class folder(s) with pictures; a grader "
            "needs at least two."
        )
    for split in SPLITS:
        missing = set(listing.classes) - {
            file.class_name for file in listing.files if file.split == split
        }
        if missing:
            raise TooFewPhotographsError(
                f"Too few photographs of {', '.join(sorted(missing))}: none falls into the "
                f"{split} split. About 30 different photographs of a class are enough."
            )


def _of_splits(samples: Sequence[Sample], splits: Sequence[Split]) -> list[Sample]:
    return [sample for split in splits for sample in samples if split_of(sample.group) == split]
