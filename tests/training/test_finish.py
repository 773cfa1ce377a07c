"""From fitted heads to a finished one."""

from dataclasses import replace

import numpy as np
import pytest

from api.core.heads import Linear
from api.core.labels import FRESH, PAST_BEST, ROTTEN, UNKNOWN
from api.training.finish import (
    FittedHeads,
    Truth,
    finish_head,
    freshness_of_levels,
    level_numbers,
)
from api.training.ood import fit_ood
from api.training.samples import Sample

CLASSES = ("freshapples", "freshpears", "rottenapples", "rottenpears")


@pytest.fixture
def embeddings() -> np.ndarray:
    """The first two channels tell apples from pears, the third rot: ten of each class in turn."""
    rng = np.random.default_rng(0)
    kind, rotten = np.arange(80) % 2, np.arange(80) // 2 % 2
    columns = np.stack([kind == 0, kind == 1, rotten == 0, np.ones(80)], axis=1) * 4.0
    found: np.ndarray = (columns + rng.normal(0, 0.3, columns.shape)).astype(np.float32)
    return found


@pytest.fixture
def truth() -> Truth:
    kind, rotten = np.arange(80) % 2, np.arange(80) // 2 % 2
    return Truth(
        np.eye(4, dtype=np.float32)[kind + 2 * rotten],
        np.where(rotten == 1, ROTTEN, FRESH),
        ["garden"] * 80,
    )


@pytest.fixture
def heads(embeddings: np.ndarray, truth: Truth) -> FittedHeads:
    kinds = np.array([[1, 0, -1], [0, 1, -1], [0, 0, 0], [0, 0, 0]], np.float32)
    freshness = np.array([[0], [0], [2], [-1]], np.float32)
    return FittedHeads(
        CLASSES,
        Linear(kinds, np.zeros(3, np.float32)),
        Linear(freshness, np.zeros(1, np.float32)),
        fit_ood(embeddings, truth.targets.argmax(axis=1)),
    )


def test_the_answer_is_the_product_of_kind_and_freshness(
    heads: FittedHeads, embeddings: np.ndarray, truth: Truth
) -> None:
    head = finish_head(heads, heads.logits(embeddings), truth)
    said = head.probabilities(embeddings)
    assert (said.argmax(axis=1) == truth.targets.argmax(axis=1)).all()
    assert said.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert head.recognises(embeddings).mean() >= 0.97
    assert head.freshness
    assert head.freshness.rotten_below == 0.5 <= head.freshness.fresh_from < 1
    fresh = head.freshness.levels(embeddings)[truth.levels == FRESH]
    assert 0.9 <= (fresh[:, 1:].sum(axis=1) >= head.freshness.fresh_from).mean() < 1


def test_both_temperatures_are_of_what_was_held_out(
    heads: FittedHeads, embeddings: np.ndarray, truth: Truth
) -> None:
    said = heads.logits(embeddings)
    head = finish_head(heads, said, truth)
    assert head.freshness
    # "None of them" has no say in how sure the kinds are.
    none = said.kinds + np.array([0, 0, 50], np.float32)
    same = finish_head(heads, replace(said, kinds=none), truth)
    assert same.temperature == pytest.approx(head.temperature)
    mistaken = replace(truth, targets=truth.targets[:, [1, 0, 3, 2]])
    assert finish_head(heads, said, mistaken).temperature > 1.3 * head.temperature
    assert said.freshness is not None
    wrong_way = replace(said, freshness=-said.freshness)
    unsure = finish_head(heads, wrong_way, truth).freshness
    assert unsure
    assert unsure.temperature > 1.3 * head.freshness.temperature


def test_the_threshold_leaves_most_of_every_source(
    heads: FittedHeads, embeddings: np.ndarray, truth: Truth
) -> None:
    """Of 400 held-out photographs 30 are of a shop, and all of those look stranger."""
    count, shop = 400, 30
    rows = np.arange(count) % 80
    sources = ["garden"] * (count - shop) + ["shop"] * shop
    many = Truth(truth.targets[rows], truth.levels[rows], sources)
    said = heads.logits(embeddings[rows])
    ood = np.linspace(0, 1, count, dtype=np.float32)
    ood[-shop:] += 3
    threshold = finish_head(heads, replace(said, ood=ood), many).ood.threshold
    assert (ood[-shop:] > threshold).sum() <= 1
    together = replace(many, sources=["garden"] * count)
    assert (
        ood[-shop:] > finish_head(heads, replace(said, ood=ood), together).ood.threshold
    ).sum() >= 5


def test_scores_of_a_new_class_move_the_threshold(
    heads: FittedHeads, embeddings: np.ndarray, truth: Truth
) -> None:
    said = heads.logits(embeddings)
    usual = finish_head(heads, said, truth).ood.threshold
    new = np.full(10, usual + 5, np.float32)
    assert finish_head(heads, said, truth, [new]).ood.threshold == pytest.approx(usual + 5)


def test_a_plain_set_has_no_freshness(
    heads: FittedHeads, embeddings: np.ndarray, truth: Truth
) -> None:
    plain = replace(heads, classes=("apple", "pear"), freshness=None)
    assert plain.plain.freshness is None
    assert plain.logits(embeddings).freshness is None
    plain_truth = Truth(
        truth.targets[:, :2] + truth.targets[:, 2:], np.full(80, UNKNOWN), truth.sources
    )
    head = finish_head(plain, plain.logits(embeddings), plain_truth)
    assert head.freshness is None
    assert (head.probabilities(embeddings).argmax(axis=1) == np.arange(80) % 2).all()


def test_levels_of_samples() -> None:
    classes = ("freshapples", "overripeapples", "rottenapples", "quince")
    samples = [Sample((), tuple(row)) for row in np.eye(4).tolist()]
    near = [Sample((), (), freshness) for freshness in (1.0, 0.0, None)]
    assert level_numbers([*samples, *near], classes).tolist() == [
        *(FRESH, PAST_BEST, ROTTEN, UNKNOWN),
        *(FRESH, ROTTEN, UNKNOWN),
    ]
    found = freshness_of_levels(np.array([FRESH, PAST_BEST, ROTTEN, UNKNOWN]))
    assert found[:3].tolist() == [1, 1, 0]
    assert np.isnan(found[3])
