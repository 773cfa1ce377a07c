"""Hashes match copies of an image and separate different images."""

import hashlib
import io
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from api.core.imaging.hashing import (
    SIGNATURE_BYTES,
    content_hash,
    near_pairs,
    near_rows,
    perceptual_hash,
)
from tests.synthetic_images import KINDS, draw_fruit, encode


def signatures(*images: Image.Image) -> NDArray[np.uint8]:
    return np.stack([perceptual_hash(image) for image in images])


def reencoded(image: Image.Image, file_format: str, **options: Any) -> Image.Image:
    return Image.open(io.BytesIO(encode(image, file_format, **options))).convert("RGB")


def test_content_hash_is_sha256() -> None:
    assert content_hash(b"pear") == hashlib.sha256(b"pear").hexdigest()


def test_signature_is_80_bytes() -> None:
    signature = perceptual_hash(draw_fruit("freshapples"))
    assert signature.shape == (SIGNATURE_BYTES,) == (80,)
    assert signature.dtype == np.uint8


@pytest.mark.parametrize("kind", KINDS)
def test_recompressed_image_is_near(kind: str) -> None:
    image = draw_fruit(kind, seed=3, size=200)
    copies = [
        reencoded(image, "JPEG", quality=90),
        reencoded(image, "JPEG", quality=40),
        reencoded(image, "WEBP"),
        image.resize((90, 90)),
        image.resize((333, 280)),
        reencoded(image.resize((120, 120)), "JPEG", quality=70),
    ]
    for copy in copies:
        assert near_pairs(signatures(image, copy)).tolist() == [[0, 1]]


def test_different_drawings_are_not_near() -> None:
    drawings = [draw_fruit(kind, seed) for kind in KINDS for seed in range(20)]
    assert len(near_pairs(signatures(*drawings))) == 0


def test_same_outline_in_another_colour_is_not_near() -> None:
    image = draw_fruit("freshapples")
    red, green, blue = image.split()
    assert len(near_pairs(signatures(image, Image.merge("RGB", (green, red, blue))))) == 0


def test_another_outline_in_the_same_colours_is_not_near() -> None:
    """Their thumbnails are identical, their edges are not."""
    pair = signatures(draw_fruit("freshapples"), draw_fruit("freshapples"))
    pair[1, :32] = ~pair[0, :32]
    assert len(near_pairs(pair)) == 0


@pytest.mark.parametrize("block", [1, 2, 7, 29, 30, 31, 4096])
def test_pairs_are_the_same_for_any_block_size(block: int) -> None:
    """All i < j of a group: no file is paired with itself, and no pair occurs twice."""
    groups = [0, 0, 0, 1, 2, 2, 3, 4, 5, 5] * 3
    drawings = {group: draw_fruit("freshoranges", group) for group in groups}
    random = np.random.default_rng(5)
    rows = signatures(*(drawings[group] for group in groups))
    rows[:, 32:] += random.integers(0, 3, (30, 48), dtype=np.uint8) * (rows[:, 32:] < 250)
    expected = {(i, j) for i in range(30) for j in range(i + 1, 30) if groups[i] == groups[j]}
    pairs = near_pairs(rows, block)
    assert pairs.shape == (len(expected), 2)
    assert {(int(i), int(j)) for i, j in pairs} == expected


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_images_have_no_pairs(count: int) -> None:
    assert near_pairs(np.zeros((count, SIGNATURE_BYTES), np.uint8)).shape == (0, 2)


def test_near_rows_agree_with_near_pairs() -> None:
    drawings = [draw_fruit(kind, seed) for kind in KINDS for seed in range(4)]
    recompressed = [reencoded(image, "JPEG", quality=60) for image in drawings]
    rows = signatures(*drawings, *recompressed)
    # Two more hashes: one at the limit, one just beyond it.
    edge = np.repeat(rows[:1], 4, axis=0)
    edge[0, :4] ^= 0xFF
    edge[1, :4] ^= 0xFF
    edge[1, 4] ^= 1
    edge[2, 32:] = np.where(edge[2, 32:] < 128, edge[2, 32:] + 8, edge[2, 32:] - 8)
    edge[3, 32:] = np.where(edge[3, 32:] < 128, edge[3, 32:] + 9, edge[3, 32:] - 9)
    rows = np.concatenate([rows, edge])
    pairs = {(int(i), int(j)) for i, j in near_pairs(rows)}
    for row in range(len(rows)):
        expected = {row} | {i for i, j in pairs if j == row} | {j for i, j in pairs if i == row}
        assert set(near_rows(rows[row], rows).tolist()) == expected
    assert len(near_rows(rows[0], rows[:0])) == 0
