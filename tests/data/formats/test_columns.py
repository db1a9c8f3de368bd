"""Words in columns: what separates them, comments, and what is wrong."""

import pytest

from dlfa_tf.data import formats
from dlfa_tf.data.formats import Sentence


@pytest.fixture
def read(tmp_path):
    def reader(text, name="a.conll", **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return list(formats.read_sentences(path, **options))

    return reader


DOG = Sentence(1, ("the", "dog"), ("DET", "NOUN"))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("the DET\ndog NOUN\n\n", id="spaces"),
        pytest.param("the\tDET\ndog\tNOUN", id="tabs_no_end"),
        pytest.param("\ufeffthe  DET \r\ndog   NOUN\r\n", id="many_spaces"),
        pytest.param("the a DET\ndog b NOUN\n \n\n", id="more_columns"),
    ],
)
def test_forms_of_columns_read_alike(read, text):
    assert read(text) == [DOG]


def test_document_lines_and_comments_are_no_sentences(read):
    text = (
        "-DOCSTART- -X- O O\n\n# id 7f domain=en\tx\nEU NNP B-NP B-ORG\n"
        "# NN I-NP O\n\n# text = a b\na DT B-NP O\n"
    )
    assert read(text) == [
        Sentence(4, ("EU", "#"), ("B-ORG", "O")),
        Sentence(8, ("a",), ("O",)),
    ]


def test_hash_is_a_word_where_it_has_its_columns(read):
    assert read("#\tO\n#\tO\n格\tB-LOC\n", "a.tsv") == [
        Sentence(1, ("#", "#", "格"), ("O", "O", "B-LOC"))
    ]
    assert read("# O\nx O\n") == [Sentence(1, ("#", "x"), ("O", "O"))]
    assert read("#0680185\n") == [Sentence(1, ("#0680185",), None)]


def test_columns_by_number_and_name(read):
    text = "1 the DET O\n2 dog NOUN B\n"
    found = read(text, word_column=2, tag_column=3)
    assert found == [DOG]
    assert read(text, word_column=2, tag_column=None)[0].tags is None
    named = read("tag\tword\nDET\tthe\nNOUN\tdog\n", "a.tsv",
                 word_column="word", tag_column="tag")  # fmt: skip
    assert named == [DOG._replace(line=2)]


def test_spaces_within_a_word_stay_where_tabs_separate(read):
    text = "Los Angeles\tB-LOC\n10\u00a0000\tO\n"
    assert read(text)[0].words == ("Los Angeles", "10\u00a0000")
    assert read("10\u00a0000 O\nx O\n")[0].words == ("10\u00a0000", "x")


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a O\nb\n", {}, r"line 2: expected 2 column\(s\) separated by"),
        ("a\tO\n\u00a0\tO\n", {}, "line 2: the word is empty"),
        ("\n\n", {}, "the file has no sentences"),
        ("a O\n", {"tag_column": 3}, "no column 3.*from 1 to 2"),
        ("w\ttag\n", {"tag_column": "tags"}, "Did you mean 'tag'"),
        ("a O\n", {"kind": "csv"}, "'csv' does not hold"),
        ("a O\n", {"kind": "conl"}, "Did you mean 'conll'"),
    ],
)
def test_what_is_wrong_is_said(read, text, options, message):
    with pytest.raises(ValueError, match=message):
        read(text, **options)


def test_lists_in_json_lines(read):
    text = '{"words": ["the", "dog"], "tags": ["DET", "NOUN"]}\n'
    assert read(text, "a.jsonl") == [DOG]
    assert read('{"words": ["a"]}\n', "a.jsonl")[0].tags is None
    other = '{"tokens": ["the", "dog"], "pos": ["DET", "NOUN"]}\n'
    found = read(other, "a.jsonl", word_column="tokens", tag_column="pos")
    assert found == [DOG]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"words": ["a"], "tags": []}', "equally long. Received: 1 and 0"),
        ('{"words": ["a", " "]}', "line 1: word 2 is empty"),
        ('{"words": "a b"}', "no list of texts. Received: a b"),
        ('{"word": ["a"]}', "no value 'words'.*Did you mean 'word'"),
    ],
)
def test_what_is_wrong_with_lists_is_said(read, text, message):
    with pytest.raises(ValueError, match=message):
        read(text, "a.jsonl")
