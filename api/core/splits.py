"""Train, validation and test splits: by photo, never by file.

A hash of the photo's group name decides, so a split never changes when files are added or removed.
"""

import hashlib
from typing import Literal

Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
VALIDATION_SHARE = 0.08
TEST_SHARE = 0.15


def split_of(group: str) -> Split:
    """The split of a photo: 77 % train, 8 % validation, 15 % test."""
    position = _position("split", group)
    if position < TEST_SHARE:
        return "test"
    if position < TEST_SHARE + VALIDATION_SHARE:
        return "validation"
    return "train"


def fold_of(group: str, folds: int = 5) -> int:
    """The fold, 0 to `folds` - 1, in which a photo is held out."""
    return int(_position("fold", group) * folds)


def _position(purpose: str, group: str) -> float:
    """A pseudorandom number in [0, 1) derived from the name."""
    digest = hashlib.sha256(f"{purpose}\n{group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
