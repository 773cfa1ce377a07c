"""A drawn dataset with several sources."""

from pathlib import Path

from PIL import Image

from tests.synthetic_images import draw_fruit, encode
from tests.training.drawn_collection import CLASSES, SIDE, draw_collection

# The source of class folders without a source folder above them.
STUDIO = ""
KITCHEN_PHOTOS = 24
# By their hashes alone, fig and lychee would be held out in other runs than the kitchen's run.
KITCHEN_KINDS = ("pear", "fig", "lychee")


def draw_sources(root: Path) -> Path:
    """The drawn collection plus a kitchen with all classes and near-OOD kinds, including pears. The
    drawn collection's market has pears too.
    """
    draw_collection(root)
    for name in CLASSES:
        for seed in range(KITCHEN_PHOTOS):
            image = draw_fruit(name, seed=900 + seed, size=SIDE)
            _write(root / "kitchen" / name / f"kitchen_{seed}.jpg", image)
    for kind in KITCHEN_KINDS:
        for seed in range(3):
            image = draw_fruit("freshoranges", seed=900 + seed, size=SIDE)
            _write(root / "kitchen" / "other" / kind / f"{seed}.jpg", image)
    return root


def _write(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(image, "JPEG"))
