"""A champion fitted without some photos of the shipped grader's replay buffer, and runs on it. No
photographs are needed: the embeddings left out are then uploaded with any label.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.core.heads import Head
from api.core.imaging.hashing import SIGNATURE_BYTES
from api.core.labels import read_label
from api.model.package import REPLAY, load_package
from api.model.replay_buffer import ReplayBuffer
from api.registry.promotion_gate import Verdict, judge
from api.retraining import fast
from api.retraining.fast_heads import fit_calibrated_head
from api.retraining.held_out import judged_rows, right_by_key, with_first_judgement
from api.retraining.job import RetrainJob
from api.retraining.label_agreement import find_contradictions
from api.retraining.training_rows import TrainingRows, merge_catalog
from api.settings import PROJECT
from api.storage.tables.photos import ImageRow
from tests.registry.samples import some_rows

DEFAULT = load_package(PROJECT / "models" / "default")


KNOWN = DEFAULT.manifest.classes


SHIPPED = ReplayBuffer.load(DEFAULT.folder / REPLAY)


# Share of the learned class-folder photos that the champion is fitted without.
POOL_SHARE = 0.35


Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Champion:
    """The served model: a replay buffer over `classes`, and the head fitted to it."""

    replay: ReplayBuffer
    head: Head
    classes: tuple[str, ...] = KNOWN


@dataclass
class World:
    """A champion, and photos that it has not learned: `pool` holds their rows in the shipped
    replay."""

    seed: int
    champion: Champion
    pool: NDArray[np.int64]
    photos: list[ImageRow] = field(default_factory=list)
    embeddings: dict[str, Vector] = field(default_factory=dict)

    @cached_property
    def random(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @property
    def pool_names(self) -> NDArray[np.str_]:
        names: NDArray[np.str_] = np.array(KNOWN)[SHIPPED.targets[self.pool].argmax(axis=1)]
        return names

    def of_class(self, *names: str) -> Vector:
        """Embeddings of the pool's photos of these classes, float32 [n, channels]."""
        return SHIPPED.embeddings[self.pool[np.isin(self.pool_names, names)]]

    def copies(self, embeddings: Vector, count: int, jitter: float = 0.15) -> Vector:
        """Other photos much like these, made by adding `jitter` of each channel's spread as
        noise."""
        spread = SHIPPED.embeddings.std(axis=0) * jitter
        chosen = embeddings[self.random.integers(0, len(embeddings), count)]
        noise = self.random.normal(size=chosen.shape) * spread
        copies: Vector = np.maximum(chosen + noise, 0).astype(np.float32)
        return copies

    def upload(
        self, embeddings: Vector, label: str, origin: str = "upload", split: str = ""
    ) -> None:
        """Add photos to the catalog, each in the split that the service draws for it. With `split`,
        as if somebody removed photos that fall into another split and sent more.
        """
        for vector in embeddings:
            sha256 = f"{self.seed:08x}{len(self.photos):056x}"
            drawn = self.random.choice(["train", "validation", "test"], p=[0.77, 0.08, 0.15])
            self.embeddings[sha256] = vector[None]
            self.photos.append(a_photo(sha256, label, split or str(drawn), origin))

    def relabel_shipped(self, rows: NDArray[np.int64], label: str) -> None:
        """Give the files of these rows of the champion's replay this label, as if in the
        catalog."""
        replay = self.champion.replay
        for row in rows:
            sha256, split = str(replay.sha256[row]), str(replay.splits[row])
            self.photos.append(a_photo(sha256, label, split, "upload"))

    def retrain(
        self, classes: tuple[str, ...] | None = None, forged: Head | None = None
    ) -> tuple[Champion, Verdict]:
        """A fast run as by `fast.make_candidate`; `forged` replaces the fitted head."""
        champion, known = self.champion, self.champion.classes
        new = sorted({photo.class_name for photo in self.photos} - set(known))
        names = classes or (*known, *new)
        data = merge_catalog(champion.replay, known, self.photos, self.embeddings, names)
        data = fast.drop_ood_of_new_classes(data, known)
        contradicted, found = find_contradictions(data, champion.head, known, {})
        data = replace(data, replay=replace(data.replay, contradicted=contradicted))
        head = forged or fit_calibrated_head(data, known=known)
        manifest = type("Manifest", (), {"classes": known})
        package = type("Package", (), {"manifest": manifest, "head": champion.head})
        parts = {"champion": package, "replay": champion.replay, "photos": self.photos}
        job: RetrainJob = type("RetrainJob", (), parts)  # type: ignore[assignment]
        judged = judged_rows(champion.replay, known, data)
        verdict = judge(fast.compare_with_champion(job, data, head, judged, found))
        earlier = judged.rows(~judged.held_out.is_new)
        replay = with_first_judgement(
            data.replay,
            data.classes,
            {
                **right_by_key(head, data.classes, judged),
                **right_by_key(champion.head, known, earlier),
            },
        )
        return Champion(replay, head, data.classes), verdict


@dataclass(frozen=True)
class Attempt:
    """The outcome: for the first and the last champion, the accuracy on shipped held-out photos and
    the share of other things taken for known fruit, 0 to 1. Of `runs`, the gate promoted
    `promoted`; `reason` is the first of the last verdict.
    """

    runs: int
    promoted: int
    before: "Quality"
    after: "Quality"
    reason: str

    @property
    def is_worse(self) -> bool:
        """Whether accuracy fell by more than 0.01, or the share of other things taken for fruit
        rose by 0.1."""
        return (
            self.after.accuracy < self.before.accuracy - 0.01
            or self.after.others_taken > self.before.others_taken + 0.1
        )


class Quality(NamedTuple):
    accuracy: float
    others_taken: float


def a_photo(sha256: str, label: str, split: str, origin: str) -> ImageRow:
    return ImageRow(
        id=sha256,
        sha256=sha256,
        class_name=label,
        photograph=sha256,
        split=split,
        origin=origin,
        signature="00" * SIGNATURE_BYTES,
        blob=sha256,
        width=640,
        height=480,
        brightness=0.5,
        saturation=0.5,
        hue=30.0,
    )


@cache
def world_of(seed: int) -> tuple[Champion, NDArray[np.int64]]:
    random = np.random.default_rng(seed)
    learned = np.flatnonzero((SHIPPED.splits == "train") & ~SHIPPED.boxed)
    pool = random.permutation(learned)[: int(len(learned) * POOL_SHARE)]
    kept = np.ones(len(SHIPPED.targets), bool)
    kept[pool] = False
    replay = some_rows(SHIPPED, kept)
    none = np.zeros(int(kept.sum()), bool)
    return Champion(replay, fit_calibrated_head(TrainingRows(KNOWN, replay, none, none))), pool


def a_world(seed: int = 0) -> World:
    champion, pool = world_of(seed)
    return World(seed, champion, pool)


def quality(champion: Champion) -> Quality:
    """Both figures on the shipped held-out photos; a class that the champion does not know counts
    as wrong."""
    rows = (SHIPPED.splits == "test") & (SHIPPED.targets.max(axis=1) == 1)
    truth = np.array(KNOWN)[SHIPPED.targets[rows].argmax(axis=1)]
    names, head = np.array(champion.classes), champion.head
    right = names[head.probabilities(SHIPPED.embeddings[rows]).argmax(axis=1)] == truth
    others = SHIPPED.others.embeddings
    taken = np.isin(names[head.probabilities(others).argmax(axis=1)], KNOWN)
    return Quality(float(right.mean()), float((taken & head.recognises(others)).mean()))


def attempt(
    world: World,
    classes: tuple[str, ...] | None = None,
    forged: Head | None = None,
) -> Attempt:
    """One run; if its version is promoted, it becomes the champion."""
    before = quality(world.champion)
    candidate, verdict = world.retrain(classes, forged)
    if verdict.promote:
        world.champion = candidate
    after = quality(world.champion)
    return Attempt(1, int(verdict.promote), before, after, verdict.reasons[0])


def repeated(world: World, runs: int, prepare: Callable[[World], None]) -> Attempt:
    """Make `runs` runs, each after another step of preparation."""
    attempts = []
    for _ in range(runs):
        prepare(world)
        attempts.append(attempt(world))
    return Attempt(
        runs,
        sum(one.promoted for one in attempts),
        attempts[0].before,
        attempts[-1].after,
        attempts[-1].reason,
    )


ROTTEN = tuple(name for name in KNOWN if read_label(name).level == "rotten")


FRESH = tuple(name for name in KNOWN if name not in ROTTEN)


def fresh_of(rotten: str) -> str:
    fruit = read_label(rotten).fruit
    return next(name for name in FRESH if read_label(name).fruit == fruit)


def held_out(champion: Champion, *names: str) -> NDArray[np.int64]:
    replay = champion.replay
    labels = np.array(champion.classes)[replay.targets.argmax(axis=1)]
    return np.flatnonzero((replay.splits == "test") & ~replay.boxed & np.isin(labels, names))
