"""Tests of a word per line in, a word and its tag per line out."""

import pytest

from dlfa_tf.serving.bulk.word_lines import label_word_lines
from dlfa_tf.serving.bulk.word_lines import sentences
from dlfa_tf.serving.client import TaggedWord


class ByLength:
    """Tags a word with its length; keeps what it was asked."""

    def tag_words(self, found):
        self.asked = found
        return [
            [TaggedWord(word, str(len(word)), 1.0) for word in words]
            for words in found
        ]


LINES = [b"Der\tDET\r\n", b"Zug\n", b"\n", b"\n", b"ist weg\tX\tY\n", b"."]


def test_sentences_end_at_empty_lines():
    assert list(sentences(LINES)) == [LINES[:3], LINES[3:4], LINES[4:]]
    assert list(sentences([])) == []


def test_one_line_out_per_line_in():
    labeller = ByLength()
    answer = label_word_lines(labeller, list(sentences(LINES)), pytest.fail)
    assert labeller.asked == [["Der", "Zug"], [], ["ist weg", "."]]
    assert answer == ["Der\t3", "Zug\t3", "", "", "ist weg\t7", ".\t1"]


def test_bad_lines_are_reported_and_left_out():
    reported = []
    labeller = ByLength()
    lines = [[b"a\n", b"\tNOUN\n", b"\xff\n", b"b\n", b"\n"]]
    answer = label_word_lines(
        labeller, lines, lambda index, text: reported.append((index, text))
    )
    assert labeller.asked == [["a", "b"]]
    assert answer == ["a\t1", "", "", "b\t1", ""]
    (first, empty), (second, coding) = reported
    assert (first, second) == (1, 2)
    assert "expected a word in the first column. Received: '\\tNOUN'" in empty
    assert "expected UTF-8. Received: byte 0xff" in coding


def test_nothing_but_empty_lines_asks_nobody():
    assert label_word_lines(None, [[b"\n"], [b"\n"]], pytest.fail) == ["", ""]
