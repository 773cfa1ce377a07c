"""The supplied split of a dataset, which leaks: only for comparison with published results.

Copies of one photograph are in train and test, so its accuracy measures memorisation. Like others,
this trains on the train files and validates on some of them, chosen by file.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from api.core.metrics import share
from api.core.progress import Progress, silent
from api.core.splits import fold_of
from api.evaluation.classification_metrics import classification_metrics
from api.evaluation.graded import GradedSamples, OutOfFold
from api.evaluation.out_of_fold import cached, predict
from api.training.class_folders import PhotoFile, SplitLeakage
from api.training.corpus import TrainingCorpus, TrainingSplit
from api.training.grader import train_grader
from api.training.recipe import Recipe
from api.training.samples import Sample, file_samples, photograph_samples

# One in this many train files is for validation.
VALIDATION_PART = 10


def supplied_split_metrics(
    corpus: TrainingCorpus,
    leakage: SplitLeakage,
    recipe: Recipe,
    path: Path,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Train on the supplied train files and score the supplied test files; JSON-ready.

    Accuracy is also given separately for test photographs with and without a copy in train. The
    predictions are cached at `path`.
    """
    root, classes = corpus.listing.root, corpus.classes
    test = file_samples(root, _side(corpus, "test"), classes)
    predictions = cached(path, lambda: _train_and_predict(corpus, recipe, test, progress))
    graded = GradedSamples(test, predictions, classes)
    leaked = np.isin(graded.groups, [tested.photograph for tested, _ in leakage.pairs])
    copied, alone = graded.where(leaked), graded.where(~leaked)
    split = "supplied split, which LEAKS: copies of test photographs are in train"
    return {
        "leaks": True,
        "test_photographs": leakage.photographs,
        "test_photographs_also_in_train": len(leakage.pairs),
        **share("accuracy_with_a_copy_in_train", copied.correct, copied.groups.tolist()),
        **share("accuracy_without", alone.correct, alone.groups.tolist()),
        **classification_metrics(split, corpus, graded),
    }


def split_by_file(files: Sequence[PhotoFile]) -> tuple[list[PhotoFile], list[PhotoFile]]:
    """Split train files into training and validation.

    A file goes to validation only if another copy of its photograph is in training, so that no
    photograph is lost, unless no photograph has a copy.
    """
    drawn = [file for file in files if fold_of(file.path, VALIDATION_PART) == 0]
    trained = {file.photograph for file in set(files).difference(drawn)}
    validation = [file for file in drawn if file.photograph in trained] or drawn
    held_out = set(validation)
    return [file for file in files if file not in held_out], validation


def _train_and_predict(
    corpus: TrainingCorpus, recipe: Recipe, test: Sequence[Sample], progress: Progress
) -> OutOfFold:
    root, classes = corpus.listing.root, corpus.classes
    training, validation = split_by_file(_side(corpus, "train"))
    split = TrainingSplit(
        classes=classes,
        training=[
            *photograph_samples(root, training, classes),
            *corpus.boxed_and_ood("train"),
            *corpus.boxed_and_ood("test"),
        ],
        validation=[
            *file_samples(root, validation, classes),
            *corpus.boxed_and_ood("validation"),
        ],
    )
    return predict(train_grader(recipe, split, progress), test, progress)


def _side(corpus: TrainingCorpus, name: str) -> list[PhotoFile]:
    return [file for file in corpus.listing.files if file.supplied_split == name]
