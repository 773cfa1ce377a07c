"""The engine in the setting is used, and reported everywhere."""

import logging
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.model.engines import choice
from api.model.engines.litert import LiteRTBackbone
from api.settings import EngineName, Settings
from api.storage.blobs import Blobs
from api.storage.db import Database
from tests.registry.versions import a_servable_package, register_package
from tests.small_grader import VERSION
from tests.synthetic_images import draw_fruit, encode


def service(settings: Settings, folder: Path, engine: EngineName) -> TestClient:
    own = settings.model_copy(update={"state_dir": folder, "engine": engine})
    return TestClient(create_app(own))


@pytest.mark.slow
def test_two_engines_give_the_same_answer(shipped_settings: Settings, tmp_path: Path) -> None:
    photo = encode(draw_fruit("freshbanana"), "JPEG")
    answers = {}
    engines: tuple[EngineName, ...] = ("litert", "openvino")
    for engine in engines:
        with service(shipped_settings, tmp_path / engine, engine) as client:
            info = client.get("/model-info").json()["engine"]
            assert info["name"] == engine
            metrics = client.get("/metrics").text
            assert f'ripeline_engine_seconds{{engine="{engine}"' in metrics
            answers[engine] = client.post("/predict", files={"file": photo}).json()
    ours, theirs = answers["openvino"], answers["litert"]
    assert ours["predicted_class"] == theirs["predicted_class"]
    assert ours["probabilities"] == pytest.approx(theirs["probabilities"], abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("has_bfloat16", [True, False])
def test_log_says_what_auto_chose(
    shipped_settings: Settings,
    tmp_path: Path,
    has_bfloat16: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(choice, "_prefers_openvino", lambda: has_bfloat16)
    expected = "openvino in " if has_bfloat16 else "litert in f32"
    with caplog.at_level(logging.INFO), service(shipped_settings, tmp_path, "auto"):
        assert f"serves by {expected}" in caplog.text


def test_version_that_the_engine_cannot_run_is_not_put_in_use(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_run(_graph: bytes, _threads: int) -> None:
        raise ValueError("OpenVINO cannot run it")

    monkeypatch.setattr(choice, "_open_openvino", LiteRTBackbone)
    with service(settings, tmp_path, "openvino") as client:
        database = Database(f"sqlite:///{tmp_path / 'catalog.db'}")
        blobs = Blobs(str(tmp_path / "blobs"))
        register_package(database, blobs, a_servable_package(tmp_path, "b"))
        database.close()
        assert client.post("/models/b/promote").status_code == 200
        monkeypatch.setattr(choice, "_open_openvino", cannot_run)
        for answer in (
            client.post("/models/rollback"),
            client.post(f"/models/{VERSION}/promote"),
            client.put(f"/models/{VERSION}/shadow", json={}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "model-damaged")
        assert client.get("/models").json()["champion"] == "b"


def test_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIPELINE_ENGINE", "tensorrt")
    with pytest.raises(ValueError, match="litert"):
        Settings()
