"""What must hold for the repository as a whole."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
# Kinds of files that the package has.
SHIPPED = (".py", ".tsv", ".toml", ".html", ".css", ".js")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# The one place that may name a folder beside the checkout.
OUTSIDE_NAMED_BY = "tests/conftest.py"
# In two parts, so that this file itself does not hold them.
OUTSIDE = ".." + "/shared"
HOMES = re.compile(
    r"(?<![\w.:/<{$-])/(?:work|root|home|Users|farm)" + r"/[\w.-]+"
)


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """Files under version control and new ones that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others"]
    try:
        result = subprocess.run(
            [*command, "--exclude-standard"], cwd=ROOT, capture_output=True
        )
    except FileNotFoundError:
        pytest.skip("git is not installed")
    if result.returncode:
        pytest.skip("not a git checkout")
    names = result.stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def _read_text(name: str) -> str | None:
    """Content of a text file, None for a binary one."""
    data = (ROOT / name).read_bytes()
    return None if b"\0" in data else data.decode("utf-8", "replace")


def test_no_file_is_large(tracked):
    limit = 1_000_000  # bytes
    sizes = {name: (ROOT / name).stat().st_size for name in tracked}
    assert {n: size for n, size in sizes.items() if size > limit} == {}


def test_no_file_names_a_folder_of_one_machine(tracked):
    found = []
    for name in tracked:
        text = _read_text(name) or ""
        found += [f"{name}: {match[0]}" for match in HOMES.finditer(text)]
        if OUTSIDE in text and name != OUTSIDE_NAMED_BY:
            found.append(f"{name}: {OUTSIDE}")
    assert found == []


def test_machine_folders_are_recognised():
    assert HOMES.search("open('/" + "home/someone/data.tsv')")
    assert HOMES.search("cd /" + "work/project")
    assert not HOMES.search("https://example.org/" + "home/page.html")
    assert not HOMES.search("./" + "work/project")


def test_no_secrets_or_leftovers(tracked):
    names = [Path(name) for name in tracked]
    assert [n for n in names if n.suffix in (".orig", ".rej", ".log")] == []
    assert [n for n in names if n.name in (".env", ".DS_Store")] == []
    assert [n for n in names if "__pycache__" in n.parts] == []


def test_text_files_end_with_one_line_end(tracked):
    wrong = []
    for name in tracked:
        # Test data may be malformed on purpose.
        if not name.startswith("tests/data/"):
            text = _read_text(name)
            if text and (not text.endswith("\n") or text.endswith("\n\n")):
                wrong.append(name)
    assert wrong == []


def test_scripts_are_executable(tracked):
    for name in tracked:
        text = _read_text(name) or ""
        if text.startswith("#!"):
            assert os.access(ROOT / name, os.X_OK), name


def test_shell_scripts_parse(tracked):
    for name in tracked:
        first = (_read_text(name) or "").split("\n")[0]
        shell = next((s for s in ("bash", "sh") if first.endswith(s)), None)
        if first.startswith("#!") and shell and shutil.which(shell):
            result = subprocess.run(
                [shell, "-n", str(ROOT / name)], capture_output=True, text=True
            )
            assert result.returncode == 0, result.stderr


def test_sample_data_is_in_the_package():
    folder = ROOT / "dlfa_tf" / "data"
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["dlfa_tf.data"]
    packed = {file for pattern in patterns for file in folder.glob(pattern)}
    for name, ending in (
        ("sample", ".tsv"), ("examples", ""), ("task_definitions", ".toml")
    ):  # fmt: skip
        files = {
            file
            for file in (folder / name).rglob(f"*{ending}")
            if file.is_file()
        }
        assert files and files <= packed, name


def test_every_module_and_package_has_a_docstring():
    missing = [
        file.relative_to(ROOT).as_posix()
        for folder in ("dlfa_tf", "trainers", "benchmarks", "tools")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    ]
    assert missing == []


def test_every_package_has_an_init_file():
    missing = {
        file.parent.relative_to(ROOT).as_posix()
        for folder in ("dlfa_tf", "trainers")
        for file in (ROOT / folder).rglob("*.py")
        if not (file.parent / "__init__.py").is_file()
    }
    assert missing == set()


def test_tests_have_no_init_file():
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_version_is_the_same_everywhere():
    version = PROJECT["project"]["version"]
    init = (ROOT / "dlfa_tf" / "__init__.py").read_text("utf-8")
    assert re.search(rf'^__version__ = "{version}"$', init, re.MULTILINE)
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## .*\b{re.escape(version)}\b", changes, re.MULTILINE)


def test_citation_names_the_version():
    text = (ROOT / "CITATION.cff").read_text("utf-8")
    (version,) = re.findall(r"(?m)^version: (.*)$", text)
    assert version == PROJECT["project"]["version"]


def test_release_check_tries_every_command():
    script = (ROOT / "tools" / "release_check.sh").read_text("utf-8")
    (names,) = re.findall(r"for command in (.*?); do", script, re.S)
    commands = [f"dlfa-{name}" for name in names.replace("\\\n", " ").split()]
    assert commands == sorted(PROJECT["project"]["scripts"])


def test_license_is_the_declared_one():
    assert PROJECT["project"]["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text


def _pins(name: str) -> dict[str, str]:
    pins = {}
    for line in (ROOT / name).read_text("utf-8").splitlines():
        if not line.startswith(("#", "    --hash=sha256:")):
            match = re.fullmatch(r"([\w.-]+)==([\w.+!]+)( ; .+)? \\", line)
            assert match, f"{name}: {line} is no exact pin"
            pins[canonicalize_name(match[1])] = match[2]
    return pins


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        pytest.param(
            "requirements.txt",
            PROJECT["project"]["dependencies"],
            id="runtime",
        ),
        pytest.param(
            "requirements-dev.txt",
            PROJECT["dependency-groups"]["dev"],
            id="dev",
        ),
    ],
)
def test_pins_are_within_the_declared_ranges(name, declared):
    pins = _pins(name)
    for requirement in map(Requirement, declared):
        pinned = pins[canonicalize_name(requirement.name)]
        assert pinned in requirement.specifier, requirement


def test_pins_of_both_lists_agree():
    runtime = _pins("requirements.txt")
    for name, version in _pins("requirements-dev.txt").items():
        assert runtime.get(name, version) == version, name


def test_supported_pythons_are_stated_alike():
    (low,) = re.findall(r"(\d\.\d+),<", PROJECT["project"]["requires-python"])
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + low.replace(
        ".", ""
    )
    assert PROJECT["tool"]["mypy"]["python_version"] == low
    script = (ROOT / "tools" / "venv.sh").read_text("utf-8")
    assert "(3, 11) <= sys.version_info < (3, 13)" in script
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.13"


def test_help_lists_every_target_with_a_purpose():
    if not shutil.which("make"):
        pytest.skip("make is not installed")
    result = subprocess.run(
        ["make", "--no-print-directory"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)
    assert result.returncode == 0, result.stderr
    for target in targets:
        assert re.search(rf"^  {target} +\w", result.stdout, re.M), target


def test_readme_names_the_tests_that_a_change_must_pass():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    names = re.findall(r" make (test.*)$", script, re.MULTILINE)
    assert names == re.findall(r"^make (test.*?) +#", readme, re.MULTILINE)
    assert "test" in names


@pytest.mark.parametrize(
    ("python", "message"),
    [
        pytest.param("no-such-python", "nothing that runs", id="missing"),
        pytest.param("old-python", "Python 3.9.0", id="too-old"),
    ],
)
def test_unsuitable_python_is_refused_clearly(tmp_path, python, message):
    project = tmp_path / "a project"
    (project / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "venv.sh", project / "tools")
    for name in ("requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, project)
    old = tmp_path / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.0\n')
    old.chmod(0o755)
    result = subprocess.run(
        ["sh", "tools/venv.sh", "runtime"],
        cwd=project,
        env={
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            "PYTHON": python,
        },
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert "must be Python 3.11 or 3.12" in result.stderr
    assert message in result.stderr
    assert not (project / ".venv").exists()


def test_wheel_sources_are_complete(tmp_path):
    """The build backend finds all packages and the sample data."""
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    source = tmp_path / "source"
    source.mkdir()
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("dlfa_tf", "trainers"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=ignore)
    for name in ("pyproject.toml", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    (source / "README.md").write_text("# A stand-in\n")
    program = "from setuptools import setup; setup()"
    result = subprocess.run(
        [sys.executable, "-c", program, "-q", "build", "--build-lib", "out"],
        cwd=source,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    expected = {
        file.relative_to(source).as_posix()
        for name in ("dlfa_tf", "trainers")
        for file in (source / name).rglob("*")
        if file.suffix in SHIPPED
    }
    built = {
        file.relative_to(source / "out").as_posix()
        for file in (source / "out").rglob("*")
        if file.suffix in SHIPPED
    }
    assert built == expected
