"""Training-serving skew after a run that learned photos of the catalog."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import select, update

from api.commands import skew as command
from api.core.imaging.resize import to_input
from api.model.package import Package
from api.model.predictor import Predictor
from api.monitoring.skew import ENOUGH, measure_skew
from api.settings import Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from api.storage.tables.photos import ImageRow
from tests.retraining.catalog import NEW, Run, add_photographs, on_the_default_network, picture
from tests.synthetic_images import encode

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]
PHOTOS = 60


@pytest.fixture(autouse=True)
def learned(run: Run, database: Database, blobs: Blobs) -> None:
    """A champion that has learned photos of the catalog."""
    add_photographs(database, blobs, NEW, PHOTOS)
    finished = run()
    assert finished.verdict is not None
    assert finished.verdict["promote"], finished.verdict["reasons"]


@on_the_default_network
def test_photos_as_they_were_learned_agree(own: Settings, database: Database, blobs: Blobs) -> None:
    skew = measure_skew(database, blobs, own.model_cache, Predictor.of_package, 1000)
    assert skew.photos == PHOTOS
    assert skew.objections == []
    assert skew.lines[-1] == "Training and serving agree."
    fewer = measure_skew(database, blobs, own.model_cache, Predictor.of_package, ENOUGH)
    assert fewer.photos == ENOUGH


def test_files_that_changed_are_found(own: Settings, database: Database, blobs: Blobs) -> None:
    with database.reading() as session:
        files = session.scalars(select(ImageRow.blob)).all()
    for seed, blob in enumerate(files[:-1]):
        blobs.put(blob, encode(picture("freshbanana", seed), "PNG"))
    blobs.put(files[-1], b"not a photo")
    skew = measure_skew(database, blobs, own.model_cache, Predictor.of_package, 1000)
    assert (skew.photos, skew.unreadable) == (PHOTOS - 1, 1)
    assert len(skew.objections) == 3


def cropped(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Only the middle of the photo, as in some pipelines."""
    width, height = image.size
    middle = image.crop((width // 4, height // 4, width - width // 4, height - height // 4))
    return to_input(middle, size)


def with_other_colours(package: Package) -> Predictor:
    """An engine that swaps blue and red."""
    predictor = Predictor.of_package(package)
    backbone = predictor._backbone
    predictor._backbone = lambda pixels: backbone(np.ascontiguousarray(pixels[..., ::-1]))
    return predictor


def test_other_preprocessing_and_another_engine_are_found(
    own: Settings, database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files are the same."""
    skew = measure_skew(database, blobs, own.model_cache, with_other_colours, 1000)
    assert (skew.photos, skew.unreadable) == (PHOTOS, 0)
    assert any("Embeddings differ" in found for found in skew.objections)
    monkeypatch.setattr("api.model.predictor.to_input", cropped)
    skew = measure_skew(database, blobs, own.model_cache, Predictor.of_package, 1000)
    assert (skew.photos, skew.unreadable) == (PHOTOS, 0)
    assert any("Embeddings differ" in found for found in skew.objections)


def test_command_says_that_the_store_failed(
    own: Settings,
    blobs: Blobs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its photos must not count as unreadable."""
    settings = own.model_copy(update={"storage_url": blobs.url})
    monkeypatch.setattr(command, "get_settings", lambda: settings)
    monkeypatch.setattr("sys.argv", ["skew"])
    (Path(blobs.url) / "photographs").rename(f"{blobs.url}.away")
    (Path(blobs.url) / "photographs").write_text("in the way")
    assert command.main() == 1
    assert "The store of photos and models failed" in capsys.readouterr().err


def test_command_fails_only_on_skew(
    own: Settings,
    database: Database,
    blobs: Blobs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = own.model_copy(update={"storage_url": blobs.url})
    monkeypatch.setattr(command, "get_settings", lambda: settings)
    monkeypatch.setattr("sys.argv", ["skew"])
    assert command.main() == 0
    assert f"{PHOTOS} photos" in capsys.readouterr().out
    # If the photos that a version learned are gone from the catalog, there is nothing to compare.
    with database.session() as session:
        session.execute(update(ImageRow).values(sha256=ImageRow.id))
    assert command.main() == 0
    assert "Too few" in capsys.readouterr().out
