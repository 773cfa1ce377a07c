"""The supplied split, for comparison with others: it leaks, and says so.

Copies of one photograph lie on both sides of it, so whoever trains on the one and tests on the
other measures memory. Training here does as is usual: it learns from the train files, and stops
and calibrates on some of them that are dealt by file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.core.metrics import share
from api.core.progress import Progress, silent
from api.core.splits import SPLITS, fold_of
from api.evaluation.figures import figures
from api.evaluation.out_of_fold import OutOfFold, cached, grade
from api.training.class_folders import PhotoFile
from api.training.corpus import TrainingCorpus, TrainingSplit
from api.training.grader import train_grader
from api.training.recipe import Recipe
from api.training.samples import file_samples, photograph_samples
from api.training.split_leakage import find_leakage

# One in so many train files is for validation.
VALIDATION_PART = 10


def supplied_split(
    corpus: TrainingCorpus, recipe: Recipe, path: Path, progress: Progress = silent
) -> dict[str, Any] | None:
    """Train on the supplied train files and score the supplied test files; JSON-ready.

    What the grader said is kept at `path`, so that an interrupted run goes on. The accuracy is
    given once more apart for test photographs with a copy in train and for those without. None
    where the set has no supplied split.
    """
    leak = find_leakage(corpus.listing.files)
    if leak is None:
        return None
    test = _side(corpus, "test")
    found = cached(path, lambda: _train_and_grade(corpus, recipe, test, progress))
    split = "supplied split, which LEAKS: copies of test photographs are in train"
    scores = figures(
        split,
        corpus.listing.root,
        test,
        found.probabilities,
        corpus.classes,
        uncalibrated=found.uncalibrated,
    )
    leaked = {tested.photograph for tested, _ in leak.pairs}
    known = np.array([file.photograph in leaked for file in test])
    right = found.probabilities.argmax(axis=1) == [
        corpus.classes.index(file.class_name) for file in test
    ]
    names = np.array([file.photograph for file in test])
    return {
        "leaks": True,
        "test_photographs": leak.photographs,
        "test_photographs_also_in_train": len(leak.pairs),
        **share("accuracy_with_a_copy_in_train", right[known], names[known].tolist()),
        **share("accuracy_without", right[~known], names[~known].tolist()),
        **scores,
    }


def deal_by_file(files: Sequence[PhotoFile]) -> tuple[list[PhotoFile], list[PhotoFile]]:
    """Train files into those to learn from and those to validate on.

    No photograph is lost to learning: a file is for validation only if another file of its
    photograph is learned from. Where no photograph has a copy, files are dealt all the same.
    """
    dealt = {file.path for file in files if fold_of(file.path, VALIDATION_PART) == 0}
    safe = {file.photograph for file in files if file.path not in dealt}
    validation = [file for file in files if file.path in dealt and file.photograph in safe]
    validation = validation or [file for file in files if file.path in dealt]
    paths = {file.path for file in validation}
    return [file for file in files if file.path not in paths], validation


def _train_and_grade(
    corpus: TrainingCorpus, recipe: Recipe, test: Sequence[PhotoFile], progress: Progress
) -> OutOfFold:
    root, classes = corpus.listing.root, corpus.classes
    learned, validation = deal_by_file(_side(corpus, "train"))
    rest = {
        split: [*corpus.boxed(split), *corpus.near_misses(split), *corpus.far(split)]
        for split in SPLITS
    }
    study = TrainingSplit(
        classes=classes,
        training=[*photograph_samples(root, learned, classes), *rest["train"], *rest["test"]],
        validation=[*file_samples(root, validation, classes), *rest["validation"]],
    )
    grader = train_grader(recipe, study, progress)
    return grade(grader, file_samples(root, test, classes), progress)


def _side(corpus: TrainingCorpus, name: str) -> list[PhotoFile]:
    return [file for file in corpus.listing.files if file.supplied_split == name]
