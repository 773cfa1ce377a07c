"""Grouping near-duplicates by name and hash; known groups never change."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from api.core.imaging.hashing import perceptual_hash
from api.core.near_duplicates import group_near_duplicates
from tests.synthetic_images import draw_fruit


def group(
    files: Sequence[tuple[str, str, Image.Image]], known: dict[str, str] | None = None
) -> dict[str, str]:
    """The group of each (path, class, image)."""
    photographs = group_near_duplicates(
        [path for path, _, _ in files],
        [name for _, name, _ in files],
        np.stack([perceptual_hash(image) for _, _, image in files]),
        known,
    )
    return {path: name for (path, _, _), name in zip(files, photographs, strict=True)}


APPLES = [draw_fruit("freshapples", seed) for seed in range(12)]


def test_saved_copies_are_grouped_by_name_across_the_supplied_split() -> None:
    """Rotated copies have different hashes, so they match only by name."""
    groups = group(
        [
            ("train/apple/a.png", "apple", APPLES[0]),
            ("test/apple/rotated_by_30_a.png", "apple", APPLES[0].rotate(30)),
            ("test/apple/vertical_flip_a.png", "apple", APPLES[0].rotate(180)),
            ("test/apple/b.png", "apple", APPLES[1]),
        ]
    )
    assert list(groups.values()) == ["apple/a", "apple/a", "apple/a", "apple/b"]


def test_near_duplicates_are_grouped_by_hash() -> None:
    groups = group(
        [
            ("apple/z.png", "apple", APPLES[0]),
            ("apple/m.png", "apple", APPLES[1]),
            ("apple/k.png", "apple", APPLES[0].resize((70, 70))),
        ]
    )
    assert list(groups.values()) == ["apple/k", "apple/m", "apple/k"]


def test_matches_by_name_and_hash_are_merged() -> None:
    """a and its rotated copy match by name, the copy and c by hash."""
    rotated = APPLES[0].rotate(45, fillcolor="white")
    groups = group(
        [
            ("apple/a.png", "apple", APPLES[0]),
            ("apple/rotated_by_45_a.png", "apple", rotated),
            ("apple/c.png", "apple", rotated.resize((80, 80))),
        ]
    )
    assert set(groups.values()) == {"apple/a"}


def test_same_file_name_in_two_classes_is_two_groups() -> None:
    groups = group([("apple/1.png", "apple", APPLES[0]), ("pear/1.png", "pear", APPLES[1])])
    assert list(groups.values()) == ["apple/1", "pear/1"]


@pytest.mark.parametrize("seed", range(5))
def test_adding_files_changes_no_known_group(seed: int) -> None:
    """In any order, and even if a file matches two known groups."""
    random = np.random.default_rng(seed)
    files = [
        (f"apple/{number:02d}.png", "apple", APPLES[random.integers(len(APPLES))])
        for number in random.permutation(30)
    ]
    known: dict[str, str] = {}
    for count in (8, 15, 30):
        groups = group(sorted(files[:count]), known)
        assert {path: groups[path] for path in known} == known
        known = groups
    groups_by_image: dict[int, set[str]] = {}
    for path, _, image in files[:8]:
        groups_by_image.setdefault(id(image), set()).add(known[path])
    assert all(len(names) == 1 for names in groups_by_image.values())


def test_new_copy_joins_the_known_group_even_if_it_sorts_first() -> None:
    known = {"apple/m.png": "apple/m"}
    files = [
        ("apple/a.png", "apple", APPLES[0].resize((80, 80))),
        ("apple/m.png", "apple", APPLES[0]),
    ]
    assert group(files, known) == {"apple/a.png": "apple/m", "apple/m.png": "apple/m"}


def test_known_groups_are_not_merged_by_a_new_file() -> None:
    known = {"apple/a.png": "apple/a", "apple/b.png": "apple/b"}
    files = [(f"apple/{name}.png", "apple", APPLES[0]) for name in "abc"]
    groups = group(files, known)
    assert {path: groups[path] for path in known} == known
    assert groups["apple/c.png"] in known.values()
