"""The photographs of one training run, dealt into what is learned from and what is held out."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from api.dataset.boxed import Box, read_boxes
from api.dataset.folder import Listing, PhotoFile, read_class_folders
from api.dataset.index import INDEX, read_index
from api.dataset.layout import discover
from api.dataset.split import Split, fold_of
from api.errors import ProblemError
from api.progress import Progress, silent
from api.registry.manifest import DataFingerprint
from api.training.recipe import Recipe
from api.training.samples import Sample, boxed_samples, file_samples, photograph_samples
from api.training.study import Study


class TooFewPhotographsError(ProblemError):
    code = "too-few-photographs"


@dataclass(frozen=True)
class Corpus:
    """Class folders, boxed photographs and photographs of other things, all verified.

    `catalog` has the paths of those files that came from the catalog.
    """

    listing: Listing
    boxes: tuple[Box, ...]
    others: tuple[Path, ...]
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

    def boxed(self, recipe: Recipe) -> list[Sample]:
        return boxed_samples(self.boxes, self.classes, recipe.normal_freshness, recipe.boxed_weight)

    def other_things(self, purpose: Literal["set", "report"]) -> list[Sample]:
        """Photographs of no known class: half to set the rejection by, half to report it on.

        Their targets are empty, since none of the classes is right.
        """
        half = ("set", "report").index(purpose)
        return [Sample((path,), ()) for path in self.others if fold_of(path.name, 2) == half]

    def study(self, recipe: Recipe) -> Study:
        """What the grader that will serve may see: all but the test split."""
        return Study(
            training=[*self.photographs("train"), *self.boxed(recipe)],
            validation=self.file_samples("validation"),
            others=self.other_things("set"),
            uploads=frozenset(self.listing.root / path for path in self.catalog),
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


def read_corpus(root: Path, progress: Progress = silent) -> Corpus:
    """Read all kinds of folders under `root`.

    Raises EmptyFolderError, BoxesError, or TooFewPhotographsError where a split of a class would
    be empty or there is but one class.
    """
    layout = discover(root)
    listing = read_class_folders(layout, read_index(root / INDEX), progress)
    require_enough(listing)
    boxes = tuple(box for folder in layout.boxed for box in read_boxes(folder))
    return Corpus(listing, boxes, layout.others)


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
