"""Tests of the cleaning against the rules of the reference tokenizer."""

import sys
import unicodedata

import pytest
import tensorflow as tf

from dlfa_tf import words
from dlfa_tf.preprocessing.text_cleaning import clean_text
from dlfa_tf.preprocessing.text_cleaning import split_words
from dlfa_tf.preprocessing.text_cleaning import valid_utf8

SURROGATES = range(0xD800, 0xE000)
# str.split() also splits at these control characters; cleaning drops them.
CONTROL_SPACES = set("\x1c\x1d\x1e\x1f\x85")


def decoded(tensor):
    return [text.decode() for text in tensor.numpy().tolist()]


@pytest.fixture(scope="module")
def characters():
    """Every code point that this Python knows to be assigned."""
    every = (i for i in range(sys.maxunicode + 1) if i not in SURROGATES)
    return [chr(i) for i in every if unicodedata.category(chr(i)) != "Cn"]


def test_every_assigned_character_is_cleaned_as_in_the_reference(
    characters, bert_reference
):
    texts = [f"a{character}b" for character in characters]
    found = decoded(clean_text(tf.constant(texts)))
    expected = [bert_reference.clean(text) for text in texts]
    wrong = [
        f"U+{ord(c):04X}"
        for c, ours, theirs in zip(characters, found, expected, strict=True)
        if ours != theirs
    ]
    assert wrong == []


def test_every_assigned_space_splits_words(characters):
    characters = [c for c in characters if c not in CONTROL_SPACES]
    found = split_words(tf.constant([f"a{c}b" for c in characters]))
    counts = found.row_lengths().numpy().tolist()
    wrong = [
        f"U+{ord(c):04X}"
        for c, count in zip(characters, counts, strict=True)
        if count != len(f"a{c}b".split())
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u00a0b", "a b"),
        ("a\u3000b", "a b"),
        ("a\u2003b", "a b"),
        ("a\u2028b\u2029c", "a b c"),
        ("a\tb\nc\rd", "a b c d"),
        ("a\x0bb\x0cc", "abc"),
        ("a\u200bb\u200cc\u200dd\u200ee", "abcde"),
        ("\ufeffa\u00adb\u0085c\x01d\x00e", "abcde"),
        ("a\ufffdb", "ab"),
        ("a\ue000b\U0010fffdc", "abc"),
        ("a  b", "a  b"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u0937"),
        ("e\u0301", "e\u0301"),
        ("", ""),
    ],
)
def test_known_characters_are_cleaned(text, expected):
    assert decoded(clean_text(tf.constant([text]))) == [expected]


def test_unassigned_code_points_stay():
    assert decoded(clean_text(tf.constant(["a\u0378b"]))) == ["a\u0378b"]


def test_clean_text_keeps_the_shape():
    assert clean_text(tf.constant("a\tb")).numpy() == b"a b"
    assert clean_text(tf.constant([["a", "b"]])).shape == (1, 2)
    assert clean_text(tf.constant([], tf.string)).shape == (0,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"abc", "abc"),
        (b"a\xffb", "a\ufffdb"),
        (b"\xc3", "\ufffd"),
        (b"a\x00b", "a\x00b"),
        ("\ufeffa".encode(), "\ufeffa"),
        ("สวัสดี 😀".encode(), "สวัสดี 😀"),
    ],
)
def test_invalid_bytes_are_replaced_and_the_rest_is_kept(text, expected):
    assert decoded(valid_utf8(tf.constant([text]))) == [expected]


def test_surrogates_in_bytes_are_replaced():
    (found,) = decoded(valid_utf8(tf.constant([b"a\xed\xa0\x80b"])))
    assert set(found) == {"a", "\ufffd", "b"}


def test_split_words_gives_no_empty_words():
    texts = ["", " \u3000 ", " a\u00a0 b\u2028c ", "d\u200be"]
    words = split_words(tf.constant(texts)).to_list()
    assert words == [[], [], [b"a", b"b", b"c"], ["d\u200be".encode()]]


def test_split_words_of_no_texts():
    assert split_words(tf.constant([], tf.string)).to_list() == []


def test_graph_and_data_set_clean_alike():
    texts = tf.constant(["a\u00a0\u200bb", "\ufffd", "\u3000x"])
    expected = decoded(clean_text(texts))
    assert decoded(tf.function(clean_text)(texts)) == expected
    batches = tf.data.Dataset.from_tensors(texts).map(clean_text)
    assert decoded(next(iter(batches))) == expected


def test_graphs_split_texts_as_every_reader_does():
    """Each character of each plane where white space may come to stand."""
    text = "".join(
        f"a{chr(i)}b " for i in range(1, 0x3100) if not 0xD800 <= i < 0xE000
    )
    (found,) = split_words(tf.constant([text])).to_list()
    assert [word.decode() for word in found] == words.split_words(text)
