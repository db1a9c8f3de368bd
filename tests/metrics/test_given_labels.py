"""What metrics take for labels: right, or refused, never a silent 0 or 100."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dlfa_tf import metrics
from dlfa_tf.metrics import chunk_f1

OF_TAGS = pytest.mark.parametrize(
    "score",
    [metrics.pos_f1, metrics.ner_f1, metrics.entity_f1],
    ids=lambda score: score.__name__,
)
OF_LABELS = pytest.mark.parametrize(
    "score",
    [metrics.accuracy, metrics.macro_f1, metrics.matthews],
    ids=lambda score: score.__name__,
)
GOLD = [["B-PER", "O"], ["O"]]


def of_first(score, value):
    """The score of sentences whose predictions are the value."""
    return score(GOLD, value)


@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        (["ORG"], ["PER"]),
        (["ORG"], ["ORG"]),
        (["DATE"], ["LATE"]),
        (["O", "PER"], ["O", "PER"]),
        (["B_PER"], ["B_PER"]),
        (["b-PER"], ["b-PER"]),
        (["O", "B-"], ["O", "O"]),
        (["X"], ["O"]),
        (["SYM"], ["SYM"]),
        (["PER-B"], ["PER-B"]),
    ],
)
def test_tags_that_are_classes_have_no_entities(gold, predicted):
    """The first letter would be the prefix: DATE and LATE one type."""
    with pytest.raises(
        ValueError, match=r"tags without a place in an entity.*`pos_f1`"
    ) as caught:
        metrics.ner_f1([["O"], gold], [["O"], predicted])
    wrong = next(x for x in gold if x != "O")
    assert f"{wrong!r} at word {gold.index(wrong)} of sentence 1" in str(
        caught.value
    )
    with pytest.raises(ValueError, match="tags without a place"):
        chunk_f1.ner_rule(gold)


def test_prediction_that_is_a_class_is_named():
    with pytest.raises(ValueError, match="`predicted` has tags.*'PER' at word"):
        metrics.ner_f1([["B-PER"]], [["PER"]])
    with pytest.raises(ValueError, match="`predicted` has tags"):
        metrics.paired_bootstrap([["B-PER"]], [["B-PER"]], [["PER"]], "ner_f1")


@pytest.mark.parametrize(
    "tags", ["B-PER I-PER O", "B I O", "S-PER B-X E-X", "U-PER B-X L-X", "I-A"]
)
def test_tags_of_every_scheme_are_entities(tags):
    assert metrics.ner_f1([tags.split()], [tags.split()])["f1"] == 100.0


@OF_TAGS
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (["B-PER O", "O"], ValueError, "the string 'B-PER O' at index 0"),
        ([["B-PER", "O"], "O"], ValueError, "must not mix strings and lists"),
        ("O", ValueError, "must have a batch dimension"),
        (None, ValueError, "must have a batch dimension. Received: None"),
        ([["B-PER", ""], ["O"]], ValueError, "'' at word 1 of sentence 0"),
        ((x for x in GOLD), ValueError, "must have a length"),
        ([["B-PER", "O"], {"O"}], ValueError, r"\[1\]` must have an order"),
        ({"a": 1}, ValueError, "must have an order"),
        (
            [["B-PER", None], ["O"]],
            TypeError,
            "None .* at word 1 of sentence 0",
        ),
        (
            [["B-PER", math.nan], ["O"]],
            TypeError,
            "nan of type float at word 1",
        ),
        ([[1, 0], [0]], TypeError, "1 of type int at word 0 of sentence 0"),
        ([[["B-PER"], "O"], ["O"]], ValueError, "must be a flat list"),
    ],
)
def test_what_are_no_tags(score, value, error, message):
    with pytest.raises(error, match=f"`predicted.*{message}"):
        of_first(score, value)


@OF_TAGS
@pytest.mark.parametrize(
    "value",
    [
        (("B-PER", "O"), ("O",)),
        [np.array(["B-PER", "O"]), np.array(["O"])],
        [[b"B-PER", b"O"], [b"O"]],
        pd.Series(GOLD),
        pa.array(GOLD),
    ],
    ids=lambda value: type(value).__name__,
)
def test_tags_of_every_form(score, value):
    assert of_first(score, value)["f1"] == 100.0


@OF_LABELS
@pytest.mark.parametrize(
    ("gold", "predicted", "error", "message"),
    [
        (["1", "0"], [1, 0], ValueError, "both be names, or both ids"),
        ([1, 0], ["1", "0"], ValueError, "both be names, or both ids"),
        (
            ["a", 1],
            ["a", 1],
            ValueError,
            "must not mix names and ids. .*1 of t",
        ),
        ([0, 1], [0.2, 0.9], ValueError, "whole numbers.*0.2 of type float"),
        ("ab", "ab", ValueError, "`gold` must have a batch dimension"),
        ({"a"}, {"a"}, ValueError, "`gold` must have an order"),
        (iter("ab"), iter("ab"), ValueError, "`gold` must have a length"),
        (
            ["a", None],
            ["a", "a"],
            TypeError,
            "None of type NoneType at index 1",
        ),
        ([1, math.nan], [1, 1], TypeError, "nan of type float at index 1"),
        ([1j], [1j], TypeError, "must hold labels.*1j of type complex"),
        (["a"], ["a", "b"], ValueError, "equally long. Received: 1 and 2"),
    ],
)
def test_what_are_no_labels(score, gold, predicted, error, message):
    with pytest.raises(error, match=message):
        score(gold, predicted)


@OF_LABELS
@pytest.mark.parametrize(
    ("gold", "predicted"),
    [
        (["a", "b"], ("a", "b")),
        (["a", "b"], [b"a", b"b"]),
        (["a", "b"], np.array(["a", "b"], object)),
        (["a", "b"], pd.Series(["a", "b"], dtype="category")),
        (["a", "b"], pa.array(["a", "b"])),
        ([0, 1], np.array([0.0, 1.0])),
        ([0, 1], [np.int64(0), True]),
    ],
)
def test_labels_of_every_form(score, gold, predicted):
    assert list(score(gold, predicted).values()) == [pytest.approx(100.0)]


def test_one_hot_rows_are_no_labels():
    with pytest.raises(ValueError, match="flat list of labels.*argmax"):
        metrics.macro_f1(np.eye(2), np.eye(2))
    with pytest.raises(ValueError, match="whole numbers.*0.3"):
        metrics.accuracy([[0, 1]], [[0.3, 0.7]])
    with pytest.raises(ValueError, match="list in both"):
        metrics.accuracy([["a"]], ["a"])
    with pytest.raises(ValueError, match="flat list of labels"):
        metrics.paired_bootstrap([["a"]], [["a"]], [["a"]], "accuracy")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"metric": "ner"}, ValueError, "Did you mean 'ner_f1'"),
        ({"confidence": 95}, ValueError, "`confidence` is out of range"),
        ({"confidence": "0.9"}, TypeError, "`confidence` must be a number"),
        ({"num_samples": 0}, ValueError, "`num_samples` is too small"),
        ({"num_samples": 1e3}, TypeError, "must be a whole number"),
        ({"seed": None}, TypeError, "`seed` must be a whole number"),
        ({"first": [0, 1]}, ValueError, "both be names, or both ids"),
        ({"first": ["a", None]}, TypeError, "None of type NoneType at index 1"),
    ],
)
def test_arguments_of_the_bootstrap(given, error, message):
    options = {"gold": ["a", "b"], "first": ["a", "a"], "second": ["a", "b"],
               "metric": "accuracy"}  # fmt: skip
    with pytest.raises(error, match=message):
        metrics.paired_bootstrap(**{**options, **given})


def test_scores_of_languages_are_numbers():
    with pytest.raises(TypeError, match="None of type NoneType for 'de'"):
        metrics.averages({"de": None})
    with pytest.raises(TypeError, match="a mapping from language"):
        metrics.macro_average([1.0])
    with pytest.raises(TypeError, match=r"Received: 'en'. Accepted: \['en'\]"):
        metrics.macro_average({"e": 1.0, "n": 2.0}, "en")
