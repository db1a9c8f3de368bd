"""Tests that what is documented of options is what they are."""

import inspect
import re

import pytest

from dlfa_tf import layers
from dlfa_tf import models
from dlfa_tf import preprocessing

CLASSES = (
    layers.AIF,
    layers.AttentionBranch,
    layers.DLFA,
    models.DLFABackbone,
    models.DLFATextClassifier,
    models.DLFATokenClassifier,
    preprocessing.PairPreprocessor,
    preprocessing.TaggingPreprocessor,
)


def documented(cls):
    """Defaults that the docstring names, by argument."""
    text = inspect.getdoc(cls).partition("\nArgs:\n")[2]
    text = re.split(r"\n\n", text)[0]
    entries = re.split(r"(?m)^    (?=\w+: )", text)[1:]
    found = {}
    for entry in entries:
        match = re.search(r"Defaults\s+to\s+`([^`]+)`", entry)
        if match:
            found[entry.partition(":")[0]] = match[1]
    return found


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_documented_defaults_are_those_of_the_signature(cls):
    arguments = inspect.signature(cls.__init__).parameters
    found = documented(cls)
    assert found
    for name, text in found.items():
        default = arguments[name].default
        expected = f'"{default}"' if isinstance(default, str) else str(default)
        assert text == expected, name
