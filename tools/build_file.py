"""Writes the BUILD file from the tree, so that nobody keeps lists by hand.

    python tools/build_file.py            writes BUILD
    python tools/build_file.py --check    fails when BUILD is not up to date

Targets: one library per sub-package and per module beside them, one binary per
program (a module with a `__main__` part), one test per test file. What a
target depends on is read from the imports of its files. Standard library only.
"""

import argparse
import ast
import dataclasses
import re
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "dlfa_tf"
PROGRAMS = ("trainers", "benchmarks", "saved_models", "tools")
# Imported name -> distribution, where the two differ.
DISTRIBUTIONS = {
    "absl": "absl-py",
    "google": "protobuf",
    "grpc": "grpcio",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
# Functions whose first argument names a module or distribution.
IMPORTING = (
    "distribution",
    "files",
    "find_spec",
    "import_module",
    "importorskip",
)
# Libraries that the project's own code is an interface to; the rest is inside.
PUBLIC = (
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
HEADER = '''\
"""Targets of the library, its programs and its tests.

Written by `make build-file` from the sources; do not edit. Third-party code
comes from requirements.txt (hub `pip`) and requirements-dev.txt (hub
`pip_dev`), see MODULE.bazel.
"""

load("@rules_python//python:py_binary.bzl", "py_binary")
load("@rules_python//python:py_library.bzl", "py_library")
load("@rules_python//python:py_test.bzl", "py_test")

package(default_visibility = ["//visibility:private"])

exports_files([
    "requirements-dev.txt",
    "requirements.txt",
])

# All files, for the tests that examine the repository itself.
filegroup(
    name = "tree",
    testonly = True,
    srcs = glob(
        [
            "*",
            ".ci/**",
            "benchmarks/**",
            "deploy/**",
            "dlfa_tf/**",
            "docs/**",
            "saved_models/*",
            "tests/**",
            "tools/**",
            "trainers/**",
        ],
        allow_empty = True,
        exclude = ["**/__pycache__/**"],
    ),
)
'''
GLOB = """\
glob(
        ["{pattern}"],
        allow_empty = True,
        exclude = [
            "**/*.py",
            "**/__pycache__/**",
        ],
    )"""


@dataclasses.dataclass(kw_only=True)
class Target:
    """One rule of the BUILD file; None and empty values are left out."""

    rule: str
    name: str
    srcs: list[str]
    size: str | None = None
    testonly: bool = False
    data: str | None = None
    main: str | None = None
    public: bool = False
    deps: set[str] = dataclasses.field(default_factory=set)


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the BUILD file.")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail when BUILD is not up to date",
    )
    text = build_file(ROOT)
    file = ROOT / "BUILD"
    if not parser.parse_args().check:
        file.write_text(text, encoding="utf-8")
        return 0
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return 0
    print("BUILD is not up to date: run `make build-file`", file=sys.stderr)
    return 1


def build_file(root: Path) -> str:
    """The text of the BUILD file for the tree under `root`."""
    targets = [
        *_libraries(root),
        *(t for folder in PROGRAMS for t in _programs(root, folder)),
        *_tests(root),
    ]
    owners = _owners(targets)
    hubs = _hubs(root)
    for target in targets:
        for source in target.srcs:
            tree = ast.parse((root / source).read_text(encoding="utf-8"))
            for module in _imports(tree):
                target.deps |= _labels(module, source, owners, hubs)
            if target.rule != "py_library":
                target.deps |= _started(tree, owners)
        target.deps.discard(f":{target.name}")
    _set_sizes(root, targets)
    return HEADER + "".join(map(_render, targets))


def _sources(root: Path, folder: str) -> list[str]:
    return sorted(
        file.relative_to(root).as_posix()
        for file in (root / folder).rglob("*.py")
        if "__pycache__" not in file.parts
        # What is exported there is no source.
        and (folder != "saved_models" or file.parent.name == folder)
    )


def _libraries(root: Path) -> Iterator[Target]:
    package = root / PACKAGE
    for entry in sorted(package.iterdir()):
        path = f"{PACKAGE}/{entry.name}"
        if entry.is_dir():
            srcs = _sources(root, path)
        else:
            srcs = [path] if path.endswith(".py") else []
        if srcs and entry.name != "__init__.py":
            has_data = any(
                file.is_file() and file.suffix not in (".py", ".pyc")
                for file in entry.rglob("*")
            )
            yield Target(
                rule="py_library",
                name=entry.stem,
                srcs=srcs,
                data=f"{path}/**" if has_data else None,
                testonly=entry.name == "testing",
                public=entry.stem in PUBLIC,
            )
    # Gives out sub-packages on first use, by names in strings.
    text = (package / "__init__.py").read_text(encoding="utf-8")
    yield Target(
        rule="py_library",
        name=PACKAGE,
        srcs=[f"{PACKAGE}/__init__.py"],
        public=True,
        deps={
            f":{name}"
            for name in PUBLIC
            if f'"{name}"' in text or f'"{PACKAGE}.{name}"' in text
        },
    )


def _programs(root: Path, folder: str) -> Iterator[Target]:
    """A binary for each program, a library for what they share."""
    shared = []
    binaries = []
    for source in _sources(root, folder):
        if _is_program(root / source):
            name = source.removesuffix(".py")
            binaries.append(
                Target(
                    rule="py_binary",
                    name=name.removeprefix("trainers/"),
                    srcs=[source],
                    main=source,
                )
            )
        else:
            shared.append(source)
    if shared:
        yield Target(rule="py_library", name=folder, srcs=shared)
    yield from binaries


def _is_program(file: Path) -> bool:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return any(
        isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
        for node in tree.body
    )


def _tests(root: Path) -> Iterator[Target]:
    files = _sources(root, "tests")
    support = [f for f in files if not Path(f).name.startswith("test_")]
    yield Target(
        rule="py_library",
        name="test_support",
        testonly=True,
        srcs=support,
        data="tests/data/**",
        # Keras loads it by itself, as its backend.
        deps={"@pip//tensorflow"},
    )
    for source in sorted(set(files) - set(support)):
        yield Target(
            rule="py_test",
            name=source.removesuffix(".py"),
            srcs=[source],
            main=source,
            # Tests of no package are about the repository.
            data=":tree" if source.count("/") == 1 else None,
            deps={":test_support"},
        )


def _owners(targets: Iterable[Target]) -> dict[str, str]:
    """Module name -> label of the target that holds it."""
    owners = {}
    names = set()
    for target in targets:
        if target.name in names:
            raise SystemExit(
                f"two targets would be named {target.name}: rename one of the "
                f"files, such as {target.srcs[0]}"
            )
        names.add(target.name)
        for source in target.srcs:
            module = source.removesuffix(".py").removesuffix("/__init__")
            owners[module.replace("/", ".")] = f":{target.name}"
    return owners


def _hubs(root: Path) -> dict[str, str]:
    """Distribution as a hub spells it -> label."""
    hubs = {}
    for hub, name in (
        ("pip_dev", "requirements-dev.txt"),
        ("pip", "requirements.txt"),
    ):
        for line in (root / name).read_text(encoding="utf-8").splitlines():
            match = re.match(r"([\w.-]+)==", line)
            if match:
                spelled = re.sub(r"[-_.]+", "_", match[1]).lower()
                hubs[spelled] = f"@{hub}//{spelled}"
    return hubs


def _imports(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    """Each import, as candidates: the first that is a module counts."""
    constants = {
        ast.unparse(node.targets[0]): node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield (f"{node.module}.{alias.name}", node.module)
        elif isinstance(node, ast.Call) and node.args:
            first = node.args[0]
            called = ast.unparse(node.func).split(".")[-1]
            if called in IMPORTING:
                name = constants.get(ast.unparse(first))
                if isinstance(first, ast.Constant):
                    name = first.value
                if isinstance(name, str):
                    yield (name,)


def _labels(
    candidates: tuple[str, ...],
    source: str,
    owners: dict[str, str],
    hubs: dict[str, str],
) -> set[str]:
    top = candidates[0].split(".")[0]
    if top in sys.stdlib_module_names:
        return set()
    if top in (PACKAGE, "tests", *PROGRAMS):
        for module in candidates:
            if module in owners:
                return {owners[module]}
        if candidates[-1] in PROGRAMS:  # a folder alone is no file to list
            return set()
        raise SystemExit(f"{source} imports {candidates[-1]}: no such module")
    spelled = re.sub(r"[-_.]+", "_", DISTRIBUTIONS.get(top, top)).lower()
    # Libraries that are no dependency of this project are optional there.
    return {hubs[spelled]} if spelled in hubs else set()


def _started(tree: ast.AST, owners: dict[str, str]) -> set[str]:
    """Programs that are started as processes, by their name in a string."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for name in re.findall(
                r"\b(?:trainers|benchmarks|saved_models)[./]\w+", node.value
            ):
                owner = owners.get(name.replace("/", "."))
                found |= {owner} if owner else set()
    return found


def _set_sizes(root: Path, targets: list[Target]) -> None:
    """Small: nothing heavy to import. Large: holds tests marked slow."""
    by_label = {f":{target.name}": target for target in targets}

    def all_deps(label: str, seen: set[str]) -> set[str]:
        for dep in by_label[label].deps - seen if label in by_label else ():
            seen.add(dep)
            all_deps(dep, seen)
        return seen

    for target in targets:
        if target.rule != "py_test":
            continue
        deps = all_deps(f":{target.name}", {":test_support"})
        text = (root / target.srcs[0]).read_text(encoding="utf-8")
        if "mark.slow" in text:
            target.size = "large"
        elif deps & {"@pip//keras", "@pip//tensorflow"}:
            target.size = "medium"
        else:
            target.size = "small"


def _render(target: Target) -> str:
    fields: list[tuple[str, str]] = [("name", f'"{target.name}"')]
    if target.size:
        fields.append(("size", f'"{target.size}"'))
    if target.testonly:
        fields.append(("testonly", "True"))
    fields.append(("srcs", _listed(target.srcs)))
    if target.data and target.data.startswith(":"):
        fields.append(("data", f'["{target.data}"]'))
    elif target.data:
        fields.append(("data", GLOB.format(pattern=target.data)))
    if target.main:
        fields.append(("main", f'"{target.main}"'))
    if target.public:
        fields.append(("visibility", '["//visibility:public"]'))
    if target.deps:
        fields.append(("deps", _listed(sorted(target.deps, key=_dep_order))))
    lines = "".join(f"    {key} = {value},\n" for key, value in fields)
    return f"\n{target.rule}(\n{lines})\n"


def _dep_order(label: str) -> tuple[bool, str]:
    return label.startswith("@"), label


def _listed(values: list[str]) -> str:
    if len(values) == 1:
        return f'["{values[0]}"]'
    lines = "".join(f'        "{value}",\n' for value in values)
    return f"[\n{lines}    ]"


if __name__ == "__main__":
    sys.exit(main())
