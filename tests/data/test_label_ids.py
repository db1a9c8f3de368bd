"""Label files as ids."""

import gzip

import numpy as np
import pytest

from dlfa_tf.data.label_ids import label_ids
from dlfa_tf.data.label_ids import read_label_ids
from dlfa_tf.data.readers import read_label_file

LABELS = ("NOUN", "VERB", "X")


def names(found, kind):
    flat = [LABELS[i] for i in found.ids]
    if kind == "pair":
        return flat
    return [
        flat[a:b]
        for a, b in zip(found.splits[:-1], found.splits[1:], strict=True)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "NOUN\nVERB\n\nX\n\n",
        "NOUN\nVERB\n\nX\n",
        "NOUN\nVERB\n\nX",
        "\n\nNOUN\n\n\n\nVERB\nX\n\n\n",
        "a\tNOUN\nb\tVERB\n\nc\tX\n",
        "NOUN\r\nVERB\r\n\r\nX\r\n",
        "\ufeffNOUN\n\nX\n",
    ],
    ids=["plain", "one_end", "no_end", "blanks", "data", "crlf", "bom"],
)
def test_reads_what_the_line_by_line_reader_reads(tmp_path, text):
    path = tmp_path / "test-de.tsv"
    path.write_bytes(text.encode())
    found = read_label_ids(path, LABELS, "tagging")
    assert names(found, "tagging") == read_label_file(path, LABELS, "tagging")
    assert found.ids.dtype == np.int16
    assert len(found) == len(found.splits) - 1


def test_reads_pairs_and_gzip(tmp_path):
    path = tmp_path / "test-de.tsv.gz"
    path.write_bytes(gzip.compress(b"a\tb\tX\nc\td\tNOUN\n"))
    found = read_label_ids(path, LABELS, "pair")
    assert found.ids.tolist() == [2, 0]
    assert found.splits.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"a\tNOUN\nb\t\nc\tX\n", "tagging", "line 2: unknown label.*''"),
        (b"a\tNOUN\n\t\nc\tX\n", "tagging", "line 2: unknown label.*''"),
        (b"NOUN\nNOUM\n", "tagging", "line 2: unknown label.*'NOUM'"),
        (b"NOUN\n\nX\n", "pair", "line 2: unknown label"),
        (b"", "tagging", "has no labels"),
        (b"\n\n", "tagging", "has no labels"),
        (b"\xff\n", "pair", "line 1: not valid UTF-8"),
    ],
    ids=[
        "no_tag",
        "only_a_tab",
        "unknown",
        "blank_pair",
        "empty",
        "blank",
        "bytes",
    ],  # fmt: skip
)
def test_errors_name_the_line(tmp_path, content, kind, message):
    path = tmp_path / "test-de.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_label_ids(path, LABELS, kind)


def test_damaged_gzip_is_named(tmp_path):
    path = tmp_path / "test-de.tsv.gz"
    path.write_bytes(gzip.compress(b"NOUN\n" * 99)[:-12])
    with pytest.raises(ValueError, match="damaged gzip"):
        read_label_ids(path, LABELS, "tagging")


def test_head_keeps_whole_items():
    found = label_ids([["X", "NOUN"], ["VERB"], ["X"]], LABELS)
    assert names(found.head(2), "tagging") == [["X", "NOUN"], ["VERB"]]
    assert len(found.head(None)) == len(found.head(9)) == 3
    assert names(label_ids(["X", "NOUN"], LABELS).head(1), "pair") == ["X"]
