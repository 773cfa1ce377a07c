"""The whole cross-validation with a stub grader."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.commands import training as command_line
from api.core.layout import NEAR
from api.core.progress import Progress, silent
from api.evaluation import cross_validation, out_of_fold, supplied_split
from api.evaluation.cross_validation import crossvalidate
from api.evaluation.folds import FOLDS, FiveFold, fold_metrics
from api.evaluation.graded import GradedSamples, OutOfFold
from api.training.corpus import TrainingCorpus, TrainingSplit, read_corpus
from api.training.grader import Grader
from api.training.recipe import Recipe
from api.training.samples import Sample
from tests.evaluation.sources import KITCHEN_PHOTOS, STUDIO, draw_sources
from tests.training.collection import CLASSES, PICTURES, colour_grader

RECIPE = Recipe(input_size=32)
MODULES = (out_of_fold, supplied_split)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_sources(tmp_path_factory.mktemp("sources")))


@pytest.fixture(scope="module")
def splits() -> Iterator[list[TrainingSplit]]:
    """Every split that was trained on, in order."""
    trained: list[TrainingSplit] = []

    def train_grader(recipe: Recipe, split: TrainingSplit, progress: Progress = silent) -> Grader:
        trained.append(split)
        return colour_grader(recipe, split, progress)

    with pytest.MonkeyPatch.context() as patch:
        for module in MODULES:
            patch.setattr(module, "train_grader", train_grader)
        yield trained


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def measured(corpus: TrainingCorpus, splits: list[TrainingSplit], cache: Path) -> dict[str, Any]:
    return crossvalidate(corpus, RECIPE, cache)


def forbid_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*_: object) -> Grader:
        raise AssertionError("trained again")

    for module in MODULES:
        monkeypatch.setattr(module, "train_grader", train)


def test_parts_are_ordered_from_unseen_sources_to_supplied_split(measured: dict[str, Any]) -> None:
    assert list(measured) == [
        "leave_one_source_out",
        "by_photograph",
        "by_phone_run",
        "other_sources",
        "rejection",
        "supplied_split",
        "recipe",
        "data",
    ]
    text = json.dumps(measured, allow_nan=False)
    assert len(text) < 120_000
    for name, figure in (
        ("leave_one_source_out", "accuracy"),
        ("leave_one_source_out", "expected_calibration_error"),
        ("by_photograph", "accuracy"),
        ("by_photograph", "expected_calibration_error"),
        ("by_phone_run", "fruit_accuracy"),
        ("by_phone_run", "edible_not_called_rotten"),
        ("other_sources", "accuracy"),
        ("supplied_split", "accuracy"),
        ("rejection", "known_rejected"),
        ("rejection", "auroc"),
        ("rejection", "near_auroc"),
    ):
        low, high = measured[name][f"{figure}_interval_95"]
        assert 0 <= low <= high <= 1, (name, figure)


def test_every_file_is_graded_once_across_folds(
    measured: dict[str, Any], corpus: TrainingCorpus
) -> None:
    scores = measured["by_photograph"]
    assert scores["files"] == len([file for file in corpus.listing.files if file.source == STUDIO])
    assert scores["files"] > scores["photographs"]
    assert sum(row["files"] for row in scores["reliability"]) == scores["files"]
    assert scores["accuracy"] > 0.8
    assert scores["expected_calibration_error_before_scaling"] >= 0
    assert set(scores["roc"]) == set(CLASSES)
    assert set(measured["other_sources"]["by_source"]) == {"kitchen", "phone"}
    known = (PICTURES + KITCHEN_PHOTOS) * len(CLASSES) + 24
    assert measured["rejection"]["known_files"] == known
    assert set(measured["rejection"]["known_rejected_by_source"]) == {STUDIO, "kitchen", "phone"}


def test_folds_do_not_train_on_held_out_groups(
    corpus: TrainingCorpus, splits: list[TrainingSplit]
) -> None:
    folds = FiveFold(corpus)
    folds.run(2, RECIPE)
    split = splits[-1]
    held = {sample.group for sample in folds.held_out(2)}
    assert not held & {sample.group for sample in [*split.training, *split.validation]}
    trained_on = {copy for sample in split.training for copy in sample.copies}
    assert not trained_on & {copy for sample in split.validation for copy in sample.copies}
    assert any(sample.box for sample in folds.held_out(2))


def test_every_group_is_held_out_in_one_fold(corpus: TrainingCorpus) -> None:
    folds = FiveFold(corpus)
    held = [folds.held_out(fold) for fold in range(FOLDS)]
    runs = [{sample.group for sample in part if sample.box} for part in held]
    assert sorted(len(part) for part in runs) == [1, 1, 1, 1, 2]
    assert len(set.union(*runs)) == 6
    kinds = [{s.group for s in part if s.group.startswith(NEAR)} for part in held]
    assert sum(map(len, kinds)) == len(set.union(*kinds)) == 6
    assert sum(map(len, held)) == len(corpus.listing.files) + 24 + 25 + 12


def test_boxes_of_unknown_level_are_not_phone_runs(corpus: TrainingCorpus) -> None:
    unknown = replace(corpus, boxes=tuple(replace(box, level=None) for box in corpus.boxes))
    folds = FiveFold(unknown)
    metrics = fold_metrics(folds, [graded_evenly(folds.held_out(k)) for k in range(FOLDS)])
    assert "by_phone_run" not in metrics
    assert metrics["other_sources"]["by_source"]["phone"]["accuracy"] is None


def graded_evenly(samples: list[Sample]) -> GradedSamples:
    even = np.full((len(samples), len(CLASSES)), 1 / len(CLASSES), np.float32)
    predictions = OutOfFold(even, even, np.zeros(len(samples), np.float32))
    return GradedSamples(samples, predictions, CLASSES)


def test_supplied_split_trains_on_its_train_files_and_is_marked_as_leaking(
    measured: dict[str, Any], corpus: TrainingCorpus, splits: list[TrainingSplit]
) -> None:
    scores = measured["supplied_split"]
    assert scores["leaks"] is True
    assert 0 < scores["test_photographs_also_in_train"] < scores["test_photographs"]
    # The run after three sources and five folds.
    split = splits[3 + FOLDS]
    train = [file for file in corpus.listing.files if file.supplied_split == "train"]
    samples = [*split.training, *split.validation]
    trained_on = [copy for s in samples if s.target and not s.box for copy in s.copies]
    assert sorted(trained_on) == sorted(corpus.listing.root / file.path for file in train)


def test_cached_results_are_not_trained_again(
    measured: dict[str, Any], corpus: TrainingCorpus, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_training(monkeypatch)
    assert crossvalidate(corpus, RECIPE, cache) == measured
    for other in (
        (corpus, replace(RECIPE, seed=1)),
        (replace(corpus, near_files=corpus.near_files[1:]), RECIPE),
        (replace(corpus, far_files=corpus.far_files[1:]), RECIPE),
        (replace(corpus, boxes=corpus.boxes[1:]), RECIPE),
    ):
        with pytest.raises(AssertionError, match="trained again"):
            crossvalidate(*other, cache)
    monkeypatch.setattr(cross_validation, "code_hash", lambda: "other code")
    with pytest.raises(AssertionError, match="trained again"):
        crossvalidate(corpus, RECIPE, cache)


def test_single_part_is_merged_with_cached_parts(
    measured: dict[str, Any],
    corpus: TrainingCorpus,
    splits: list[TrainingSplit],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = crossvalidate(corpus, RECIPE, tmp_path, only="supplied")
    assert list(alone) == ["supplied_split", "recipe", "data"]
    both = crossvalidate(corpus, RECIPE, tmp_path, only="sources")
    assert list(both) == ["leave_one_source_out", "supplied_split", "recipe", "data"]
    assert both["leave_one_source_out"] == measured["leave_one_source_out"]
    forbid_training(monkeypatch)
    assert crossvalidate(corpus, RECIPE, tmp_path, only="supplied") == both


@pytest.mark.slow
def test_command_prints_a_summary_of_each_part(
    measured: dict[str, Any],
    corpus: TrainingCorpus,
    cache: Path,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "docs" / "figures.json"
    line = f"crossvalidate {corpus.listing.root} --input-size 32 --cache {cache} --out {out}"
    forbid_training(monkeypatch)
    monkeypatch.setattr(
        sys, "argv", ["python -m api.commands.training", *line.split(), "--only", "folds"]
    )
    assert command_line.main() == 0
    assert json.loads(out.read_text(encoding="utf-8")) == json.loads(json.dumps(measured))
    output = capsys.readouterr().out
    positions = [
        output.index(title) for title in ("Leave one source out", "Five folds", "Supplied")
    ]
    assert positions == sorted(positions)
    assert "  Without kitchen: accuracy" in output
    assert "LEAKS" in output
