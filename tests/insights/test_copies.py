"""Saved copies of photos, and the leakage of a split by file."""

import numpy as np
import pytest

from api.insights.balance import copies, leak_of_file_split
from tests.insights.samples import make_examples


def test_expected_leak_matches_random_splits() -> None:
    sizes = [1, 1, 2, 3, 9] * 20
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(400):
        in_test = [random.random(size) < 0.15 for size in sizes]
        in_test_count = sum(1 for files in in_test if files.any())
        leaked = sum(1 for files in in_test if files.any() and not files.all())
        drawn.append((in_test_count, leaked))
    in_test_count, leaked = np.mean(drawn, axis=0)
    result = leak_of_file_split(sizes)
    assert result.test_photographs == pytest.approx(in_test_count, rel=0.02)
    assert result.also_in_train == pytest.approx(leaked, rel=0.02)
    assert result.share == pytest.approx(leaked / in_test_count, rel=0.02)


def test_files_of_one_photo_are_counted_together() -> None:
    examples = make_examples(
        "mango",
        "mango",
        "kiwi",
        "kiwi",
        photographs=["mango/1", "mango/1", "kiwi/1", "boxed/9"],
        copies=np.array([3, 1, 1, 1], np.int32),
        origins=["shipped", "upload", "shipped", "boxed"],
    )
    result = copies(examples, 4)
    assert (result.photographs, result.files, result.with_copies, result.most) == (2, 5, 1, 4)
    assert [(row.copies, row.photographs) for row in result.histogram] == [(1, 1), (4, 1)]
    assert result.in_two_splits == 0
    assert result.leak is not None
    assert "would have had a copy" in result.story


def test_photos_in_two_splits_are_counted() -> None:
    examples = make_examples("mango", "mango", photographs=["a", "a"], splits=["train", "test"])
    result = copies(examples, 2)
    assert result.in_two_splits == 1
    assert "1 photo stands on both sides" in result.story


def test_unknown_copies_are_reported() -> None:
    result = copies(make_examples("mango", "kiwi", copies=np.zeros(2, np.int32)), 7)
    assert (result.known, result.files, result.leak, result.histogram) == (False, 7, None, [])
    assert "api.commands.training measure" in result.story


def test_no_examples_give_no_leak() -> None:
    result = copies(make_examples(), 0)
    assert (result.photographs, result.leak) == (0, None)
