"""A drawn dataset with every kind of sample."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.synthetic_images import draw_fruit, encode

CLASSES = ("freshapples", "freshbanana", "rottenapples", "rottenbanana")
PICTURES = 26
# Kinds of other produce, ordered by split: two in train, one in validation, one in test.
NEAR_KINDS = ("pear", "rottenguava", "lemon", "papaya")
SIDE = 64


def draw_collection(root: Path, pictures: int = PICTURES) -> Path:
    """Draw class folders with a leaking supplied split, boxed phone photos, and OOD photos: near
    (other produce from a shop, in every split) and far (noise)."""
    for class_name in CLASSES:
        for seed in range(pictures):
            image = draw_fruit(class_name, seed=seed, size=SIDE)
            # Every third photo is on both sides, once unaltered and once rotated.
            own, other = ("train", "test") if seed % 4 else ("test", "train")
            _write(root / own / class_name / f"{seed}.jpg", image)
            if seed % 3 == 0:
                rotated = image.rotate(15, fillcolor="white")
                _write(root / other / class_name / f"rotated_by_15_{seed}.jpg", rotated)
    _draw_phone(root / "phone")
    for kind in NEAR_KINDS:
        for seed in range(4):
            image = draw_fruit("rottenoranges" if "rotten" in kind else "freshoranges", seed, SIDE)
            _write(root / "market" / "other" / kind / f"{seed}.jpg", image)
    for seed in range(12):
        noise = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        _write(root / "not_fruit" / f"{seed}.png", Image.fromarray(noise))
    return root


def _draw_phone(folder: Path) -> None:
    """Six runs of two frames, each with a fresh and a rotten fruit side by side."""
    rows = ["file,fruit,level,xmin,ymin,xmax,ymax"]
    for run in range(6):
        fruit, level = ("apple", "banana")[run % 2], ("fresh", "normal")[run // 2 % 2]
        kind = "apples" if fruit == "apple" else "banana"
        for number in (run * 100, run * 100 + 1):
            frame = Image.new("RGB", (2 * SIDE, SIDE), (120, 110, 100))
            frame.paste(draw_fruit(f"fresh{kind}", seed=500 + number, size=SIDE), (0, 0))
            frame.paste(draw_fruit(f"rotten{kind}", seed=500 + number, size=SIDE), (SIDE, 0))
            _write(folder / f"{number:04}.jpg", frame)
            rows.append(f"{number:04}.jpg,{fruit},{level},0,0,{SIDE},{SIDE}")
            rows.append(f"{number:04}.jpg,{fruit},rotten,{SIDE},0,{2 * SIDE},{SIDE}")
    (folder / "boxes.csv").write_text("\n".join(rows) + "\n")


def _write(path: Path, image: Image.Image) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(image, "PNG" if path.suffix == ".png" else "JPEG"))
