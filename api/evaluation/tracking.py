"""Logging finished runs to MLflow: recipe, data, metrics by epoch, manifest and plots.

A run is logged after its package is on disk, so a failure here loses nothing. By default it goes to
an SQLite file in the state folder; MLFLOW_TRACKING_URI names a server or another database.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from api.model.manifest import Manifest
from api.model.package import MANIFEST
from api.settings import PROJECT, Settings

TRACKING_URI = "MLFLOW_TRACKING_URI"
EXPERIMENT = "ripeline"
# MLflow's limit of metrics per request.
MAX_BATCH = 1000
# An unreachable server fails within seconds instead of many minutes. Telemetry is off unless the
# environment switches it on.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def record(folder: Path, manifest: Manifest, state: Path | None = None) -> str:
    """Log the run that made the package in `folder`; `state` is the settings' state folder.

    Returns a sentence for the terminal: where the run is, or why it is not tracked. Does not raise
    if MLflow is missing or fails.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    state = (state or Settings().state_dir).resolve()
    uri = os.environ.get(TRACKING_URI) or f"sqlite:///{state / 'mlflow.db'}"
    try:
        import mlflow  # noqa: F401, PLC0415  (optional)
    except ImportError:
        return "Not tracked, since MLflow is not installed; to track runs: pip install mlflow"
    try:
        state.mkdir(parents=True, exist_ok=True)
        run_id = _log(uri, folder, manifest, state)
    except Exception as error:  # Whatever MLflow's store or HTTP client raises.
        return (
            f"Not tracked: {_without_credentials(uri)} did not take the run "
            f"({type(error).__name__}). The package itself is complete."
        )
    if os.environ.get(TRACKING_URI):
        return f"Tracked as run {run_id} by {_without_credentials(uri)}."
    database = uri.replace(f"{PROJECT}/", "")
    return f"Tracked as run {run_id}; to look: mlflow ui --backend-store-uri {database}"


def scalars(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every number in nested `metrics` with its dotted name; no lists, no booleans."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from scalars(value, f"{prefix}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{prefix}{name}", float(value)


def _log(uri: str, folder: Path, manifest: Manifest, state: Path) -> str:
    """Returns the run's id. Raises whatever MLflow raises."""
    from mlflow import MlflowClient  # noqa: PLC0415
    from mlflow.entities import Metric, Param  # noqa: PLC0415

    from api.evaluation.plots import package_plots  # noqa: PLC0415  (matplotlib comes with MLflow)

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    # A server chooses where it keeps artifacts.
    artifacts = None if uri.startswith("http") else (state / "runs").as_uri()
    experiment_id = (
        experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT, artifacts)
    )
    version = manifest.version
    run = client.create_run(experiment_id, run_name=version, tags={"version": version})
    run_id: str = run.info.run_id
    timestamp = int(manifest.created_at.timestamp() * 1000)
    data = {f"data.{name}": value for name, value in manifest.data.model_dump().items()}
    params = {**manifest.recipe, **data}
    client.log_batch(run_id, params=[Param(name, str(value)) for name, value in params.items()])
    metrics = [Metric(name, value, timestamp, 0) for name, value in scalars(manifest.metrics)]
    for epoch, curves in enumerate(manifest.metrics.get("training_curves", []), start=1):
        metrics += [
            Metric(f"epoch.{name}", value, timestamp, epoch) for name, value in scalars(curves)
        ]
    for start in range(0, len(metrics), MAX_BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + MAX_BATCH])
    client.log_artifact(run_id, str(folder / MANIFEST))
    for name, figure in package_plots(manifest).items():
        client.log_figure(run_id, figure, f"drawings/{name}.png")
    client.set_terminated(run_id)
    return run_id


def _without_credentials(uri: str) -> str:
    """`uri` without user and password."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
