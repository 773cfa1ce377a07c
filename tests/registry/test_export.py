"""An exported version, without Ripeline, gives the same grades as the service."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api.app import create_app
from api.model.package import HEAD, load_package
from api.registry.export import ONNX, export_zip
from api.registry.store import locked
from api.settings import Settings
from api.storage.blobs import Blobs
from tests.ood_images import draw_ood
from tests.synthetic_images import draw_fruit, encode
from tests.waiting import until

TOLERANCE = 1e-4
ANSWERS = ("predicted_class", "freshness_level", "recognised")


@pytest.fixture
def served(shipped_settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """A service with the shipped model in LiteRT, which the export uses too."""
    update = {"state_dir": tmp_path / "state", "engine": "litert"}
    with TestClient(create_app(shipped_settings.model_copy(update=update))) as client:
        yield client


def exported(client: TestClient, folder: Path) -> Path:
    version = client.get("/models").json()["champion"]
    answer = client.get(f"/models/{version}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert f"ripeline-{version}.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        archive.extractall(folder)
    return folder / f"ripeline-{version}"


def photos(folder: Path) -> list[Path]:
    """Fruit of each class, a non-fruit, more bananas, and a photo stored rotated.

    Drawn fruit often passes for an orange, but some of six bananas do not.
    """
    kinds = ("freshapples", "rottenapples", "freshbanana", "rottenbanana", "freshoranges")
    images = [draw_fruit(kind, seed) for seed, kind in enumerate(kinds)]
    images += [draw_ood("rings", 1), draw_fruit("rottenoranges", 7, size=400)]
    images += [draw_fruit("freshbanana", seed, size=300) for seed in range(6)]
    paths = []
    for index, image in enumerate(images):
        path = folder / f"{index}.{'png' if index % 2 else 'jpg'}"
        path.write_bytes(encode(image, "PNG" if index % 2 else "JPEG"))
        paths.append(path)
    sideways, exif = folder / "sideways.jpg", Image.Exif()
    exif[0x0112] = 6
    draw_fruit("freshbanana", 9).resize((320, 200)).save(sideways, exif=exif, quality=92)
    return [*paths, sideways]


@pytest.mark.slow
@pytest.mark.parametrize("network", ["litert", "onnx"])
@pytest.mark.parametrize("own", [False, True], ids=["shared thresholds", "own thresholds"])
def test_the_script_grades_as_the_service(
    served: TestClient, tmp_path: Path, *, own: bool, network: str
) -> None:
    paths = photos(tmp_path)
    if own:
        use_thresholds(served, paths)
    folder = exported(served, tmp_path)
    options = ["--onnx"] if network == "onnx" else []
    # Only the files that the script says it needs are left.
    (folder / f"backbone.{'tflite' if options else 'onnx'}").unlink()
    # Run without this project's folder on its path.
    done = subprocess.run(
        [sys.executable, "-I", folder / "grade.py", *options, *paths],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    graded = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(one["photo"]) for one in graded] == paths
    for one, path in zip(graded, paths, strict=True):
        expected = predict(served, path)
        assert {name: one[name] for name in ANSWERS} == {name: expected[name] for name in ANSWERS}
        assert one["probabilities"] == pytest.approx(expected["probabilities"], abs=TOLERANCE)
        assert one["freshness_score"] == pytest.approx(expected["freshness_score"], abs=TOLERANCE)
    assert {one["recognised"] for one in graded} == {True, False}
    if own:
        assert {one["freshness_level"] for one in graded} == {"fresh", "past_best"}


def use_thresholds(client: TestClient, paths: Sequence[Path]) -> None:
    """Grade all fruit of the first photo's kind as fresh, and everything else as past its best."""
    fruits = [predict(client, path)["fruit"] for path in paths]
    other = next(path for path, fruit in zip(paths, fruits, strict=True) if fruit != fruits[0])
    version = client.get("/models").json()["champion"]
    always = {"rotten_below": 1e-9, "fresh_from": 1e-9}
    answer = client.put(f"/models/{version}/thresholds/{fruits[0]}", json=always)
    assert answer.status_code == 200
    never = {"rotten_below": 1e-9, "fresh_from": 1 - 1e-9}
    assert client.put("/freshness-thresholds", json=never).status_code == 200
    until(lambda: predict(client, other)["freshness_level"] == "past_best")


def predict(client: TestClient, photo: Path) -> dict[str, Any]:
    body: dict[str, Any] = client.post("/predict", files={"file": photo.read_bytes()}).json()
    return body


def test_export_describes_the_version(served: TestClient, tmp_path: Path) -> None:
    folder = exported(served, tmp_path)
    details = served.get("/model-info").json()["model_info"]
    assert (folder / "labels.txt").read_text().split() == details["classes"]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["version"] == details["version"]
    model = json.loads((folder / "model.json").read_text())
    assert model["rotten_below"] == pytest.approx(details["thresholds"]["rotten_below"])
    assert (folder / ONNX).exists()
    readme = (folder / "README.md").read_text()
    assert "$" not in readme
    for path in folder.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in readme


def test_a_network_with_other_operators_comes_without_onnx(
    settings: Settings, tmp_path: Path
) -> None:
    own = settings.model_copy(update={"state_dir": tmp_path / "state", "engine": "litert"})
    with TestClient(create_app(own)) as client:
        folder = exported(client, tmp_path)
    assert not (folder / ONNX).exists()
    assert "onnx" not in (folder / "README.md").read_text().lower()


@pytest.mark.parametrize("year", [1970, 2200])
def test_version_that_was_made_while_the_clock_was_wrong(
    shipped_settings: Settings, year: int
) -> None:
    """A zip has only the years 1980 to 2107."""
    package = load_package(shipped_settings.model_dir)
    made = package.manifest.created_at.replace(year=year)
    manifest = package.manifest.model_copy(update={"created_at": made})
    data = export_zip(replace(package, manifest=manifest), None, {})
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {info.date_time[0] for info in archive.infolist()} == {min(max(year, 1980), 2107)}


def test_an_unknown_and_a_damaged_version_are_refused(
    served: TestClient, shipped_settings: Settings, tmp_path: Path
) -> None:
    assert served.get("/models/unheard-of/export").json()["code"] == "unknown-model"
    version = served.get("/models").json()["champion"]
    own = shipped_settings.model_copy(update={"state_dir": tmp_path / "state"})
    Blobs(own.storage).put(f"models/{version}/{HEAD}", b"damaged")
    own.model_cache.mkdir(parents=True, exist_ok=True)
    with locked(own.model_cache, version):  # The service may be fetching it.
        shutil.rmtree(own.model_cache / version, ignore_errors=True)
    answer = served.get(f"/models/{version}/export")
    assert (answer.status_code, answer.json()["code"]) == (409, "model-damaged")
