"""Fast retraining on made-up embeddings: learned, judged, packed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from api.dataset.appearance import Appearance
from api.dataset.split import split_of
from api.predict.head import Expert, Head
from api.registry.gate import Verdict, judge
from api.registry.replay import Replay
from api.retrain import fast
from api.retrain.candidate import Order
from api.retrain.fast_package import measured
from api.retrain.material import CatalogPhoto, Material, assemble
from api.training.head import fit_head
from tests.registry.samples import no_looks

KNOWN = ("apple", "pear", "quince")
CHANNELS = 24
ALL = ("apple", "pear", "quince", "plum", "fig")
# A photograph, and what the network sees in it.
Seen = tuple[CatalogPhoto, NDArray[np.float32]]
MIDDLES = np.random.default_rng(0).normal(size=(len(ALL), CHANNELS)) * 1.2


def embedding(class_name: str, seed: int) -> NDArray[np.float32]:
    random = np.random.default_rng([seed, *class_name.encode()])
    drawn: NDArray[np.float32] = random.normal(MIDDLES[ALL.index(class_name)]).astype(np.float32)
    return drawn


@pytest.fixture(scope="module")
def replay() -> Replay:
    drawn = [(name, seed) for name in KNOWN for seed in range(240)]
    names = [f"{name}/{seed}" for name, seed in drawn]
    return Replay(
        embeddings=np.stack([embedding(*one) for one in drawn]),
        targets=np.eye(3, dtype=np.float32)[[KNOWN.index(name) for name, _ in drawn]],
        splits=np.array([split_of(name) for name in names]),
        photographs=np.array(names),
        sha256=np.array(names),
        signatures=np.zeros((len(names), 80), np.uint8),
        catalog=np.zeros(len(names), bool),
        **no_looks(len(names)),
        others=np.random.default_rng(1).normal(size=(60, CHANNELS)).astype(np.float32) * 3,
    )


@pytest.fixture(scope="module")
def champion(replay: Replay) -> Head:
    none = np.zeros(len(replay.embeddings), bool)
    return fast.learn_head(Material(KNOWN, replay, none, none))


def new(class_name: str, count: int, shows: str = "", first: int = 1000) -> list[Seen]:
    """Photographs labelled `class_name`, with what the network sees in them."""
    made = []
    for seed in range(first, first + count):
        name = f"{class_name}/{shows}{seed}"
        photo = CatalogPhoto(
            sha256=name,
            class_name=class_name,
            photograph=name,
            split=split_of(name),
            origin="upload",
            signature=np.zeros(80, np.uint8),
            blob=name,
            width=1,
            height=1,
            appearance=Appearance(0.5, 0.5, 0),
        )
        made.append((photo, embedding(shows or class_name, seed)))
    return made


Retrain = Callable[..., tuple[Head, Material, Verdict]]


@pytest.fixture
def retrain(replay: Replay, champion: Head) -> Retrain:
    def run(
        photos: Sequence[Seen],
        classes: tuple[str, ...] = KNOWN,
        head: Head | None = None,
    ) -> tuple[Head, Material, Verdict]:
        seen = {photo.sha256: vector[None] for photo, vector in photos}
        material = assemble(replay, KNOWN, [photo for photo, _ in photos], seen, classes)
        learned = head or fast.learn_head(material)
        manifest = type("Manifest", (), {"classes": KNOWN})
        package = type("Package", (), {"manifest": manifest, "head": champion})
        order = type("Order", (), {"champion": package})
        comparison = fast.compare(cast_order(order), material, learned)
        return learned, material, judge(comparison)

    return run


def cast_order(order: object) -> Order:
    return order  # type: ignore[return-value]  # All that `compare` looks at.


def test_a_new_class_is_one_more_column(retrain: Retrain, champion: Head, replay: Replay) -> None:
    head, material, verdict = retrain(new("plum", 60), (*KNOWN, "plum"))
    assert head.weights.shape == (CHANNELS, 4)
    unseen = np.stack([embedding("plum", seed) for seed in range(5000, 5200)])
    assert (head.logits(unseen).argmax(axis=1) == 3).mean() > 0.9
    test = replay.splits == "test"
    truth = replay.targets[test].argmax(axis=1)
    before, after = (
        (one.logits(replay.embeddings[test]).argmax(axis=1) == truth).mean()
        for one in (champion, head)
    )
    assert after >= before - 0.01
    assert verdict.promote, verdict.reasons
    assert any("plum" in reason for reason in verdict.reasons)
    assert measured(material, head)["test_by_photograph"]["per_class"]["plum"]["recall"] > 0.8


def test_a_view_is_learned_from_and_shares_its_photograph_s_weight(replay: Replay) -> None:
    photos = new("plum", 30)
    classes = (*KNOWN, "plum")

    def learned(copies: int) -> Head:
        seen = {photo.sha256: np.stack([vector] * copies) for photo, vector in photos}
        only = [photo for photo, _ in photos]
        return fast.learn_head(assemble(replay, KNOWN, only, seen, classes))

    alone, with_copies = learned(1), learned(3)
    # The same photograph thrice is no more than once, but for how features are standardised.
    unseen = np.stack([embedding(name, seed) for name in classes for seed in range(6000, 6050)])
    assert np.abs(alone.probabilities(unseen) - with_copies.probabilities(unseen)).max() < 0.1


def test_more_of_what_is_known_is_promoted(retrain: Retrain) -> None:
    photos = [photo for name in KNOWN for photo in new(name, 30)]
    _, _, verdict = retrain(photos)
    assert verdict.promote, verdict.reasons
    assert any("The new labels fit" in reason for reason in verdict.reasons)


def test_shuffled_labels_are_rejected_and_the_reason_says_so(retrain: Retrain) -> None:
    shows = np.random.default_rng(3).permutation([*KNOWN] * 30)
    photos = [
        photo
        for number, (label, shown) in enumerate(zip([*KNOWN] * 30, shows, strict=True))
        for photo in new(label, 1, shows=str(shown), first=2000 + number)
    ]
    _, _, verdict = retrain(photos)
    assert not verdict.promote
    assert "The new labels do not fit the photographs" in " ".join(verdict.reasons)


def test_shuffled_new_classes_are_rejected(retrain: Retrain) -> None:
    photos = [
        *(new("plum", 20) + new("plum", 20, shows="fig")),
        *(new("fig", 20) + new("fig", 20, shows="plum")),
    ]
    _, _, verdict = retrain(photos, ALL)
    assert not verdict.promote
    assert "cannot tell the new class" in " ".join(verdict.reasons)


def test_a_candidate_that_is_worse_on_one_class_is_named(retrain: Retrain, champion: Head) -> None:
    bias = champion.bias.copy()
    bias[KNOWN.index("quince")] -= 60.0
    _, _, verdict = retrain([], head=replace(champion, bias=bias))
    assert not verdict.promote
    assert any("worse on quince" in reason for reason in verdict.reasons)
    assert not any("worse on apple" in reason for reason in verdict.reasons)


def test_corrections_of_hard_photographs_are_not_taken_for_wrong_labels(
    retrain: Retrain,
) -> None:
    # Pears that look like apples: whoever grades them without having seen them is wrong.
    hard = [
        (replace(photo, origin="feedback"), vector) for photo, vector in new("pear", 12, "apple")
    ]
    _, _, verdict = retrain(hard)
    assert not any("labels" in reason for reason in verdict.reasons)


def test_a_small_set_of_its_own_is_calibrated_by_cross_validation(retrain: Retrain) -> None:
    photos = new("plum", 80) + new("fig", 80)
    head, _, verdict = retrain(photos, ("fig", "plum"))
    assert verdict.promote, verdict.reasons
    unseen = np.stack([embedding("plum", seed) for seed in range(5000, 5100)])
    assert (head.logits(unseen).argmax(axis=1) == 1).mean() > 0.95
    assert head.recognises(unseen).mean() > 0.9
    apples = np.stack([embedding("apple", seed) for seed in range(100)])
    assert head.recognises(apples).mean() < 0.5
    assert 0.05 < head.temperature < 20


def with_opening(embeddings: NDArray[np.float32], opening: float = 0.9) -> NDArray[np.float32]:
    """The last eight channels are those of the texture then, for a gate that is this far open."""
    return np.pad(embeddings, ((0, 0), (0, 1)), constant_values=np.float32(opening))


@pytest.fixture(scope="module")
def gated(replay: Replay) -> Replay:
    """The replay of a network with a gate."""
    embeddings, others = with_opening(replay.embeddings), with_opening(replay.others, 0.1)
    views = replay.views.reshape(0, CHANNELS + 1)
    return replace(replay, embeddings=embeddings, others=others, views=views)


@pytest.fixture(scope="module")
def expert(gated: Replay) -> Expert:
    training = gated.splits == "train"
    texture, targets = gated.embeddings[training, -9:-1], gated.targets[training]
    count = np.ones(len(texture), np.float32)
    return Expert(fit_head(texture, targets, count, 1e-3), 1.0)


def test_the_expert_learns_a_new_class_too(gated: Replay, expert: Expert) -> None:
    classes = (*KNOWN, "plum")
    photos = new("plum", 60)
    seen = {photo.sha256: with_opening(vector[None]) for photo, vector in photos}
    material = assemble(gated, KNOWN, [photo for photo, _ in photos], seen, classes)
    head = fast.learn_head(material, expert=fast.carried(expert, KNOWN, classes))
    assert head.expert
    assert head.weights.shape == (CHANNELS - 8, 4)
    assert head.expert.classifier.weights.shape == (8, 4)
    assert head.channels == CHANNELS + 1
    unseen = with_opening(np.stack([embedding("plum", seed) for seed in range(5000, 5200)]))
    assert (head.expert.logits(unseen).argmax(axis=1) == 3).mean() > 0.8
    assert (head.logits(unseen).argmax(axis=1) == 3).mean() > 0.8


def test_an_expert_keeps_what_it_knows_that_the_replay_does_not_show(
    gated: Replay, expert: Expert
) -> None:
    """It has learned of all saved copies, also turned; the replay has one row a photograph."""
    embeddings = gated.embeddings.copy()
    embeddings[:, -2] = 0
    none = np.zeros(len(embeddings), bool)
    material = Material(KNOWN, replace(gated, embeddings=embeddings), none, none)
    kept = fast.learn_head(material, expert=expert).expert
    assert kept
    before, after = expert.classifier.weights, kept.classifier.weights
    assert np.abs(before[-1]).max() > 0.5
    assert after[-1] == pytest.approx(before[-1], rel=1e-3)
    assert not np.allclose(after[:-1], before[:-1], atol=0.05)


def test_a_small_set_with_an_expert_is_calibrated_by_cross_validation(
    gated: Replay, expert: Expert
) -> None:
    """The expert is sure of nothing that it got wrong while it had not seen it."""
    few = np.flatnonzero(np.char.endswith(gated.photographs, "7"))
    rows = {name: getattr(gated, name)[few] for name in ("embeddings", "targets", "splits")}
    names = ("photographs", "sha256", "signatures", "catalog", "looks", "copies")
    small = replace(gated, **rows, **{name: getattr(gated, name)[few] for name in names})
    none = np.zeros(len(few), bool)
    head = fast.learn_head(Material(KNOWN, small, none, none), expert=expert)
    assert head.expert
    assert 0.3 < head.expert.temperature < 3
    unseen = np.stack([embedding(name, seed) for name in KNOWN for seed in range(7000, 7100)])
    assert (head.logits(with_opening(unseen)).argmax(axis=1) == np.arange(300) // 100).mean() > 0.9


def test_an_expert_over_other_classes_says_the_same_of_those_that_stay(expert: Expert) -> None:
    carried = fast.carried(expert, KNOWN, ("fig", "quince", "apple"))
    assert carried
    unseen = with_opening(np.stack([embedding("apple", seed) for seed in range(20)]))
    said, before = carried.logits(unseen), expert.logits(unseen)
    assert np.array_equal(said[:, 1:], before[:, [KNOWN.index("quince"), KNOWN.index("apple")]])
    assert not said[:, 0].any()
    assert fast.carried(None, KNOWN, ALL) is None
