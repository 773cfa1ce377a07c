"""Cross-validation and the supplied split, with a grader that learns in no time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.dataset.split import fold_of
from api.evaluation import crossvalidate as module
from api.evaluation import leaking
from api.evaluation.crossvalidate import FOLDS, crossvalidate, hold_out
from api.evaluation.heldout import HeldOut
from api.progress import Progress, silent
from api.training.corpus import Corpus, read_corpus
from api.training.grader import Grader
from api.training.recipe import Recipe
from api.training.study import Study
from tests.training.collection import CLASSES, colour_grader, draw_collection

RECIPE = Recipe(input_size=32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return read_corpus(draw_collection(tmp_path_factory.mktemp("collection")))


@pytest.fixture(scope="module")
def studies() -> Iterator[list[Study]]:
    """Every study that a grader was trained on, in order."""
    seen: list[Study] = []

    def train_grader(recipe: Recipe, study: Study, progress: Progress = silent) -> Grader:
        seen.append(study)
        return colour_grader(recipe, study, progress)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "train_grader", train_grader)
        patch.setattr(leaking, "train_grader", train_grader)
        yield seen


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def measured(corpus: Corpus, studies: list[Study], cache: Path) -> dict[str, Any]:
    return crossvalidate(corpus, RECIPE, cache)


def test_every_file_is_graded_once(measured: dict[str, Any], corpus: Corpus) -> None:
    scores = measured["by_photograph"]
    assert scores["files"] == len(corpus.listing.files)
    assert sum(row["files"] for row in scores["reliability"]) == scores["files"]
    assert scores["accuracy"] > 0.8
    assert scores["expected_calibration_error_before_scaling"] >= 0
    assert set(scores["roc"]) == set(CLASSES)


def test_a_fold_learns_nothing_of_what_it_holds_out(corpus: Corpus, studies: list[Study]) -> None:
    hold_out(corpus, RECIPE, 2)
    study = studies[-1]
    learned = {copy for sample in study.training for copy in sample.copies}
    of_path = {corpus.listing.root / file.path: file for file in corpus.listing.files}
    assert all(fold_of(of_path[path].photograph) != 2 for path in learned if path in of_path)
    validation = {copy for sample in study.validation for copy in sample.copies}
    assert not learned & validation
    held_runs = {box.run for box in module._boxes_of(corpus, 2)}
    assert held_runs
    assert not held_runs & {sample.box.run for sample in study.training if sample.box}


def test_the_three_figures_stand_together_and_are_json(measured: dict[str, Any]) -> None:
    text = json.dumps(measured, allow_nan=False)
    assert len(text) < 120_000
    assert {"by_photograph", "by_phone_run", "supplied_split", "rejection"} <= set(measured)
    for name, figure in (
        ("by_photograph", "accuracy"),
        ("by_photograph", "expected_calibration_error"),
        ("by_phone_run", "fruit_accuracy"),
        ("by_phone_run", "edible_not_called_rotten"),
        ("supplied_split", "accuracy"),
        ("rejection", "known_rejected"),
        ("rejection", "auroc"),
    ):
        low, high = measured[name][f"{figure}_interval_95"]
        assert 0 <= low <= high <= 1, (name, figure)


def test_the_supplied_split_is_marked_and_learns_its_train_files(
    measured: dict[str, Any], corpus: Corpus, studies: list[Study]
) -> None:
    scores = measured["supplied_split"]
    assert scores["leaks"] is True
    assert 0 < scores["test_photographs_also_in_train"] < scores["test_photographs"]
    study = studies[FOLDS]
    train = [file for file in corpus.listing.files if file.supplied_split == "train"]
    samples = [*study.training, *study.validation]
    learned = [copy for sample in samples if sample.studio for copy in sample.copies]
    assert sorted(learned) == sorted(corpus.listing.root / file.path for file in train)


def test_nothing_is_trained_again(
    measured: dict[str, Any], corpus: Corpus, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Grader:
        raise AssertionError("trained again")

    monkeypatch.setattr(module, "train_grader", refuse)
    monkeypatch.setattr(leaking, "train_grader", refuse)
    assert crossvalidate(corpus, RECIPE, cache) == measured
    with pytest.raises(AssertionError, match="trained again"):
        crossvalidate(corpus, Recipe(input_size=32, seed=1), cache)


def test_folds_kept_by_an_earlier_version_are_read(
    measured: dict[str, Any], corpus: Corpus, cache: Path, tmp_path: Path
) -> None:
    """Their files hold five fields: what needs the others is left out, the rest is the same."""
    first = ("files", "files_distance", "boxes", "boxes_distance", "others_distance")
    (folder,) = [path for path in cache.iterdir() if len(list(path.iterdir())) == FOLDS + 1]
    (tmp_path / folder.name).mkdir()
    for path in folder.iterdir():
        found = HeldOut.load(path)
        arrays = {name: getattr(found, name) for name in first}
        np.savez(tmp_path / folder.name / path.name, **arrays)
    again = crossvalidate(corpus, RECIPE, tmp_path)
    assert again["by_photograph"]["accuracy"] == measured["by_photograph"]["accuracy"]
    assert "expected_calibration_error_before_scaling" not in again["by_photograph"]
    assert again["rejection"]["drawn_rejected"] == {}
