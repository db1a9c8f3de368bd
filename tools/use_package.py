"""Uses the installed package: run by tools/try_package.sh, outside the tree."""

import importlib.util
import sys
from importlib import metadata
from importlib import resources
from pathlib import Path

PACKAGES = (
    "analysis",
    "data",
    "evaluation",
    "layers",
    "metrics",
    "models",
    "preprocessing",
    "runs",
    "scoring",
    "serving",
    "sweeps",
    "training",
)

if __name__ == "__main__":
    root = Path(sys.prefix).resolve()
    for name in ("dlfa_tf", *(f"dlfa_tf.{part}" for part in PACKAGES)):
        origin = Path(importlib.import_module(name).__file__).resolve()
        if root not in origin.parents:
            raise SystemExit(f"{name} was imported from {origin}, not {root}")
    if importlib.util.find_spec("trainers") is None:
        raise SystemExit("the wheel lacks the trainers")
    sample = resources.files("dlfa_tf.data") / "sample"
    files = sorted(sample.rglob("*.tsv"))
    if not files:
        raise SystemExit("the wheel lacks the sample data")
    print(
        f"dlfa-tf {metadata.version('dlfa-tf')}: {len(PACKAGES)} packages and "
        f"{len(files)} sample files work from the wheel"
    )
