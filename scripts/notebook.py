"""`make notebook`: run the notebook and keep its outputs in it, but for photographs and log lines.

The project contains no photograph, so none stays in its notebook: run it in Jupyter to see them.
"""

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebook" / "Fruits_Classifier.ipynb"


def execute(path: Path) -> Any:
    """The notebook at `path` with its outputs, but for log lines and times; nothing is written.

    Runs in the notebook's folder. Raises nbclient's CellExecutionError where a cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=None, record_timing=False, resources=place).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [found for found in cell.outputs if found.get("name") != "stderr"]
    return notebook


def without_photographs(notebook: Any) -> Any:
    """`notebook` with a sentence in place of each sheet of photographs; drawings stay."""
    for cell in notebook.cells:
        for found in cell.get("outputs", []):
            # The project's own sheets of photographs are JPEG, its drawings PNG.
            if found.get("data", {}).pop("image/jpeg", None):
                found.data["text/plain"] = "(Photographs: run the notebook to see them.)"
    return notebook


def main() -> int:
    notebook = without_photographs(execute(NOTEBOOK))
    NOTEBOOK.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    print(f"{NOTEBOOK.name}: {NOTEBOOK.stat().st_size / 1024:.0f} KiB with its outputs.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
