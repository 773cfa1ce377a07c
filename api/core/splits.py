"""The split: by photograph, never by file, and the same for a photograph for ever.

A hash of the photograph's name decides, so adding or removing other files moves nothing.
"""

import hashlib
from typing import Literal

Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
VALIDATION_SHARE = 0.08
TEST_SHARE = 0.15


def split_of(photograph: str) -> Split:
    """The split of a photograph, the same on every machine: 77 / 8 / 15 of many."""
    position = _position("split", photograph)
    if position < TEST_SHARE:
        return "test"
    if position < TEST_SHARE + VALIDATION_SHARE:
        return "validation"
    return "train"


def fold_of(photograph: str, folds: int = 5) -> int:
    """The fold, 0 to `folds` - 1, in which a photograph is held out of training."""
    return int(_position("fold", photograph) * folds)


def _position(purpose: str, photograph: str) -> float:
    """A number in [0, 1) that looks drawn at random, from the name alone."""
    digest = hashlib.sha256(f"{purpose}\n{photograph}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
