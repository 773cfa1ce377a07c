"""Attacks on the promotion gate with a forged head, which no run has fitted."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from api.core.heads import Head, Linear
from api.retraining.fast_heads import fit_calibrated_head
from api.retraining.training_rows import TrainingRows
from tests.hostile.gate_world import KNOWN, ROTTEN, Attempt, a_world, attempt, fresh_of


def source_exchanged(source: str) -> Attempt:
    """Fit the head to rows in which one source's fresh and rotten are swapped."""
    world = a_world()
    replay = world.champion.replay
    opposite = {fresh_of(name): name for name in ROTTEN} | {name: fresh_of(name) for name in ROTTEN}
    swap = [KNOWN.index(opposite[name]) for name in KNOWN]
    wrong = replay.targets.copy()
    rows = replay.sources == source
    wrong[rows] = wrong[rows][:, swap]
    none = np.zeros(len(wrong), bool)
    forged = fit_calibrated_head(TrainingRows(KNOWN, replace(replay, targets=wrong), none, none))
    return attempt(world, forged=forged)


def dark_photos_exchanged() -> Attempt:
    world = a_world()
    replay = world.champion.replay
    dark = replay.looks[:, 0] < np.nanquantile(replay.looks[:, 0], 0.25)
    wrong = replay.targets.copy()
    wrong[dark & (replay.splits == "train")] = 0
    wrong[dark & (replay.splits == "train"), KNOWN.index("freshapples")] = 1
    none = np.zeros(len(wrong), bool)
    forged = fit_calibrated_head(TrainingRows(KNOWN, replace(replay, targets=wrong), none, none))
    return attempt(world, forged=forged)


def forged(change: Callable[[Head], Head]) -> Attempt:
    world = a_world()
    return attempt(world, forged=change(world.champion.head))


def blind_to_rotten_oranges(head: Head) -> Head:
    assert head.freshness
    linear = head.freshness.linear
    return replace(
        head, freshness=replace(head.freshness, linear=Linear(linear.weights, linear.bias + 2.5))
    )


def too_sure(head: Head) -> Head:
    assert head.freshness
    freshness = replace(head.freshness, temperature=head.freshness.temperature / 8)
    return replace(head, temperature=head.temperature / 8, freshness=freshness)


def recognises_all(head: Head) -> Head:
    return replace(head, ood=replace(head.ood, threshold=1e9))


def recognises_little(head: Head) -> Head:
    return replace(head, ood=replace(head.ood, threshold=head.ood.threshold - 6))
