"""Saved copies of photos, and the leak of a split by file."""

import numpy as np
import pytest

from api.insights.balance import copies, leak_of_file_split
from tests.insights.samples import some


def test_the_expected_leak_is_that_of_random_splits() -> None:
    sizes = [1, 1, 2, 3, 9] * 20
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(400):
        in_test = [random.random(size) < 0.15 for size in sizes]
        tested = sum(1 for files in in_test if files.any())
        leaked = sum(1 for files in in_test if files.any() and not files.all())
        drawn.append((tested, leaked))
    tested, leaked = np.mean(drawn, axis=0)
    found = leak_of_file_split(sizes)
    assert found.test_photographs == pytest.approx(tested, rel=0.02)
    assert found.also_in_train == pytest.approx(leaked, rel=0.02)
    assert found.share == pytest.approx(leaked / tested, rel=0.02)


def test_files_of_one_photo_are_counted_together() -> None:
    examples = some(
        "mango",
        "mango",
        "kiwi",
        "kiwi",
        photographs=["mango/1", "mango/1", "kiwi/1", "boxed/9"],
        copies=np.array([3, 1, 1, 1], np.int32),
        origins=["shipped", "upload", "shipped", "boxed"],
    )
    found = copies(examples, 4)
    assert (found.photographs, found.files, found.with_copies, found.most) == (2, 5, 1, 4)
    assert [(row.copies, row.photographs) for row in found.histogram] == [(1, 1), (4, 1)]
    assert found.in_two_splits == 0
    assert found.leak is not None
    assert "would have had a copy" in found.story


def test_photos_in_two_splits_are_found() -> None:
    examples = some("mango", "mango", photographs=["a", "a"], splits=["train", "test"])
    found = copies(examples, 2)
    assert found.in_two_splits == 1
    assert "1 photograph stands on both sides" in found.story


def test_unknown_copies() -> None:
    found = copies(some("mango", "kiwi", copies=np.zeros(2, np.int32)), 7)
    assert (found.known, found.files, found.leak, found.histogram) == (False, 7, None, [])
    assert "api.commands.training measure" in found.story


def test_no_examples() -> None:
    found = copies(some(), 0)
    assert (found.photographs, found.leak) == (0, None)
