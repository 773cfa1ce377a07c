"""Five folds: every photograph graded once by a grader that has not seen it.

Each of five graders holds out a fifth of all photographs by their group: photographs with all their
copies, runs of boxed photographs with all their frames, whole kinds of other produce, and other
things by file.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from api.core.progress import Progress, silent
from api.core.splits import SPLITS, fold_of
from api.evaluation.dealing import Material, study_without
from api.evaluation.figures import figures
from api.evaluation.out_of_fold import OutOfFold, cached, grade
from api.evaluation.phone_photos import phone_figures
from api.evaluation.source_figures import Graded, counts_once, rejection_of, source_figures
from api.training.corpus import TrainingCorpus
from api.training.grader import train_grader
from api.training.recipe import Recipe
from api.training.samples import Sample

FOLDS = 5


class Folds:
    """How a corpus is dealt into folds."""

    def __init__(self, corpus: TrainingCorpus) -> None:
        self.corpus = corpus
        self.material = Material.of(corpus)
        self.files = [item for split in SPLITS for item in corpus.file_samples(split)]
        # Runs are few, so they are dealt in order: each fold gets its share.
        runs = {sample.group: sample.box.run for sample in self.material.boxed if sample.box}
        ordered = sorted(runs, key=lambda group: (len(runs[group]), runs[group], group))
        self._fold_of_run = {group: place % FOLDS for place, group in enumerate(ordered)}

    @property
    def largest_source(self) -> str:
        """The source with the most photographs in class folders."""
        sources = [sample.source for sample in self.material.photographs]
        return max(sorted(set(sources)), key=sources.count)

    def paths(self, cache: Path) -> list[Path]:
        """Where the answers of each fold are kept."""
        return [cache / f"fold{fold}.npz" for fold in range(FOLDS)]

    def fold(self, sample: Sample) -> int:
        """The fold that holds a sample out."""
        dealt = self._fold_of_run.get(sample.group) if sample.box else None
        return fold_of(sample.group, FOLDS) if dealt is None else dealt

    def held_out(self, fold: int) -> list[Sample]:
        """What a fold is measured on: every file of class folders, boxes, near misses and far."""
        material = self.material
        everything = [*self.files, *material.boxed, *material.near, *material.far]
        return [sample for sample in everything if self.fold(sample) == fold]


def five_folds(
    folds: Folds, recipe: Recipe, cache: Path, progress: Progress = silent
) -> dict[str, Any]:
    """Train and measure all folds; JSON-ready.

    What each grader said is kept under `cache`, so that an interrupted run goes on.
    """
    results = []
    for fold, path in enumerate(folds.paths(cache)):

        def tell(stage: str, done: int, total: int, name: str = f"Fold {fold + 1}") -> None:
            progress(f"{name}: {stage}", done, total)

        results.append(cached(path, partial(hold_out, folds, recipe, fold, tell)))
        progress("Folds", fold + 1, FOLDS)
    return summarise(folds, results)


def hold_out(folds: Folds, recipe: Recipe, fold: int, progress: Progress = silent) -> OutOfFold:
    """Train one grader without one fold and grade that fold, in the order of `held_out`."""
    study = study_without(folds.corpus, lambda sample: folds.fold(sample) == fold)
    grader = train_grader(recipe, study, progress)
    return grade(grader, folds.held_out(fold), progress)


def summarise(folds: Folds, results: Sequence[OutOfFold]) -> dict[str, Any]:
    """Put the folds together: the largest source, phone runs, the other sources, rejection."""
    corpus, largest = folds.corpus, folds.largest_source
    samples = [sample for fold in range(FOLDS) for sample in folds.held_out(fold)]
    found = OutOfFold.join(results)
    studio = np.array([_is_file(sample) and sample.source == largest for sample in samples])
    first = {sample.copies[0] for sample in folds.material.photographs}
    known = np.array([counts_once(sample, first) for sample in samples])
    of_largest = [sample for sample, own in zip(samples, studio.tolist(), strict=True) if own]
    name = f"{largest}, " if largest else ""
    measured: dict[str, Any] = {
        "by_photograph": figures(
            f"{name}{FOLDS}-fold by photograph, all saved copies",
            corpus.listing.root,
            [corpus.by_path[sample.copies[0]] for sample in of_largest],
            found.probabilities[studio],
            corpus.classes,
            uncalibrated=found.uncalibrated[studio],
        )
    }
    runs = np.array([sample.box is not None and sample.box.level is not None for sample in samples])
    if runs.any():
        rows = found.rows(runs)
        measured["by_phone_run"] = phone_figures(
            [s.box for s, own in zip(samples, runs.tolist(), strict=True) if own and s.box],
            rows.probabilities,
            rows.margins,
            corpus.classes,
        )
    others = known & np.array([sample.source != largest for sample in samples])
    if others.any():
        measured["other_sources"] = source_figures(
            f"{FOLDS}-fold by photograph or run; one file a photograph, and boxed fruits",
            Graded.among(samples, found, corpus.classes, others),
        )
    graded = Graded.among(samples, found, corpus.classes, known)
    rejected = rejection_of(graded, samples, found)
    return {
        **measured,
        "rejection": {"split": f"{FOLDS}-fold; other produce by kind, held out", **rejected},
    }


def _is_file(sample: Sample) -> bool:
    """Whether a sample is a file of a class folder."""
    return bool(sample.target) and sample.box is None
