"""Tests of the notebooks: what stands in them, and that they run."""

import ast
import base64
import importlib
import json
import subprocess
from pathlib import Path

import pytest

from dlfa_tf.models.presets import e5_small_multi
from tests.test_documentation import broken_links
from tests.test_documentation import wrong_commands
from tools import stage_docs

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted(ROOT.glob("notebooks/*.ipynb"))
IDS = [path.stem for path in PATHS]
# Modules that documents name beside the packages.
CHECKS = ("dlfa_tf.testing.layer_case", "dlfa_tf.testing.layer_checks")


def read(path):
    return json.loads(path.read_text("utf-8"))


def code_of(path):
    """The code of a notebook as one module."""
    cells = [c for c in read(path)["cells"] if c["cell_type"] == "code"]
    return ast.parse("\n\n".join("".join(cell["source"]) for cell in cells))


def names_not_public(tree):
    """Names of this package that no user should rely on."""
    wrong = []
    packages = {f"dlfa_tf.{name}" for name in stage_docs.PACKAGES}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            of_ours = node.module.split(".")[0] in ("dlfa_tf", "trainers")
            if not of_ours:
                continue
            known = ()
            module = importlib.import_module(node.module)
            if node.module in packages:
                known = module.__all__
            elif node.module in CHECKS:
                known = [x for x in vars(module) if not x.startswith("_")]
            wrong += [
                f"{node.module}.{alias.name}"
                for alias in node.names
                if alias.name not in known
            ]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            wrong += [
                x for x in names if x.startswith(("dlfa_tf.", "trainers"))
            ]
        elif isinstance(node, ast.Attribute):
            if node.attr.startswith("_") and not node.attr.endswith("__"):
                wrong.append(node.attr)
            owner = node.value
            if isinstance(owner, ast.Name) and owner.id == "dlfa_tf":
                if node.attr not in importlib.import_module("dlfa_tf").__all__:
                    wrong.append(f"dlfa_tf.{node.attr}")
    return wrong


def test_there_are_notebooks():
    assert IDS == ["eleven_languages", "own_fusion"]


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_outputs_are_stripped(path):
    notebook = read(path)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
        assert set(cell["metadata"]) <= {"tags"}
        assert "attachments" not in cell


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_code_compiles_and_names_what_is_public(path):
    tree = code_of(path)
    compile(tree, path.name, "exec")
    assert names_not_public(tree) == []


@pytest.mark.parametrize("path", PATHS, ids=IDS)
def test_text_leads_somewhere(path):
    text = stage_docs.notebook_text(path)
    assert broken_links(text, path.parent) == []
    assert wrong_commands(text) == []
    assert text.startswith("# ")
    assert text.count("```python\n") > 5


def test_what_is_not_public_is_found():
    tree = ast.parse(
        "from dlfa_tf.models import DLFABackbone, fusing\n"
        "from dlfa_tf.analysis.readings import build_reader\n"
        "import dlfa_tf.files\nimport keras\nkeras._x\n"
        "dlfa_tf.DLFA, dlfa_tf.checks\n"
    )
    assert sorted(names_not_public(tree)) == [
        "_x",
        "dlfa_tf.analysis.readings.build_reader",
        "dlfa_tf.checks",
        "dlfa_tf.files",
        "dlfa_tf.models.fusing",
    ]


# Installs what runs notebooks where it is not; minutes with the real encoder.
@pytest.mark.slow
def test_notebooks_run(tmp_path):
    try:
        e5_small_multi.find_source()
        preset = []
    except ModuleNotFoundError:
        preset = ["--preset=tiny"]
    command = ["sh", "tools/notebooks.sh", f"--output_dir={tmp_path}", *preset]
    subprocess.run(command, cwd=ROOT, check=True)
    for path in PATHS:
        outputs = [
            output
            for cell in read(tmp_path / path.name)["cells"]
            for output in cell.get("outputs", [])
        ]
        assert not [x for x in outputs if x["output_type"] == "error"]
        pictures = [
            base64.b64decode(output["data"]["image/png"])
            for output in outputs
            if "image/png" in output.get("data", {})
        ]
        assert len(pictures) == 2
        assert all(len(picture) > 5000 for picture in pictures)
        # What git has stays as it is.
        assert not [
            x for c in read(path)["cells"] for x in c.get("outputs", [])
        ]
