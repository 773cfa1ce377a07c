"""How often photographs were saved more than once, and what that would do to a split by file."""

from collections import Counter

import numpy as np

from api.dataset.split import TEST_SHARE
from api.insights.examples import Examples
from api.insights.schemas import Copies, CopyCount, LeakIfDealtByFile
from api.insights.wording import number, share

# Under this share of leaked photographs, a split by file does no harm.
FEW = 0.02


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
        story=_story(len(names), files, leak, twice),
    )


def leak_if_dealt_by_file(sizes: list[int], test_share: float = TEST_SHARE) -> LeakIfDealtByFile:
    """What to expect if each of a photograph's files, `sizes` of them, went to test by chance.

    A photograph of k files stands in test with chance 1 - (1 - p)^k, and in nothing but test with
    chance p^k.
    """
    counts = np.array(sizes)
    in_test = 1 - (1 - test_share) ** counts
    leaked = in_test - test_share**counts
    return LeakIfDealtByFile(
        test_share=test_share,
        test_photographs=float(in_test.sum()),
        also_in_train=float(leaked.sum()),
        share=float(leaked.sum() / in_test.sum()),
    )


def _story(photographs: int, files: int, leak: LeakIfDealtByFile | None, twice: int) -> str:
    if not photographs:
        return "There are no photographs yet: upload some."
    start = f"{number(files, 'file')} show {number(photographs, 'different photograph')}."
    if leak is None:
        middle = (
            "How many of each is not known: `python -m api.training measure <folder>` counts them."
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
