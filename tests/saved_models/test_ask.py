"""Tests of saved_models/ask.py, on exports that answer the same to all."""

import importlib.util
import pathlib
import runpy
import sys

import pytest
import tensorflow as tf

SCRIPT = pathlib.Path(__file__).parents[2] / "saved_models" / "ask.py"
STRINGS = tf.TensorSpec([None], tf.string)


@pytest.fixture(scope="module")
def ask():
    spec = importlib.util.spec_from_file_location("ask", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    module = tf.Module()

    @tf.function(input_signature=[STRINGS])
    def serving_default(text):
        words = tf.strings.split(text)
        dense = words.to_tensor("")
        return {
            "words": dense,
            "tags": tf.where(dense == "", "", "X"),
            "scores": tf.zeros_like(dense, tf.float32),
            "length": tf.cast(words.row_lengths(), tf.int32),
        }

    return saved(module, serving_default, tmp_path_factory.mktemp("tagger"))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    module = tf.Module()

    @tf.function(input_signature=[STRINGS, STRINGS])
    def serving_default(first, second):
        same = tf.cast(first == second, tf.int32)
        return {
            "label": tf.gather(["other", "same"], same),
            "probabilities": tf.gather([[0.75, 0.25], [0.0, 1.0]], same),
        }

    folder = tmp_path_factory.mktemp("classifier")
    return saved(module, serving_default, folder)


def saved(module, function, folder):
    signatures = {"serving_default": function}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return str(folder)


def test_tagged_words_stand_in_a_line_per_text(ask, tagger, capsys):
    ask.main(tagger, ["Der Fluss .", "猫"])
    assert capsys.readouterr().out == "Der/X Fluss/X ./X\n猫/X\n"


def test_labels_of_pairs_stand_in_a_line_each(ask, classifier, capsys):
    ask.main(classifier, ["a b", "c", "d", "d"])
    assert capsys.readouterr().out == (
        "other (0.75)  a b | c\nsame (1.00)  d | d\n"
    )


def test_labels_of_single_texts_stand_in_a_line_each(ask, tmp_path, capsys):
    module = tf.Module()

    @tf.function(input_signature=[STRINGS])
    def serving_default(text):
        long = tf.cast(tf.strings.length(text) > 2, tf.int32)
        return {
            "label": tf.gather(["short", "long"], long),
            "probabilities": tf.gather([[0.75, 0.25], [0.0, 1.0]], long),
        }

    ask.main(saved(module, serving_default, tmp_path), ["a", "a b"])
    assert capsys.readouterr().out == "short (0.75)  a\nlong (1.00)  a b\n"


def test_half_a_pair_is_refused(ask, classifier):
    with pytest.raises(SystemExit, match="Pairs are needed. Received: 1"):
        ask.main(classifier, ["alone"])


def test_call_without_arguments_shows_the_usage(monkeypatch):
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])
    with pytest.raises(SystemExit) as caught:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    # A text: Python prints it on standard error and ends with 1.
    usage = caught.value.code
    assert "python saved_models/ask.py saved_models/pos/1" in usage
