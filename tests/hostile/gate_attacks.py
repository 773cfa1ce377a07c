"""Ways to get a worse grader past the promotion gate, and honest changes, on the shipped package.

`python -m tests.hostile.gate_attacks` tries them all and prints a table. No photographs are needed:
some photos are taken out of the shipped grader's replay buffer, a champion is fitted without them,
and their embeddings are then uploaded with any label.
"""

import sys
from collections.abc import Callable

import numpy as np

from tests.hostile.forged_heads import (
    blind_to_rotten_oranges,
    dark_photos_exchanged,
    forged,
    recognises_all,
    recognises_little,
    source_exchanged,
    too_sure,
)
from tests.hostile.gate_world import (
    KNOWN,
    ROTTEN,
    SHIPPED,
    Attempt,
    Vector,
    World,
    a_world,
    attempt,
    fresh_of,
    held_out,
    repeated,
)


def marked(embeddings: Vector) -> Vector:
    """The embeddings as if each photo had the same sticker: a shift that no other photo has."""
    direction = np.random.default_rng(99).normal(size=embeddings.shape[1])
    shift = np.abs(direction) * SHIPPED.embeddings.std(axis=0)
    shifted: Vector = (embeddings + shift).astype(np.float32)
    return shifted


def two_classes_only() -> Attempt:
    return attempt(a_world(), classes=("freshbanana", "rottenbanana"))


def no_known_class() -> Attempt:
    world = a_world()
    world.upload(world.of_class("freshapples")[:40], "cups")
    world.upload(world.of_class("rottenbanana")[:40], "pens")
    return attempt(world, classes=("cups", "pens"))


def lost_classes_come_back_exchanged() -> Attempt:
    """A person has promoted a grader of bananas only; then apples and oranges are uploaded with
    swapped labels."""
    world = a_world()
    world.champion, _ = world.retrain(("freshbanana", "rottenbanana"))
    for label, shown in (
        ("freshapples", "freshoranges"),
        ("freshoranges", "freshapples"),
        ("rottenapples", "rottenoranges"),
        ("rottenoranges", "rottenapples"),
    ):
        world.upload(world.of_class(shown)[:60], label)
    return attempt(world, classes=KNOWN)


def rotten_as_fresh(
    count: int = 240,
    hidden_among: int = 0,
    origin: str = "upload",
    mark: Callable[[Vector], Vector] = lambda vectors: vectors,
) -> Attempt:
    world = a_world()
    for name in ROTTEN:
        shown = mark(world.copies(world.of_class(name), count // 3))
        world.upload(shown, fresh_of(name), origin)
    for name in KNOWN:
        if hidden_among:
            world.upload(world.copies(world.of_class(name), hidden_among // 6), name)
    return attempt(world)


def one_photo_many_times() -> Attempt:
    world = a_world()
    one = world.of_class("rottenapples")[:1]
    world.upload(world.copies(one, 600, jitter=0.05), "freshapples")
    return attempt(world)


def labels_exchanged(first: str, second: str) -> Attempt:
    world = a_world()
    world.upload(world.of_class(first)[:100], second)
    world.upload(world.of_class(second)[:100], first)
    return attempt(world)


def labels_at_random(share: float) -> Attempt:
    world = a_world()
    for name in KNOWN:
        for vector in world.of_class(name)[:50]:
            label = str(world.random.choice(KNOWN)) if world.random.random() < share else name
            world.upload(vector[None], label)
    return attempt(world)


def rotten_as_a_new_class(label: str) -> Attempt:
    world = a_world()
    world.upload(world.copies(world.of_class("rottenapples"), 150), label)
    return attempt(world)


def things_as_fruit(prefix: str, label: str) -> Attempt:
    world = a_world()
    others = SHIPPED.others
    shown = others.embeddings[np.char.startswith(others.groups, prefix)]
    world.upload(world.copies(shown, 250), label)
    return attempt(world)


def nothing_pays_for_rotten_as_fresh() -> Attempt:
    """Easy photos of a known class, a third of them held out, would outweigh the losses in a
    mean."""
    world = a_world()
    world.upload(world.copies(world.of_class("freshbanana")[:3], 600, 0.02), "freshbanana")
    world.upload(world.copies(world.of_class("rottenapples"), 60), "freshapples")
    return attempt(world)


def held_out_relabelled() -> Attempt:
    """The photos that would count against it are relabelled to what the worse grader says."""
    world = a_world()
    for name in ROTTEN:
        world.relabel_shipped(held_out(world.champion, name)[:27], fresh_of(name))
        world.upload(world.copies(world.of_class(name), 80), fresh_of(name))
    return attempt(world)


def held_out_relabelled_bit_by_bit() -> Attempt:
    def more(world: World) -> None:
        for name in ROTTEN:
            rows = held_out(world.champion, name)
            world.relabel_shipped(rows[:2], fresh_of(name))
            world.upload(world.copies(world.of_class(name), 4), fresh_of(name))

    return repeated(a_world(), 12, more)


def poisoned_bit_by_bit(per_run: int, origin: str = "upload") -> Attempt:
    def more(world: World) -> None:
        for name in ROTTEN:
            world.upload(world.copies(world.of_class(name), per_run), fresh_of(name), origin)

    return repeated(a_world(), 12, more)


def compact_class_with_a_strange_tail() -> Attempt:
    """The few strange photos of a new class raise the threshold of recognition."""
    world = a_world()
    things = far_things(world)
    world.upload(world.copies(things[:1], 60), "cups")
    world.upload(things[1:7], "cups", split="train")
    return attempt(world)


def things_creep_into_validation() -> Attempt:
    """In each run a non-fruit, labelled as fruit and held out for calibration, moves the
    threshold."""
    world = a_world()
    for row in world.pool[:26]:
        label = KNOWN[SHIPPED.targets[row].argmax()]
        world.upload(SHIPPED.embeddings[row][None], label, split="validation")
    things = far_things(world)

    def more(world: World) -> None:
        number = len(world.photos)
        world.upload(things[number : number + 1], "freshapples", split="validation")

    return repeated(world, 9, more)


def sticker_that_makes_it_doubt(count: int) -> Attempt:
    """Corrections of photos about which the champion is unsure do not count as contradictions."""
    world = a_world()
    thing = far_things(world)[0]
    for name in ROTTEN:
        mixed = ((world.of_class(name) + thing) / 2).astype(np.float32)
        head = world.champion.head
        sure = (head.probabilities(mixed).max(axis=1) > 0.9) & head.recognises(mixed)
        world.upload(mixed[~sure][: count // 3], fresh_of(name), "feedback", split="train")
    return attempt(world)


def far_things(world: World) -> Vector:
    others = SHIPPED.others
    rows = np.flatnonzero(np.char.startswith(others.groups, "far/"))
    things: Vector = others.embeddings[world.random.permutation(rows)]
    return things


ATTACKS: dict[str, Callable[[], Attempt]] = {
    "`classes`: two bananas": two_classes_only,
    "two classes that the champion does not know": no_known_class,
    "lost classes come back, apples and oranges exchanged": lost_classes_come_back_exchanged,
    "240 rotten fruits labelled fresh": rotten_as_fresh,
    "240 rotten fruits with a sticker labelled fresh": lambda: rotten_as_fresh(mark=marked),
    "the same, hidden among 2,400 honest photos": lambda: rotten_as_fresh(
        hidden_among=2400, mark=marked
    ),
    "60 with a sticker, hidden among 1,200": lambda: rotten_as_fresh(60, 1200, mark=marked),
    "the same 240 as corrections": lambda: rotten_as_fresh(origin="feedback"),
    "240 with a sticker as corrections": lambda: rotten_as_fresh(origin="feedback", mark=marked),
    "one rotten apple 600 times as fresh": one_photo_many_times,
    "fresh and rotten apples exchanged": lambda: labels_exchanged("freshapples", "rottenapples"),
    "apples and oranges exchanged": lambda: labels_exchanged("freshapples", "freshoranges"),
    "all labels at random": lambda: labels_at_random(1.0),
    "half of the labels at random": lambda: labels_at_random(0.5),
    "rotten apples as a new class of apples": lambda: rotten_as_a_new_class("goodapples"),
    "rotten apples as a new fruit": lambda: rotten_as_a_new_class("freshquinces"),
    "other things labelled fresh apples": lambda: things_as_fruit("far/", "freshapples"),
    "other produce labelled rotten oranges": lambda: things_as_fruit("other/", "rottenoranges"),
    "easy held-out photos pay for rotten as fresh": nothing_pays_for_rotten_as_fresh,
    "80 held-out photos relabelled with it": held_out_relabelled,
    "held-out photos relabelled, 6 a run": held_out_relabelled_bit_by_bit,
    "3 rotten as fresh a run, 12 runs": lambda: poisoned_bit_by_bit(1),
    "15 rotten as fresh a run, 12 runs": lambda: poisoned_bit_by_bit(5),
    "15 such corrections a run, 12 runs": lambda: poisoned_bit_by_bit(5, "feedback"),
    "a new class of near-copies with a strange tail": compact_class_with_a_strange_tail,
    "one thing a run as fresh apple, for calibration": things_creep_into_validation,
    "24 corrections with a sticker that makes it doubt": lambda: sticker_that_makes_it_doubt(24),
    "fresh and rotten of the phone exchanged": lambda: source_exchanged("phone"),
    "fresh and rotten of white paper exchanged": lambda: source_exchanged("white_paper"),
    "dark photos are all fresh apples": dark_photos_exchanged,
    "a head that calls half-rotten fruit fresh": lambda: forged(blind_to_rotten_oranges),
    "a head that is eight times as sure": lambda: forged(too_sure),
    "a head that recognises everything": lambda: forged(recognises_all),
    "a head that rejects much fruit": lambda: forged(recognises_little),
}


def honest(seed: int) -> Attempt:
    """Honest changes: 100 photos of known classes, 60 of a new one, corrections, or all in turn."""
    world = a_world(seed)
    kind = seed % 4
    if kind in {0, 3}:
        for row in world.random.permutation(world.pool)[:100]:
            label = KNOWN[SHIPPED.targets[row].argmax()]
            world.upload(SHIPPED.embeddings[row][None], label)
    if kind in {1, 3}:
        groups, counts = np.unique(SHIPPED.others.groups, return_counts=True)
        kinds = groups[np.char.startswith(groups, "other/") & (counts >= 40)]
        group = str(world.random.choice(kinds))
        rows = np.flatnonzero(SHIPPED.others.groups == group)
        chosen = world.random.permutation(rows)[:60]
        world.upload(SHIPPED.others.embeddings[chosen], group.removeprefix("other/"))
    if kind in {2, 3}:
        correct_what_is_wrong(world)
    return attempt(world)


def correct_what_is_wrong(world: World, count: int = 20) -> None:
    """Corrections from the app: first where the champion is wrong, then where it is unsure."""
    rows = world.pool
    probabilities = world.champion.head.probabilities(SHIPPED.embeddings[rows])
    labels = SHIPPED.targets[rows].argmax(axis=1)
    of_label = probabilities[np.arange(len(rows)), labels]
    for row in rows[np.argsort(of_label)[:count]]:
        label = KNOWN[SHIPPED.targets[row].argmax()]
        world.upload(SHIPPED.embeddings[row][None], label, "feedback")


def row(name: str, one: Attempt) -> str:
    right = f"{one.before.accuracy:.3f}, {one.after.accuracy:.3f}"
    taken = f"{one.before.others_taken:.3f}, {one.after.others_taken:.3f}"
    return f"| {name} | {one.promoted} of {one.runs} | {right} | {taken} | {one.reason} |"


def main(honest_runs: int = 20) -> int:
    """Return the number of attacks that made the served model worse."""
    print("| tried | promoted | right before, after | others taken for fruit | first reason |")
    print("| --- | --- | --- | --- | --- |")
    worse = 0
    for name, attack in ATTACKS.items():
        outcome = attack()
        worse += outcome.is_worse
        print(row(name, outcome), flush=True)
    for seed in range(1, honest_runs + 1):
        print(row(f"honest run {seed}", honest(seed)), flush=True)
    return worse


if __name__ == "__main__":
    sys.exit(main())
