"""`make notebook`: run the notebook and save its outputs without photos and log lines.

The repository contains no photos. Run the notebook in Jupyter to see them.
"""

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebook" / "Fruits_Classifier.ipynb"


def execute(path: Path) -> Any:
    """Run the notebook in its folder and return it without log lines and times.

    Writes nothing. Raises nbclient's CellExecutionError if a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=None, record_timing=False, resources=resources).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


def without_photographs(notebook: Any) -> Any:
    """Replace each contact sheet with a sentence, but keep plots."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            # Contact sheets are JPEG, plots are PNG.
            if output.get("data", {}).pop("image/jpeg", None):
                output.data["text/plain"] = "(Photographs: run the notebook to see them.)"
    return notebook


def main() -> int:
    notebook = without_photographs(execute(NOTEBOOK))
    NOTEBOOK.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    print(f"{NOTEBOOK.name}: {NOTEBOOK.stat().st_size / 1024:.0f} KiB including outputs.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
