"""CoNLL-U: ranges, empty nodes, and the tag of a joined word."""

import pytest

from dlfa_tf.data import formats
from dlfa_tf.data.formats import Sentence
from dlfa_tf.data.formats import conllu


def line(number, form, upos="_", head="_", deps="_"):
    """One line of CoNLL-U."""
    return f"{number}\t{form}\t_\t{upos}\t_\t_\t{head}\t_\t{deps}\t_\n"


FRENCH = (
    "# sent_id = 1\n# text = au prix du jour\n"
    + line("1-2", "au")
    + line(1, "à", "ADP", 3)
    + line(2, "le", "DET", 3)
    + line(3, "prix", "NOUN", 0)
    + line("3.1", "vide", "VERB")
    + line("4-5", "du")
    + line(4, "de", "ADP", 6)
    + line(5, "le", "DET", 4)
    + line(6, "jour", "NOUN", 3)
    + "\n"
)


@pytest.fixture
def read(tmp_path):
    def reader(text, **options):
        path = tmp_path / "fr_x-ud-dev.conllu"
        path.write_text(text, encoding="utf-8")
        return list(formats.read_sentences(path, **options))

    return reader


def test_words_joined_and_their_own(read):
    assert read(FRENCH) == [
        Sentence(
            4, ("au", "prix", "du", "jour"), ("ADP", "NOUN", "ADP", "NOUN")
        )
    ]
    assert read(FRENCH, joined=False)[0].words == (
        "à", "le", "prix", "de", "le", "jour",
    )  # fmt: skip
    assert read(FRENCH, tag_column=None)[0].tags is None
    assert read(FRENCH, tag_column="head", joined=False)[0].tags == (*"330643",)


def joined_tag(read, members, language="", end=""):
    """Tag of a multiword token of two words with (upos, head, deps)."""
    text = line("1-2", "xy")
    text += line(1, "x", *members[0]) + line(2, "y", *members[1])
    text += line(3, "z", "NOUN", 0) + line(4, "w", "ADJ", 3) + end
    return read(text, language=language)[0].tags[0]


@pytest.mark.parametrize(
    ("members", "language", "expected"),
    [
        pytest.param([("ADP", 2), ("PRON", 3)], "", "PRON", id="nearest"),
        pytest.param([("DET", 3), ("NUM", 1)], "", "DET", id="first_nearest"),
        pytest.param([("DET", 3), ("PRON", 3)], "", "PRON", id="by_order"),
        pytest.param([("NOUN", 3), ("NOUN", 3)], "", "NOUN", id="equal_tags"),
        pytest.param([("NOUN", 3), ("AUX", 3)], "", "NOUN", id="default"),
        pytest.param([("NOUN", 3), ("AUX", 3)], "it", "AUX", id="italian"),
        pytest.param([("PRON", 3), ("ADV", 3)], "", "PRON", id="pronoun"),
        pytest.param([("PRON", 3), ("ADV", 3)], "it", "ADV", id="adverb_it"),
        pytest.param([("SYM", 3), ("X", 3)], "", "X", id="without_a_place"),
        pytest.param(
            [("VERB", 3, "3:conj|4:conj"), ("PART", 3)], "", "PART",
            id="enhanced_edges_count",
        ),
        pytest.param(
            [("VERB", 3, "3:x|4.1:y"), ("PART", 3)], "", "VERB",
            id="edges_from_empty_nodes_do_not",
        ),
    ],
)  # fmt: skip
def test_tag_of_a_joined_word(read, members, language, expected):
    assert joined_tag(read, members, language) == expected


def test_circles_of_enhanced_edges_end(read):
    members = [("PRON", 3, "2:a"), ("VERB", 1, "1:b")]
    assert joined_tag(read, members) == "VERB"


def test_last_sentence_needs_no_blank_line(read):
    assert len(read(FRENCH + line(1, "fin", "NOUN", 0))) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\tx\tNOUN\n", "line 1: expected the 10 columns.*Received: 3"),
        (line("a", "x"), "line 1: the id 'a' is none"),
        (line(1, "x") + line(3, "y"), "line 2: the id '3' does not follow 1"),
        (line("1-2", "x") + line(1, "y"), "line 1: the words of the multiw"),
        (line("2-1", "x"), "line 1: the id '2-1' does not follow 0"),
        (line(1, " "), "line 1: the word is empty"),
        ("# text\n\n", "has no sentences"),
    ],
)
def test_what_is_wrong_is_said(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text)


def test_unknown_column_is_refused(read):
    with pytest.raises(ValueError, match="Did you mean 'upos'"):
        read(FRENCH, tag_column="uposs")


def test_tree_keeps_lines(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text(FRENCH, encoding="utf-8")
    (tree,) = conllu.read_trees(path)
    assert [token.line for token in tree.ranges.values()] == [3, 8]
