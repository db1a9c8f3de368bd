"""Tests of an export as the model server runs it."""

import ctypes
import pathlib
import sys

import pytest
import tensorflow as tf

from dlfa_tf.serving.export import served_graph
from dlfa_tf.serving.export.served_graph import ServedGraph
from dlfa_tf.serving.export.warmup import as_strings


@pytest.fixture(scope="module")
def graph(toy_tagger):
    loaded = ServedGraph(toy_tagger)
    yield loaded
    loaded.close()


def test_signatures_are_those_of_the_export(graph):
    assert list(graph.signatures) == ["embed", "serving_default", "tag_words"]


def test_only_the_outputs_asked_for_are_computed(graph):
    inputs = {"text": as_strings(["a B"])}
    assert set(graph.run("serving_default", inputs)) == {
        "words",
        "tags",
        "scores",
        "length",
    }
    answer = graph.run("serving_default", inputs, ["length"])
    assert {k: v.tolist() for k, v in answer.items()} == {"length": [2]}


def test_wrong_names_are_refused(graph):
    with pytest.raises(KeyError, match=r"takes \['text'\]. Received: \['no'\]"):
        graph.run("embed", {"no": as_strings(["a"])})
    with pytest.raises(KeyError, match="nothing"):
        graph.run("nothing", {})


def test_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(OSError, match="SavedModel file does not exist"):
        ServedGraph(tmp_path)


# absl::lts_20250127::MinLogLevel()
_MIN_LOG_LEVEL = "_ZN4absl12lts_2025012711MinLogLevelEv"


@pytest.fixture
def abseil():
    """TensorFlow's C++ library, with the level that Abseil had."""
    library = ctypes.CDLL(
        str(pathlib.Path(tf.sysconfig.get_lib(), served_graph._FRAMEWORK))
    )
    before = library[_MIN_LOG_LEVEL]()
    yield library
    library[served_graph._SET_MIN_LOG_LEVEL](before)


@pytest.mark.skipif(sys.platform != "linux", reason="has other libraries")
@pytest.mark.parametrize(
    ("level", "held_to"), [("1", 1), ("2", 2), ("3", 2), ("0", 0), ("", 0)]
)
def test_abseil_of_this_tensorflow_is_held_to_the_level(
    level, held_to, abseil, monkeypatch
):
    # Where the names are gone: a new TensorFlow brings a new Abseil.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    abseil[served_graph._SET_MIN_LOG_LEVEL](0)
    served_graph._hold_abseil_to_level()
    assert abseil[_MIN_LOG_LEVEL]() == held_to
