"""Checks the BUILD files, and what checks them, without Bazel."""

import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tools.check_build import find_problems

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (
    "dlfa_tf",
    "trainers",
    "benchmarks",
    "saved_models",
    "tests",
    "tools",
)
BUILD_FILES = [
    ROOT / "BUILD",
    *(file for folder in FOLDERS for file in (ROOT / folder).rglob("BUILD")),
]
# A small project without a problem.
PROJECT = {
    "requirements.txt": "# Pins.\nabsl-py==2.3.1\nNumPy==2.4.6 ; x == 'y'\n",
    "requirements-dev.txt": "pytest==9.2.0\n",
    "dlfa_tf/BUILD": """\
load("@rules_python//python:py_library.bzl", "py_library")

package(default_visibility = ["//visibility:private"])

py_library(
    name = "floor",
    srcs = ["files.py"],
)

py_library(
    name = "dlfa_tf",
    srcs = ["__init__.py"],
    deps = ["//dlfa_tf/data"],
)
""",
    "dlfa_tf/__init__.py": '_PACKAGES = ("data",)\n',
    "dlfa_tf/files.py": "import os\n",
    "dlfa_tf/data/BUILD": """\
py_library(
    name = "data",
    srcs = glob(["**/*.py"]),
    deps = ["//dlfa_tf:floor", "@pip//numpy"],
)
""",
    "dlfa_tf/data/__init__.py": "",
    "dlfa_tf/data/arrays.py": (
        "import numpy as np\n\n\ndef f():\n    from dlfa_tf import files\n"
    ),
    "trainers/BUILD": """\
PROGRAMS = {"train": ["//dlfa_tf/data", "@pip//absl_py"]}

[
    py_binary(
        name = name,
        srcs = [name + ".py"],
        deps = deps,
    )
    for name, deps in PROGRAMS.items()
]
""",
    "trainers/train.py": (
        "from absl import app\n\nfrom dlfa_tf.data.arrays import f\n"
    ),
    "tests/BUILD": """\
pytest_tests(
    srcs = glob(["test_*.py"], exclude = ["test_b.py"]),
    deps = ["//trainers:train"],
)

pytest_tests(
    srcs = ["test_b.py"],
    deps = [":test_a"],
)
""",
    "tests/test_a.py": 'import pytest\n\nCOMMAND = "trainers.train"\n',
    "tests/test_b.py": "from tests.test_a import COMMAND\n",
}


@pytest.fixture
def project(tmp_path):
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_sources_targets_and_imports_are_equal():
    assert find_problems(ROOT) == []


def test_right_project_has_no_problem(project):
    assert find_problems(project) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        pytest.param(
            "dlfa_tf/new.py", "", "", "dlfa_tf/new.py is in 0 targets", id="new"
        ),
        pytest.param(
            "dlfa_tf/BUILD",
            'srcs = ["__init__.py"]',
            'srcs = ["__init__.py", "files.py"]',
            "dlfa_tf/files.py is in 2 targets",
            id="twice",
        ),
        pytest.param(
            "dlfa_tf/BUILD",
            'srcs = ["files.py"]',
            'srcs = ["files.py", "files.py"]',
            "dlfa_tf/files.py is in 2 targets",
            id="twice-in-one",
        ),
        pytest.param(
            "tests/BUILD",
            ', exclude = ["test_b.py"]',
            "",
            "tests/test_b.py is in 2 targets",
            id="twice-by-glob",
        ),
        pytest.param(
            "dlfa_tf/data/BUILD",
            '"//dlfa_tf:floor", ',
            "",
            "dlfa_tf/data/arrays.py: //dlfa_tf/data lacks //dlfa_tf:floor",
            id="import-in-function",
        ),
        pytest.param(
            "dlfa_tf/data/BUILD",
            ', "@pip//numpy"',
            "",
            "dlfa_tf/data/arrays.py: //dlfa_tf/data lacks @pip//numpy",
            id="third-party",
        ),
        pytest.param(
            "trainers/BUILD",
            ', "@pip//absl_py"',
            "",
            "trainers/train.py: //trainers:train lacks @pip//absl_py",
            id="of-another-name",
        ),
        pytest.param(
            "tests/BUILD",
            '":test_a"',
            "",
            "tests/test_b.py: //tests:test_b lacks //tests:test_a",
            id="same-package",
        ),
        pytest.param(
            "dlfa_tf/files.py",
            "import os",
            "import dlfa_tf.data.arrays",
            "dlfa_tf/files.py: //dlfa_tf:floor lacks //dlfa_tf/data",
            id="new-import",
        ),
        pytest.param(
            "dlfa_tf/data/arrays.py",
            "import numpy as np",
            "",
            "//dlfa_tf/data needs no @pip//numpy",
            id="import-gone",
        ),
        pytest.param(
            "tests/test_a.py",
            "trainers.train",
            "trainers.sweep",
            "//tests:test_a needs no //trainers:train",
            id="program-not-started",
        ),
        pytest.param(
            "dlfa_tf/__init__.py",
            '"data"',
            '"layers"',
            "//dlfa_tf needs no //dlfa_tf/data",
            id="package-not-handed-out",
        ),
    ],
)
def test_problem_is_found(project, name, old, new, message):
    text = PROJECT.get(name, "")
    assert old in text
    (project / name).write_text(text.replace(old, new))
    assert message in find_problems(project)


def test_program_tells_the_problems(project):
    (project / "dlfa_tf" / "new.py").write_text("")
    (project / "tools").mkdir()
    program = project / "tools" / "check_build.py"
    program.write_bytes((ROOT / "tools" / "check_build.py").read_bytes())

    result = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True
    )

    assert result.returncode == 1
    assert "dlfa_tf/new.py is in 0 targets" in result.stderr


def test_visibility_is_opened_target_by_target():
    private = 'package(default_visibility = ["//visibility:private"])\n'
    for file in BUILD_FILES:
        assert private in file.read_text("utf-8"), file


@pytest.mark.parametrize("folder", ["benchmarks", "trainers"])
def test_every_program_is_a_binary(folder):
    programs = {
        file.stem
        for file in (ROOT / folder).glob("*.py")
        if "\nif __name__ == " in file.read_text("utf-8")
    }
    build = (ROOT / folder / "BUILD").read_text("utf-8")
    assert programs == set(re.findall(r'^    "(\w+)": \[', build, re.MULTILINE))


def test_no_test_starts_pytest_itself():
    for file in (ROOT / "tests").rglob("test_*.py"):
        assert "\nif __name__ == " not in file.read_text("utf-8"), file


@pytest.fixture
def root_rules():
    """What the root BUILD hands to each rule, call by call."""
    calls = {"alias": [], "exports_files": [], "package": [], "test_suite": []}

    def note(rule, *_, **given):
        calls[rule].append(given)

    rules = {rule: partial(note, rule) for rule in calls}
    exec((ROOT / "BUILD").read_text("utf-8"), rules)
    return calls


def test_root_names_the_tests_of_every_folder(root_rules):
    (suite,) = root_rules["test_suite"]
    folders = {file.parent.name for file in (ROOT / "tests").glob("*/BUILD")}
    assert suite["name"] == "tests"
    assert suite["tests"] == [
        "//tests",
        *(f"//tests/{name}:tests" for name in sorted(folders)),
    ]
    for name in folders:
        build = (ROOT / "tests" / name / "BUILD").read_text("utf-8")
        assert 'test_suite(name = "tests")' in build, name


def test_root_hands_on_what_exists(root_rules):
    labels = {alias["name"]: alias["actual"] for alias in root_rules["alias"]}
    assert {"dlfa_tf", "layers", "train"} <= labels.keys()
    for name, label in labels.items():
        package, _, target = label.removeprefix("//").partition(":")
        assert name == target or not target and name == Path(package).name
        build = (ROOT / package / "BUILD").read_text("utf-8")
        assert f'"{name}"' in build, label


def test_module_file_agrees_with_the_project():
    module = (ROOT / "MODULE.bazel").read_text("utf-8")
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)[1]
    assert f'    version = "{version}",' in module
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert f'"//:{name}"' in module
