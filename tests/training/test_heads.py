"""Fitting and calibrating the heads."""

from dataclasses import replace

import numpy as np
import pytest

from api.core.arrays import softmax
from api.core.heads import Head, Linear
from api.core.labels import FRESH, PAST_BEST, ROTTEN, UNKNOWN
from api.training.heads import (
    GroundTruth,
    HeadLogits,
    calibrate_head,
    fit_freshness,
    fit_head,
    freshness_of_levels,
    freshness_values,
    kind_targets,
    kinds_and_parts,
    level_numbers,
    uncalibrated_head,
)
from api.training.ood import fit_ood
from api.training.samples import Sample

CLASSES = ("freshapples", "freshpears", "rottenapples", "rottenpears")


def test_separable_classes_are_learned() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    embeddings = (np.eye(3)[labels] * 3 + rng.normal(0, 0.5, (300, 3)) + 7).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[labels]
    head = fit_head(embeddings, targets, np.ones(300, np.float32), l2=1e-3)
    assert (head(embeddings).argmax(axis=1) == labels).mean() > 0.98


def test_soft_targets_are_reproduced() -> None:
    embeddings = np.array([[1.0], [-1.0]], dtype=np.float32)
    targets = np.array([[0.8, 0.2], [0.3, 0.7]], dtype=np.float32)
    head = fit_head(embeddings, targets, np.ones(2, np.float32), l2=1e-6)
    assert softmax(head(embeddings)) == pytest.approx(targets, abs=0.01)


def test_sample_weights_are_used() -> None:
    embeddings = np.zeros((2, 1), dtype=np.float32)
    targets = np.eye(2, dtype=np.float32)
    head = fit_head(embeddings, targets, np.array([3, 1], np.float32), l2=1e-6)
    assert softmax(head(embeddings))[0] == pytest.approx([0.75, 0.25], abs=0.01)


def test_initial_weights_do_not_change_the_result() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(300, 8)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[embeddings[:, :3].argmax(axis=1)]
    sample_weights = np.ones(300, np.float32)
    cold_started = fit_head(embeddings, targets, sample_weights, 1e-2)
    warm_started = fit_head(embeddings, targets, sample_weights, 1e-2, start=cold_started)
    assert warm_started.weights == pytest.approx(cold_started.weights, abs=0.02)


def test_freshness_needs_both_levels_and_ignores_unknown() -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(90, 4)).astype(np.float32)
    freshness = (embeddings[:, 0] > 0).astype(np.float32)
    freshness[60:] = np.nan
    embeddings[60:, 0] = 100  # Would change the scale if it were used.
    sample_weights = np.ones(90, np.float32)
    linear = fit_freshness(embeddings, freshness, sample_weights, 1e-3)
    assert linear
    assert ((linear(embeddings[:60])[:, 0] > 0) == (freshness[:60] > 0)).mean() > 0.95
    assert fit_freshness(embeddings, np.ones(90, np.float32), sample_weights, 1e-3) is None
    assert fit_freshness(embeddings, np.full(90, np.nan, np.float32), sample_weights, 1e-3) is None


def test_kind_targets_have_a_none_column_if_needed() -> None:
    kind_of = np.array([0, 0, 1])
    targets = np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 0, 1]], np.float32)
    assert kind_targets(targets, kind_of).tolist() == [[1, 0], [1, 0], [0, 1]]
    with_none = np.concatenate([targets, np.zeros((1, 3), np.float32)])
    assert kind_targets(with_none, kind_of)[-1].tolist() == [0, 0, 1]
    assert freshness_values([Sample((), (), value) for value in (1.0, 0.0)]).tolist() == [1, 0]
    assert np.isnan(freshness_values([Sample((), ())])).all()


def test_without_freshness_each_class_is_a_kind() -> None:
    classes = ("freshapples", "pears", "rottenapples")
    kind_of, parts = kinds_and_parts(classes, has_freshness=True)
    assert kind_of.tolist() == [0, 1, 0]
    # Rotten, past its best, fresh; past its best counts as fresh.
    assert parts.tolist() == [[0, 1, 1], [1, 1, 0], [1, 1, 0]]
    kind_of, parts = kinds_and_parts(classes, has_freshness=False)
    assert kind_of.tolist() == [0, 1, 2]
    assert (parts == 1).all()


@pytest.fixture
def embeddings() -> np.ndarray:
    """The first two channels separate apples from pears, the third shows rot. Classes alternate."""
    rng = np.random.default_rng(0)
    kind, rotten = np.arange(80) % 2, np.arange(80) // 2 % 2
    columns = np.stack([kind == 0, kind == 1, rotten == 0, np.ones(80)], axis=1) * 4.0
    drawn: np.ndarray = (columns + rng.normal(0, 0.3, columns.shape)).astype(np.float32)
    return drawn


@pytest.fixture
def truth() -> GroundTruth:
    kind, rotten = np.arange(80) % 2, np.arange(80) // 2 % 2
    return GroundTruth(
        np.eye(4, dtype=np.float32)[kind + 2 * rotten],
        np.where(rotten == 1, ROTTEN, FRESH),
        ["garden"] * 80,
    )


@pytest.fixture
def heads(embeddings: np.ndarray, truth: GroundTruth) -> Head:
    kinds = np.array([[1, 0, -1], [0, 1, -1], [0, 0, 0], [0, 0, 0]], np.float32)
    freshness = np.array([[0], [0], [2], [-1]], np.float32)
    return uncalibrated_head(
        CLASSES,
        Linear(kinds, np.zeros(3, np.float32)),
        Linear(freshness, np.zeros(1, np.float32)),
        fit_ood(embeddings, truth.targets.argmax(axis=1)),
    )


def test_class_probability_is_kind_times_freshness(
    heads: Head, embeddings: np.ndarray, truth: GroundTruth
) -> None:
    head = calibrate_head(heads, HeadLogits.of(heads, embeddings), truth)
    probabilities = head.probabilities(embeddings)
    assert (probabilities.argmax(axis=1) == truth.targets.argmax(axis=1)).all()
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert head.recognises(embeddings).mean() >= 0.97
    assert head.freshness
    assert head.freshness.rotten_below == 0.5 <= head.freshness.fresh_from < 1
    fresh = head.freshness.levels(embeddings)[truth.levels == FRESH]
    assert 0.9 <= (fresh[:, 1:].sum(axis=1) >= head.freshness.fresh_from).mean() < 1


def test_temperatures_are_fitted_on_held_out_logits(
    heads: Head, embeddings: np.ndarray, truth: GroundTruth
) -> None:
    logits = HeadLogits.of(heads, embeddings)
    head = calibrate_head(heads, logits, truth)
    assert head.freshness
    # "None of them" does not affect the temperature of the kinds.
    none = logits.kinds + np.array([0, 0, 50], np.float32)
    same = calibrate_head(heads, replace(logits, kinds=none), truth)
    assert same.temperature == pytest.approx(head.temperature)
    wrong_truth = replace(truth, targets=truth.targets[:, [1, 0, 3, 2]])
    assert calibrate_head(heads, logits, wrong_truth).temperature > 1.3 * head.temperature
    assert logits.freshness is not None
    inverted = replace(logits, freshness=-logits.freshness)
    unsure = calibrate_head(heads, inverted, truth).freshness
    assert unsure
    assert unsure.temperature > 1.3 * head.freshness.temperature


def test_ood_threshold_keeps_most_of_every_source(
    heads: Head, embeddings: np.ndarray, truth: GroundTruth
) -> None:
    """Among 400 held-out photos, the 30 from a shop have higher OOD scores."""
    count, shop = 400, 30
    rows = np.arange(count) % 80
    sources = ["garden"] * (count - shop) + ["shop"] * shop
    many = GroundTruth(truth.targets[rows], truth.levels[rows], sources)
    logits = HeadLogits.of(heads, embeddings[rows])
    ood = np.linspace(0, 1, count, dtype=np.float32)
    ood[-shop:] += 3
    threshold = calibrate_head(heads, replace(logits, ood=ood), many).ood.threshold
    assert (ood[-shop:] > threshold).sum() <= 1
    one_source = replace(many, sources=["garden"] * count)
    assert (
        ood[-shop:] > calibrate_head(heads, replace(logits, ood=ood), one_source).ood.threshold
    ).sum() >= 5


def test_scores_of_a_new_class_raise_the_threshold(
    heads: Head, embeddings: np.ndarray, truth: GroundTruth
) -> None:
    logits = HeadLogits.of(heads, embeddings)
    usual = calibrate_head(heads, logits, truth).ood.threshold
    new = np.full(10, usual + 5, np.float32)
    assert calibrate_head(heads, logits, truth, [new]).ood.threshold == pytest.approx(usual + 5)


def test_plain_classes_have_no_freshness_head(
    heads: Head, embeddings: np.ndarray, truth: GroundTruth
) -> None:
    plain = uncalibrated_head(("apple", "pear"), heads.kinds, None, heads.ood)
    assert plain.freshness is None
    assert HeadLogits.of(plain, embeddings).freshness is None
    plain_truth = GroundTruth(
        truth.targets[:, :2] + truth.targets[:, 2:], np.full(80, UNKNOWN), truth.sources
    )
    head = calibrate_head(plain, HeadLogits.of(plain, embeddings), plain_truth)
    assert head.freshness is None
    assert (head.probabilities(embeddings).argmax(axis=1) == np.arange(80) % 2).all()


def test_levels_of_samples() -> None:
    classes = ("freshapples", "overripeapples", "rottenapples", "quince")
    samples = [Sample((), tuple(row)) for row in np.eye(4).tolist()]
    assert level_numbers(samples, classes).tolist() == [FRESH, PAST_BEST, ROTTEN, UNKNOWN]
    freshness = freshness_of_levels(np.array([FRESH, PAST_BEST, ROTTEN, UNKNOWN]))
    assert freshness[:3].tolist() == [1, 1, 0]
    assert np.isnan(freshness[3])
