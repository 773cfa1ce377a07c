"""Logging finished runs to MLflow: recipe, data, figures by epoch, manifest and drawings.

A run is logged when its package is on disk, so nothing that fails here can lose one. By default
it goes to an SQLite file in the state folder; MLFLOW_TRACKING_URI names a server or a database.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from api.model.manifest import Manifest
from api.model.package import MANIFEST
from api.settings import PROJECT, Settings

ADDRESS = "MLFLOW_TRACKING_URI"
EXPERIMENT = "ripeline"
# As many as MLflow takes at once.
BATCH = 1000
# A server that is away is given up after seconds, where MLflow would wait for many minutes; and
# nothing is reported to MLflow's makers unless the person asks for it.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def record(folder: Path, manifest: Manifest, state: Path | None = None) -> str:
    """Log the run that made the package in `folder`; `state` is the settings' state folder.

    Returns a sentence for the terminal: where the run is, or why it is not tracked. Never raises
    for a tracker that is missing or fails.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    state = (state or Settings().state_dir).resolve()
    address = os.environ.get(ADDRESS) or f"sqlite:///{state / 'mlflow.db'}"
    try:
        import mlflow  # noqa: F401, PLC0415  (an optional package)
    except ImportError:
        return "Not tracked, since MLflow is not installed; to track runs: pip install mlflow"
    try:
        state.mkdir(parents=True, exist_ok=True)
        run_id = _log(address, folder, manifest, state)
    except Exception as error:  # MLflow passes on whatever its store or its HTTP stack raises.
        return (
            f"Not tracked: {_shown(address)} did not take the run ({type(error).__name__}). "
            "The package is whole all the same."
        )
    if os.environ.get(ADDRESS):
        return f"Tracked as run {run_id} by {_shown(address)}."
    database = address.replace(f"{PROJECT}/", "")
    return f"Tracked as run {run_id}; to look: mlflow ui --backend-store-uri {database}"


def scalars(metrics: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    """Every number in nested `metrics` with its dotted name; lists and truths are left out."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from scalars(value, f"{above}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{above}{name}", float(value)


def _log(address: str, folder: Path, manifest: Manifest, state: Path) -> str:
    """Log to the tracker at `address`; returns the run's id. Raises whatever MLflow raises."""
    from mlflow import MlflowClient  # noqa: PLC0415
    from mlflow.entities import Metric, Param  # noqa: PLC0415

    from api.evaluation.plots import plots  # noqa: PLC0415  (needs what MLflow brings)

    client = MlflowClient(address)
    experiment = client.get_experiment_by_name(EXPERIMENT)
    # A server keeps artefacts where it likes; for a database they lie in the state folder.
    beside = None if address.startswith("http") else (state / "runs").as_uri()
    number = (
        experiment.experiment_id if experiment else client.create_experiment(EXPERIMENT, beside)
    )
    run = client.create_run(number, run_name=manifest.version, tags={"version": manifest.version})
    run_id: str = run.info.run_id
    when = int(manifest.created_at.timestamp() * 1000)
    data = {f"data.{name}": value for name, value in manifest.data.model_dump().items()}
    settings = {**manifest.recipe, **data}
    client.log_batch(run_id, params=[Param(name, str(value)) for name, value in settings.items()])
    metrics = [Metric(name, value, when, 0) for name, value in scalars(manifest.metrics)]
    for epoch, figures in enumerate(manifest.metrics.get("training_curves", []), start=1):
        metrics += [Metric(f"epoch.{name}", value, when, epoch) for name, value in scalars(figures)]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + BATCH])
    client.log_artifact(run_id, str(folder / MANIFEST))
    for name, figure in plots(manifest).items():
        client.log_figure(run_id, figure, f"drawings/{name}.png")
    client.set_terminated(run_id)
    return run_id


def _shown(address: str) -> str:
    """The address without its user, who may come with a password."""
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
