"""What a word is, by example and for every character there is."""

import csv
import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlfa_tf import words

PROPERTY_WHITE_SPACE = set(
    "\t\n\v\f\r\x20\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)


def test_white_space_is_unicode_s_but_for_the_control_character():
    assert set(words.WHITE_SPACE) == PROPERTY_WHITE_SPACE - {"\x85"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param(" \u3000\t", [], id="blank"),
        pytest.param(
            "Le\u00a0prix\u202f: 3", ["Le", "prix", ":", "3"], id="fr"
        ),
        pytest.param("私\u3000は", ["私", "は"], id="ja"),
        pytest.param("می\u200cخواهم", ["می\u200cخواهم"], id="joiner"),
        pytest.param("a \u200b b", ["a", "\u200b", "b"], id="format_alone"),
        pytest.param("a\x85b a\x1cb", ["a\x85b", "a\x1cb"], id="control"),
        pytest.param("a\u2028b\rc", ["a", "b", "c"], id="separators"),
    ],
)
def test_words_of_a_text(text, expected):
    assert words.split_words(text) == expected
    assert words.is_blank(text) == (not expected)
    assert words.split_function(["b", text])(text) == expected


def test_python_splits_where_it_agrees():
    assert words.split_function(["a b", "私\u3000は"]) is str.split
    assert words.split_function(["a b", "a\x85b"]) is words.split_words


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_words_are_whole_and_lose_only_white_space(text):
    found = words.split_words(text)
    assert all(word and words.strip_space(word) == word for word in found)
    assert words.split_words(" ".join(found)) == found
    kept = "".join(x for x in text if x not in words.WHITE_SPACE)
    assert "".join(found) == kept


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r\r\n"])
def test_line_ends_and_marks_go(end):
    line = "\ufeffein\ufeff Wort\u2028".encode() + end
    assert words.decode_line(line, is_first=True) == "ein\ufeff Wort\u2028"
    assert words.decode_line(line) == "\ufeffein\ufeff Wort\u2028"


def test_bytes_that_are_no_text_are_an_error():
    with pytest.raises(UnicodeDecodeError):
        words.decode_line(b"caf\xe9\n")


def test_every_character_that_splits_is_listed():
    """Against Python's own idea, whose further ones are control characters."""
    by_python = {chr(i) for i in range(sys.maxunicode + 1) if chr(i).isspace()}
    control = {"\x1c", "\x1d", "\x1e", "\x1f", "\x85"}
    assert by_python == set(words.WHITE_SPACE) | control


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('"Die ""IPA"" hat"', 'Die "IPA" hat'),
        ('"""Tucho"""', '"Tucho"'),
        ('""""', '"'),
        ('"Tucho"', '"Tucho"'),
        ('"', '"'),
        ('""', '""'),
        ('"a" and "b"', '"a" and "b"'),
        ('"a ""b"', 'a "b'),
        ('he said "no"', 'he said "no"'),
        ('"a" ""b""', '"a" ""b""'),
    ],
)
def test_quotes_go_only_where_a_writer_put_them(field, expected):
    assert words.unquoted(field) == expected


# What XTREME's script writes: fields without line ends and TABs.
FIELDS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\n\r\t")
)


@given(st.lists(FIELDS, min_size=2, max_size=3))
def test_rows_of_a_csv_writer_read_back(fields):
    written = io.StringIO()
    csv.writer(written, delimiter="\t").writerow(fields)
    assert words.split_tabs(written.getvalue().removesuffix("\r\n")) == fields


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("EU NNP  B-ORG ", ["EU", "NNP", "B-ORG"]),
        ("Los Angeles\tO", ["Los Angeles", "O"]),
        ("10\u00a0000 O", ["10\u00a0000", "O"]),
        ("a\t\tb", ["a", "", "b"]),
    ],
)
def test_columns_of_conll(line, expected):
    assert words.split_columns(line) == expected


@pytest.mark.parametrize(
    ("line", "width", "expected"),
    [
        ("# text = a", 2, True),
        ("# id 7\tdomain=en", 2, True),
        ("# a comment", 2, True),
        ("#\tO", 2, False),
        ("# O", 2, False),
        ("a b c", 2, False),
    ],
)
def test_comments_are_told_from_words(line, width, expected):
    assert words.is_comment(line, width) == expected
