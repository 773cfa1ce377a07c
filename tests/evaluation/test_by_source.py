"""Leave-one-source-out evaluation with a stub grader."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.core.layout import FAR, NEAR
from api.evaluation import out_of_fold as module
from api.evaluation.by_source import LeaveOneSourceOut, left_out_metrics
from api.evaluation.graded import GradedSamples, OutOfFold
from api.training.corpus import TrainingCorpus, read_corpus
from api.training.recipe import Recipe
from api.training.samples import Sample
from tests.evaluation.sources import KITCHEN_PHOTOS, STUDIO, draw_sources
from tests.training.collection import CLASSES, PICTURES, colour_grader

RECIPE = Recipe(input_size=32)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingCorpus:
    return read_corpus(draw_sources(tmp_path_factory.mktemp("sources")))


@pytest.fixture(scope="module")
def runs(corpus: TrainingCorpus) -> LeaveOneSourceOut:
    return LeaveOneSourceOut(corpus)


@pytest.fixture(scope="module")
def metrics(runs: LeaveOneSourceOut, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "train_grader", colour_grader)
        return left_out_metrics(runs, runs.run_all(RECIPE, tmp_path_factory.mktemp("cache")))


def groups(samples: Sequence[Sample], prefix: str) -> set[str]:
    return {s.group for s in samples if not s.target and s.group.startswith(prefix)}


def training_samples(runs: LeaveOneSourceOut, run: int) -> list[Sample]:
    """The samples that a run's grader is trained on."""
    split = runs.corpus.split_without(lambda sample: runs.holds_out(run, sample))
    return [*split.training, *split.validation]


def test_every_source_with_several_classes_is_left_out(runs: LeaveOneSourceOut) -> None:
    # The market has near-OOD samples only.
    assert runs.sources == (STUDIO, "kitchen", "phone")
    assert runs.not_left_out == {}


def test_left_out_source_is_graded_but_not_trained_on(
    runs: LeaveOneSourceOut,
) -> None:
    for run, source in enumerate(runs.sources):
        trained, held = training_samples(runs, run), runs.held_out(run)
        assert source not in {sample.source for sample in trained if sample.target}
        fruit = {sample.copies[0] for sample in held if sample.target}
        assert fruit == {s.copies[0] for s in runs.fruit if s.source == source}
        assert not {s.group for s in trained} & {s.group for s in held}
        assert len(trained) > 20


def test_near_ood_kinds_are_held_out_with_their_source(
    runs: LeaveOneSourceOut,
) -> None:
    held = [groups(runs.held_out(run), NEAR) for run in range(len(runs.sources))]
    every = {sample.group for sample in runs.near}
    assert set.union(*held) == every
    assert len(every) == 6
    kitchen = runs.sources.index("kitchen")
    assert {"other/pear", "other/fig", "other/lychee"} <= held[kitchen]
    # The market's pears are held out too: a kind is either trained on or held out as a whole.
    pears = [s for s in runs.held_out(kitchen) if s.group == "other/pear"]
    assert {sample.source for sample in pears} == {"kitchen", "market"}
    for run in range(len(runs.sources)):
        assert not held[run] & groups(training_samples(runs, run), NEAR)


def test_far_ood_samples_are_held_out_by_file(runs: LeaveOneSourceOut) -> None:
    # They belong to the empty source, which run 0 leaves out; the other runs share the files.
    held = [groups(runs.held_out(run), FAR) for run in (1, 2)]
    assert not held[0] & held[1]
    assert groups(runs.held_out(0), FAR) == groups(runs.samples, FAR)


def test_photo_of_two_sources_is_held_out_with_either(runs: LeaveOneSourceOut) -> None:
    first = next(s for s in runs.fruit if s.source == "kitchen")
    twin = Sample(first.copies, first.target, source="attic", group=first.group)
    assert runs.holds_out(runs.sources.index("kitchen"), twin)
    assert not runs.holds_out(runs.sources.index("phone"), twin)


def test_photo_of_two_sources_counts_once_in_each_run(corpus: TrainingCorpus) -> None:
    """Eight photos are in both sources: each run grades both files and counts its own."""
    files = list(corpus.listing.files)
    apples = [file for file in files if file.class_name == CLASSES[0]]
    shared = {file.photograph: file for file in apples if file.source == STUDIO}
    kitchen = [file for file in apples if file.source == "kitchen"]
    for own, (photograph, file) in zip(kitchen[:8], shared.items(), strict=False):
        files[files.index(own)] = replace(own, photograph=photograph, split=file.split)
    runs = LeaveOneSourceOut(replace(corpus, listing=replace(corpus.listing, files=tuple(files))))

    def graded(run: int) -> GradedSamples:
        held = runs.held_out(run)
        own = [not s.target or s.source == runs.sources[run] for s in held]
        even = np.full((len(held), len(CLASSES)), 0.25, np.float32)
        # Samples of the other source would move the threshold if they were counted.
        margins = np.where(own, [-1.0 if s.target else 1.0 for s in held], 9.0)
        predictions = OutOfFold(even, even, margins.astype(np.float32))
        return GradedSamples(held, predictions, CLASSES)

    metrics = left_out_metrics(runs, [graded(run) for run in range(len(runs.sources))])
    assert metrics["fruits"] == (PICTURES + KITCHEN_PHOTOS) * len(CLASSES) + 24
    assert metrics["known_rejected"] == 0
    for row in metrics["by_source"].values():
        assert row["refused"]["near_rejected_at_98"] == 1


def test_metrics_by_source_and_in_total(metrics: dict[str, Any]) -> None:
    assert set(metrics["by_source"]) == {STUDIO, "kitchen", "phone"}
    assert metrics["fruits"] == sum(row["fruits"] for row in metrics["by_source"].values())
    assert metrics["fruits"] == (PICTURES + KITCHEN_PHOTOS) * len(CLASSES) + 24
    assert metrics["accuracy"] > 0.8
    assert "fresh over past_best" in metrics["by_source"]["phone"]["freshness_pairs"]
    assert metrics["rejection"]["near_kinds"] == 6
    kitchen = metrics["by_source"]["kitchen"]["refused"]
    assert kitchen["near_kinds"] >= 3
    assert 0 <= kitchen["near_rejected_at_98"] <= 1


def test_each_run_has_its_own_ood_threshold(runs: LeaveOneSourceOut) -> None:
    """If one source's fruit has high OOD scores, only its own run accepts near-OOD samples."""

    def graded(run: int) -> GradedSamples:
        held = runs.held_out(run)
        fruit = 5.0 if runs.sources[run] == "phone" else -5.0
        margins = np.array([fruit if s.target else 1.0 for s in held], np.float32)
        even = np.full((len(held), len(CLASSES)), 0.25, np.float32)
        return GradedSamples(held, OutOfFold(even, even, margins), CLASSES)

    metrics = left_out_metrics(runs, [graded(run) for run in range(len(runs.sources))])
    rejection = {name: row["refused"] for name, row in metrics["by_source"].items()}
    assert rejection["kitchen"]["near_rejected_at_98"] == 1
    assert rejection["phone"]["near_rejected_at_98"] == 0
    assert rejection["phone"]["near_rejected"] == 1
    assert metrics["rejection"]["near_rejected_at_98"] == 0
    assert metrics["by_source"]["phone"]["known_rejected"] == 1


def test_source_with_a_unique_class_is_not_left_out(corpus: TrainingCorpus) -> None:
    listing = corpus.listing
    files = tuple(
        file
        for file in listing.files
        if file.source != "kitchen" or file.class_name != "rottenbanana"
    )
    reduced = TrainingCorpus(
        type(listing)(listing.root, files, ()), (), corpus.far_files, corpus.near_files
    )
    runs = LeaveOneSourceOut(reduced)
    assert runs.sources == ("kitchen",)
    assert "no other source has rottenbanana" in runs.not_left_out[STUDIO]


def test_single_source_is_not_left_out(corpus: TrainingCorpus) -> None:
    listing = corpus.listing
    files = tuple(file for file in listing.files if file.source == STUDIO)
    alone = TrainingCorpus(type(listing)(listing.root, files, ()), (), corpus.far_files)
    assert LeaveOneSourceOut(alone).sources == ()


def test_finished_run_is_not_trained_again(
    runs: LeaveOneSourceOut, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []

    def train(*arguments: Any) -> Any:
        trained.append(1)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return colour_grader(*arguments)

    monkeypatch.setattr(module, "train_grader", train)
    with pytest.raises(KeyboardInterrupt):
        left_out_metrics(runs, runs.run_all(RECIPE, tmp_path))
    assert [path.exists() for path in runs.cache_files(tmp_path)] == [True, False, False]
    left_out_metrics(runs, runs.run_all(RECIPE, tmp_path))
    assert len(trained) == 4
