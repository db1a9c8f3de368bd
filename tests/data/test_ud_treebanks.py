"""Treebanks in the benchmark's form; whole ones where they are at hand."""

import dataclasses
import os
import pathlib

import pytest

from dlfa_tf.data import ud_treebanks
from dlfa_tf.data.original_files import Found
from dlfa_tf.data.originals import convert_originals
from dlfa_tf.data.tasks import TASKS


def conllu(*sentences):
    """Text of a treebank of (id, form, tag) lines."""
    return "".join(
        "".join(f"{i}\t{w}\t_\t{t}\t_\t_\t0\t_\t_\t_\n" for i, w, t in lines)
        + "\n"
        for lines in sentences
    ).encode()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("de_hdt-ud-train-a-1.conllu", ("de", "train")),
        ("qhe_hiencs-ud-dev.conllu", ("qhe", "dev")),
        ("en_ewt-ud-test.conllu", ("en", "test")),
        ("en_ewt-ud-test.txt", None),
        ("en_ewt.conllu", None),
    ],
)
def test_name_says_language_and_split(name, expected):
    assert ud_treebanks.language_and_split(name) == expected


def read(*sentences, language=""):
    lines = enumerate(conllu(*sentences).decode().split("\n"), start=1)
    return list(ud_treebanks.joined_sentences("a", lines, language))


def test_spaces_and_joiners_within_words_go():
    assert read([(1, "10 000", "NUM"), (2, "می\u200cرود", "VERB")]) == [
        [("10000", "NUM"), ("میرود", "VERB")]
    ]
    # Other white space stays, as in the benchmark.
    assert read([(1, "10\u00a0000", "NUM")]) == [[("10\u00a0000", "NUM")]]


@pytest.mark.parametrize(
    ("forms", "stays"),
    [
        ("_", False),
        ("_ _", False),
        ("a _", False),
        ("a _ _", False),
        ("a b _", True),
        ("a b", True),
    ],
)
def test_sentences_without_their_words_go(forms, stays):
    lines = [(i, w, "X") for i, w in enumerate(forms.split(), start=1)]
    assert bool(read(lines)) == stays


def test_treebanks_are_read_once_and_follow_their_names():
    one, two = conllu([(1, "a", "X")]), conllu([(1, "b", "X")])
    files = [
        Found("b", ("UD_B", "de_b-ud-dev.conllu"), two),
        Found("a", ("UD_A", "de_a-ud-dev.conllu"), one),
        Found("again", ("x.tgz", "de_a-ud-dev.conllu"), two),
        Found("readme", ("UD_A", "README.md"), b"no treebank"),
    ]
    texts = ud_treebanks.benchmark_files(files)
    assert texts == {
        ("dev", "de"): {
            "de_b-ud-dev.conllu": b"b\tX", "de_a-ud-dev.conllu": b"a\tX",
        }
    }  # fmt: skip


def test_error_names_the_file_in_the_archive():
    bad = Found("x.tgz/de_a-ud-dev.conllu", ("de_a-ud-dev.conllu",), b"1\ta\n")
    with pytest.raises(ValueError, match=r"^x\.tgz/de_a.*line 1: expected the"):
        ud_treebanks.benchmark_files([bad])


def test_whole_treebanks_equal_the_benchmark(tmp_path):
    """Persian and Greek, dev and test, byte for byte."""
    folder = os.environ.get("DLFA_TF_BENCHMARK_DATA")
    if not folder or not pathlib.Path(folder, "ud_raw").is_dir():
        pytest.skip("no treebanks in the folder DLFA_TF_BENCHMARK_DATA names")
    task = dataclasses.replace(
        TASKS["pos"], source_languages=("fa",), target_languages=("el",)
    )
    convert_originals(task, pathlib.Path(folder, "ud_raw"), tmp_path)
    written = sorted((tmp_path / "udpos_fused").iterdir())
    assert len(written) == 4
    for path in written:
        expected = pathlib.Path(folder, "udpos_fused", path.name)
        assert path.read_bytes() == expected.read_bytes()
