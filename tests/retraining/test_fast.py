"""Fast retraining and the gate on synthetic embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from api.core.heads import Head, Linear
from api.model.replay_buffer import OodSamples, ReplayBuffer
from api.registry.promotion_gate import Verdict, judge
from api.retraining import fast
from api.retraining.fast_heads import fit_calibrated_head
from api.retraining.held_out import judged_rows
from api.retraining.job import RetrainJob
from api.retraining.label_agreement import find_contradictions
from api.retraining.training_rows import TrainingRows, merge_catalog
from tests.retraining.synthetic_rows import (
    ALL,
    CENTRES,
    CHANNELS,
    KNOWN,
    EmbeddedPhoto,
    drawn_replay,
    embedding,
    new_photos,
    others_at,
)


@pytest.fixture(scope="module")
def replay() -> ReplayBuffer:
    return drawn_replay()


@pytest.fixture(scope="module")
def champion(replay: ReplayBuffer) -> Head:
    none = np.zeros(len(replay.embeddings), bool)
    return fit_calibrated_head(TrainingRows(KNOWN, replay, none, none))


Retrain = Callable[..., tuple[Head, TrainingRows, Verdict]]


@pytest.fixture
def retrain(replay: ReplayBuffer, champion: Head) -> Retrain:
    def run(
        photos: Sequence[EmbeddedPhoto],
        classes: tuple[str, ...] = KNOWN,
        head: Head | None = None,
    ) -> tuple[Head, TrainingRows, Verdict]:
        embeddings = {photo.sha256: vector[None] for photo, vector in photos}
        data = merge_catalog(replay, KNOWN, [photo for photo, _ in photos], embeddings, classes)
        data = fast.drop_ood_of_new_classes(data, KNOWN)
        candidate = head or fit_calibrated_head(data, known=KNOWN)
        manifest = type("Manifest", (), {"classes": KNOWN})
        package = type("Package", (), {"manifest": manifest, "head": champion})
        only = [photo for photo, _ in photos]
        job = type("RetrainJob", (), {"champion": package, "replay": replay, "photos": only})
        judged = judged_rows(replay, KNOWN, data)
        _, found = find_contradictions(data, champion, KNOWN, {})
        comparison = fast.compare_with_champion(as_job(job), data, candidate, judged, found)
        return candidate, data, judge(comparison)

    return run


def as_job(job: object) -> RetrainJob:
    return job  # type: ignore[return-value]  # The comparison reads nothing else.


def test_new_class_adds_a_column(retrain: Retrain, champion: Head, replay: ReplayBuffer) -> None:
    head, data, verdict = retrain(new_photos("plum", 60), (*KNOWN, "plum"))
    # The last column is "none of them".
    assert head.kinds.weights.shape == (CHANNELS, 5)
    unseen = np.stack([embedding("plum", seed) for seed in range(5000, 5200)])
    assert (head.probabilities(unseen).argmax(axis=1) == 3).mean() > 0.9
    test = replay.splits == "test"
    truth = replay.targets[test].argmax(axis=1)
    before, after = (
        (one.probabilities(replay.embeddings[test]).argmax(axis=1) == truth).mean()
        for one in (champion, head)
    )
    assert after >= before - 0.01
    assert verdict.promote, verdict.reasons
    assert any("plum" in reason for reason in verdict.reasons)
    assert fast.measure_head(data, head)["test_by_photograph"]["per_class"]["plum"]["recall"] > 0.8


def test_forty_photos_of_a_new_class_are_enough(retrain: Retrain, champion: Head) -> None:
    head, data, verdict = retrain(new_photos("plum", 40), (*KNOWN, "plum"))
    assert verdict.promote, verdict.reasons
    # No class name has a freshness.
    assert head.freshness is None
    assert head.kind_of.tolist() == [0, 1, 2, 3]
    held_out = data.test & (data.names == "plum")
    unseen = np.stack([embedding("plum", seed) for seed in range(5000, 5200)])
    for rows in (data.replay.embeddings[held_out], unseen):
        assert (head.probabilities(rows).argmax(axis=1) == 3).mean() >= 0.9
        assert head.recognises(rows).mean() >= 0.9
    # OOD photos are rejected nearly as often as before.
    far = np.random.default_rng(7).normal(size=(200, CHANNELS)).astype(np.float32) * 3
    assert head.recognises(far).mean() < champion.recognises(far).mean() + 0.1 < 0.6


def test_views_share_the_weight_of_their_photo(replay: ReplayBuffer) -> None:
    photos = new_photos("plum", 30)
    classes = (*KNOWN, "plum")

    def fit_with_copies(copies: int) -> Head:
        embeddings = {photo.sha256: np.stack([vector] * copies) for photo, vector in photos}
        only = [photo for photo, _ in photos]
        return fit_calibrated_head(merge_catalog(replay, KNOWN, only, embeddings, classes))

    alone, with_copies = fit_with_copies(1), fit_with_copies(3)
    # Three copies weigh as much as one; only the features' standardisation differs slightly.
    unseen = np.stack([embedding(name, seed) for name in classes for seed in range(6000, 6050)])
    assert np.abs(alone.probabilities(unseen) - with_copies.probabilities(unseen)).max() < 0.1


def test_more_photos_of_known_classes_are_promoted(retrain: Retrain) -> None:
    photos = [photo for name in KNOWN for photo in new_photos(name, 30)]
    _, _, verdict = retrain(photos)
    assert verdict.promote, verdict.reasons
    assert any("The new labels fit" in reason for reason in verdict.reasons)


def test_shuffled_labels_are_rejected_with_a_reason(retrain: Retrain) -> None:
    shows = np.random.default_rng(3).permutation([*KNOWN] * 30)
    photos = [
        photo
        for number, (label, shown) in enumerate(zip([*KNOWN] * 30, shows, strict=True))
        for photo in new_photos(label, 1, shows=str(shown), first=2000 + number)
    ]
    _, _, verdict = retrain(photos)
    assert not verdict.promote
    assert "The new labels do not fit the photos" in " ".join(verdict.reasons)


def test_shuffled_new_classes_are_rejected(retrain: Retrain) -> None:
    photos = [
        *(new_photos("plum", 20) + new_photos("plum", 20, shows="fig")),
        *(new_photos("fig", 20) + new_photos("fig", 20, shows="plum")),
    ]
    _, _, verdict = retrain(photos, ALL)
    assert not verdict.promote
    assert "cannot tell the new class" in " ".join(verdict.reasons)


def test_class_on_which_the_candidate_is_worse_is_named(retrain: Retrain, champion: Head) -> None:
    bias = champion.kinds.bias.copy()
    bias[KNOWN.index("quince")] -= 60.0
    kinds = Linear(champion.kinds.weights, bias)
    _, _, verdict = retrain([], head=replace(champion, kinds=kinds))
    assert not verdict.promote
    assert any("worse on quince" in reason for reason in verdict.reasons)
    assert not any("worse on apple" in reason for reason in verdict.reasons)


def test_corrections_of_hard_photos_do_not_count_as_wrong_labels(
    retrain: Retrain,
) -> None:
    # Pears that look like apples, which a model that has not learned them gets wrong.
    hard = new_photos("pear", 12, "apple")
    for photo, _ in hard:
        photo.origin = "feedback"
    _, _, verdict = retrain(hard)
    assert not any("labels" in reason for reason in verdict.reasons)


def test_small_custom_set_is_calibrated_by_cross_validation(retrain: Retrain) -> None:
    photos = new_photos("plum", 80) + new_photos("fig", 80)
    head, _, verdict = retrain(photos, ("fig", "plum"))
    # Only a person may promote it, since all classes of the champion are lost.
    lost = [reason for reason in verdict.reasons if "does not know the class" in reason]
    assert len(lost) == len(KNOWN)
    unseen = np.stack([embedding("plum", seed) for seed in range(5000, 5100)])
    assert (head.probabilities(unseen).argmax(axis=1) == 1).mean() > 0.95
    assert head.recognises(unseen).mean() > 0.9
    apples = np.stack([embedding("apple", seed) for seed in range(100)])
    assert head.recognises(apples).mean() < 0.5
    assert 0.05 < head.temperature < 20


def test_ood_samples_of_a_new_class_are_dropped(replay: ReplayBuffer, retrain: Retrain) -> None:
    """Half of the OOD photos show plums, a new class."""
    plums = np.stack([embedding("plum", seed) for seed in range(3000, 3030)])
    far = np.random.default_rng(1).normal(size=(30, CHANNELS)) * 3
    photos = new_photos("plum", 40)
    embeddings = {photo.sha256: vector[None] for photo, vector in photos}
    data = merge_catalog(
        replace(replay, others=others_at(np.concatenate([plums, far]))),
        KNOWN,
        [photo for photo, _ in photos],
        embeddings,
        (*KNOWN, "plum"),
    )
    unseen = np.stack([embedding("plum", seed) for seed in range(5000, 5200)])
    cleared = fast.drop_ood_of_new_classes(data, KNOWN)
    assert 30 <= len(cleared.replay.others) < 35
    head = fit_calibrated_head(cleared, known=KNOWN)
    assert head.recognises(unseen).mean() >= 0.9
    assert (head.probabilities(unseen).argmax(axis=1) == 3).mean() >= 0.9


def test_new_class_that_is_rejected_as_ood_fails_the_gate(retrain: Retrain, champion: Head) -> None:
    """Even if it has few photos and all known classes are still recognised."""
    head, data, verdict = retrain(new_photos("plum", 60), (*KNOWN, "plum"))
    assert verdict.promote
    plum = CENTRES[ALL.index("plum")]
    # Embeddings near plums get a high "none of the classes" logit.
    slopes = head.kinds.weights.copy()
    slopes[:, -1] += (20 * plum / (plum @ plum)).astype(np.float32)
    bias = head.kinds.bias.copy()
    bias[-1] -= 10
    blind = replace(head, kinds=Linear(slopes, bias))
    known = data.test & (data.names != "plum")
    assert blind.recognises(data.replay.embeddings[known]).mean() > 0.95
    _, _, verdict = retrain(new_photos("plum", 60), (*KNOWN, "plum"), head=blind)
    assert not verdict.promote
    assert any("does not recognise the new class plum" in text for text in verdict.reasons)
    assert not any("worse" in text for text in verdict.reasons)


@pytest.mark.parametrize(
    ("classes", "graded"),
    [
        (("freshquinces", "overripequinces", "pears"), False),
        (("overripequinces", "pears", "rottenquinces"), True),
        (("pears", "quinces", "rottenquinces"), False),
    ],
)
def test_without_both_fresh_and_rotten_there_is_no_freshness_head(
    replay: ReplayBuffer, classes: tuple[str, ...], graded: bool
) -> None:
    """The levels are then ordinary classes."""
    none = np.zeros(len(replay.targets), bool)
    head = fit_calibrated_head(TrainingRows(classes, replay, none, none))
    assert (head.freshness is not None) is graded
    unseen = np.stack([embedding(name, seed) for name in KNOWN for seed in range(4000, 4100)])
    probabilities = head.probabilities(unseen)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert (probabilities.argmax(axis=1) == np.arange(300) // 100).mean() > 0.9


def test_rot_generalises_to_a_fruit_trained_only_fresh(replay: ReplayBuffer) -> None:
    """Rot learned on apples and pears is recognised on a quince."""
    classes = ("freshapples", "freshpears", "freshquinces", "rottenapples", "rottenpears")
    rotten = np.arange(len(replay.targets)) % 2 == 1
    kind = replay.targets.argmax(axis=1)
    rotten &= kind < 2
    embeddings = np.pad(replay.embeddings, ((0, 0), (0, 1)))
    embeddings[:, -1] = np.where(rotten, 4, -4) + np.random.default_rng(2).normal(size=len(kind))
    targets = np.eye(5, dtype=np.float32)[np.where(rotten, kind + 3, kind)]
    others = others_at(np.pad(replay.others.embeddings, ((0, 0), (0, 1))))
    views = np.empty((0, CHANNELS + 1), np.float32)
    graded = replace(replay, embeddings=embeddings, targets=targets, others=others, views=views)
    none = np.zeros(len(kind), bool)
    head = fit_calibrated_head(TrainingRows(classes, graded, none, none))
    assert head.kinds.weights.shape[1] == 4
    assert head.freshness
    predicted = head.probabilities(embeddings).argmax(axis=1)
    assert (predicted == targets.argmax(axis=1)).mean() > 0.95
    unseen = np.stack([embedding("quince", seed) for seed in range(4000, 4050)])
    quince = np.pad(unseen, ((0, 0), (0, 1)))
    quince[:, -1] = 4
    assert (head.freshness.levels(quince)[:, 0] > 0.5).mean() > 0.9


def test_replay_without_sources_and_groups_can_be_retrained(replay: ReplayBuffer) -> None:
    """As in packages of early releases."""
    old = replace(
        replay,
        sources=np.full(len(replay.sources), "", np.str_),
        others=OodSamples.of_embeddings(replay.others.embeddings),
    )
    photos = new_photos("plum", 60)
    embeddings = {photo.sha256: vector[None] for photo, vector in photos}
    data = merge_catalog(old, KNOWN, [photo for photo, _ in photos], embeddings, (*KNOWN, "plum"))
    head = fit_calibrated_head(data, known=KNOWN)
    unseen = np.stack([embedding("plum", seed) for seed in range(5000, 5100)])
    assert (head.probabilities(unseen).argmax(axis=1) == 3).mean() > 0.9
    assert fast.measure_head(data, head)["rejection"]["other_files"] == 0
