"""`make notebook`: run the notebook and keep its outputs in it, without the noise of libraries."""

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


def main() -> int:
    notebook = execute(NOTEBOOK)
    NOTEBOOK.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    print(f"{NOTEBOOK.name}: {NOTEBOOK.stat().st_size / 1024:.0f} KiB with its outputs.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
