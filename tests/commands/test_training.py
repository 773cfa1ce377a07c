"""`make train` on sets that differ from the default one."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from api.commands import training
from api.evaluation import tracking
from api.model.package import load_package
from api.training.corpus import read_corpus
from api.training.detection.recipe import DetectorRecipe
from api.training.detection.train import NoPlacesError, train_detector
from api.training.recipe import Recipe
from tests.synthetic_images import encode

pytestmark = pytest.mark.slow
# Enough of each class to fill all splits.
PHOTOS = 40
FILLS_THE_FRAME = {"cats": (200, 120, 60), "dogs": (60, 90, 200)}


@pytest.fixture
def close_ups(tmp_path: Path) -> Path:
    """Two classes of photos filled by their subject, so that none has a plain background."""
    folder = tmp_path / "close-ups"
    rng = np.random.default_rng(0)
    for class_name, colour in FILLS_THE_FRAME.items():
        (folder / class_name).mkdir(parents=True)
        for number in range(PHOTOS):
            pixels = np.clip(colour + rng.normal(0, 40, (64, 64, 3)), 0, 255).astype(np.uint8)
            file = folder / class_name / f"{number}.png"
            file.write_bytes(encode(Image.fromarray(pixels), "PNG"))
    return folder


def test_photos_without_places_cannot_train_a_detector(close_ups: Path) -> None:
    with pytest.raises(NoPlacesError, match="boxes"):
        train_detector(DetectorRecipe(), read_corpus(close_ups))


def test_set_without_places_gets_a_grader_and_no_detector(
    close_ups: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(training, "Recipe", partial(Recipe, views=64))
    monkeypatch.setattr(tracking, "record", lambda *_: "Not tracked.")
    small = ["--epochs=1", "--architecture=custom_cnn", "--weights=none", "--input-size=32"]
    out = tmp_path / "package"
    monkeypatch.setattr(sys, "argv", ["train", "train", str(close_ups), "--out", str(out), *small])

    assert training.main() == 0

    package = load_package(out)
    assert package.manifest.classes == tuple(FILLS_THE_FRAME)
    assert package.detector is None
    assert package.head.several is None
    assert "The package has no detector." in capsys.readouterr().out
