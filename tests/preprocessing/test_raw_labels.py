"""Tests of what is read as labels, and what is refused."""

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dlfa_tf.preprocessing import raw_labels
from dlfa_tf.preprocessing.raw_labels import LabelRule

ANSWERS = LabelRule(labels=["no", "yes"], num_classes=2)
IDS = LabelRule(labels=None, num_classes=3)
STARS = LabelRule(labels=["1", "2", "3", "4", "5"], num_classes=5)
BITS = LabelRule(labels=["0", "1"], num_classes=2)
TAGS = LabelRule(labels=["NOUN", "VERB"], num_classes=2, ignored=-1)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (ANSWERS, ["yes", "no"], ["yes", "no"]),
        (ANSWERS, (b"yes", "no"), ["yes", "no"]),
        (ANSWERS, np.array(["yes", "no"]), ["yes", "no"]),
        (ANSWERS, pd.Series(["yes", "no"], dtype="category"), ["yes", "no"]),
        (ANSWERS, pa.array(["yes", "no"]), ["yes", "no"]),
        (ANSWERS, [1, 0], [1, 0]),
        (ANSWERS, [1.0, 0.0], [1, 0]),
        (ANSWERS, [np.int64(1), np.float32(0)], [1, 0]),
        (ANSWERS, np.array([[1], [0]]), [1, 0]),
        (IDS, np.array([2.0, 1.0]), [2, 1]),
        (STARS, ["5", "1"], ["5", "1"]),
        (BITS, [1, 0], [1, 0]),
    ],
)
def test_labels_of_every_form(rule, value, expected):
    found = raw_labels.check_labels("y", value, rule)
    assert list(found) == expected
    if not isinstance(expected[0], str):
        assert found.dtype == np.int32


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        (
            ANSWERS,
            ["yes", "Yess"],
            "Unknown label.*'Yess' at index 1.*'yes'\\?",
        ),
        (ANSWERS, [0, 2], "out of range. Received: 2 at index 1.*ids 0 to 1"),
        (ANSWERS, [-1, 0], "out of range. Received: -1 at index 0"),
        (ANSWERS, [10**30], "out of range. Received: 10"),
        (ANSWERS, [0.2, 0.9], "must hold whole numbers. Received: 0.2 at"),
        (ANSWERS, [1, math.nan], "must hold whole numbers. Received: nan at"),
        (ANSWERS, [1, math.inf], "must hold whole numbers. Received: inf at"),
        (ANSWERS, ["yes", 1], "must not mix.*Received: 1 of type int at index"),
        (ANSWERS, [1, "yes"], "must not mix.*'yes' of type str at index 1"),
        (ANSWERS, np.eye(2), r"one label per example.*y.argmax\(-1\)"),
        (ANSWERS, [[0, 1], [1, 0]], r"one label per example.*\[0, 1\] of type"),
        (ANSWERS, "yes", "must have a batch dimension. Received: a str, 'yes'"),
        (ANSWERS, {"yes"}, "must have an order"),
        (ANSWERS, iter([1]), "must have a length"),
        (IDS, ["yes"], "strings, but there are no `labels`"),
        (STARS, [1, 5], r"names of labels are numbers too.*1 at index 0"),
        (STARS, [1.0], r"names of labels are numbers too.*\[str\(v\) for v"),
    ],
)
def test_other_labels_are_refused(rule, value, message):
    with pytest.raises(ValueError, match=f"`y`.*{message}"):
        raw_labels.check_labels("y", value, rule)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([None, "yes"], "None of type NoneType at index 0.*empty cell"),
        (["yes", math.nan], "nan of type float at index 1.*empty cell"),
        (pd.Series([1, None], dtype="Int64"), "<NA> of type NAType at index 1"),
        ([True, False], r"True of type bool at index 0.*int\(v\) for v in y"),
        (np.array([True]), "True of type bool at index 0"),
        ([1j], "1j of type complex at index 0"),
    ],
)
def test_what_is_no_label_at_all(value, message):
    with pytest.raises(TypeError, match=f"`y` must hold labels.*{message}"):
        raw_labels.check_labels("y", value, ANSWERS)


def test_tags_of_every_form():
    found = raw_labels.check_tags("y", ["NOUN VERB", " NOUN", ""], TAGS)
    assert found.as_strings
    assert found.lengths == [2, 1, 0]
    found = raw_labels.check_tags("y", [["NOUN", "VERB"], []], TAGS)
    assert (list(found.values), found.lengths) == (["NOUN", "VERB"], [2, 0])
    found = raw_labels.check_tags("y", pa.array([[0, 1], [-1]]), TAGS)
    assert (list(found.values), found.lengths) == ([0, 1, -1], [2, 1])
    assert raw_labels.check_tags("y", [[], []], TAGS).lengths == [0, 0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["NOUN", "VERB X"], "Unknown label.*'X' at word 1 of sentence 1"),
        ([["NOUN"], [], ["X"]], "Unknown label.*'X' at word 0 of sentence 2"),
        ([[0], [1, 2]], "out of range. Received: 2 at word 1 of sentence 1"),
        ([[0, -100]], "-100 at word 1 of.*or -1 for.*-100 of other.* is -1"),
        ([["NOUN", 0]], "must not mix.*0 of type int at word 1"),
        ([["NOUN"], "VERB"], "must not mix strings and lists"),
        ([[0.5]], "whole numbers. Received: 0.5 at word 0 of sentence 0"),
    ],
)
def test_other_tags_are_refused(value, message):
    with pytest.raises(ValueError, match=f"`y`.*{message}"):
        raw_labels.check_tags("y", value, TAGS)


@pytest.mark.parametrize("value", [[0, 1], [None], np.array([0, 1])])
def test_one_tag_per_sentence_is_refused(value):
    with pytest.raises(TypeError, match="`y` has a wrong structure"):
        raw_labels.check_tags("y", value, TAGS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"yes": 3}, [1, 3]),
        ({1: 3.5}, [1, 3.5]),
        ({1.0: 3}, [1, 3]),
        ({np.int64(0): 0}, [0, 1]),
        ({}, [1, 1]),
        ([2, 3], [2, 3]),
        (np.array([2, 3]), [2, 3]),
    ],
)
def test_class_weights_of_every_form(value, expected):
    found = raw_labels.class_weight_table(value, ANSWERS)
    assert found.dtype == np.float32
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"yse": 1}, "unknown class. Received: 'yse'.*Did you mean 'yes'"),
        ({2: 1}, "unknown class. Received: 2. Accepted: .*ids 0 to 1"),
        ({-1: 1}, "unknown class. Received: -1"),
        ({0.5: 1}, "unknown class. Received: 0.5"),
        ({True: 1}, "unknown class. Received: True"),
        ({0: 1, "no": 2}, "a class twice. Received: 0 and 'no'"),
        ({"yes": -1}, "out of range. Received: -1 of 'yes'"),
        ({"yes": math.nan}, "out of range. Received: nan of 'yes'"),
        ([1.0], "one weight per class. Received: 1 weights"),
        (3, "must have a batch dimension"),
    ],
)
def test_other_class_weights_are_refused(value, message):
    with pytest.raises(ValueError, match=f"`class_weight`.*{message}"):
        raw_labels.class_weight_table(value, ANSWERS)


@pytest.mark.parametrize(
    "value", ["balanced", {"yes": "2"}, {1: None}, [1, []]]
)
def test_class_weights_that_are_no_numbers(value):
    with pytest.raises(TypeError, match="`class_weight` must"):
        raw_labels.class_weight_table(value, ANSWERS)


def test_number_as_a_class_where_names_are_numbers():
    assert raw_labels.class_weight_table({"1": 2}, STARS)[0] == 2
    with pytest.raises(ValueError, match="names of labels are numbers too"):
        raw_labels.class_weight_table({1: 2}, STARS)


def test_sample_weights():
    for value in ([1, 2.5], np.array([[1], [2.5]]), pd.Series([1, 2.5])):
        found = raw_labels.check_sample_weight(value, 2)
        assert found.tolist() == [1, 2.5]
        assert found.dtype == np.float32


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1], ValueError, "`x` and `sample_weight` must be equally long"),
        ([1, -1], ValueError, "Received: -1 at index 1"),
        ([math.nan, 1], ValueError, "Received: nan at index 0"),
        (np.ones((2, 2)), ValueError, "one number per example"),
        (2, ValueError, "must have a batch dimension"),
        ([1, None], TypeError, "Received: None of type NoneType at index 1"),
        (["1", "2"], TypeError, "Received: '1' of type str at index 0"),
        ([True, False], TypeError, "Received: True of type bool at index 0"),
    ],
)
def test_other_sample_weights_are_refused(value, error, message):
    with pytest.raises(error, match=message):
        raw_labels.check_sample_weight(value, 2)
