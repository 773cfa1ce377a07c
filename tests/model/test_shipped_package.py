"""The shipped grader is as good as its manifest says, checked with the package's own data."""

import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from api.core.paired_comparison import PairedCounts
from api.evaluation.compare_models import compare_with_itself
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import ReplayBuffer
from api.registry.promotion_gate import judge_first
from api.settings import PROJECT
from api.training.detection.recipe import DetectorRecipe
from api.training.recipe import Recipe

# Embeddings are stored with one byte per channel.
TOLERANCE = 0.01
MIN_PER_CLASS = 20
# A left-out source or class with fewer photos says little.
MIN_LEFT_OUT = 100


@pytest.fixture(scope="module")
def package() -> Package:
    return load_package(PROJECT / "models" / "default")


@pytest.fixture(scope="module")
def replay(package: Package) -> ReplayBuffer:
    return ReplayBuffer.load(package.folder / REPLAY)


def test_accuracy_on_held_out_photos_is_that_of_the_manifest(
    package: Package, replay: ReplayBuffer
) -> None:
    rows = (replay.splits == "test") & (replay.targets.max(axis=1) == 1)
    predicted = package.head.probabilities(replay.embeddings[rows]).argmax(axis=1)
    accuracy = (predicted == replay.targets[rows].argmax(axis=1)).mean()
    by_source = package.manifest.metrics["by_source"]
    assert rows.sum() == by_source["of_known_class"]
    assert accuracy == pytest.approx(by_source["accuracy"], abs=TOLERANCE)


def test_every_class_and_every_source_has_held_out_photos(
    package: Package, replay: ReplayBuffer
) -> None:
    rows = replay.splits == "test"
    labels = replay.targets[rows].argmax(axis=1)
    assert np.bincount(labels, minlength=len(package.manifest.classes)).min() >= MIN_PER_CLASS
    assert set(replay.sources[rows].tolist()) == set(replay.sources.tolist())


def test_it_passes_the_floors_that_every_candidate_must_pass(package: Package) -> None:
    comparison = compare_with_itself(package)
    assert judge_first(comparison).promote
    for counts in all_counts(comparison.per_class, comparison.per_source, comparison.per_slice):
        assert counts.candidate_right >= 0.8 * counts.photographs


def test_it_was_made_by_the_recipe_of_this_code_at_a_commit(package: Package) -> None:
    assert package.manifest.recipe == Recipe().as_dict()
    assert package.manifest.detector is not None
    # The detector was trained before detectors could be trained further.
    detector = package.manifest.detector.recipe
    assert detector.keys() >= DetectorRecipe().as_dict().keys() - {"tuning_steps", "tuning_rate"}
    assert detector.items() <= DetectorRecipe().as_dict().items()
    # Not -dirty, since that code could not be retrieved.
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{7,}", package.manifest.versions["ripeline"])


def test_sources_left_out_were_measured_with_this_recipe() -> None:
    measured = json.loads((PROJECT / "docs" / "crossvalidation.json").read_text())
    assert measured["recipe"] == Recipe().as_dict()
    result: dict[str, Any] = measured["leave_one_source_out"]
    sources = [one for one in result["by_source"].values() if one["of_known_class"] >= MIN_LEFT_OUT]
    assert len(sources) >= 3
    for one in [*sources, result["mean_of_sources"]]:
        assert one["accuracy"] >= 0.8
    for one in result["per_class"]:
        if one["fruits"] >= MIN_LEFT_OUT:
            assert one["accuracy"] >= 0.5


def all_counts(*groups: object) -> Iterator[PairedCounts]:
    for group in groups:
        assert isinstance(group, dict)
        assert group
        yield from group.values()


def test_known_fruit_is_recognised_and_other_things_are_not(
    package: Package, replay: ReplayBuffer
) -> None:
    rows = replay.splits == "test"
    assert package.head.recognises(replay.embeddings[rows]).mean() > 0.95
    far = np.char.startswith(replay.others.groups, "far/") & (replay.others.splits != "train")
    assert package.head.recognises(replay.others.embeddings[far]).mean() < 0.5
