import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from dlfa_tf import version_check

GOOD = {
    "keras": "3.15.1",
    "keras-hub": "0.32.0",
    "tensorflow": "2.20.0",
    "tensorflow-text": "2.20.1",
}


@pytest.fixture
def install(monkeypatch):
    """Returns a function that pretends these distributions are installed."""

    def pretend(**changes: str | None) -> None:
        names = {name.replace("_", "-"): v for name, v in changes.items()}
        versions = {**GOOD, **names}

        def version(name: str) -> str:
            if versions.get(name) is None:
                raise metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(version_check.metadata, "version", version)

    return pretend


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="supported"),
        pytest.param({"keras": "3.15.9"}, id="newer-patch"),
        pytest.param({"tensorflow": "2.20.1rc0"}, id="release-candidate"),
        pytest.param(
            {"tensorflow": None, "tensorflow_text": None}, id="no-tensorflow"
        ),
        pytest.param(
            {"tensorflow": None, "tensorflow_cpu": "2.20.0"}, id="cpu-build"
        ),
        pytest.param(dict.fromkeys(GOOD), id="serving-client-only"),
    ],
)
def test_check_versions_accepts(install, changes):
    install(**changes)
    version_check.check_versions()


@pytest.mark.parametrize(
    ("changes", "found", "command"),
    [
        pytest.param(
            {"keras": "3.14.2"},
            "found keras 3.14.2.",
            'pip install "keras>=3.15,<3.16"',
            id="old-keras",
        ),
        pytest.param(
            {"keras": "3.16.0"},
            "found keras 3.16.0.",
            'pip install "keras>=3.15,<3.16"',
            id="new-keras",
        ),
        pytest.param(
            {"keras": "2.15.0"},
            "found keras 2.15.0.",
            'pip install "keras>=3.15,<3.16"',
            id="keras-2",
        ),
        pytest.param(
            {"keras_hub": None},
            "found keras-hub (not installed).",
            'pip install "keras-hub>=0.32,<0.33"',
            id="no-keras-hub",
        ),
        pytest.param(
            {"tensorflow": "2.21.0"},
            "found tensorflow 2.21.0.",
            'pip install "tensorflow>=2.20,<2.21"',
            id="new-tensorflow",
        ),
        pytest.param(
            {"tensorflow": None, "tensorflow_cpu": "2.19.0"},
            "found tensorflow 2.19.0.",
            'pip install "tensorflow>=2.20,<2.21"',
            id="old-cpu-build",
        ),
        pytest.param(
            {"tensorflow_text": "2.21.1"},
            "found tensorflow-text 2.21.1.",
            'pip install "tensorflow-text>=2.20,<2.21"',
            id="text-of-other-line",
        ),
        pytest.param(
            {"keras": "unknown"},
            "found keras unknown.",
            'pip install "keras>=3.15,<3.16"',
            id="unreadable",
        ),
    ],
)
def test_check_versions_refuses(install, changes, found, command):
    install(**changes)
    with pytest.raises(ImportError) as error:
        version_check.check_versions()
    assert found in str(error.value)
    assert str(error.value).endswith(command)


def test_check_versions_names_all_problems_at_once(install):
    install(keras=None, tensorflow="2.19.0")
    with pytest.raises(
        ImportError,
        match=(
            r"keras \(not installed\); found tensorflow 2\.19\.0\. Accepted: "
            r"keras>=3\.15,<3\.16, tensorflow>=2\.20,<2\.21\."
        ),
    ):
        version_check.check_versions()


def test_versions_agree_with_pyproject():
    root = Path(__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    declared = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, project["dependencies"])
    }
    stated = {**version_check.REQUIRED, **version_check.OPTIONAL}
    for name, (low, high) in stated.items():
        bounds = SpecifierSet(f">={low[0]}.{low[1]},<{high[0]}.{high[1]}")
        for minor in range(low[1] - 1, high[1] + 1):
            version = f"{low[0]}.{minor}.99"
            assert (version in declared[name]) == (version in bounds), name


def test_check_imports_no_heavy_module():
    source = Path(version_check.__file__)
    program = (
        "import runpy, sys\n"
        f"runpy.run_path({str(source)!r})['check_versions']()\n"
        "heavy = {'keras', 'keras_hub', 'tensorflow', 'numpy'}\n"
        "sys.exit(sorted(heavy & set(sys.modules)) or None)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
