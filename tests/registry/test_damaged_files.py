"""Damaged champion files give a clear error, and photos are still graded."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.insights import current_examples, projection
from api.model.package import MANIFEST, PARTS, load_package
from api.monitoring import drift
from api.monitoring.gauges import Gauges
from api.predictions.state import AppState
from api.registry.model_reloader import CHECK_SECONDS, ModelReloader
from api.settings import Settings
from tests.small_grader import VERSION
from tests.synthetic_images import draw_fruit, encode


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for position in (0, len(data) // 2):  # The manifest has no checksum: its JSON must break.
        data[position] ^= 0x55
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


Damage = Callable[[Path], None]
DAMAGES: tuple[Damage, ...] = (flip, truncate, empty, Path.unlink)


@pytest.fixture(scope="module")
def own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("service")
    update = {"state_dir": folder / "state", "storage_url": str(folder / "blobs")}
    return settings.model_copy(update=update)


@pytest.fixture(scope="module")
def client(own: Settings) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        # A background task may otherwise read the intact files, for `/drift`, just before they are
        # damaged.
        patch.setattr(Gauges, "refresh", lambda gauges: None)
        with TestClient(create_app(own), raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def copies(own: Settings, client: TestClient, tmp_path: Path) -> Iterator[list[Path]]:
    """The stored package and the cached copy, which are repaired after the test."""
    assert client.get("/retrain/estimate").status_code == 200  # Fills the cache.
    copies = [own.model_cache / VERSION, Path(own.storage) / "models" / VERSION]
    whole = tmp_path / "whole"
    shutil.copytree(copies[1], whole)
    for cached in (current_examples.load_training_set, drift.load_reference, projection._fit):
        cached.cache_clear()
    yield copies
    for copy in copies:
        shutil.rmtree(copy)
        shutil.copytree(whole, copy)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", [*PARTS, MANIFEST])
def test_damaged_file_is_reported_on_every_path(
    client: TestClient, copies: list[Path], name: str, damage: Damage
) -> None:
    for copy in copies:
        damage(copy / name)
    photo = encode(draw_fruit("freshapples", 1))
    form = {"file": ("1.png", photo)}
    assert client.post("/predict", files=form).status_code == 200
    assert client.post("/predict?explain=true", files=form).status_code == 200
    assert client.post("/predict/batch", files=[("files", ("1.png", photo))]).status_code == 200
    for method, path, body, status in (
        ("POST", "/retrain", {"force": True}, 503),
        ("GET", "/retrain/estimate", None, 503),
        ("GET", "/insights/dataset", None, 503),
        ("GET", "/insights/map", None, 503),
        ("GET", "/drift", None, 503),
        ("POST", f"/models/{VERSION}/promote", None, 409),
    ):
        response = client.request(method, path, json=body)
        assert response.status_code == status, (path, response.text)
        assert "damaged" in response.json()["detail"]
    for path in (f"/models/compare?a={VERSION}&b={VERSION}", "/triggers", "/model-info"):
        assert client.get(path).status_code == 200
    files = [("files", ("2.png", encode(draw_fruit("freshbanana", 2))))]
    sent = client.post("/upload-training-data", data={"class_name": "freshbanana"}, files=files)
    assert sent.status_code in (200, 503), sent.text
    status = client.get("/status").json()
    assert "damaged" in status["model_problem"]
    assert status["model_loaded"]


@pytest.mark.slow
def test_damaged_copy_is_fetched_again(client: TestClient, copies: list[Path]) -> None:
    flip(copies[0] / PARTS[0])
    assert client.get("/retrain/estimate").status_code == 200
    assert load_package(copies[0]).manifest.version == VERSION


def test_files_are_checked_from_time_to_time(
    own: Settings, client: TestClient, copies: list[Path]
) -> None:
    """Even if no request uses them."""
    app = client.app.state  # type: ignore[attr-defined]
    state: AppState = app.service
    time = [0.0]
    reloader = ModelReloader(own, state, clock=lambda: time[0])
    reloader.poll()
    for copy in copies:
        flip(copy / PARTS[1])
    state.model_problem = ""
    reloader.poll()
    assert state.model_problem == ""
    time[0] += CHECK_SECONDS
    reloader.poll()
    assert PARTS[1] in state.model_problem
