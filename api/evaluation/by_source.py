"""Leave one source out: accuracy on photos of people whose photos were not trained on.

Each run holds out all fruit of one source. Kinds of other produce are held out by hash, each in at
least one run, and those of the held-out source in its run too, so that every kind is tried on a
grader that has not seen it. Other things are held out by file.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from api.core.layout import FAR, NEAR
from api.core.metrics import recognition_threshold, share
from api.core.splits import SPLITS, fold_of
from api.evaluation.graded import GradedSamples
from api.evaluation.out_of_fold import CrossValidation
from api.evaluation.source_metrics import rejection_metrics, source_metrics
from api.training.corpus import TrainingCorpus
from api.training.samples import Sample

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
        # A photograph that two sources have belongs to both, and so does a kind of other produce.
        self._groups: defaultdict[str, set[str]] = defaultdict(set)
        for sample in (*self.fruit, *self.near):
            self._groups[sample.source].add(sample.group)
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
        if sample.source == source or sample.group in self._groups[source]:
            return True
        return not sample.target and fold_of(sample.group, len(self.sources)) == run


def left_out_metrics(runs: LeaveOneSourceOut, results: Sequence[GradedSamples]) -> dict[str, Any]:
    """Metrics of all runs together (at least one), and of each."""
    # A photograph of two sources counts once for each, in the run of that source.
    own = [
        result.where(result.is_fruit & (result.sources == source))
        for source, result in zip(runs.sources, results, strict=True)
    ]
    fruit = GradedSamples.join(own)
    metrics = source_metrics(SPLIT, fruit)
    for source, of_source, result in zip(runs.sources, own, results, strict=True):
        metrics["by_source"][source]["refused"] = _rejection_of_run(of_source, result)
    return {
        **metrics,
        "rejection": rejection_metrics(fruit, GradedSamples.join(results)),
        "not_left_out": runs.not_left_out,
    }


def _rejection_of_run(fruit: GradedSamples, graded: GradedSamples) -> dict[str, Any]:
    """Rejection of OOD images at the grader's threshold, and at the one that recognises 98 % of
    the left-out `fruit`."""
    known, sources = fruit.predictions.margins, fruit.sources.tolist()
    near, far = graded.ood_margins(NEAR), graded.ood_margins(FAR)
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
    # A box of unknown level does not count for either of its two classes.
    trained = {sample.target.index(1) for sample in rest.training if 1 in sample.target}
    if missing := [name for k, name in enumerate(corpus.classes) if k not in trained]:
        return f"no other source has {', '.join(missing)} to learn from"
    if not any(sample.target for sample in rest.validation):
        return "the other sources leave no photographs to set thresholds by"
    return ""
