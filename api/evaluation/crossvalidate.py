"""Cross-validation: every photograph graded once by a grader that has not seen it.

Five graders of one recipe. Each holds out a fifth of the photographs of the class folders, with
all their copies, and every fifth run of the boxed photographs, with all its frames. Where the set
comes with a split of its own, a sixth grader gives the figure that others would, marked as leaking.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.dataset.boxed import Box
from api.dataset.folder import PhotoFile
from api.dataset.split import fold_of
from api.evaluation.figures import figures
from api.evaluation.heldout import HeldOut, grade_held_out, kept
from api.evaluation.leaking import supplied_split
from api.evaluation.phone import phone_figures
from api.evaluation.rejection import rejection_figures
from api.imaging.hashing import content_hash
from api.progress import Progress, silent
from api.training.corpus import Corpus
from api.training.grader import train_grader
from api.training.recipe import Recipe
from api.training.samples import boxed_samples, file_samples, photograph_samples
from api.training.study import Study

FOLDS = 5


def crossvalidate(
    corpus: Corpus, recipe: Recipe, cache: Path, progress: Progress = silent
) -> dict[str, Any]:
    """Train and measure all folds, and the supplied split; JSON-ready figures.

    What each grader said is kept under `cache` by recipe and data, so that an interrupted run goes
    on with the next fold.
    """
    folder = cache / f"{corpus.fingerprint().sha256[:12]}-{_recipe_hash(recipe)}"
    results = []
    for fold in range(FOLDS):
        tell = _within(progress, f"Fold {fold + 1}")
        path = folder / f"fold{fold}.npz"
        results.append(kept(path, partial(hold_out, corpus, recipe, fold, tell)))
        progress("Folds", fold + 1, FOLDS)
    leaking = supplied_split(
        corpus, recipe, folder / "supplied.npz", _within(progress, "Supplied split")
    )
    measured = summarise(corpus, recipe, results)
    return {**measured, "supplied_split": leaking} if leaking else measured


def hold_out(corpus: Corpus, recipe: Recipe, fold: int, progress: Progress = silent) -> HeldOut:
    """Train one grader without one fold and grade that fold with it."""
    root, classes = corpus.listing.root, corpus.classes
    held = _files_of(corpus, fold)
    held_boxes = _boxes_of(corpus, fold)
    seen = [file for file in corpus.listing.files if fold_of(file.photograph, FOLDS) != fold]
    learned = [file for file in seen if file.split != "validation"]
    validation = [file for file in seen if file.split == "validation"]
    boxes = [box for box in corpus.boxes if box not in held_boxes]
    study = Study(
        training=[
            *photograph_samples(root, learned, classes),
            *boxed_samples(boxes, classes, recipe.normal_freshness, recipe.boxed_weight),
        ],
        validation=file_samples(root, validation, classes),
        others=corpus.other_things("set"),
    )
    grader = train_grader(recipe, study, progress)
    return grade_held_out(grader, corpus, held, held_boxes, progress=progress)


def summarise(corpus: Corpus, recipe: Recipe, results: Sequence[HeldOut]) -> dict[str, Any]:
    """Put the folds together: by photograph, by phone run, and what is not recognised."""
    folds = range(FOLDS)
    files = [file for fold in folds for file in _files_of(corpus, fold)]
    boxes = [box for fold in folds for box in _boxes_of(corpus, fold)]
    measured: dict[str, Any] = {
        "recipe": recipe.as_dict(),
        "data": corpus.fingerprint().model_dump(),
        "by_photograph": figures(
            f"{FOLDS}-fold by photograph, all saved copies",
            corpus.listing.root,
            files,
            np.concatenate([result.files for result in results]),
            corpus.classes,
            temperatures=_temperatures(results),
        ),
        "rejection": rejection_figures(
            np.concatenate([result.files_distance for result in results]),
            [file.photograph for file in files],
            np.concatenate([result.others_distance for result in results]),
            [sample.copies[0].name for _ in folds for sample in corpus.other_things("report")],
            _together([result.drawn for result in results]),
        ),
    }
    if boxes:
        measured["by_phone_run"] = phone_figures(
            boxes,
            np.concatenate([result.boxes for result in results]),
            np.concatenate([result.boxes_distance for result in results]),
            corpus.classes,
        )
    return measured


def _temperatures(results: Sequence[HeldOut]) -> NDArray[np.float32] | None:
    """Of every file what its logits were divided by; None where a fold did not keep it."""
    found = [result.temperatures for result in results]
    known = [temperatures for temperatures in found if temperatures is not None]
    return np.concatenate(known) if len(known) == len(found) else None


def _together(parts: Sequence[dict[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    """The arrays of all parts, by name, of the names that every part has."""
    names = set.intersection(*(set(part) for part in parts))
    return {name: np.concatenate([part[name] for part in parts]) for name in sorted(names)}


def _files_of(corpus: Corpus, fold: int) -> list[PhotoFile]:
    return [file for file in corpus.listing.files if fold_of(file.photograph, FOLDS) == fold]


def _boxes_of(corpus: Corpus, fold: int) -> list[Box]:
    """The boxes of the runs that a fold holds out: runs are dealt in order."""
    runs = sorted({box.run for box in corpus.boxes}, key=lambda run: (len(run), run))
    held = set(runs[fold::FOLDS])
    return [box for box in corpus.boxes if box.run in held]


def _recipe_hash(recipe: Recipe) -> str:
    return content_hash(json.dumps(recipe.as_dict(), sort_keys=True).encode())[:12]


def _within(progress: Progress, part: str) -> Progress:
    return lambda stage, done, total: progress(f"{part}: {stage}", done, total)
