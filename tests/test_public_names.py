"""Tests of the names that `import dlfa_tf` brings."""

import importlib

import pytest

import dlfa_tf


def test_packages_are_found_without_an_import_of_their_own():
    for name in ("models", "evaluation", "serving"):
        package = importlib.import_module(f"dlfa_tf.{name}")
        # What the first use of `dlfa_tf.serving` calls.
        assert dlfa_tf.__getattr__(name) is package
        assert name in dir(dlfa_tf)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dlfa_tf.nothing
