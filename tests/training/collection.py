"""A drawn collection with everything that a real one has, and a grader that learns in no time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from api.predict.head import Head
from api.progress import Progress, silent
from api.training.calibrate import fit_temperature
from api.training.embedding import embed_samples
from api.training.grader import Grader
from api.training.head import fit_head
from api.training.recipe import Recipe
from api.training.reject import fit_rejection, set_threshold
from api.training.samples import Sample, targets
from api.training.study import Study
from tests.drawing import draw_fruit, encode

CLASSES = ("freshapples", "freshbanana", "rottenapples", "rottenbanana")
PICTURES = 26
SIDE = 64


def draw_collection(root: Path, pictures: int = PICTURES) -> Path:
    """Class folders with a leaking supplied split, boxed phone photographs, and other things."""
    for class_name in CLASSES:
        for seed in range(pictures):
            image = draw_fruit(class_name, seed=seed, size=SIDE)
            # Every third photograph lies on both sides, once as it is and once saved turned.
            own, other = ("train", "test") if seed % 4 else ("test", "train")
            _write(root / own / class_name / f"{seed}.jpg", image)
            if seed % 3 == 0:
                turned = image.rotate(15, fillcolor="white")
                _write(root / other / class_name / f"rotated_by_15_{seed}.jpg", turned)
    _draw_phone(root / "phone")
    for seed in range(12):
        noise = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        _write(root / "not_fruit" / f"{seed}.png", Image.fromarray(noise))
    return root


def _draw_phone(folder: Path) -> None:
    """Six runs of two frames, each frame with a fresh and a rotten fruit beside each other."""
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


def colours(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A backbone without weights: uint8 [n, size, size, 3] to the colours of a 4 x 4 grid, as
    a feature map float32 [n, 1, 1, 48]."""
    cell = pixels.shape[1] // 4
    grid = pixels[:, : 4 * cell, : 4 * cell].reshape(len(pixels), 4, cell, 4, cell, 3)
    means: NDArray[np.float32] = grid.mean(axis=(2, 4), dtype=np.float32) / 255
    return means.reshape(len(pixels), 1, 1, 48)


def colour_grader(recipe: Recipe, study: Study, _progress: Progress = silent) -> Grader:
    """Stands in for `train_grader`: a head on `colours`."""

    def embed(samples: Sequence[Sample]) -> NDArray[np.float32]:
        return embed_samples(colours, samples, recipe.input_size)

    learned, held_out = embed(study.training), embed(study.validation)
    wanted = targets(study.training)
    linear = fit_head(learned, wanted, np.ones(len(learned), np.float32), recipe.head_l2)
    temperature = fit_temperature(linear(held_out), targets(study.validation).argmax(axis=1))
    rejection = fit_rejection(learned, wanted.argmax(axis=1))
    rejection = set_threshold(rejection, held_out, embed(study.others))
    head = Head(linear.weights, linear.bias, temperature, rejection)
    return Grader(None, b"", colours, head, recipe.input_size, ())  # type: ignore[arg-type]
