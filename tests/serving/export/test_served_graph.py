"""Tests of an export as the model server runs it."""

import pytest

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
