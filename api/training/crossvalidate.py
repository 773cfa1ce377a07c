"""Cross-validation: every photograph graded once by a grader that has not seen it.

Five graders of one recipe. Each holds out a fifth of the photographs of the class folders, with
all their copies, and every fifth run of the boxed photographs, with all its frames.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from api.dataset.boxed import Box
from api.dataset.labels import read_label
from api.dataset.split import fold_of
from api.imaging.hashing import content_hash
from api.progress import Progress, silent
from api.training.corpus import Corpus
from api.training.evaluate import evaluate
from api.training.grader import train_grader
from api.training.recipe import Recipe
from api.training.samples import boxed_samples, file_samples, photograph_samples, targets
from api.training.study import Study

FOLDS = 5


@dataclass(frozen=True)
class HeldOut:
    """What one fold's grader said of what it had not seen.

    Probabilities float32 [n, classes] and rejection distances float32 [n], divided by the fold's
    threshold, so that over 1 means not recognised.
    """

    files: NDArray[np.float32]
    files_distance: NDArray[np.float32]
    boxes: NDArray[np.float32]
    boxes_distance: NDArray[np.float32]
    others_distance: NDArray[np.float32]

    def save(self, path: Path) -> None:
        temporary = path.with_suffix(".tmp.npz")
        np.savez_compressed(temporary, **vars(self))
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> "HeldOut":
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**arrays)


def crossvalidate(
    corpus: Corpus, recipe: Recipe, cache: Path, progress: Progress = silent
) -> dict[str, Any]:
    """Train and measure all folds; JSON-ready figures.

    Each fold is kept under `cache` by recipe and data, so that an interrupted run goes on with the
    next fold.
    """
    key = f"{corpus.fingerprint().sha256[:12]}-{_recipe_hash(recipe)}"
    folder = cache / key
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    for fold in range(FOLDS):
        path = folder / f"fold{fold}.npz"
        if not path.exists():
            hold_out(corpus, recipe, fold, _within(progress, fold)).save(path)
        results.append(HeldOut.load(path))
        progress("Folds", fold + 1, FOLDS)
    return summarise(corpus, recipe, results)


def hold_out(corpus: Corpus, recipe: Recipe, fold: int, progress: Progress = silent) -> HeldOut:
    """Train one grader without one fold and grade that fold with it."""
    root, classes = corpus.listing.root, corpus.classes
    seen = [file for file in corpus.listing.files if fold_of(file.photograph, FOLDS) != fold]
    learned = [file for file in seen if file.split != "validation"]
    validation = [file for file in seen if file.split == "validation"]
    boxes = [box for box in corpus.boxes if box not in _boxes_of(corpus, fold)]
    study = Study(
        training=[
            *photograph_samples(root, learned, classes),
            *boxed_samples(boxes, classes, recipe.normal_freshness, recipe.boxed_weight),
        ],
        validation=file_samples(root, validation, classes),
        others=corpus.other_things("set"),
    )
    grader = train_grader(recipe, study, progress)
    head = grader.head
    held = [file for file in corpus.listing.files if fold_of(file.photograph, FOLDS) == fold]
    files = grader.embed(file_samples(root, held, classes), progress, "held-out files")
    held_boxes = boxed_samples(_boxes_of(corpus, fold), classes, recipe.normal_freshness)
    in_boxes = grader.embed(held_boxes, progress, "held-out boxes")
    others = grader.embed(corpus.other_things("report"), progress, "other things")
    limit = np.float32(head.rejection.threshold)
    return HeldOut(
        files=head.probabilities(files),
        files_distance=head.rejection.distance(files) / limit,
        boxes=head.probabilities(in_boxes),
        boxes_distance=head.rejection.distance(in_boxes) / limit,
        others_distance=head.rejection.distance(others) / limit,
    )


def summarise(corpus: Corpus, recipe: Recipe, results: Sequence[HeldOut]) -> dict[str, Any]:
    """Put the folds together: by photograph, by phone run, and what is not recognised."""
    files = [
        file
        for fold in range(FOLDS)
        for file in corpus.listing.files
        if fold_of(file.photograph, FOLDS) == fold
    ]
    boxes = [box for fold in range(FOLDS) for box in _boxes_of(corpus, fold)]
    labels = targets(file_samples(corpus.listing.root, files, corpus.classes)).argmax(axis=1)
    probabilities = np.concatenate([result.files for result in results])
    names = [file.photograph for file in files]
    known = np.concatenate([result.files_distance for result in results])
    strange = np.concatenate([result.others_distance for result in results])
    figures: dict[str, Any] = {
        "recipe": recipe.as_dict(),
        "data": corpus.fingerprint().model_dump(),
        "by_photograph": {
            "split": f"{FOLDS}-fold by photograph, all saved copies",
            **evaluate(probabilities, labels, corpus.classes, names),
        },
    }
    if len(strange):
        truth = np.repeat([0, 1], [len(known), len(strange)])
        figures["rejection"] = {
            "known_rejected": float((known > 1).mean()),
            "others_rejected": float((strange > 1).mean()),
            "auroc": float(roc_auc_score(truth, np.concatenate([known, strange]))),
        }
    if boxes:
        graded = np.concatenate([result.boxes for result in results])
        distances = np.concatenate([result.boxes_distance for result in results])
        figures["by_phone_run"] = _phone(boxes, graded, distances, corpus.classes)
    return figures


def _phone(
    boxes: Sequence[Box],
    probabilities: NDArray[np.float32],
    distances: NDArray[np.float32],
    classes: Sequence[str],
) -> dict[str, Any]:
    """Boxed fruits of runs that were not seen: which fruit, and is edible fruit called rotten?"""
    read = [read_label(name) for name in classes]
    predicted = probabilities.argmax(axis=1)
    right = np.array([read[k].fruit == box.fruit for k, box in zip(predicted, boxes, strict=True)])
    called_fresh = np.array([read[k].freshness == "fresh" for k in predicted])
    score = probabilities[:, [label.freshness == "fresh" for label in read]].sum(axis=1)
    levels = np.array([box.level for box in boxes])
    edible = levels != "rotten"
    runs = np.array([box.run for box in boxes])
    return {
        "split": "runs of the phone photographs held out; boxed fruits",
        "boxes": len(boxes),
        "fruit_accuracy": float(right.mean()),
        "edible_not_called_rotten": float(called_fresh[edible].mean()),
        "known_rejected": float((distances > 1).mean()),
        "mean_freshness_score": {
            str(level): float(score[levels == level].mean()) for level in np.unique(levels)
        },
        "by_run": {
            str(run): {
                "boxes": int((runs == run).sum()),
                "fruit_accuracy": float(right[runs == run].mean()),
                "edible_not_called_rotten": float(called_fresh[edible & (runs == run)].mean()),
            }
            for run in np.unique(runs)
        },
    }


def _boxes_of(corpus: Corpus, fold: int) -> list[Box]:
    """The boxes of the runs that a fold holds out: runs are dealt in order."""
    runs = sorted({box.run for box in corpus.boxes}, key=lambda run: (len(run), run))
    held = set(runs[fold::FOLDS])
    return [box for box in corpus.boxes if box.run in held]


def _recipe_hash(recipe: Recipe) -> str:
    return content_hash(json.dumps(recipe.as_dict(), sort_keys=True).encode())[:12]


def _within(progress: Progress, fold: int) -> Progress:
    return lambda stage, done, total: progress(f"Fold {fold + 1}: {stage}", done, total)
