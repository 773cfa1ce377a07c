"""Golden answers: recorded results of the shipped package for fixed images.

Refactoring must not change them. After an intended change, `python -m tests.golden.answers` records
them again.
"""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.settings import PROJECT, Settings
from tests.synthetic_images import KINDS, draw_fruit, draw_quarters, encode

FOLDER = Path(__file__).parent
DRAWN = FOLDER / "drawn.json"
PHOTOS = FOLDER / "photos.json"
PACKAGE = FOLDER / "package.json"
# Fields that differ between requests.
VOLATILE = ("prediction_id", "inference_time_ms", "timestamp", "model_version")
# The fields that are recorded for a photo.
PHOTO_FIELDS = ("predicted_class", "confidence", "freshness_level", "recognised")
EVERY = 9


def drawn_answers(client: TestClient) -> dict[str, Any]:
    """The answers to the drawn images, by name."""
    images = {f"{kind} {seed}": draw_fruit(kind, seed) for kind in KINDS for seed in (0, 1)}
    images |= {"quarters": draw_quarters(), "grey": Image.new("RGB", (64, 64), (128, 128, 128))}
    return {name: answer(client, encode(image)) for name, image in images.items()}


def photo_answers(client: TestClient, dataset: Path) -> dict[str, Any]:
    """The answers to every ninth photo from the class folders and the phone, by path."""
    files = sorted([*dataset.glob("fruits/test/*/*"), *dataset.glob("phone/*.jpg")])
    files += sorted(dataset.glob("sources/white_paper/*/*.jpg"))
    answers = {
        file.relative_to(dataset).as_posix(): answer(client, file.read_bytes())
        for file in files[::EVERY]
    }
    return {path: {name: body[name] for name in PHOTO_FIELDS} for path, body in answers.items()}


def answer(client: TestClient, data: bytes) -> dict[str, Any]:
    """The response of `/predict` to a file, without volatile fields."""
    body: dict[str, Any] = client.post("/predict", files={"file": ("photo", data)}).json()
    return {name: value for name, value in body.items() if name not in VOLATILE}


def package_format(package: Path) -> dict[str, Any]:
    """The format of a package: names, dtypes and dimensions of arrays, and manifest keys."""
    arrays = {
        file.name: dict(_arrays(file)) for file in sorted(package.glob("*.npz")) if file.is_file()
    }
    manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
    return {"arrays": arrays, "manifest": sorted(manifest), "files": sorted(manifest["files"])}


def _arrays(file: Path) -> Iterator[tuple[str, str]]:
    with np.load(file, allow_pickle=False) as stored:
        for name in sorted(stored.files):
            yield name, f"{stored[name].dtype} {stored[name].ndim}"


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> None:
    with tempfile.TemporaryDirectory() as state:
        model = PROJECT / "models" / "default"
        settings = Settings(model_dir=model, state_dir=Path(state), database_url="", storage_url="")
        with TestClient(create_app(settings)) as client:
            _write(DRAWN, drawn_answers(client))
            if dataset := os.environ.get("RIPELINE_DATASET"):
                _write(PHOTOS, photo_answers(client, Path(dataset)))
        _write(PACKAGE, package_format(model))


if __name__ == "__main__":
    main()
