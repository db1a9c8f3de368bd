"""Checks that each Python file is in one target, whose deps are its imports.

A BUILD file is Python that calls rules: here the rules take notes.
"""

import ast
import re
import sys
from functools import partial
from pathlib import Path

FOLDERS = "benchmarks dlfa_tf saved_models tests tools trainers".split()
OTHERS = "alias exports_files filegroup load package test_suite".split()
HUBS = {"requirements-dev.txt": "@pip_dev", "requirements.txt": "@pip"}
# Distribution -> what is imported, where that is another name.
NAMES = {"absl_py": "absl", "grpcio": "grpc", "protobuf": "google"}
NAMES |= {"tensorflow_serving_api": "tensorflow_serving"}
COMMON = ("//pytest", ":conftest")  # come with every test


def find_problems(root: Path) -> list[str]:
    """What the BUILD files of a project say that is not so, a line each."""
    targets, owners = [], {}  # module or file -> label
    for build in _files(root, "BUILD"):
        rules = dict.fromkeys(OTHERS, lambda *_, **__: None)
        for rule in ("py_binary", "py_library", "pytest_tests"):
            rules[rule] = partial(_note, targets, build.removesuffix("/BUILD"))
        rules["glob"] = partial(_glob, (root / build).parent)
        exec((root / build).read_text("utf-8"), rules)
    listed = [file for files, _ in targets for file in files]
    counts = {file: listed.count(file) for file in _files(root, "*.py")}
    found = [
        f"{file} is in {n} targets" for file, n in counts.items() if n != 1
    ]
    for file, hub in HUBS.items():
        for pin in re.findall(r"(?m)^([\w.-]+)==", (root / file).read_text()):
            name = re.sub(r"[-_.]+", "_", pin).lower()
            owners[NAMES.get(name, name)] = f"{hub}//{name}"
    for file, label in (pair for files, _ in targets for pair in files.items()):
        module = file.removesuffix(".py").removesuffix("/__init__")
        owners[file] = owners[module.replace("/", ".")] = label
    for files, deps in targets:
        unused = set(deps)
        for file, own in files.items():
            for name, is_import in _names(root / file):
                while is_import and name and name not in owners:
                    name = name.rpartition(".")[0]
                inside = f"{Path(file).parent}.{name}".replace("/", ".")
                label = owners.get(name) or owners.get(inside, own)
                unused.discard(label)
                known = label in {own, *deps} or label.endswith(COMMON)
                if is_import and not known:
                    found.append(f"{file}: {own} lacks {label}")
        found += [f"{own} needs no {label}" for label in sorted(unused)]
    return list(dict.fromkeys(found))


def _files(root: Path, pattern: str) -> list[str]:
    files = (f for top in FOLDERS for f in (root / top).rglob(pattern))
    return sorted(file.relative_to(root).as_posix() for file in files)


def _note(targets, package, name="", srcs=(), deps=(), **_) -> None:
    """Adds a target: its files with their labels, and what it depends on."""
    own = f":{Path(package).name}"  # the label that a package goes by

    def full(label: str) -> str:
        short = "" if label == own else label
        return f"//{package}{short}" if label[0] == ":" else label

    files = {f"{package}/{s}": full(f":{name or s[:-3]}") for s in srcs}
    targets.append((files, {full(dep) for dep in deps}))


def _glob(folder: Path, include, exclude=(), **_) -> list[str]:
    out = {file for pattern in exclude for file in folder.glob(pattern)}
    found = {f for pattern in include for f in folder.glob(pattern)} - out
    return [file.relative_to(folder).as_posix() for file in sorted(found)]


def _names(file: Path):
    """What a file imports, and what it names in a string, which may be more."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{a.name}", True) for a in node.names)
        elif isinstance(node, ast.Constant):
            yield node.value, False


if __name__ == "__main__":
    sys.exit("\n".join(find_problems(Path(__file__).resolve().parents[1])) or 0)
