"""Five-fold cross-validation: every sample is predicted once by a grader trained without it.

Folds are by group: photographs with all their copies, runs of boxed photos with all their frames,
whole kinds of other produce, and single files of other things.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from api.core.splits import SPLITS, fold_of
from api.evaluation.classification_metrics import classification_metrics
from api.evaluation.freshness_metrics import phone_metrics
from api.evaluation.graded import GradedSamples
from api.evaluation.out_of_fold import CrossValidation
from api.evaluation.source_metrics import rejection_metrics, source_metrics
from api.training.corpus import TrainingCorpus
from api.training.samples import Sample

FOLDS = 5


class FiveFold(CrossValidation):
    """Predicts every file of the class folders, every box and every OOD image."""

    cache_name = "fold"
    stage = "Folds"

    def __init__(self, corpus: TrainingCorpus) -> None:
        boxed = corpus.boxed(*SPLITS)
        samples = [
            *corpus.file_samples(*SPLITS),
            *boxed,
            *corpus.near_ood(*SPLITS),
            *corpus.far_ood(*SPLITS),
        ]
        super().__init__(corpus, samples, [f"Fold {fold + 1}" for fold in range(FOLDS)])
        self.photographs = corpus.photographs(*SPLITS)
        # Round-robin instead of by hash: there are so few runs that a fold might get none.
        runs = {sample.group: sample.box.run for sample in boxed if sample.box}
        ordered = sorted(runs, key=lambda group: (len(runs[group]), runs[group], group))
        self._fold_of_run = {group: place % FOLDS for place, group in enumerate(ordered)}

    def holds_out(self, run: int, sample: Sample) -> bool:
        fold = self._fold_of_run[sample.group] if sample.box else fold_of(sample.group, FOLDS)
        return fold == run


def fold_metrics(folds: FiveFold, results: Sequence[GradedSamples]) -> dict[str, Any]:
    """Metrics of all folds together: the largest source, phone runs, other sources, rejection."""
    graded = GradedSamples.join(results)
    sources = [sample.source for sample in folds.photographs]
    largest = max(sorted(set(sources)), key=sources.count)
    is_file = np.array([bool(sample.target) and not sample.box for sample in graded.samples])
    prefix = f"{largest}, " if largest else ""
    metrics: dict[str, Any] = {
        "by_photograph": classification_metrics(
            f"{prefix}{FOLDS}-fold by photograph, all saved copies",
            folds.corpus,
            graded.where(is_file & (graded.sources == largest)),
        )
    }
    phone = graded.where(
        np.array([bool(sample.box and sample.box.level) for sample in graded.samples])
    )
    if len(phone):
        metrics["by_phone_run"] = phone_metrics(phone)
    fruit = graded.counted_once(folds.photographs)
    elsewhere = fruit.where(fruit.sources != largest)
    if len(elsewhere):
        metrics["other_sources"] = source_metrics(
            f"{FOLDS}-fold by photograph or run; one file a photograph, and boxed fruits", elsewhere
        )
    return {
        **metrics,
        "rejection": {
            "split": f"{FOLDS}-fold; other produce by kind, held out",
            **rejection_metrics(fruit, graded),
        },
    }
