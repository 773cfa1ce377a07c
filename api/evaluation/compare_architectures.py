"""Compares architectures, and input sizes of one architecture, on the same photos.

Each row is cached by recipe, data and code as soon as it is measured, so an interrupted comparison
resumes with the next row.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from api.core.errors import ProblemError
from api.core.imaging.hashing import content_hash
from api.core.progress import Progress, silent
from api.evaluation.architecture_trial import TIMED_RUNS, Trial, run_trial
from api.evaluation.out_of_fold import code_hash
from api.model.engines.processor import processor
from api.training.backbones.architectures import TABLE, build_network, find
from api.training.backbones.weights import ImagenetUnavailableError
from api.training.corpus import TrainingCorpus
from api.training.recipe import Recipe

INPUT_SIZES = (96, 128, 160, 192, 224)


class NoImagenetToCompareError(ProblemError):
    code = "imagenet-unavailable"

    def __init__(self, reason: ImagenetUnavailableError) -> None:
        super().__init__(
            f"{reason.detail} With --without-imagenet-where-missing the comparison starts such "
            "networks from nothing and says so in their rows."
        )


def plan_comparison(
    recipe: Recipe,
    architectures: Sequence[str] | None = None,
    weights: Mapping[str, str] | None = None,
    sizes: Sequence[int] = INPUT_SIZES,
    frozen_curve: bool = False,
) -> dict[str, list[Trial]]:
    """Trials of `architectures` (default: all), and of the recipe's own one over `sizes`.

    `weights` override those of the recipe by architecture; the default is "none" where ImageNet
    weights are not published. `frozen_curve` only fits the head over `sizes`, which is much faster.
    Raises UnknownArchitectureError.
    """

    def adapt(name: str, size: int) -> Recipe:
        default = recipe.weights if find(name).load_imagenet else "none"
        start = (weights or {}).get(name, default)
        return replace(recipe, architecture=name, weights=start, input_size=size)

    for name in weights or {}:
        find(name)
    return {
        "architectures": [Trial(adapt(name, recipe.input_size)) for name in architectures or TABLE],
        "input_sizes": [Trial(adapt(recipe.architecture, size), frozen_curve) for size in sizes],
    }


def compare_architectures(
    corpus: TrainingCorpus,
    plan: Mapping[str, Sequence[Trial]],
    cache: Path,
    without_imagenet: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Measure a row for each trial of each part of `plan`; JSON-ready.

    With `without_imagenet`, networks whose ImageNet weights are unavailable are trained from
    scratch, and `wanted_weights` in their row says so. Raises NoImagenetToCompareError before
    anything is trained, and what `run_trial` raises.
    """
    data = corpus.fingerprint()
    trials = {
        trial: _with_available_weights(trial, _path(cache, trial, data.sha256), without_imagenet)
        for trial in chain.from_iterable(plan.values())
    }
    rows: dict[Trial, dict[str, Any]] = {}
    for done, (wanted, trial) in enumerate(trials.items()):
        progress("Rows", done, len(trials))
        path = _path(cache, trial, data.sha256)
        if not path.exists():
            _write(path, run_trial(trial, corpus, _trial_progress(progress, trial)))
        rows[wanted] = json.loads(path.read_text(encoding="utf-8"))
        if trial != wanted:
            rows[wanted]["wanted_weights"] = wanted.recipe.weights
    progress("Rows", len(trials), len(trials))
    return {
        "split": "test split by photograph, all saved copies; not seen in training",
        "latency": f"LiteRT on one core of {processor()}, one photograph, median of {TIMED_RUNS} "
        "runs",
        "data": data.model_dump(),
        **{part: [rows[trial] for trial in part_trials] for part, part_trials in plan.items()},
    }


def _with_available_weights(trial: Trial, path: Path, without_imagenet: bool) -> Trial:
    """`trial`, or the same from scratch if its ImageNet weights are unavailable."""
    if path.exists():
        return trial
    recipe = trial.recipe
    try:
        build_network(recipe.architecture, recipe.input_size, recipe.weights)
    except ImagenetUnavailableError as error:
        if not without_imagenet:
            raise NoImagenetToCompareError(error) from error
        return replace(trial, recipe=replace(recipe, weights="none"))
    return trial


def _path(cache: Path, trial: Trial, data: str) -> Path:
    recipe = trial.recipe
    key = content_hash(json.dumps([recipe.as_dict(), trial.frozen, data, code_hash()]).encode())[
        :12
    ]
    return cache / f"{recipe.architecture}-{recipe.input_size}-{key}.json"


def _write(path: Path, row: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(row, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)


def _trial_progress(progress: Progress, trial: Trial) -> Progress:
    """Only the long stages: all stages of every row would fill the terminal."""
    name = f"{trial.recipe.architecture} at {trial.recipe.input_size} px"

    def report(stage: str, done: int, total: int) -> None:
        if trial.frozen or stage == "Fine-tuning":
            progress(f"{name}: {stage}", done, total)

    return report
