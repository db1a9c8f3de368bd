"""Who may import whom, read from the sources without running them.

The table is the one of CONTRIBUTING.md; a change to either needs the other.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

_MODELS = {"cache_folder", "layers", "options", "preprocessing", "types"}
# The settings of a run: they belong below both, and import neither at the top.
SETTINGS = "training.config"
_TRAINING = {
    "data",
    "evaluation",
    "metrics",
    "models",
    "options",
    "preprocessing",
    "types",
}
_EVALUATION = {"models", "data", "metrics", "options", "types", SETTINGS}
_PROGRAM = {
    "cache_folder",
    "data",
    "evaluation",
    "layers",
    "metrics",
    "models",
    "options",
    "preprocessing",
    "serving",
    "training",
    "types",
}
# Package -> what it may import from the project, besides itself.
TABLE = {
    "options": set(),
    "types": set(),
    "registration": set(),
    "version_check": set(),
    "cache_folder": set(),
    "layers": {"options", "types"},
    "preprocessing": {"options", "types"},
    "metrics": {"types"},
    "models": _MODELS,
    "data": {"cache_folder", "options", "preprocessing", "types"},
    "evaluation": _EVALUATION,
    "training": _TRAINING,
    "serving": {"models", "preprocessing", "data.tasks", "types"},
    "testing": {"types"},
    "trainers": _PROGRAM,
    "benchmarks": _PROGRAM,
}
# Packages whose modules may import TensorFlow as soon as they are imported;
# elsewhere only inside a function or a `try` that allows for its absence.
WITH_TENSORFLOW = {
    "benchmarks",
    "data",
    "evaluation",
    "preprocessing",
    "serving",
    "testing",
    "trainers",
    "training",
}
TENSORFLOW = {"tensorflow", "tensorflow_text"}
WITH_ABSL = {"benchmarks", "trainers"}
FORBIDDEN_MODULES = {"dill", "marshal", "pickle", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "print"}


def find_violations(source: str, module: str) -> list[str]:
    """What the source of a module does that the rules do not allow.

    `module` is its dotted name, such as `dlfa_tf.layers.aif`; a package goes
    by its own name.
    """
    tree = ast.parse(source)
    package = _package(module)
    inside = module.startswith("dlfa_tf")
    found = []
    for imported, line, is_guarded in _imports(tree):
        top = imported.split(".")[0]
        where = f"{module}:{line}"
        if top in ("dlfa_tf", "trainers", "benchmarks", "tests"):
            if not _is_allowed(imported, package):
                found.append(f"{where}: {package} may not import {imported}")
        elif top in TENSORFLOW:
            if package not in WITH_TENSORFLOW and not is_guarded:
                found.append(f"{where}: {top} outside of a function or try")
        elif top == "absl" and package not in WITH_ABSL:
            found.append(f"{where}: absl belongs in programs")
        elif top in FORBIDDEN_MODULES and inside:
            found.append(f"{where}: {top} is not used here")
    if inside:
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert):
                found.append(f"{module}:{node.lineno}: assert")
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in FORBIDDEN_CALLS
            ):
                found.append(f"{module}:{node.lineno}: {node.func.id}()")
    return found


def _package(module: str) -> str:
    """Row of the table that a module belongs to."""
    parts = module.split(".")
    if parts[0] != "dlfa_tf":
        return parts[0]
    return parts[1] if len(parts) > 1 else "dlfa_tf"


def _is_allowed(imported: str, package: str) -> bool:
    parts = imported.split(".")
    target = _package(imported)
    if target == package:
        return True
    if package == "dlfa_tf":  # the root lists the public names of all
        return parts[0] == "dlfa_tf" and target != "testing"
    if parts[0] != "dlfa_tf" or package not in TABLE:
        return False
    if target not in TABLE:  # the root, or a name that the root gives out
        return TABLE[package] is _PROGRAM
    allowed = TABLE[package]
    return target in allowed or ".".join(parts[1:3]) in allowed


def _imports(tree: ast.AST) -> Iterator[tuple[str, int, bool]]:
    """Name, line, and whether it only runs in a function or a try."""
    yield from _imports_below(tree, False)


def _imports_below(
    node: ast.AST, is_guarded: bool
) -> Iterator[tuple[str, int, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield alias.name, child.lineno, is_guarded
        elif isinstance(child, ast.ImportFrom):
            start = "." * child.level + (child.module or "")
            for alias in child.names:
                yield f"{start}.{alias.name}", child.lineno, is_guarded
        elif (
            isinstance(child, ast.Call)
            and ast.unparse(child.func).endswith("import_module")
            and child.args
            and isinstance(child.args[0], ast.Constant)
        ):
            yield str(child.args[0].value), child.lineno, is_guarded
        guards = isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
        ) or (
            isinstance(child, ast.Try)
            and any("Import" in ast.unparse(h) for h in child.handlers)
        )
        yield from _imports_below(child, is_guarded or guards)


def _modules() -> list[tuple[str, Path]]:
    files = [
        file
        for folder in ("dlfa_tf", "trainers", "benchmarks")
        for file in sorted((ROOT / folder).rglob("*.py"))
    ]
    names = []
    for file in files:
        parts = file.relative_to(ROOT).with_suffix("").parts
        names.append(".".join(p for p in parts if p != "__init__"))
    return list(zip(names, files, strict=True))


MODULES = _modules()


@pytest.mark.parametrize(
    ("module", "file"), MODULES, ids=[name for name, _ in MODULES]
)
def test_module_keeps_rules(module, file):
    assert find_violations(file.read_text(encoding="utf-8"), module) == []


def test_table_names_every_package():
    found = {_package(module) for module, _ in MODULES} - {"dlfa_tf"}
    assert found <= set(TABLE)


def test_table_has_no_circle():
    order = []
    rest = {
        package: {x.split(".")[0] for x in allowed - {SETTINGS}} - {package}
        for package, allowed in TABLE.items()
    }
    while rest:
        ready = [name for name in rest if rest[name] <= set(order)]
        assert ready, f"each of these needs another of them: {rest}"
        order += ready
        for name in ready:
            del rest[name]


def test_modules_import_by_full_name():
    relative = [
        f"{module}:{line}"
        for module, file in MODULES
        for name, line, _ in _imports(ast.parse(file.read_text("utf-8")))
        if name.startswith(".")
    ]
    assert relative == []


def test_standard_library_is_not_shadowed():
    tops = {module.split(".")[0] for module, _ in MODULES}
    assert tops.isdisjoint(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("source", "module", "message"),
    [
        pytest.param(
            "from dlfa_tf.models import DLFABackbone",
            "dlfa_tf.layers.aif",
            "layers may not import dlfa_tf.models.DLFABackbone",
            id="layer-imports-model",
        ),
        pytest.param(
            "def f():\n    import dlfa_tf.training.loop",
            "dlfa_tf.evaluation.score",
            "score:2: evaluation may not import dlfa_tf.training.loop",
            id="hidden-in-function",
        ),
        pytest.param(
            "from dlfa_tf import data",
            "dlfa_tf.models.presets",
            "models may not import dlfa_tf.data",
            id="package-from-root",
        ),
        pytest.param(
            "import importlib\nimportlib.import_module('dlfa_tf.data.tasks')",
            "dlfa_tf.layers.dlfa",
            "layers may not import dlfa_tf.data.tasks",
            id="import-by-string",
        ),
        pytest.param(
            "import dlfa_tf",
            "dlfa_tf.layers.dlfa",
            "layers may not import dlfa_tf",
            id="root-from-within",
        ),
        pytest.param(
            "from dlfa_tf.data.readers import read",
            "dlfa_tf.serving.lint",
            "serving may not import dlfa_tf.data.readers.read",
            id="serving-imports-readers",
        ),
        pytest.param(
            "from trainers import common_flags",
            "dlfa_tf.training.loop",
            "training may not import trainers.common_flags",
            id="library-imports-trainers",
        ),
        pytest.param(
            "from dlfa_tf.testing import layer_checks",
            "trainers.train",
            "trainers may not import dlfa_tf.testing.layer_checks",
            id="program-imports-test-help",
        ),
        pytest.param(
            "import tensorflow as tf",
            "dlfa_tf.layers.aif",
            "tensorflow outside of a function or try",
            id="layer-imports-tensorflow",
        ),
        pytest.param(
            "try:\n    import tensorflow as tf\nexcept ValueError:\n    pass",
            "dlfa_tf.models.presets",
            "tensorflow outside of a function or try",
            id="try-for-another-error",
        ),
        pytest.param(
            "from absl import logging",
            "dlfa_tf.training.loop",
            "absl belongs in programs",
            id="library-imports-absl",
        ),
        pytest.param(
            "import pickle",
            "dlfa_tf.data.arrays",
            "pickle is not used here",
            id="pickle",
        ),
        pytest.param(
            "assert 1", "dlfa_tf.types", "types:1: assert", id="assert"
        ),
        pytest.param("print(1)", "dlfa_tf", "dlfa_tf:1: print()", id="print"),
        pytest.param(
            "x = eval('1')", "dlfa_tf.types", "types:1: eval()", id="eval"
        ),
    ],
)
def test_find_violations_catches(source, module, message):
    (found,) = find_violations(source, module)
    assert found.endswith(message)


@pytest.mark.parametrize(
    ("source", "module"),
    [
        pytest.param(
            "from dlfa_tf.layers.dlfa import DLFA",
            "dlfa_tf.layers",
            id="own-package",
        ),
        pytest.param(
            "from dlfa_tf.data.tasks import TASKS",
            "dlfa_tf.serving.signatures",
            id="serving-imports-tasks",
        ),
        pytest.param(
            "from dlfa_tf.data import tasks",
            "dlfa_tf.serving.signatures",
            id="serving-imports-tasks-module",
        ),
        pytest.param(
            "def f():\n    import tensorflow",
            "dlfa_tf.models.presets",
            id="tensorflow-in-function",
        ),
        pytest.param(
            "try:\n    import tensorflow\nexcept ImportError:\n    pass",
            "dlfa_tf.models.presets",
            id="tensorflow-in-try",
        ),
        pytest.param(
            "from absl import app\nprint(1)", "trainers.train", id="program"
        ),
        pytest.param(
            "import dlfa_tf\nfrom dlfa_tf import DLFA",
            "trainers.train",
            id="root-from-program",
        ),
        pytest.param(
            "model.eval()\nre.compile('x')",
            "dlfa_tf.models.presets",
            id="method-named-eval",
        ),
    ],
)
def test_find_violations_allows(source, module):
    assert find_violations(source, module) == []


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
