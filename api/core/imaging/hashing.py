"""Image hashes: exact, of the bytes, and perceptual, of the pixels."""

import hashlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRID = 16
COLOUR_GRID = 4
EDGE_BYTES = GRID * GRID // 8
SIGNATURE_BYTES = EDGE_BYTES + COLOUR_GRID * COLOUR_GRID * 3

# Chosen on the 3,395 public fruit files: pairs within both limits are the same photo saved twice,
# except for a few bananas of the same shape (docs/log/data.md, 2026-11-21).
MAX_EDGE_BITS = 32
MAX_COLOUR_STEP = 8.0


def content_hash(data: bytes) -> str:
    """SHA-256 of the file, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def perceptual_hash(image: Image.Image) -> NDArray[np.uint8]:
    """uint8 [80]: a 256-bit difference hash and a 4x4 RGB thumbnail.

    A bit says whether a cell of a 16x16 grid is brighter than its left neighbour (N. Krawetz, "Kind
    of Like That", 2013). The thumbnail separates fruit of one shape but different colours. Both
    are robust to resizing and compression.
    """
    grey = image.convert("L").resize((GRID + 1, GRID), Image.Resampling.BOX)
    cells = np.asarray(grey, dtype=np.int16)
    edges = np.packbits(cells[:, 1:] > cells[:, :-1])
    colours = image.resize((COLOUR_GRID, COLOUR_GRID), Image.Resampling.BOX)
    return np.concatenate([edges, np.asarray(colours, dtype=np.uint8).ravel()])


def near_pairs(signatures: NDArray[np.uint8], block: int = 2048) -> NDArray[np.int64]:
    """All near-duplicate pairs among `signatures`, uint8 [n, 80]: int64 [pairs, 2], i < j.

    Exhaustive, in blocks of rows; memory grows with `block` x n.
    """
    bits = np.unpackbits(signatures[:, :EDGE_BYTES], axis=1).astype(np.float32)
    colours = signatures[:, EDGE_BYTES:].astype(np.int16)
    ones = bits.sum(axis=1)
    found = []
    for start in range(0, len(bits), block):
        rows = bits[start : start + block]
        distance = ones[start : start + block, None] + ones[None, :] - 2 * rows @ bits.T
        i, j = np.nonzero(distance <= MAX_EDGE_BITS)
        i += start
        later = j > i
        i, j = i[later], j[later]
        step = np.abs(colours[i] - colours[j]).mean(axis=1)
        alike = step <= MAX_COLOUR_STEP
        found.append(np.stack([i[alike], j[alike]], axis=1))
    return np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)


def near_rows(signature: NDArray[np.uint8], signatures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Rows of `signatures`, uint8 [n, 80], that are near-duplicates of `signature`, uint8 [80]."""
    edges = signatures[:, :EDGE_BYTES].view(np.uint64)
    differing = np.bitwise_count(edges ^ signature[:EDGE_BYTES].view(np.uint64))
    # Sums short rows far faster than `sum`.
    rows = np.flatnonzero(differing @ np.ones(edges.shape[1], np.uint16) <= MAX_EDGE_BITS)
    colours = signatures[rows, EDGE_BYTES:].astype(np.int16)
    step = np.abs(colours - signature[EDGE_BYTES:].astype(np.int16)).mean(axis=1)
    alike: NDArray[np.int64] = rows[step <= MAX_COLOUR_STEP]
    return alike
