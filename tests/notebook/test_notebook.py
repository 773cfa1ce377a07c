"""The notebook, executed from start to end on drawn images."""

import json
from typing import Any

import pytest

from api.settings import PROJECT
from tests.training.collection import draw_collection

NOTEBOOK = PROJECT / "notebook" / "Fruits_Classifier.ipynb"
# Small enough for a busy machine; accuracy does not matter here.
RECIPE = {
    "architecture": "custom_cnn",
    "weights": "none",
    "input_size": 32,
    "epochs": 1,
    "views": 64,
    "batch_size": 16,
}
MAX_BYTES = 1_500_000

nbformat = pytest.importorskip("nbformat")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook with its outputs; nothing is written next to it."""
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    root = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RIPELINE_DATASET", str(draw_collection(root / "photographs")))
        patch.setenv("RIPELINE_MODEL_DIR", str(root / "model"))
        patch.setenv("RIPELINE_STATE_DIR", str(root / "state"))
        patch.setenv("RIPELINE_RECIPE", json.dumps(RECIPE))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        from scripts.notebook import execute  # noqa: PLC0415  (needs optional packages)

        return execute(NOTEBOOK)


def test_every_cell_runs_and_prints_its_results(executed: Any) -> None:
    text = "\n".join(_texts(executed))
    assert "104 photographs" in text
    assert "are in the supplied train files too" in text
    assert "the ones above." in text
    assert "racked" in text


def test_outputs_are_small_images_without_local_paths(executed: Any) -> None:
    assert len(nbformat.writes(executed)) < MAX_BYTES
    kinds = {kind for output in _outputs(executed) for kind in output.get("data", {})}
    assert {"image/png", "image/jpeg"} <= kinds
    assert "application/vnd.plotly.v1+json" not in kinds
    assert not [text for text in _texts(executed) if str(PROJECT) in text]


def test_committed_notebook_contains_no_photos() -> None:
    outputs = _outputs(nbformat.read(NOTEBOOK, as_version=4))
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any("image/jpeg" in output.get("data", {}) for output in outputs)


def test_notebook_defines_no_functions_or_classes() -> None:
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert "\ndef " not in f"\n{cell.source}"
        assert "\nclass " not in f"\n{cell.source}"


def _outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def _texts(notebook: Any) -> list[str]:
    """The text of all outputs."""
    return [
        "".join(part)
        for output in _outputs(notebook)
        for part in (
            output.get("text", ""),
            *(output.get("data", {}).get(kind, "") for kind in ("text/markdown", "text/html")),
        )
    ]
