"""Run tracking: a tiny package in a separate MLflow store."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from api.commands import training as command_line
from api.core.progress import Progress
from api.evaluation import tracking
from api.evaluation.tracking import record, scalars
from api.model.manifest import Manifest
from api.model.package import MANIFEST, load_package, write_package
from tests.registry.samples import describer, filler

pytestmark = pytest.mark.slow

METRICS = {
    "training_curves": [
        {"loss": 0.9, "accuracy": 0.5, "val_loss": 0.8, "val_accuracy": 0.6},
        {"loss": 0.4, "accuracy": 0.7, "val_loss": 0.5, "val_accuracy": 0.8},
    ],
    "test_by_photograph": {
        "split": "test split",
        "files": 5,
        "photographs": 5,
        "accuracy": 0.8,
        "accuracy_interval_95": [0.6, 1.0],
        "expected_calibration_error": 0.01,
        "confusion_matrix": [[3, 0], [1, 1]],
    },
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the caller's tracking server, and leave the environment unchanged."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in tracking._ENVIRONMENT:
        monkeypatch.setenv(name, tracking._ENVIRONMENT[name])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    def describe(hashes: dict[str, str]) -> Manifest:
        return describer()(hashes).model_copy(update={"metrics": METRICS})

    write_package(tmp_path / "package", filler(), describe)
    return tmp_path / "package"


@pytest.fixture
def manifest(package: Path) -> Manifest:
    return load_package(package).manifest


@pytest.fixture
def client() -> Callable[[Path], Any]:
    mlflow = pytest.importorskip("mlflow")
    return lambda state: mlflow.MlflowClient(f"sqlite:///{state / 'mlflow.db'}")


# MLflow causes these warnings in its database library.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tracked_run_has_recipe_data_epochs_and_manifest(
    tmp_path: Path, package: Path, manifest: Manifest, client: Callable[[Path], Any]
) -> None:
    state = tmp_path / "state"
    message = record(package, manifest, state)
    assert message.startswith("Tracked as run ")
    assert "mlflow ui" in message
    store = client(state)
    experiment = store.get_experiment_by_name(tracking.EXPERIMENT)
    (run,) = store.search_runs([experiment.experiment_id])
    assert run.info.run_id in message
    assert run.info.status == "FINISHED"
    assert run.data.params["epochs"] == "1"
    assert run.data.params["data.sha256"] == manifest.data.sha256
    assert run.data.metrics["test_by_photograph.accuracy"] == 0.8
    history = store.get_metric_history(run.info.run_id, "epoch.val_accuracy")
    assert [(point.step, point.value) for point in history] == [(1, 0.6), (2, 0.8)]
    artifacts = {path.name for path in (state / "runs").rglob("*") if path.is_file()}
    assert artifacts == {MANIFEST, "training.png", "confusion.png"}

    record(package, manifest, state)
    assert len(store.search_runs([experiment.experiment_id])) == 2


def test_unavailable_server_leaves_the_package_intact(
    tmp_path: Path, package: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://someone:secret@127.0.0.1:9")
    message = record(package, manifest, tmp_path / "state")
    assert message.startswith("Not tracked: http://127.0.0.1:9 did not take the run")
    assert load_package(package).manifest == manifest


def test_missing_mlflow_message_says_how_to_install_it(
    tmp_path: Path, package: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert "pip install mlflow" in record(package, manifest, tmp_path / "state")


def test_command_prints_where_the_run_is(
    tmp_path: Path,
    package: Path,
    manifest: Manifest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorded = []
    skipped: list[str] = []

    def read(_folder: Path, _progress: Progress, skip: Sequence[str]) -> None:
        skipped.extend(skip)

    def fake_record(folder: Path, manifest: Manifest) -> str:
        recorded.append((folder, manifest))
        return "Tracked."

    monkeypatch.setattr("api.training.corpus.read_corpus", read)
    monkeypatch.setattr("api.evaluation.build.build_package", lambda *_, **__: manifest)
    monkeypatch.setattr("api.evaluation.build.measure_detector", lambda *_: manifest)
    monkeypatch.setattr("api.training.detection.train.train_detector", lambda *_: None)
    monkeypatch.setattr(tracking, "record", fake_record)
    skip = ["--skip", "market", "--skip", "web"]
    monkeypatch.setattr(sys, "argv", ["", "train", str(tmp_path), "--out", str(package), *skip])
    assert command_line.main() == 0
    assert skipped == ["market", "web"]
    assert recorded == [(package, manifest)]
    assert "Tracked." in capsys.readouterr().out


def test_scalars_are_named_by_their_path() -> None:
    nested = {"a": {"b": 1, "c": {"d": 0.5}}, "list": [1], "true": True, "none": None, "word": "x"}
    assert dict(scalars(nested)) == {"a.b": 1, "a.c.d": 0.5}
