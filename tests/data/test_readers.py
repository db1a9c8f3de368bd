"""Readers: what they give back, and every way a file can be wrong."""

import gzip
import os
import pathlib
import re

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from dlfa_tf import words
from dlfa_tf.data import tasks
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.readers import find_file
from dlfa_tf.data.readers import read_pairs
from dlfa_tf.data.readers import read_tagged

LABELS = ("contradiction", "entailment", "neutral")
TAGS = ("NOUN", "VERB", "PUNCT")

PAIRS = "One cat.\tA cat.\tentailment\nNo dog.\tA dog.\tcontradiction\n"
PAIR_EXAMPLES = [
    PairExample("One cat.", "A cat.", "entailment"),
    PairExample("No dog.", "A dog.", "contradiction"),
]
TAGGED = "Cats\tNOUN\nsleep\tVERB\n.\tPUNCT\n\nRun\tVERB\n\n"
SENTENCES = [
    TaggedSentence(("Cats", "sleep", "."), ("NOUN", "VERB", "PUNCT")),
    TaggedSentence(("Run",), ("VERB",)),
]


@pytest.fixture
def write(tmp_path):
    """Writes text or bytes to a new file and returns its path."""

    def writer(content, name="train-en.tsv"):
        data = content if isinstance(content, bytes) else content.encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        return path

    return writer


def _error(path, line=None):
    """Pattern of a message that names the file and, where given, the line."""
    return re.escape(f"{path}, line {line}: " if line else f"{path}: ")


# Whole files.


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text, id="plain"),
        pytest.param(lambda text: text.rstrip("\n"), id="no_final_newline"),
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="crlf"),
        pytest.param(
            lambda text: text.replace("\n", "\r\n").rstrip("\r\n"),
            id="crlf_no_final_newline",
        ),
        pytest.param(lambda text: "\ufeff" + text, id="byte_order_mark"),
    ],
)
@pytest.mark.parametrize("name", ["train-en.tsv", "train-en.tsv.gz"])
def test_forms_of_one_file_read_alike(write, change, name):
    assert read_pairs(write(change(PAIRS), name), LABELS) == PAIR_EXAMPLES
    assert read_tagged(write(change(TAGGED), name), TAGS) == SENTENCES


def test_first_line_is_no_header(write):
    assert read_pairs(write(PAIRS), LABELS)[0] == PAIR_EXAMPLES[0]
    assert read_tagged(write(TAGGED), TAGS)[0] == SENTENCES[0]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(TAGGED.replace("\n\n", "\n\n\n\n"), id="doubled"),
        pytest.param(TAGGED.replace("\n\n", "\n \u3000\n"), id="spaces"),
        pytest.param("\n\n" + TAGGED, id="in_front"),
        pytest.param(TAGGED + "\n\n", id="at_the_end"),
        pytest.param("\r\n" + TAGGED.replace("\n", "\r\n"), id="crlf"),
    ],
)
def test_blank_lines_between_sentences_may_repeat(write, text):
    assert read_tagged(write(text), TAGS) == SENTENCES


@pytest.mark.parametrize("name", ["train-en.tsv", "train-en.tsv.gz"])
@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_empty_file_of_pairs(write, name, text):
    path = write(text, name)
    message = "the file has no examples" if not text else "expected 3 columns"
    with pytest.raises(ValueError, match=message):
        read_pairs(path, LABELS)


@pytest.mark.parametrize("name", ["train-en.tsv", "train-en.tsv.gz"])
@pytest.mark.parametrize("text", ["", "\n\n\n", "\ufeff", "\ufeff\r\n"])
def test_file_without_sentences(write, name, text):
    path = write(text, name)
    with pytest.raises(
        ValueError, match=_error(path) + r"the file has no sentences\."
    ):
        read_tagged(path, TAGS)


def test_file_of_no_bytes_that_is_named_gz(tmp_path):
    path = tmp_path / "train-en.tsv.gz"
    path.touch()
    with pytest.raises(ValueError, match=_error(path) + "the file has no"):
        read_pairs(path, LABELS)


# Bytes.


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param(b"caf\xe9\tb\tneutral\n", 1, id="latin_1"),
        pytest.param("a\tb\tneutral\n".encode("utf-16"), 1, id="utf_16"),
        pytest.param(b"a\tb\tneutral\nc\xc3\td\tneutral\n", 2, id="cut_short"),
        pytest.param(
            b"a\tb\tneutral\n" * 4 + b"\xed\xa0\x80\tb\tneutral", 5, id="half"
        ),
    ],
)
@pytest.mark.parametrize("name", ["train-en.tsv", "train-en.tsv.gz"])
def test_bytes_that_are_not_utf8(write, name, data, line):
    path = write(data, name)
    with pytest.raises(
        ValueError,
        match=_error(path, line)
        + r"not valid UTF-8 \(.* at byte \d+ of the line\)\. Accepted: UTF-8",
    ):
        read_pairs(path, LABELS)


def test_tags_that_are_not_utf8(write):
    path = write(TAGGED.encode() + b"caf\xe9\tNOUN\n")
    with pytest.raises(
        ValueError, match=_error(path, 7) + r"not valid UTF-8 .* at byte 3 "
    ):
        read_tagged(path, TAGS)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[: len(data) // 2], id="cut"),
        pytest.param(lambda data: data[:-8], id="no_check_sum"),
        pytest.param(lambda data: data[:-8] + b"\0" * 8, id="wrong_check_sum"),
        pytest.param(lambda data: b"no gzip" + data, id="no_gzip"),
        pytest.param(
            lambda data: data[:40] + b"\xff" * 40 + data[80:], id="overwritten"
        ),
    ],
)
def test_damaged_gzip_file(tmp_path, damage):
    path = tmp_path / "train-en.tsv.gz"
    rows = "".join(f"text {i}\tother {i * 7}\tneutral\n" for i in range(400))
    path.write_bytes(damage(gzip.compress(rows.encode())))
    with pytest.raises(
        ValueError, match=_error(path) + r"damaged gzip file after line \d+ \("
    ):
        read_pairs(path, LABELS)


@pytest.mark.parametrize("name", ["gone-en.tsv", "gone-en.tsv.gz"])
def test_a_file_that_is_gone_is_not_called_damaged(tmp_path, name):
    with pytest.raises(FileNotFoundError):
        read_pairs(tmp_path / name, LABELS)


def test_nul_bytes_are_kept_as_characters(write):
    path = write("a\0b\tc\0\tneutral\n")
    assert read_pairs(path, LABELS) == [PairExample("a\0b", "c\0", "neutral")]
    path = write("a\0b\tNOUN\n\0\tNOUN\n")
    assert read_tagged(path, TAGS) == [
        TaggedSentence(("a\0b", "\0"), ("NOUN", "NOUN"))
    ]
    with pytest.raises(ValueError, match=r"unknown label. .*'NOUN\\x00'"):
        read_tagged(write("a\tNOUN\0\n"), TAGS)


def test_lines_of_a_megabyte_are_read_whole(write):
    text = "wörter " * (1 << 18)
    assert len(text.encode()) == 2 << 20
    path = write(f"{text}\tshort\tneutral\n")
    assert read_pairs(path, LABELS) == [PairExample(text, "short", "neutral")]
    path = write(f"{text}\tNOUN\n", "train-en.tsv.gz")
    assert read_tagged(path, TAGS) == [
        TaggedSentence((text.strip(),), ("NOUN",))
    ]


@pytest.mark.parametrize(
    "row", ["{}", "{}\ta\tb\tc", "a\tb\t{}", "\t{}\tneutral"]
)
def test_messages_cut_long_values_short(write, row):
    path = write(row.format("x" * (1 << 20)))
    for read, labels in ((read_pairs, LABELS), (read_tagged, TAGS)):
        with pytest.raises(ValueError, match="line 1: ") as error:
            read(path, labels)
        assert len(str(error.value)) < 500


# Rows.


def test_quotes_of_a_csv_writer_go_and_others_stay(write):
    """Both kinds of file, as XTREME and as the makers of PAWS-X have them."""
    path = write(
        '"Die ""IPA"" hat"\t"Tucho"\tneutral\r\n'
        'er sagt "nein"\t""""\tneutral\r\n'
    )
    assert read_pairs(path, LABELS) == [
        PairExample('Die "IPA" hat', '"Tucho"', "neutral"),
        PairExample('er sagt "nein"', '"', "neutral"),
    ]


@pytest.mark.parametrize(
    ("row", "count"),
    [
        pytest.param("only one", 1, id="one"),
        pytest.param("a\tneutral", 2, id="two"),
        pytest.param("a\tb\tc\tneutral", 4, id="four"),
        pytest.param("a\tb\tneutral\t", 4, id="tab_at_the_end"),
        pytest.param("", 1, id="blank"),
    ],
)
def test_pairs_need_three_columns(write, row, count):
    path = write(f"{PAIRS}{row}\n{PAIRS}")
    with pytest.raises(
        ValueError,
        match=_error(path, 3)
        + r"expected 3 columns separated by TAB \(first text, second text, "
        rf"label\). Received: {count}: ",
    ):
        read_pairs(path, LABELS)


@pytest.mark.parametrize("name", ["test-de.tsv", "test-de.tsv.gz"])
@pytest.mark.parametrize(
    ("read", "text"),
    [(read_pairs, "a\tb\nc\td\n"), (read_tagged, "One\ncat\n\nTwo\n\n")],
    ids=["pairs", "tagged"],
)
def test_test_file_without_labels_is_called_that(write, read, text, name):
    path = write(text, name)
    with pytest.raises(
        ValueError,
        match=_error(path) + "a test file without labels, [12] column.*"
        "XTREME's download script removes the labels of test files.*"
        "docs/data.md, 'Getting the data'",
    ):
        read(path, ("O",))


@pytest.mark.parametrize("tag", ["O", "X"])
def test_tags_that_stand_in_for_removed_ones_are_refused(write, tag):
    """As XTREME's preprocessing writes them, whole files of one tag."""
    text = f"One\t{tag}\ncat\t{tag}\n\nTwo\t{tag}\n"
    with pytest.raises(
        ValueError, match=f"every word is {tag!r}, which stands.*originals_dir"
    ):
        read_tagged(write(text, "test-de.tsv"), ("O", "X", "NOUN"))
    assert len(read_tagged(write(text, "dev-de.tsv"), ("O", "X"))) == 2
    one_more = f"{text}\nThree\tNOUN\n"
    path = write(one_more, "test-de.tsv")
    assert len(read_tagged(path, ("O", "X", "NOUN"))) == 3


@pytest.mark.parametrize(
    ("read", "text", "name"),
    [
        (read_pairs, "a\tb\n", "dev-de.tsv"),
        (read_pairs, "a\tb\nc\td\tneutral\n", "test-de.tsv"),
        (read_tagged, "One\n", "train-en.tsv"),
        (read_tagged, "One\ncat\tO\n", "test-de.tsv"),
        (read_tagged, "One O\ncat O\n", "test-de.tsv"),
    ],
    ids=["dev", "some_pairs", "train", "some_tags", "spaces"],
)
def test_other_files_with_missing_columns_name_the_line(
    write, read, text, name
):
    path = write(text, name)
    with pytest.raises(ValueError, match=_error(path, 1) + "expected "):
        read(path, ("O",))


@pytest.mark.parametrize("row", ["\tb\tneutral", "a\t\tneutral"])
def test_texts_of_a_pair_must_not_be_empty(write, row):
    path = write(f"{PAIRS}{row}\n")
    with pytest.raises(ValueError, match=_error(path, 3) + "a text is empty"):
        read_pairs(path, LABELS)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("word", id="no_tag"),
        pytest.param("word\tNOUN\tO", id="three_columns"),
        pytest.param("word NOUN", id="space_for_tab"),
        pytest.param("\tNOUN", id="empty_token"),
        pytest.param("\t", id="tab_on_a_blank_line"),
    ],
)
def test_tagged_rows_need_a_token_and_a_tag(write, row):
    path = write(f"{TAGGED}{row}\n")
    with pytest.raises(
        ValueError,
        match=_error(path, 7)
        + r"expected a token and 1 tag column\(s\) separated by TAB, or a "
        r"blank line. Received: \d column\(s\): ",
    ):
        read_tagged(path, TAGS)


@pytest.mark.parametrize("column", [1, 2])
def test_tag_column_of_three(write, column):
    path = write("Lima\tPROPN\tB-LOC\nlies\tVERB\tO\n")
    labels = ("PROPN", "VERB") if column == 1 else ("B-LOC", "O")
    (sentence,) = read_tagged(path, labels, column, num_columns=3)
    assert sentence == TaggedSentence(("Lima", "lies"), labels)


def test_two_columns_where_three_are_expected(write):
    path = write("Lima\tPROPN\n")
    with pytest.raises(ValueError, match=r"2 tag column\(s\).*Received: 2"):
        read_tagged(path, ("PROPN",), 1, num_columns=3)


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("entailement", " Did you mean 'entailment'?"),
        ("contradictory", " Did you mean 'contradiction'?"),
        ("Neutral", " Did you mean 'neutral'?"),
        ("neutral ", " Did you mean 'neutral'?"),
        ("", ""),
        ("2", ""),
    ],
)
def test_unknown_label_of_a_pair(write, label, hint):
    path = write(f"{PAIRS}a\tb\t{label}\n")
    with pytest.raises(ValueError) as error:
        read_pairs(path, LABELS)
    assert str(error.value) == (
        f"{path}, line 3: unknown label. Received: {label!r}. Accepted: "
        f"{list(LABELS)}.{hint}"
    )


@pytest.mark.parametrize("tag", ["NN", "noun", "_", "", "O"])
def test_unknown_tag(write, tag):
    path = write(f"{TAGGED}dogs\t{tag}\n")
    with pytest.raises(
        ValueError,
        match=_error(path, 7) + f"unknown label. Received: '{tag}'. Accepted: ",
    ):
        read_tagged(path, TAGS)


@pytest.mark.parametrize(
    "text", ['"', '"a', 'a "b" c', "''", "\\t", "a,b", "'"]
)
def test_quotes_and_other_signs_are_literal(write, text):
    path = write(f"{text}\t{text}\tneutral\n{PAIRS}")
    assert read_pairs(path, LABELS) == [
        PairExample(text, text, "neutral"),
        *PAIR_EXAMPLES,
    ]
    path = write(f"{text}\tPUNCT\n\n{TAGGED}")
    assert read_tagged(path, TAGS) == [
        TaggedSentence((text,), ("PUNCT",)),
        *SENTENCES,
    ]


@pytest.mark.parametrize(
    "sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\u00a0"]
)
def test_only_a_line_feed_ends_a_line(write, sign):
    path = write(f"a{sign}b\t{sign}c\tneutral\n")
    assert read_pairs(path, LABELS) == [
        PairExample(f"a{sign}b", f"{sign}c", "neutral")
    ]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\t\n\r\ufeff"), min_size=1
).filter(lambda text: not words.is_blank(text))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(TEXT, TEXT, st.sampled_from(LABELS)), min_size=1),
    st.booleans(),
)
def test_any_pairs_come_back(tmp_path_factory, rows, zipped):
    folder = tmp_path_factory.mktemp("pairs")
    data = "".join("\t".join(row) + "\n" for row in rows).encode()
    path = folder / ("a.tsv.gz" if zipped else "a.tsv")
    path.write_bytes(gzip.compress(data) if zipped else data)
    assert read_pairs(path, LABELS) == [
        PairExample(words.unquoted(first), words.unquoted(second), label)
        for first, second, label in rows
    ]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(st.tuples(TEXT, st.sampled_from(TAGS)), min_size=1), min_size=1
    )
)
def test_any_sentences_come_back(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("tagged") / "a.tsv"
    blocks = [
        "".join(f"{word}\t{tag}\n" for word, tag in sentence)
        for sentence in sentences
    ]
    path.write_bytes("\n".join(blocks).encode())
    assert read_tagged(path, TAGS) == [
        TaggedSentence(
            tuple(words.strip_space(word) for word, _ in sentence),
            tuple(tag for _, tag in sentence),
        )
        for sentence in sentences
    ]


# Examples and folders.


def test_a_sentence_needs_one_tag_per_word():
    with pytest.raises(
        ValueError,
        match=r"equally long. Received: 2 words and 1 tags, .*'Cats'",
    ):
        TaggedSentence(("Cats", "sleep"), ("NOUN",))


@pytest.mark.parametrize("name", ["dev-de.tsv", "dev-de.tsv.gz"])
def test_find_file_takes_either_form(tmp_path, name):
    (tmp_path / name).touch()
    assert find_file(tmp_path, "dev", "de") == tmp_path / name


def test_find_file_prefers_the_plain_form(tmp_path):
    for name in ("dev-de.tsv.gz", "dev-de.tsv"):
        (tmp_path / name).touch()
    assert find_file(tmp_path, "dev", "de").name == "dev-de.tsv"


def test_find_file_names_both_forms_and_what_is_there(tmp_path):
    (tmp_path / "train-en.tsv").touch()
    (tmp_path / "test-en.tsv.gz").touch()
    (tmp_path / "dev-de.tsv").mkdir()
    with pytest.raises(FileNotFoundError) as error:
        find_file(tmp_path, "dev", "de")
    assert str(error.value) == (
        f"No dev file for language 'de' in {str(tmp_path)!r}. Expected "
        "dev-de.tsv or dev-de.tsv.gz. The folder begins with: "
        "['dev-de.tsv', 'test-en.tsv.gz', 'train-en.tsv']."
    )


def test_find_file_lists_a_dozen_names_at_most(tmp_path):
    for i in range(30):
        (tmp_path / f"{i:02}.tsv").touch()
    with pytest.raises(FileNotFoundError, match=r"'11\.tsv'\]\.$"):
        find_file(tmp_path, "dev", "de")


def test_find_file_in_no_folder(tmp_path):
    folder = tmp_path / "gone"
    with pytest.raises(
        FileNotFoundError,
        match=r"gone' does not exist. Expected a folder with dev-de\.tsv or "
        r"dev-de\.tsv\.gz\.",
    ):
        find_file(folder, "dev", "de")


def test_download_of_xtreme_holds_what_gold_has():
    """Beside the benchmark files, where there is a sample of it."""
    folder = os.environ.get("DLFA_TF_BENCHMARK_DATA")
    layouts = pathlib.Path(folder or "none").parent / "layouts"
    if not folder or not layouts.is_dir():
        pytest.skip("no layouts/ beside DLFA_TF_BENCHMARK_DATA")
    paths = sorted((layouts / "xtreme_download" / "download").glob("*/*.tsv"))
    compared = 0
    for path in paths:
        task = tasks.get_task({"panx": "ner", "udpos": "pos"}.get(
            path.parent.name, path.parent.name
        ))  # fmt: skip
        read = read_tagged if task.is_tagging else read_pairs
        if path.name.startswith("test-"):
            with pytest.raises(ValueError, match="without labels.*originals"):
                read(path, task.labels)
            continue
        gold = layouts / "gold" / task.folder / path.name
        assert read(path, task.labels) == read(gold, task.labels)
        compared += 1
    assert compared == 20
