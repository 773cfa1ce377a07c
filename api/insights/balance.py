"""How many examples there are of what, and how often photographs were saved more than once."""

from collections import Counter

import numpy as np

from api.core.formatting import number, share, words
from api.core.labels import read_label
from api.core.splits import TEST_SHARE
from api.insights.current_examples import Examples
from api.insights.schemas import (
    Balance,
    Copies,
    CopyCount,
    Count,
    Freshness,
    FruitFreshness,
    LeakIfDealtByFile,
)

# Up to so many times the smallest class, the largest is no concern.
EVEN = 1.5
UNEVEN = 3.0
# Under this share of leaked photographs, a split by file does no harm.
FEW = 0.02


def counts(examples: Examples) -> list[Count]:
    """Of every class, split and origin of which there are any, in this order."""
    kinds = zip(
        examples.class_names.tolist(),
        examples.splits.tolist(),
        examples.origins.tolist(),
        strict=True,
    )
    return [
        Count(class_name=name, split=split, origin=origin, examples=found)
        for (name, split, origin), found in sorted(Counter(kinds).items())
    ]


def balance(examples: Examples) -> Balance | None:
    """The largest class against the smallest; None without any examples."""
    by_class = Counter(examples.class_names.tolist())
    if not by_class:
        return None
    (largest, most), *_ = ordered = by_class.most_common()
    smallest, least = ordered[-1]
    ratio = most / least
    return Balance(
        largest=largest,
        largest_examples=most,
        smallest=smallest,
        smallest_examples=least,
        ratio=ratio,
        story=_balance_story(len(by_class), len(examples), largest, smallest, ratio),
    )


def _balance_story(classes: int, total: int, largest: str, smallest: str, ratio: float) -> str:
    start = f"{number(total, 'example')} in {number(classes, 'class', 'classes')}."
    if classes < 2:
        return f"{start} A grader needs at least two classes: upload photographs of another."
    found = (
        f"{words(largest).capitalize()} has {ratio:.1f} times as many as {words(smallest)}, the "
        "smallest class"
    )
    if ratio <= EVEN:
        return f"{start} They are well balanced: {found[:1].lower()}{found[1:]}."
    weighed = "Training gives every class the same say, whatever its size"
    if ratio <= UNEVEN:
        return f"{start} {found}. {weighed}, so this is no trouble yet."
    return (
        f"{start} {found}. {weighed}, but what little there is of {words(smallest)} shows few of "
        "the ways that it can look: photographs of it help most."
    )


def freshness(examples: Examples) -> Freshness | None:
    """Fresh against rotten in all and of each fruit; None where no class speaks of freshness."""
    of_fruit: dict[str, Counter[str]] = {}
    for name, found in Counter(examples.class_names.tolist()).items():
        label = read_label(name)
        of_fruit.setdefault(label.fruit, Counter())[label.freshness or "other"] += found
    total = sum(of_fruit.values(), Counter())
    if not total["fresh"] + total["rotten"]:
        return None
    by_fruit = [
        FruitFreshness(fruit=fruit, fresh=parts["fresh"], rotten=parts["rotten"])
        for fruit, parts in sorted(of_fruit.items())
        if parts["fresh"] + parts["rotten"]
    ]
    return Freshness(
        fresh=total["fresh"],
        rotten=total["rotten"],
        other=total["other"],
        by_fruit=by_fruit,
        story=_freshness_story(total["fresh"], total["rotten"], by_fruit),
    )


def _freshness_story(fresh: int, rotten: int, by_fruit: list[FruitFreshness]) -> str:
    both = fresh + rotten
    more, most = ("fresh", fresh) if fresh >= rotten else ("rotten", rotten)
    story = (
        f"{number(fresh, 'fresh example')} against {rotten:,} rotten. Always saying {more} "
        f"would be right for {share(most / both)} of them: compare an accuracy with that."
    )
    odd = max(by_fruit, key=lambda part: abs(part.fresh / (part.fresh + part.rotten) - 0.5))
    one_sided = odd.fresh / (odd.fresh + odd.rotten)
    if len(by_fruit) > 1 and abs(one_sided - 0.5) > 0.02:
        kind, part = ("fresh", one_sided) if one_sided > 0.5 else ("rotten", 1 - one_sided)
        story += f" The most one-sided fruit is {odd.fruit}, {share(part)} of it {kind}."
    missing = [part.fruit for part in by_fruit if not part.fresh or not part.rotten]
    if missing:
        story += (
            f" Of {', '.join(missing)} there is only one of the two, so freshness cannot be told "
            "there: upload the other."
        )
    return story


def copies(examples: Examples, shipped_files: int) -> Copies:
    """`shipped_files` is how many files the serving version's photographs were saved in."""
    whole = ~examples.boxed
    names, group = np.unique(examples.photographs[whole], return_inverse=True)
    saved = examples.copies[whole]
    known = bool((saved > 0).all())
    sizes = np.zeros(len(names), np.int64)
    np.add.at(sizes, group, np.maximum(saved, 1))
    files = int(sizes.sum())
    if not known:
        given = int((examples.image_ids[whole] != "").sum())
        files = max(files, shipped_files + given)
    splits = {(int(g), str(s)) for g, s in zip(group, examples.splits[whole], strict=True)}
    twice = sum(1 for found in Counter(g for g, _ in splits).values() if found > 1)
    leak = leak_if_dealt_by_file(sizes.tolist()) if known and len(names) else None
    return Copies(
        photographs=len(names),
        files=files,
        with_copies=int((sizes > 1).sum()),
        most=int(sizes.max(initial=0)),
        known=known,
        histogram=[
            CopyCount(copies=size, photographs=found)
            for size, found in sorted(Counter(sizes.tolist()).items())
        ]
        if known
        else [],
        in_two_splits=twice,
        leak=leak,
        story=_copies_story(len(names), files, leak, twice),
    )


def leak_if_dealt_by_file(sizes: list[int]) -> LeakIfDealtByFile:
    """What to expect if each of a photograph's files, `sizes` of them, went to test by chance.

    A photograph of k files stands in test with chance 1 - (1 - p)^k, and in nothing but test with
    chance p^k.
    """
    counts = np.array(sizes)
    in_test = 1 - (1 - TEST_SHARE) ** counts
    leaked = in_test - TEST_SHARE**counts
    return LeakIfDealtByFile(
        test_share=TEST_SHARE,
        test_photographs=float(in_test.sum()),
        also_in_train=float(leaked.sum()),
        share=float(leaked.sum() / in_test.sum()),
    )


def _copies_story(photographs: int, files: int, leak: LeakIfDealtByFile | None, twice: int) -> str:
    if not photographs:
        return "There are no photographs yet: upload some."
    start = f"{number(files, 'file')} show {number(photographs, 'different photograph')}."
    if leak is None:
        middle = (
            "How many of each is not known: `python -m api.commands.training measure <folder>` "
            "counts them."
        )
    elif leak.share < FEW:
        middle = "Hardly any was saved twice, so dealing files or photographs comes to the same."
    else:
        middle = (
            f"Had files been dealt into training and test by chance, {share(leak.share)} of the "
            "photographs in test would have had a copy among those learned from, and the score "
            "would measure memory."
        )
    end = (
        "Here photographs are dealt, not files: no photograph is on both sides."
        if not twice
        else f"{number(twice, 'photograph stands', 'photographs stand')} on both sides all the "
        "same: remove the copies."
    )
    return f"{start} {middle} {end}"
