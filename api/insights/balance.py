"""Counts of examples by class and freshness, and saved copies of photos."""

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

# Ratios of the largest to the smallest class.
BALANCED_RATIO = 1.5
IMBALANCED_RATIO = 3.0
# A smaller share of leaked photos is not worth mentioning.
MIN_LEAK = 0.02


def counts(examples: Examples) -> list[Count]:
    """Examples by class, split and origin, sorted."""
    columns = (examples.class_names, examples.splits, examples.origins)
    groups = Counter(zip(*(column.tolist() for column in columns), strict=True))
    return [
        Count(class_name=name, split=split, origin=origin, examples=count)
        for (name, split, origin), count in sorted(groups.items())
    ]


def balance(examples: Examples) -> Balance | None:
    """The largest class against the smallest; None without examples."""
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
        return f"{start} A grader needs at least two classes: upload photos of another."
    comparison = (
        f"{words(largest).capitalize()} has {ratio:.1f} times as many as {words(smallest)}, the "
        "smallest class"
    )
    if ratio <= BALANCED_RATIO:
        return f"{start} They are well balanced: {comparison[:1].lower()}{comparison[1:]}."
    weighting = "Training gives every class the same say, whatever its size"
    if ratio <= IMBALANCED_RATIO:
        return f"{start} {comparison}. {weighting}, so this is no problem yet."
    return (
        f"{start} {comparison}. {weighting}, but what little there is of {words(smallest)} shows "
        "few of the ways that it can look: photos of it help most."
    )


def freshness(examples: Examples) -> Freshness | None:
    """Fresh against rotten, in total and by fruit; None if no class has a freshness."""
    counters: dict[str, Counter[str]] = {}
    for name, count in Counter(examples.class_names.tolist()).items():
        label = read_label(name)
        counters.setdefault(label.fruit, Counter())[label.freshness or "other"] += count
    total = sum(counters.values(), Counter())
    if not total["fresh"] + total["rotten"]:
        return None
    by_fruit = [
        FruitFreshness(fruit=fruit, fresh=parts["fresh"], rotten=parts["rotten"])
        for fruit, parts in sorted(counters.items())
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
    majority, largest = ("fresh", fresh) if fresh >= rotten else ("rotten", rotten)
    story = (
        f"{number(fresh, 'fresh example')} against {rotten:,} rotten. Always saying {majority} "
        f"would be right for {share(largest / (fresh + rotten))} of them: compare an accuracy with "
        "that."
    )
    skewed = max(by_fruit, key=lambda part: abs(_fresh_share(part) - 0.5))
    fresh_share = _fresh_share(skewed)
    if len(by_fruit) > 1 and abs(fresh_share - 0.5) > 0.02:
        side, part = ("fresh", fresh_share) if fresh_share > 0.5 else ("rotten", 1 - fresh_share)
        story += f" The most one-sided fruit is {skewed.fruit}, {share(part)} of it {side}."
    missing = [part.fruit for part in by_fruit if not part.fresh or not part.rotten]
    if missing:
        story += (
            f" Of {', '.join(missing)} there is only one of the two, so freshness cannot be told "
            "there: upload the other."
        )
    return story


def _fresh_share(part: FruitFreshness) -> float:
    return part.fresh / (part.fresh + part.rotten)


def copies(examples: Examples, training_files: int) -> Copies:
    """`training_files`: number of files in the serving version's training set."""
    whole = examples.origins != "boxed"
    groups, group = np.unique(examples.photographs[whole], return_inverse=True)
    saved = examples.copies[whole]
    known = bool((saved > 0).all())
    sizes = np.bincount(group, np.maximum(saved, 1)).astype(np.int64)
    files = int(sizes.sum())
    if not known:
        uploaded = int((examples.image_ids[whole] != "").sum())
        files = max(files, training_files + uploaded)
    splits = {(int(g), str(s)) for g, s in zip(group, examples.splits[whole], strict=True)}
    leaking = sum(1 for count in Counter(g for g, _ in splits).values() if count > 1)
    leak = leak_of_file_split(sizes.tolist()) if known and len(groups) else None
    histogram = sorted(Counter(sizes.tolist()).items()) if known else []
    return Copies(
        photographs=len(groups),
        files=files,
        with_copies=int((sizes > 1).sum()),
        most=int(sizes.max(initial=0)),
        known=known,
        histogram=[CopyCount(copies=size, photographs=count) for size, count in histogram],
        in_two_splits=leaking,
        leak=leak,
        story=_copies_story(len(groups), files, leak, leaking),
    )


def leak_of_file_split(sizes: list[int]) -> LeakIfDealtByFile:
    """The expected leak of a random split by file; `sizes` are the numbers of files per photo.

    A photo of k files is in the test split with probability 1 - (1 - p)^k, and only there with
    probability p^k.
    """
    files = np.array(sizes)
    in_test = 1 - (1 - TEST_SHARE) ** files
    leaked = in_test - TEST_SHARE**files
    return LeakIfDealtByFile(
        test_share=TEST_SHARE,
        test_photographs=float(in_test.sum()),
        also_in_train=float(leaked.sum()),
        share=float(leaked.sum() / in_test.sum()),
    )


def _copies_story(
    photographs: int, files: int, leak: LeakIfDealtByFile | None, leaking: int
) -> str:
    if not photographs:
        return "There are no photos yet: upload some."
    start = f"{number(files, 'file')} show {number(photographs, 'different photo')}."
    if leak is None:
        middle = (
            "How many of each is not known: `python -m api.commands.training measure <folder>` "
            "counts them."
        )
    elif leak.share < MIN_LEAK:
        middle = "Hardly any was saved twice, so dealing files or photos comes to the same."
    else:
        middle = (
            f"Had files been dealt into training and test by chance, {share(leak.share)} of the "
            "photos in test would have had a copy among those learned from, and the score "
            "would measure memory."
        )
    end = (
        "Here photos are dealt, not files: no photo is on both sides."
        if not leaking
        else f"{number(leaking, 'photo stands', 'photos stand')} on both sides all the "
        "same: remove the copies."
    )
    return f"{start} {middle} {end}"
