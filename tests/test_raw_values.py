"""Tests of what is read as texts and words, and what is refused."""

import array
import collections
import math
import time

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from dlfa_tf import raw_values

ACCEPTED = "a list of strings"


class Column(collections.abc.Sequence):
    """As data set libraries have them: neither a list nor an array."""

    def __getitem__(self, index):
        return ["a", "b"][index]

    def __len__(self):
        return 2


@pytest.mark.parametrize(
    "value",
    [
        ["a", "b"],
        ("a", "b"),
        [b"a", "b"],
        collections.deque(["a", "b"]),
        collections.UserList(["a", "b"]),
        Column(),
        np.array(["a", "b"]),
        np.array([b"a", b"b"]),
        np.array(["a", "b"], object),
        pd.Series(["a", "b"]),
        pd.Series(["a", "b"], dtype=object),
        pd.Series(["a", "b"], dtype="string"),
        pd.Series(["a", "b"], dtype="category"),
        pd.Index(["a", "b"]),
        pa.array(["a", "b"]),
        pa.chunked_array([["a"], ["b"]]),
        pa.array(["a", "b"]).dictionary_encode(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_column_of_texts_is_a_list(value):
    found = raw_values.texts("x", value, ACCEPTED)
    assert found == ["a", "b"]
    assert {type(item) for item in found} == {str}


def test_a_list_is_not_copied():
    value = ["a", "ä", ""]
    assert raw_values.texts("x", value, ACCEPTED) is value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("a b", "`x` must have a batch dimension. Received: a str, 'a b'"),
        (b"a", "must have a batch dimension. Received: a bytes, b'a'"),
        (None, "must have a batch dimension. Received: None. Accepted: a list"),
        (3, "must have a batch dimension. Received: an int, 3"),
        (np.array("a"), "must have a batch dimension"),
        ({"a"}, r"must have an order. Received: a set, \{'a'\}"),
        ({"text": ["a"]}, "must have an order. Received: a dict"),
        (iter(["a"]), "must have a length.*Received: a list_iterator"),
        (
            pd.DataFrame({"t": ["a"]}),
            r"one column, not a table. .*shape \(1, 1\).* table\['t'\]",
        ),
        (pa.table({"t": ["a"]}), r"one column, not a table.*table\['t'\]"),
        ([["a"]], r"must be a flat list.*\['a'\] at index 0"),
        (["a", ("b",)], r"must be a flat list.*\('b',\) at index 1"),
        ([b"a", b"\xff"], r"not UTF-8.*'\\xff' at index 1 \(byte 0\)"),
        (["a", "b\ud83d"], r"half a surrogate pair.*'\\ud83d'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_structures_are_refused(value, message):
    with pytest.raises(ValueError, match=message) as caught:
        raw_values.texts("x", value, ACCEPTED)
    assert ACCEPTED in str(caught.value) or "both halves" in str(caught.value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["a", None], "None of type NoneType at index 1"),
        (["a", math.nan], "nan of type float at index 1"),
        (np.array([None, "a"]), "None of type NoneType at index 0"),
        (pd.Series(["a", None], dtype="string"), "<NA> of type NAType"),
        (pa.array(["a", None]), "None of type NoneType at index 1"),
        ([1, "a"], "1 of type int at index 0"),
        (np.array([0.5]), "0.5 of type float at index 0"),
        (array.array("i", [1]), "1 of type int at index 0"),
        ([True], "True of type bool at index 0"),
    ],
    ids=str,
)
def test_first_item_that_is_no_text_is_named(value, shown):
    with pytest.raises(TypeError, match="`x` must hold strings") as caught:
        raw_values.texts("x", value, ACCEPTED)
    assert shown in str(caught.value)
    assert ACCEPTED in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        [["a", "b"], []],
        (("a", "b"), ()),
        [np.array(["a", "b"]), []],
        pd.Series([["a", "b"], []]),
        pa.array([["a", "b"], []]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_words_are_lists_of_lists(value):
    found = raw_values.sentences("x", value, ACCEPTED)
    assert found == [["a", "b"], []]
    assert type(found[0]) is list


def test_words_that_are_none_are_refused():
    with pytest.raises(TypeError, match="None .* at word 1 of sentence 2"):
        raw_values.sentences("x", [["a"], [], ["b", None]], ACCEPTED)
    with pytest.raises(ValueError, match=r"must be a flat list.*\['b'\]"):
        raw_values.sentences("x", [["a", ["b"]]], ACCEPTED)
    with pytest.raises(ValueError, match="mix strings and lists.*index 1"):
        raw_values.sentences("x", [["a"], "b"], ACCEPTED)


@pytest.mark.parametrize(
    "value", [np.array([["a", "b"], ["c", "d"]]), [["a", "b"], ["c", "d"]]]
)
def test_an_array_of_words_has_equally_long_sentences(value):
    found = raw_values.sentences("x", value, ACCEPTED)
    assert found == [["a", "b"], ["c", "d"]]


def test_values_are_shown_as_they_are_and_cut():
    assert raw_values.shown("  a  b ") == "'  a  b '"
    assert raw_values.shown("a\n\tb") == r"'a\n\tb'"
    assert len(raw_values.shown("x" * 10**6)) < 200
    assert len(raw_values.shown(["word"] * 10**6)) < 200
    assert len(raw_values.shown({i: i for i in range(10**5)})) < 200
    assert raw_values.shown(np.ones((3, 2))) == (
        "a ndarray of float64, shape (3, 2)"
    )


def test_many_texts_take_no_time():
    """A tenth of the time that a data set needs to take them up."""
    value = [f"ein Text über {i}" for i in range(100_000)]
    began = time.perf_counter()
    raw_values.texts("x", value, ACCEPTED)
    # Seconds; 0.02 on a quiet core.
    assert time.perf_counter() - began < 1.0
