"""Runs the notebooks, and keeps copies with what they printed and drew.

python -m tools.run_notebooks [--preset=NAME] [NOTEBOOK...]

Copies go to build/notebooks/; those in notebooks/ stay without outputs. The
preset `tiny` has random weights, and each notebook takes some seconds with it.
Needs what requirements-notebooks.txt names: `make notebooks` sees to it.
"""

import argparse
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "build" / "notebooks"
# A cell may train three systems.
TIMEOUT = 1200  # seconds
TINY = {"FUSION_LAYER": 1, "FROZEN_LAYERS": 0, "EPOCHS": 1}


def run(path: Path, preset: str | None, output: Path) -> None:
    """Runs one notebook in a folder that is thrown away; keeps a copy."""
    notebook = nbformat.read(path, as_version=4)
    if preset is not None:
        values = {"PRESET": preset, **(TINY if "tiny" in preset else {})}
        set_parameters(notebook, values)
    with tempfile.TemporaryDirectory() as folder:
        # Sockets in this folder: no port of the machine for the kernel, which
        # does what it is sent.
        sockets = {"transport": "ipc", "ip": f"{folder}/kernel"}
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            config=Config({"KernelManager": sockets}),
        )
        try:
            client.execute()
        finally:
            # With the outputs of the cells before the one that failed.
            output.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, output / path.name)


def set_parameters(notebook: nbformat.NotebookNode, values: dict) -> None:
    """Puts a cell with other values after the one tagged `parameters`."""
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    at = next(i for i, given in enumerate(tags) if "parameters" in given)
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    cell = nbformat.v4.new_code_cell("\n".join(lines))
    notebook.cells.insert(at + 1, cell)


def main() -> None:
    """Runs those that are named, or all."""
    parser = argparse.ArgumentParser(description="Runs the notebooks.")
    parser.add_argument("--preset", help="another encoder, such as tiny")
    parser.add_argument("--output_dir", type=Path, default=OUTPUT)
    parser.add_argument("notebooks", nargs="*", type=Path)
    given = parser.parse_args()
    for path in given.notebooks or sorted(ROOT.glob("notebooks/*.ipynb")):
        began = time.monotonic()
        run(path, given.preset, given.output_dir)
        seconds = time.monotonic() - began
        print(f"{given.output_dir / path.name}: {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
