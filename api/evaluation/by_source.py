"""Leave one source out: how good a grader is on photographs of people whom it has never met.

Of every source in turn, a grader that has seen nothing of it grades all of its fruit. The kinds of
other produce are dealt as well: each is held out in at least one run, and where the left-out source
has it in that run too, so that a kind is refused by a grader that has never learned it. Other
things are dealt by file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from api.core.layout import FAR, NEAR
from api.core.metrics import refused_at_recognised, share
from api.core.progress import Progress, silent
from api.core.splits import fold_of
from api.evaluation.dealing import Material, study_without
from api.evaluation.out_of_fold import OutOfFold, cached, grade, margins_of
from api.evaluation.source_figures import Graded, rejection_of, source_figures
from api.training.corpus import TrainingCorpus
from api.training.grader import train_grader
from api.training.recipe import Recipe
from api.training.samples import Sample, targets

SPLIT = (
    "leave one source out: each source graded by a grader that has seen nothing of it; one file a "
    "photograph, and boxed fruits"
)


@dataclass(frozen=True)
class SourceRuns:
    """The runs of a corpus: one for each of its `sources`, in their order.

    `passed_over` are sources with labelled fruit that cannot be left out, and why not.
    """

    corpus: TrainingCorpus
    material: Material
    sources: tuple[str, ...]
    passed_over: dict[str, str]

    @classmethod
    def of(cls, corpus: TrainingCorpus) -> "SourceRuns":
        material = Material.of(corpus)
        reasons = {
            source: _why_not(corpus, material, source)
            for source in sorted({sample.source for sample in material.fruit})
        }
        return cls(
            corpus,
            material,
            tuple(source for source, reason in reasons.items() if not reason),
            {source: reason for source, reason in reasons.items() if reason},
        )

    def paths(self, cache: Path) -> list[Path]:
        """Where the answers of each run are kept."""
        return [cache / f"source{run}.npz" for run in range(len(self.sources))]

    def held_out(self, run: int) -> list[Sample]:
        """What the grader of a run is measured on, and must not have seen."""
        return self.material.held(lambda sample: self.holds(run, sample))

    def holds(self, run: int, sample: Sample) -> bool:
        """Whether a run holds a sample out."""
        source, runs = self.sources[run], len(self.sources)
        if sample.target:
            # A photograph that two sources have belongs to both.
            return sample.source == source or sample.group in self._groups[source]
        dealt = fold_of(sample.group, runs) == run
        if sample.group.startswith(NEAR):
            return dealt or sample.group in self._kinds.get(source, ())
        return dealt or sample.source == source

    @cached_property
    def _groups(self) -> dict[str, set[str]]:
        return _by_source(self.material.fruit)

    @cached_property
    def _kinds(self) -> dict[str, set[str]]:
        return _by_source(self.material.near)


def leave_one_source_out(
    runs: SourceRuns, recipe: Recipe, cache: Path, progress: Progress = silent
) -> dict[str, Any]:
    """Train and measure every run; JSON-ready.

    What each grader said is kept under `cache`, so that an interrupted measurement goes on.
    """
    results = []
    for run, path in enumerate(runs.paths(cache)):

        def tell(stage: str, done: int, total: int, source: str = runs.sources[run]) -> None:
            progress(f"Without {source or 'the only source'}: {stage}", done, total)

        def make(run: int = run, tell: Progress = tell) -> OutOfFold:
            return train_without(runs, run, recipe, tell)

        results.append(cached(path, make))
        progress("Sources left out", run + 1, len(runs.sources))
    return summarise(runs, results)


def train_without(
    runs: SourceRuns, run: int, recipe: Recipe, progress: Progress = silent
) -> OutOfFold:
    """Train the grader of one run and grade what it holds out, in the order of `held_out`."""
    study = study_without(runs.corpus, lambda sample: runs.holds(run, sample))
    grader = train_grader(recipe, study, progress)
    return grade(grader, runs.held_out(run), progress)


def summarise(runs: SourceRuns, results: Sequence[OutOfFold]) -> dict[str, Any]:
    """Put the runs together. `results` are what their graders said; at least one."""
    held = [runs.held_out(run) for run in range(len(results))]
    samples = [sample for of_run in held for sample in of_run]
    together = OutOfFold.join(results)
    # Of a photograph that two sources have, a run counts its own.
    own = np.array(
        [
            bool(sample.target) and sample.source == source
            for source, of_run in zip(runs.sources, held, strict=True)
            for sample in of_run
        ]
    )
    graded = Graded.among(samples, together, runs.corpus.classes, own)
    figures = source_figures(SPLIT, graded)
    for source, of_run, found in zip(runs.sources, held, results, strict=True):
        figures["by_source"][source]["refused"] = _refused(source, of_run, found)
    return {
        **figures,
        "rejection": rejection_of(graded, samples, together),
        "not_left_out": runs.passed_over,
    }


def _refused(source: str, samples: Sequence[Sample], found: OutOfFold) -> dict[str, Any]:
    """What the grader of one run refuses at its own threshold, and with that moved to where 98 %
    of the left-out fruit is recognised."""
    fruit = np.array([bool(sample.target) and sample.source == source for sample in samples])
    near, far = margins_of(samples, found, NEAR), margins_of(samples, found, FAR)
    known = found.margins[fruit]
    sources = [source] * len(known)
    return {
        "near_kinds": len(set(near.groups)),
        **share("near_rejected", near.values > 0, near.groups),
        **share(
            "near_rejected_at_98",
            refused_at_recognised(known, sources, near.values),
            near.groups,
        ),
        **share("others_rejected", far.values > 0, far.groups),
        **share(
            "others_rejected_at_98", refused_at_recognised(known, sources, far.values), far.groups
        ),
    }


def _why_not(corpus: TrainingCorpus, material: Material, source: str) -> str:
    """Why a source with fruit cannot be left out, in words; empty where it can."""
    own = {sample.target for sample in material.fruit if sample.source == source}
    if len(own) < 2:
        return "its fruit is all of one class"
    groups = {sample.group for sample in material.fruit if sample.source == source}
    rest = study_without(corpus, lambda sample: sample.source == source or sample.group in groups)
    learned = targets([sample for sample in rest.training if sample.target])
    # A box of unknown level teaches neither of its two classes.
    taught = {
        name for name, column in zip(corpus.classes, learned.T, strict=False) if (column == 1).any()
    }
    if missing := [name for name in corpus.classes if name not in taught]:
        return f"no other source has {', '.join(missing)} to learn from"
    if not any(sample.target for sample in rest.validation):
        return "of the other sources no photographs are left to set thresholds by"
    return ""


def _by_source(samples: Sequence[Sample]) -> dict[str, set[str]]:
    """The groups that each source has."""
    found: dict[str, set[str]] = {}
    for sample in samples:
        found.setdefault(sample.source, set()).add(sample.group)
    return found
