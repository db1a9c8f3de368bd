"""Checks the BUILD file without Bazel, and without the code that writes it.

BUILD is read as what it nearly is, a Python file of calls; the tree and the
imports are read here once more, in another way than tools/build_file.py does.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("dlfa_tf", "trainers", "benchmarks", "tests", "tools")
RULES = ("py_library", "py_binary", "py_test")
# Needed when running, though no import of the file shows it.
SILENT = {
    "test_support": {"@pip//tensorflow"},  # the backend that Keras loads
}


def _calls() -> list[dict]:
    tree = ast.parse((ROOT / "BUILD").read_text(encoding="utf-8"))
    calls = []
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = {"rule": ast.unparse(node.value.func)}
            for keyword in node.value.keywords:
                try:
                    call[keyword.arg] = ast.literal_eval(keyword.value)
                except ValueError:
                    call[keyword.arg] = ast.unparse(keyword.value)
            calls.append(call)
    return calls


CALLS = _calls()
TARGETS = {call["name"]: call for call in CALLS if call["rule"] in RULES}
OWNERS = {
    source: name for name, call in TARGETS.items() for source in call["srcs"]
}


def _python_files() -> set[str]:
    return {
        file.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*.py")
    } | {f"saved_models/{f.name}" for f in (ROOT / "saved_models").glob("*.py")}


def _module_file(module: str) -> str | None:
    path = module.replace(".", "/")
    for candidate in (f"{path}.py", f"{path}/__init__.py"):
        if (ROOT / candidate).is_file():
            return candidate
    return None


def _statements(source: str) -> list[tuple[str, str | None]]:
    """Import statements as (module, name in it) pairs."""
    found = []
    for node in ast.walk(ast.parse((ROOT / source).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module, alias.name) for alias in node.names]
    return found


def _project_deps(name: str) -> set[str]:
    """Labels of the project's targets that a target's imports need."""
    labels = set()
    for source in TARGETS[name]["srcs"]:
        for module, attribute in _statements(source):
            if module.split(".")[0] in FOLDERS:
                file = _module_file(f"{module}.{attribute}") or _module_file(
                    module
                )
                assert file, f"{source} imports {module}, which is no file"
                labels.add(f":{OWNERS[file]}")
    return labels - {f":{name}"}


def test_every_source_is_listed_once():
    listed = Counter(s for call in TARGETS.values() for s in call["srcs"])
    assert [source for source, count in listed.items() if count > 1] == []
    assert set(listed) == _python_files()


def test_target_names_are_unique():
    names = Counter(call["name"] for call in CALLS if "name" in call)
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("name", TARGETS)
def test_deps_hold_what_is_imported(name):
    assert _project_deps(name) <= set(TARGETS[name].get("deps", ()))


@pytest.mark.parametrize("name", TARGETS)
def test_deps_hold_nothing_else(name):
    call = TARGETS[name]
    deps = set(call.get("deps", ()))
    text = "".join((ROOT / s).read_text("utf-8") for s in call["srcs"])
    internal = {dep for dep in deps if dep.startswith(":")}
    surplus = internal - _project_deps(name)
    if call["rule"] == "py_test":
        surplus -= {":test_support"}
    if call["rule"] != "py_library":
        surplus = {  # programs that are started as processes
            dep
            for dep in surplus
            if not re.search(rf"trainers[./]{dep[1:]}\b", text)
            and f"{dep[1:]}.py" not in text
            and dep[1:].replace("/", ".") not in text
        }
    # Loaded by name, from a string, where no statement imports it.
    surplus = {
        dep
        for dep in surplus
        if not re.search(rf'"(dlfa_tf\.)?{dep[1:]}"', text)
    }
    assert surplus - SILENT.get(name, set()) == set()


@pytest.mark.parametrize("name", TARGETS)
def test_third_party_deps_follow_imports(name):
    call = TARGETS[name]
    deps = {d for d in call.get("deps", ()) if d.startswith("@")}
    listed = {dep.split("//")[1] for dep in deps}
    names = {dep.split("//")[1] for dep in deps - SILENT.get(name, set())}
    other = {"absl_py": "absl", "grpcio": "grpc", "protobuf": "google"}
    other |= {"pyyaml": "yaml", "pillow": "PIL", "scikit_learn": "sklearn"}
    text = "".join((ROOT / s).read_text("utf-8") for s in call["srcs"])
    imported = {
        module.split(".")[0]
        for source in call["srcs"]
        for module, _ in _statements(source)
    }
    for dep in names:
        module = other.get(dep, dep)
        # Loaded by name, from a string, where no statement imports it.
        assert module in imported or f'"{module}' in text, dep
    for module in ("keras", "keras_hub", "numpy", "tensorflow"):
        assert (module not in imported) or module in listed, module


def test_third_party_deps_are_pinned():
    pins = {
        "pip": (ROOT / "requirements.txt").read_text("utf-8"),
        "pip_dev": (ROOT / "requirements-dev.txt").read_text("utf-8"),
    }
    labels = {
        dep
        for call in TARGETS.values()
        for dep in call.get("deps", ())
        if dep.startswith("@")
    }
    for label in labels:
        hub, _, name = label[1:].partition("//")
        pattern = rf"^{name.replace('_', '[-_]')}=="
        assert re.search(pattern, pins[hub], re.MULTILINE | re.I), label


def test_every_rule_is_loaded_from_its_own_file():
    loads = re.findall(
        r'^load\("@rules_python//python:(\w+)\.bzl", "(\w+)"\)$',
        (ROOT / "BUILD").read_text("utf-8"),
        re.MULTILINE,
    )
    assert sorted(loads) == [(rule, rule) for rule in sorted(RULES)]


def test_targets_are_private_unless_opened():
    (package,) = (call for call in CALLS if call["rule"] == "package")
    assert package["default_visibility"] == ["//visibility:private"]
    for name, call in TARGETS.items():
        if "visibility" in call:
            assert call["rule"] == "py_library", name
            assert not call.get("testonly"), name


def test_only_tests_use_test_helpers():
    helpers = {f":{n}" for n, call in TARGETS.items() if call.get("testonly")}
    assert {":testing", ":test_support"} <= helpers
    for name, call in TARGETS.items():
        if call["rule"] != "py_test" and not call.get("testonly"):
            assert helpers.isdisjoint(call.get("deps", ())), name


def test_every_program_is_a_binary():
    for source in _python_files():
        text = (ROOT / source).read_text("utf-8")
        guarded = re.search(r"^if __name__ == .__main__.", text, re.MULTILINE)
        rule = TARGETS[OWNERS[source]]["rule"]
        if source.startswith("tests/"):
            is_test = Path(source).name.startswith("test_")
            assert (rule == "py_test") == is_test, source
        else:
            assert (rule == "py_binary") == bool(guarded), source


def test_every_test_has_a_size_and_hands_itself_to_pytest():
    ending = (
        'if __name__ == "__main__":\n'
        "    raise SystemExit(pytest.main([__file__]))\n"
    )
    for name, call in TARGETS.items():
        if call["rule"] == "py_test":
            assert call["size"] in ("small", "medium", "large"), name
            (source,) = call["srcs"]
            assert call["main"] == source
            assert (ROOT / source).read_text("utf-8").endswith(ending), source


def test_file_is_what_the_tool_writes():
    result = subprocess.run(
        [sys.executable, "tools/build_file.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_tool_reports_a_stale_file(tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("build_file.py",):
        (tools / name).write_bytes((ROOT / "tools" / name).read_bytes())
    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text("numpy==1\n")
    (tmp_path / "dlfa_tf").mkdir()
    (tmp_path / "dlfa_tf" / "__init__.py").write_text("")
    (tmp_path / "dlfa_tf" / "types.py").write_text("import numpy\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "conftest.py").write_text("")

    def run(*flags: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(tools / "build_file.py"), *flags],
            capture_output=True,
            text=True,
        )

    missing = run("--check")
    assert missing.returncode == 1
    assert "run `make build-file`" in missing.stderr
    assert run().returncode == 0
    assert run("--check").returncode == 0
    assert '"@pip//numpy"' in (tmp_path / "BUILD").read_text()
    (tmp_path / "dlfa_tf" / "new.py").write_text("")
    assert run("--check").returncode == 1


def test_module_file_agrees_with_the_project():
    module = (ROOT / "MODULE.bazel").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1]
    assert f'    version = "{version}",' in module
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert f'"//:{name}"' in module


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__]))
