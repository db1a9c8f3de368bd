"""Tests of names that are imported on first use."""

import importlib
import sys

import pytest

from dlfa_tf import first_use


def test_module_is_imported_with_its_first_name(tmp_path, monkeypatch):
    package = tmp_path / "some_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "inner.py").write_text("VALUE = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    find, names = first_use.public_names("some_package", {"VALUE": "inner"})
    assert "some_package.inner" not in sys.modules
    assert names() == ["VALUE"]
    assert find("VALUE") == 3
    with pytest.raises(AttributeError, match="'some_package'.*'OTHER'"):
        find("OTHER")


@pytest.mark.parametrize("name", ["analysis", "data", "evaluation", "serving"])
def test_package_hands_out_each_of_its_names(name):
    package = importlib.import_module(f"dlfa_tf.{name}")
    assert package.__all__
    for public in package.__all__:
        assert getattr(package, public) is not None
        assert public in dir(package)
