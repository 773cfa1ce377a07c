"""Train, validation and test splits: by photo, never by file.

In a folder that is imported to train from, a hash of the photo's group name decides, so a split
never changes when files are added or removed. In the catalog the pixels decide, together with a
secret: nobody who uploads can choose or predict the split.
"""

import hashlib
import hmac
from typing import Literal

Split = Literal["train", "validation", "test"]

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
VALIDATION_SHARE = 0.08
TEST_SHARE = 0.15


def split_of(group: str) -> Split:
    """The split of an imported photo: 77 % train, 8 % validation, 15 % test."""
    return _split_at(position_of(group))


def secret_split_of(pixels_hash: str, secret: bytes) -> Split:
    """The split of an added photo, in the same shares.

    `pixels_hash` is the SHA-256 of its pixels, so other metadata or another lossless file format
    gives the same split.
    """
    digest = hmac.digest(secret, pixels_hash.encode(), "sha256")
    return _split_at(_fraction(digest))


def _split_at(position: float) -> Split:
    if position < TEST_SHARE:
        return "test"
    if position < TEST_SHARE + VALIDATION_SHARE:
        return "validation"
    return "train"


def position_of(group: str) -> float:
    """The position in [0, 1) by which `split_of` decides; the test split is at the start."""
    return _position("split", group)


def fold_of(group: str, folds: int = 5) -> int:
    """The fold, 0 to `folds` - 1, in which a photo is held out."""
    return int(_position("fold", group) * folds)


def _position(purpose: str, group: str) -> float:
    """A pseudorandom number in [0, 1) derived from the name."""
    return _fraction(hashlib.sha256(f"{purpose}\n{group}".encode()).digest())


def _fraction(digest: bytes) -> float:
    return int.from_bytes(digest[:8], "big") / 2**64
