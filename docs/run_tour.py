"""Runs docs/tour.ipynb in the root of the clone and keeps what it says: `python docs/run_tour.py`, with nbclient and ipykernel."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tour.ipynb"
notebook = nbformat.read(PAGE, as_version=4)
NotebookClient(notebook, resources={"metadata": {"path": str(ROOT)}}, kernel_name="python3").execute()
for cell in notebook.cells:
    # When it was run is nobody's concern, nor what is left of a line of progress.
    cell.metadata.pop("execution", None)
    if cell.cell_type == "code":
        cell.outputs = [output for output in cell.outputs if output.output_type != "display_data" or output.data.get("text/plain")]
nbformat.write(notebook, PAGE)
