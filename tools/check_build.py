"""Checks that each Python file is in one target, whose deps are its imports.

A BUILD file is Python that calls rules: here they all take the same note.
"""

import ast
import re
from pathlib import Path

FOLDERS = "benchmarks dlfa_tf saved_models tests tools trainers".split()
HUBS = {"requirements-dev.txt": "@pip_dev", "requirements.txt": "@pip"}
# Distribution -> what is imported, where that is another name.
NAMES = {"absl_py": "absl", "grpcio": "grpc", "protobuf": "google"}
NAMES |= {"tensorflow_serving_api": "tensorflow_serving"}
COMMON = ("//pytest", ":conftest")  # come with every test


def find_problems(root: Path) -> list[str]:
    """What the BUILD files of a project say that is not so, a line each."""
    owners = {}  # module or file -> label
    for file, hub in HUBS.items():
        for pin in re.findall(r"(?m)^([\w.-]+)==", (root / file).read_text()):
            name = re.sub(r"[-_.]+", "_", pin).lower()
            owners[NAMES.get(name, name)] = f"{hub}//{name}"
    builds = sorted(_files(root, FOLDERS, "/**/BUILD"))
    sources = [source for build in builds for source in _read(root, build)]
    counts = dict.fromkeys(_files(root, FOLDERS, "/**/*.py"), 0)
    for file, label, *_ in sources:
        counts[file] = counts.get(file, 0) + 1
        module = file.removesuffix(".py").removesuffix("/__init__")
        owners[file] = owners[module.replace("/", ".")] = label
    found = [f"{f} is in {n} targets" for f, n in counts.items() if n != 1]
    for file, label, deps, unused in sources:
        for is_import, *names in _names(root, file):
            used = next((owners[n] for n in names if n in owners), label)
            unused.discard(used)
            if is_import and used not in deps and not used.endswith(COMMON):
                found.append(f"{file}: {label} lacks {used}")
    for _, label, _, unused in sources:
        found += [f"{label} needs no {dep}" for dep in unused]
        unused.clear()  # the files of a rule share them
    return sorted(set(found))


def _files(top: Path, starts, end: str = "") -> set[str]:
    return {str(f.relative_to(top)) for s in starts for f in top.glob(s + end)}


def _read(root: Path, build: str) -> list[tuple]:
    """Each file of a BUILD: its label, what it may use, what its rule lists."""
    text, sources = (root / build).read_text("utf-8"), []
    package = build.removesuffix("/BUILD")

    def full(name: str) -> str:
        return f"//{package}:{name}".replace(f"/{name}:{name}", f"/{name}")

    def rule(*_, name="", srcs=(), deps=(), **__) -> None:
        deps = {full(dep[1:]) if dep[0] == ":" else dep for dep in deps}
        for src in srcs:
            label = full(name or src.removesuffix(".py"))
            sources.append((f"{package}/{src}", label, {label, *deps}, deps))

    def glob(include, exclude=(), **_) -> list[str]:
        return sorted(_files(root / package, include) - {*exclude})

    rules = dict.fromkeys(re.findall(r"(?m)^ *(\w+)\(", text), rule)
    exec(text, rules | {"glob": glob})
    return sources


def _names(root: Path, file: str):
    """What each import and string may mean, best first, and which it is."""
    package = str(Path(file).parent).replace("/", ".")
    for node in ast.walk(ast.parse((root / file).read_text("utf-8"))):
        if isinstance(node, ast.Constant):
            yield False, node.value, f"{package}.{node.value}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                base = getattr(node, "module", alias.name)
                yield True, f"{base}.{alias.name}", base, base.split(".")[0]


if __name__ == "__main__":
    raise SystemExit("\n".join(find_problems(Path(__file__).parents[1])) or 0)
