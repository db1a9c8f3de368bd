"""Tests of the record of what a result was measured with."""

import json
import pathlib
import platform
import subprocess

import pytest

from dlfa_tf.runs import environment
from dlfa_tf.runs.environment import describe_environment
from dlfa_tf.runs.environment import git_revision
from dlfa_tf.runs.environment import peak_memory_bytes


def git(folder, *arguments):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-C", folder]
    done = subprocess.run(
        ["git", *identity, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout of one commit that holds a copy of the module."""
    source = tmp_path / "environment.py"
    source.write_text("pass\n", encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "x")
    monkeypatch.setattr(environment, "__file__", str(source))
    return tmp_path


def test_environment_is_plain_and_complete():
    found = describe_environment()
    assert json.loads(json.dumps(found)) == found
    assert found["packages"]["tensorflow"].startswith("2.")
    assert "keras-hub" in found["packages"]
    assert found["python"] == platform.python_version()
    assert found["backend"] == "tensorflow"
    assert found["cores"] >= 1
    assert "processor" in found


def test_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(environment, "_PACKAGES", ("keras", "no-such-one"))
    assert list(describe_environment()["packages"]) == ["keras"]


def test_revision_is_the_commit(checkout):
    assert git_revision() == git(checkout, "rev-parse", "HEAD")


def test_revision_of_changed_files_says_dirty(checkout):
    (checkout / "environment.py").write_text("1\n", encoding="utf-8")
    assert git_revision() == git(checkout, "rev-parse", "HEAD") + "-dirty"


def test_revision_of_someone_elses_checkout_is_none(checkout, monkeypatch):
    """As of a package installed in an environment within a checkout."""
    installed = checkout / "site-packages" / "environment.py"
    installed.parent.mkdir()
    installed.write_text("pass\n", encoding="utf-8")
    monkeypatch.setattr(environment, "__file__", str(installed))
    assert git_revision() is None


def test_revision_outside_a_checkout_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "__file__", str(tmp_path / "a.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_revision() is None


def test_revision_without_git_is_none(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_revision() is None


def test_processor_without_proc_is_a_string(monkeypatch):
    def missing(self, *arguments, **options):
        raise FileNotFoundError

    monkeypatch.setattr(pathlib.Path, "read_text", missing)
    assert isinstance(environment._processor(), str)


def test_peak_memory_is_in_bytes():
    # This process alone has loaded TensorFlow: more than 50 MB.
    assert 50e6 < peak_memory_bytes() < 1e12
