"""Leave one source out: accuracy on photos of people whose photos were not trained on.

Each run holds out all fruit of one source. Kinds of other produce are held out by hash, each in at
least one run, and those of the held-out source in its run too, so that every kind is rejected by a
grader that has not seen it. Other things are held out by file.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from api.core.layout import FAR, NEAR
from api.core.metrics import recognition_threshold, share
from api.core.splits import SPLITS, fold_of
from api.evaluation.out_of_fold import CrossValidation, OutOfFold, margins_of
from api.evaluation.source_metrics import GradedFruit, rejection_metrics, source_metrics
from api.training.corpus import TrainingCorpus
from api.training.samples import Sample, targets

SPLIT = (
    "leave one source out: each source graded by a grader that has seen nothing of it; one file a "
    "photograph, and boxed fruits"
)


class LeaveOneSourceOut(CrossValidation):
    """One run for each of `sources`; `not_left_out` has the reason for each other source with
    fruit."""

    cache_name = "source"
    stage = "Sources left out"

    def __init__(self, corpus: TrainingCorpus) -> None:
        self.fruit = [*corpus.photographs(*SPLITS), *corpus.boxed(*SPLITS)]
        self.near = corpus.near_ood(*SPLITS)
        reasons = {
            source: _why_not_left_out(corpus, self.fruit, source)
            for source in sorted({sample.source for sample in self.fruit})
        }
        self.sources = tuple(source for source, reason in reasons.items() if not reason)
        self.not_left_out = {source: reason for source, reason in reasons.items() if reason}
        super().__init__(
            corpus,
            [*self.fruit, *self.near, *corpus.far_ood(*SPLITS)],
            [f"Without {source or 'the only source'}" for source in self.sources],
        )

    def holds_out(self, run: int, sample: Sample) -> bool:
        source = self.sources[run]
        if sample.target:
            # A photograph that two sources have belongs to both.
            return sample.source == source or sample.group in self._fruit_groups[source]
        by_hash = fold_of(sample.group, len(self.sources)) == run
        if sample.group.startswith(NEAR):
            return by_hash or sample.group in self._near_groups.get(source, ())
        return by_hash or sample.source == source

    @cached_property
    def _fruit_groups(self) -> dict[str, set[str]]:
        return _groups_by_source(self.fruit)

    @cached_property
    def _near_groups(self) -> dict[str, set[str]]:
        return _groups_by_source(self.near)


def left_out_metrics(runs: LeaveOneSourceOut, results: Sequence[OutOfFold]) -> dict[str, Any]:
    """Metrics of all runs together, of which there is at least one, and of each."""
    held_out = [runs.held_out(run) for run in range(len(results))]
    samples = [sample for of_run in held_out for sample in of_run]
    predictions = OutOfFold.join(results)
    # A photograph of two sources counts once for each, in the run of that source.
    of_own_source = np.array(
        [
            bool(sample.target) and sample.source == source
            for source, of_run in zip(runs.sources, held_out, strict=True)
            for sample in of_run
        ]
    )
    fruit = GradedFruit.select(samples, predictions, runs.corpus.classes, of_own_source)
    metrics = source_metrics(SPLIT, fruit)
    for source, of_run, result in zip(runs.sources, held_out, results, strict=True):
        metrics["by_source"][source]["refused"] = _rejection_of_run(source, of_run, result)
    return {
        **metrics,
        "rejection": rejection_metrics(fruit, samples, predictions),
        "not_left_out": runs.not_left_out,
    }


def _rejection_of_run(
    source: str, samples: Sequence[Sample], predictions: OutOfFold
) -> dict[str, Any]:
    """Rejection of OOD images at the grader's threshold, and at the one that recognises 98 % of
    the left-out fruit."""
    fruit = np.array([bool(sample.target) and sample.source == source for sample in samples])
    known = predictions.margins[fruit]
    sources = [source] * len(known)
    near, far = margins_of(samples, predictions, NEAR), margins_of(samples, predictions, FAR)
    metrics: dict[str, Any] = {"near_kinds": len(set(near.groups))}
    for name, ood in (("near_rejected", near), ("others_rejected", far)):
        at_98 = ood.values > recognition_threshold(known, sources)
        metrics |= share(name, ood.values > 0, ood.groups)
        metrics |= share(f"{name}_at_98", at_98, ood.groups)
    return metrics


def _why_not_left_out(corpus: TrainingCorpus, fruit: Sequence[Sample], source: str) -> str:
    """Why a source with fruit cannot be left out, in words; empty if it can."""
    own = [sample for sample in fruit if sample.source == source]
    if len({sample.target for sample in own}) < 2:
        return "its fruit is all of one class"
    groups = {sample.group for sample in own}
    rest = corpus.split_without(lambda sample: sample.source == source or sample.group in groups)
    known = targets([sample for sample in rest.training if sample.target])
    # A box of unknown level does not count for either of its two classes.
    trained = {
        name for name, column in zip(corpus.classes, known.T, strict=False) if (column == 1).any()
    }
    if missing := [name for name in corpus.classes if name not in trained]:
        return f"no other source has {', '.join(missing)} to learn from"
    if not any(sample.target for sample in rest.validation):
        return "of the other sources no photographs are left to set thresholds by"
    return ""


def _groups_by_source(samples: Sequence[Sample]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for sample in samples:
        groups.setdefault(sample.source, set()).add(sample.group)
    return groups
