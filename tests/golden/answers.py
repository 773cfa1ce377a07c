"""Golden answers: what the shipped package says of fixed images, as it was first written down.

A step that only moves or renames code leaves them as they are. `python -m tests.golden.answers`
writes them anew, after a change that is meant to change them.
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
# What differs from one request to the next.
CHANGING = ("prediction_id", "inference_time_ms", "timestamp", "model_version")
# Of a photo these say enough.
OF_A_PHOTO = ("predicted_class", "confidence", "freshness_level", "recognised")
EVERY = 9


def drawn_answers(client: TestClient) -> dict[str, Any]:
    """By name, the answer to each drawn image."""
    images = {f"{kind} {seed}": draw_fruit(kind, seed) for kind in KINDS for seed in (0, 1)}
    images |= {"quarters": draw_quarters(), "grey": Image.new("RGB", (64, 64), (128, 128, 128))}
    return {name: answer(client, encode(image)) for name, image in images.items()}


def photo_answers(client: TestClient, dataset: Path) -> dict[str, Any]:
    """By path below `dataset`, the answer to every ninth photo of a class folder or phone."""
    files = sorted([*dataset.glob("fruits/test/*/*"), *dataset.glob("phone/*.jpg")])
    files += sorted(dataset.glob("sources/white_paper/*/*.jpg"))
    answers = {
        file.relative_to(dataset).as_posix(): answer(client, file.read_bytes())
        for file in files[::EVERY]
    }
    return {path: {name: found[name] for name in OF_A_PHOTO} for path, found in answers.items()}


def answer(client: TestClient, data: bytes) -> dict[str, Any]:
    """What `/predict` says of a file, without what differs each time."""
    found: dict[str, Any] = client.post("/predict", files={"file": ("photo", data)}).json()
    return {name: value for name, value in found.items() if name not in CHANGING}


def package_format(package: Path) -> dict[str, Any]:
    """What the files of a package hold: names, dtypes and dimensions, and keys of the manifest."""
    arrays = {
        file.name: dict(_arrays(file)) for file in sorted(package.glob("*.npz")) if file.is_file()
    }
    manifest = json.loads((package / "manifest.json").read_text(encoding="utf-8"))
    return {"arrays": arrays, "manifest": sorted(manifest), "files": sorted(manifest["files"])}


def _arrays(file: Path) -> Iterator[tuple[str, str]]:
    with np.load(file, allow_pickle=False) as stored:
        for name in sorted(stored.files):
            yield name, f"{stored[name].dtype} {stored[name].ndim}"


def _write(path: Path, found: Any) -> None:
    path.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


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
