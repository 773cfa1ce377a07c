"""Folders of drawn images."""

from collections.abc import Mapping
from pathlib import Path

from tests.synthetic_images import draw_fruit, encode


def fill(root: Path, files: Mapping[str, int]) -> Path:
    """Draw a file for each path under `root`; the number is the seed of the image."""
    for name, seed in files.items():
        write(root / name, picture(seed))
    return root


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def picture(seed: int) -> bytes:
    return encode(draw_fruit("freshapples", seed, size=64), "PNG")


def contents(root: Path) -> dict[str, bytes]:
    """Path and bytes of every file under `root`, including hidden ones."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
