"""The engine in the setting serves, and is reported everywhere."""

import logging
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.model.engines import choice
from api.settings import EngineName, Settings
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


def test_unknown_engine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIPELINE_ENGINE", "tensorrt")
    with pytest.raises(ValueError, match="litert"):
        Settings()
