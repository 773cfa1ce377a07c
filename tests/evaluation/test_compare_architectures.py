"""Comparing architectures: two small networks on drawn images."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import pytest

from api.commands import training as command_line
from api.evaluation import architecture_trial
from api.evaluation.architecture_trial import run_trial
from api.evaluation.compare_architectures import (
    NoImagenetToCompareError,
    compare_architectures,
    plan_comparison,
)
from api.training.backbones.architectures import TABLE, UnknownArchitectureError
from api.training.corpus import TrainingCorpus
from api.training.recipe import Recipe
from tests.training.drawn import draw_corpus

RECIPE = Recipe(architecture="custom_cnn", input_size=32, batch_size=16, views=16, epochs=1)
NAMES = ("custom_cnn", "twin_cnn")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return draw_corpus(tmp_path_factory.mktemp("drawn"), 24)


@pytest.fixture(autouse=True)
def twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second small network, whose ImageNet weights cannot be downloaded."""

    def offline(_: keras.Model) -> None:
        raise OSError("no route to host")

    monkeypatch.setitem(TABLE, "twin_cnn", replace(TABLE["custom_cnn"], load_imagenet=offline))
    monkeypatch.setattr(architecture_trial, "TIMED_RUNS", 3)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The architectures whose rows were measured rather than read from the cache."""
    names: list[str] = []

    def record_and_run(trial: architecture_trial.Trial, *arguments: Any) -> dict[str, Any]:
        names.append(trial.recipe.architecture)
        return run_trial(trial, *arguments)

    monkeypatch.setattr("api.evaluation.compare_architectures.run_trial", record_and_run)
    return names


@pytest.mark.usefixtures("eager_training")
def test_interrupted_comparison_resumes(
    corpus: TrainingCorpus, tmp_path: Path, measured: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_comparison(RECIPE, NAMES, {"twin_cnn": "none"}, sizes=[32, 64], frozen_curve=True)

    def interrupted(trial: architecture_trial.Trial, *arguments: Any) -> dict[str, Any]:
        if trial.recipe.architecture == "twin_cnn":
            raise KeyboardInterrupt
        return run_trial(trial, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr("api.evaluation.compare_architectures.run_trial", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compare_architectures(corpus, plan, tmp_path)

    progress_by_stage: dict[str, tuple[int, int]] = {}
    comparison = compare_architectures(
        corpus,
        plan,
        tmp_path,
        progress=lambda stage, *done: progress_by_stage.update({stage: done}),
    )
    assert measured == ["twin_cnn", "custom_cnn", "custom_cnn"]
    assert progress_by_stage["Rows"] == (4, 4)
    assert progress_by_stage["twin_cnn at 32 px: Fine-tuning"] == (1, 1)
    assert (
        compare_architectures(corpus, plan, tmp_path)
        == comparison
        == json.loads(json.dumps(comparison))
    )
    assert len(measured) == 3

    rows = comparison["architectures"]
    assert [row["architecture"] for row in rows] == list(NAMES)
    for row in rows:
        assert row["weights"] == "none"
        assert row["training"] == "fine-tuned"
        assert row["parameters"] == 980_704 + 256 * 2 + 2
        assert row["megabytes"] == pytest.approx(3.9, abs=0.1)
        assert row["milliseconds"] > 0
        assert row["files"] == len(corpus.files("test"))
        for metric in ("accuracy", "macro_precision", "macro_recall", "macro_f1"):
            assert 0 <= row[metric] <= 1
    assert [row["input_size"] for row in comparison["input_sizes"]] == [32, 64]
    assert all("untouched" in row["training"] for row in comparison["input_sizes"])


def test_missing_imagenet_weights_fail_before_training(
    corpus: TrainingCorpus, tmp_path: Path, measured: list[str]
) -> None:
    plan = plan_comparison(RECIPE, NAMES, sizes=[])
    with pytest.raises(NoImagenetToCompareError, match="--without-imagenet-where-missing"):
        compare_architectures(corpus, plan, tmp_path)
    assert measured == []


def test_row_without_imagenet_names_the_wanted_weights(
    corpus: TrainingCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_planned(trial: architecture_trial.Trial, *_: Any) -> dict[str, Any]:
        return {"weights": trial.recipe.weights}

    monkeypatch.setattr("api.evaluation.compare_architectures.run_trial", as_planned)
    comparison = compare_architectures(
        corpus, plan_comparison(RECIPE, NAMES, sizes=[]), tmp_path, without_imagenet=True
    )
    assert comparison["architectures"] == [
        {"weights": "none"},
        {"weights": "none", "wanted_weights": "imagenet"},
    ]


def test_each_recipe_has_its_own_row(
    corpus: TrainingCorpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []

    def record_rate(trial: architecture_trial.Trial, *_: Any) -> dict[str, Any]:
        rates.append(trial.recipe.learning_rate)
        return {}

    monkeypatch.setattr("api.evaluation.compare_architectures.run_trial", record_rate)
    for rate in (1e-3, 1e-4, 1e-3):
        plan = plan_comparison(replace(RECIPE, learning_rate=rate), ["custom_cnn"], sizes=[])
        compare_architectures(corpus, plan, tmp_path)
    assert rates == [1e-3, 1e-4]


def test_unknown_architecture_is_rejected() -> None:
    with pytest.raises(UnknownArchitectureError):
        plan_comparison(RECIPE, ["vgg"])
    with pytest.raises(UnknownArchitectureError):
        plan_comparison(RECIPE, NAMES, {"vgg": "none"})


@pytest.mark.slow
def test_command_writes_the_metrics(
    corpus: TrainingCorpus,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def as_planned(trial: architecture_trial.Trial, *_: Any) -> dict[str, Any]:
        metrics = dict.fromkeys(("accuracy", "macro_f1", "megabytes", "milliseconds"), 0.5)
        recipe = trial.recipe
        names = {"architecture": recipe.architecture, "weights": recipe.weights}
        how = {"training": "fine-tuned", "input_size": recipe.input_size}
        return {**names, **how, **metrics, "recipe": recipe.as_dict()}

    monkeypatch.setattr("api.evaluation.compare_architectures.run_trial", as_planned)
    out = tmp_path / "figures.json"
    command = (
        f"compare {corpus.listing.root} --architectures custom_cnn --sizes --epochs 1 "
        f"--input-size 32 --batch-size 64 --weights custom_cnn=none --out {out} "
        f"--cache {tmp_path / 'cache'}"
    )
    monkeypatch.setattr(sys, "argv", ["python -m api.commands.training", *command.split()])
    assert command_line.main() == 0
    (row,) = json.loads(out.read_text(encoding="utf-8"))["architectures"]
    assert row["recipe"]["batch_size"] == 64
    assert "custom_cnn at 32 px, weights none, fine-tuned" in capsys.readouterr().out
