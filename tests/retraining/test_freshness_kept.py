"""A fast run keeps the shipped freshness head unless photos with a level were added, removed or
relabelled."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from api.core.labels import UNKNOWN
from api.model.package import REPLAY, Package, load_package
from api.model.replay_buffer import ReplayBuffer
from api.retraining.fast_heads import fit_calibrated_head, freshness_to_keep
from api.retraining.training_rows import TrainingRows
from api.settings import PROJECT
from tests.registry.samples import some_rows


@pytest.fixture(scope="module")
def champion() -> Package:
    return load_package(PROJECT / "models" / "default")


@pytest.fixture(scope="module")
def learned(champion: Package) -> ReplayBuffer:
    """A quarter of the training rows, since fitting heads on all takes twice the time."""
    replay = ReplayBuffer.load(champion.folder / REPLAY)
    is_fourth = np.arange(len(replay.splits)) % 4 == 0
    return some_rows(replay, (replay.splits == "validation") | is_fourth)


def rows_of(
    champion: Package, replay: ReplayBuffer, new: NDArray[np.intp] | None = None
) -> TrainingRows:
    """The champion's rows; those numbered `new` count as unknown to it."""
    is_new = np.zeros(len(replay.targets), bool)
    if new is not None:
        is_new[new] = True
    return TrainingRows(champion.manifest.classes, replay, is_new, np.zeros_like(is_new))


def test_head_is_kept_if_no_new_row_has_a_level(champion: Package, learned: ReplayBuffer) -> None:
    assert champion.head.freshness is not None
    unknown = np.flatnonzero(rows_of(champion, learned).levels == UNKNOWN)[:3]
    assert len(unknown)
    data = rows_of(champion, learned, unknown)
    kept = freshness_to_keep(champion.head, learned, data)
    assert kept is champion.head.freshness.linear
    head = fit_calibrated_head(data, known=champion.manifest.classes, freshness=kept)
    assert head.freshness is not None
    assert head.freshness.linear is kept
    # A refitted head would differ.
    anew = fit_calibrated_head(data, known=champion.manifest.classes)
    assert anew.freshness is not None
    assert anew.freshness.linear.weights != pytest.approx(kept.weights, abs=1e-3)


def test_head_is_refitted_if_a_new_row_has_a_level(
    champion: Package, learned: ReplayBuffer
) -> None:
    known = np.flatnonzero(rows_of(champion, learned).levels != UNKNOWN)[:1]
    assert freshness_to_keep(champion.head, learned, rows_of(champion, learned, known)) is None


def test_removed_photos_are_forgotten(champion: Package, learned: ReplayBuffer) -> None:
    more = replace(learned, photographs=np.append(learned.photographs, "went/1"))
    assert freshness_to_keep(champion.head, more, rows_of(champion, learned)) is None


def test_without_validation_rows_the_head_is_fitted(
    champion: Package, learned: ReplayBuffer
) -> None:
    """Otherwise it would be calibrated on rows that it has learned."""
    assert champion.head.freshness is not None
    kept = champion.head.freshness.linear
    splits = np.where(learned.splits == "validation", "train", learned.splits)
    data = rows_of(champion, replace(learned, splits=splits))
    head = fit_calibrated_head(data, known=champion.manifest.classes, freshness=kept)
    assert head.freshness is not None
    assert head.freshness.linear is not kept
