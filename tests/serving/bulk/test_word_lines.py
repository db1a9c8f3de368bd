"""Tests of a word per line in, a word and its tag per line out."""

import re

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


def lines(text):
    return text.encode().splitlines(keepends=True)


CONLL = """-DOCSTART- -X- O

# id 7f domain=en
EU B-ORG
# O

der\tDET
"""


def test_columns_of_conll():
    labeller = ByLength()
    batch = list(sentences(lines(CONLL)))
    answer = label_word_lines(labeller, batch, pytest.fail, form="conll")
    assert labeller.asked == [[], ["EU", "#"], ["der"]]
    assert answer == [
        "-DOCSTART- -X- O", "", "# id 7f domain=en", "EU\t2", "#\t1", "",
        "der\t3",
    ]  # fmt: skip


CONLLU = """# text = the dogs' toys
1\tthe\t_\tDET\t_\t_\t3\t_\t_\t_
2-3\tdogs'\t_\t_\t_\t_\t_\t_\t_\t_
2\tdogs\t_\tNOUN\t_\t_\t4\t_\t_\t_
3\t's\t_\tPART\t_\t_\t2\t_\t_\t_
3.1\tsmall\t_\tADJ\t_\t_\t_\t_\t_\t_
4\ttoys\t_\tNOUN\t_\t_\t0\t_\t_\t_

"""


def test_joined_words_of_conllu():
    labeller = ByLength()
    batch = list(sentences(lines(CONLLU * 2)))
    answer = label_word_lines(labeller, batch, pytest.fail, form="conllu")
    assert labeller.asked == [["the", "dogs'", "toys"]] * 2
    assert answer == 2 * [
        "# text = the dogs' toys", "the\t3", "dogs'\t5", "toys\t4", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"the DET\n", "10 columns of CoNLL-U.*Received: 1"),
        (b"x" + b"\t_" * 9, "expected an id such as"),
        (b"1\t " + b"\t_" * 8, "expected a word in the second column"),
    ],
)
def test_lines_that_are_no_conllu_are_reported(line, message):
    found = []
    answer = label_word_lines(
        None, [[line]], lambda i, text: found.append((i, text)), form="conllu"
    )
    assert answer == [""]
    ((place, text),) = found
    assert place == 0
    assert re.search(message, text)
