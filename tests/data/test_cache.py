"""The token cache gives what tokenising gives, whatever lies on the disk."""

import dataclasses
import functools
import logging
import os
import subprocess
import sys

import numpy as np
import pytest

from dlfa_tf.data import arrays
from dlfa_tf.data import cache
from dlfa_tf.data.arrays import tokenize_examples
from dlfa_tf.data.cache import cached_tokens
from dlfa_tf.data.cache import token_key
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor

PAIRS = [
    PairExample("the cat sees", "дом 猫", "a"),
    PairExample("x", "the gato", "b"),
    PairExample("the the", "dog " * 9, "a"),
]
SENTENCES = [
    TaggedSentence(("the", "cat", "\u200b"), ("D", "N", "X")),
    TaggedSentence((), ()),
    TaggedSentence(("猫",) * 9, ("N",) * 9),
]


# Kept, as tracing one takes a second; the cache knows them by their settings.
@functools.cache
def _pair_preprocessor(preset="tiny", **options):
    return PairPreprocessor(
        load_tokenizer(preset), ["a", "b"], **{"sequence_length": 16, **options}
    )


@functools.cache
def _tagging_preprocessor(preset="tiny_sentencepiece", **options):
    return TaggingPreprocessor(
        load_tokenizer(preset),
        ["D", "N", "X"],
        **{"sequence_length": 8, **options},
    )


@pytest.fixture(autouse=True)
def cache_everything(monkeypatch):
    monkeypatch.setattr(cache, "LEAST_EXAMPLES", 1)


@pytest.fixture
def count_builds(monkeypatch):
    """Calls of the tokenizer, as a list."""
    calls = []

    def counted(examples, preprocessor):
        calls.append(len(examples))
        return tokenize_examples(examples, preprocessor)

    monkeypatch.setattr(arrays, "tokenize_examples", counted)
    return calls


def _assert_equal(one, other):
    for field in dataclasses.fields(other):
        wanted = getattr(other, field.name)
        value = getattr(one, field.name)
        if wanted is None:
            assert value is None
            continue
        assert type(value) is np.ndarray
        assert value.dtype == wanted.dtype
        np.testing.assert_array_equal(value, wanted)


@pytest.mark.parametrize(
    ("examples", "make"),
    [
        pytest.param(PAIRS, _pair_preprocessor, id="pairs"),
        pytest.param(SENTENCES, _tagging_preprocessor, id="tags"),
    ],
)
def test_equals_tokenising_and_happens_once(
    tmp_path, count_builds, examples, make
):
    wanted = tokenize_examples(examples, make())
    for _ in range(3):
        _assert_equal(cached_tokens(examples, make(), tmp_path), wanted)
    assert count_builds == [3]
    (folder,) = (tmp_path / "tokens").glob("*/")
    assert folder.name == token_key(examples, make())


def test_arrays_are_mapped_not_read(tmp_path):
    arrays = cached_tokens(PAIRS, _pair_preprocessor(), tmp_path)
    assert isinstance(arrays.token_ids.base, np.memmap)
    assert not arrays.token_ids.flags.writeable


def test_variable_names_the_folder(tmp_cache):
    cached_tokens(PAIRS, _pair_preprocessor())
    assert len(list((tmp_cache / "tokens").glob("*/"))) == 1


def test_few_examples_leave_nothing_behind(tmp_cache, monkeypatch):
    monkeypatch.setattr(cache, "LEAST_EXAMPLES", 4)
    wanted = tokenize_examples(PAIRS, _pair_preprocessor())
    _assert_equal(cached_tokens(PAIRS, _pair_preprocessor()), wanted)
    assert list(tmp_cache.iterdir()) == []


def _truncate(path):
    path.write_bytes(path.read_bytes()[:-4])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _pickle(path):
    np.save(path, np.array([{}], object), allow_pickle=True)


@pytest.mark.parametrize("damage", [_truncate, _flip, _pickle, os.remove])
@pytest.mark.parametrize("name", ["token_ids", "row_splits", "label_mask"])
def test_damage_is_built_anew(tmp_path, count_builds, damage, name):
    preprocessor = _tagging_preprocessor()
    cached_tokens(SENTENCES, preprocessor, tmp_path)
    (path,) = (tmp_path / "tokens").glob(f"*/{name}.npy")
    damage(path)
    wanted = tokenize_examples(SENTENCES, preprocessor)
    for _ in range(2):
        _assert_equal(cached_tokens(SENTENCES, preprocessor, tmp_path), wanted)
    assert len(count_builds) == 2


def test_folder_of_something_else_is_built_anew(tmp_path, count_builds):
    preprocessor = _pair_preprocessor()
    cached_tokens(PAIRS[:2], preprocessor, tmp_path)
    tokens = tmp_path / "tokens"
    foreign = tokens / token_key(PAIRS[:2], preprocessor)
    foreign.rename(tokens / token_key(PAIRS, preprocessor))
    wanted = tokenize_examples(PAIRS, preprocessor)
    _assert_equal(cached_tokens(PAIRS, preprocessor, tmp_path), wanted)
    assert count_builds == [2, 3]


def test_key_changes_with_everything_that_decides_the_arrays(monkeypatch):
    keys = [
        token_key(PAIRS, _pair_preprocessor()),
        token_key(PAIRS[:2], _pair_preprocessor()),
        token_key(PAIRS[::-1], _pair_preprocessor()),
        token_key(PAIRS, _pair_preprocessor(sequence_length=17)),
        token_key(PAIRS, _pair_preprocessor(preset="tiny_sentencepiece")),
        token_key(PAIRS, PairPreprocessor(load_tokenizer("tiny"), ["b", "a"])),
        token_key(SENTENCES, _tagging_preprocessor()),
        token_key(SENTENCES, _tagging_preprocessor(label_piece="first")),
    ]
    # Where one text ends and the next begins counts, too.
    keys += [
        token_key([PairExample(*fields)], _pair_preprocessor())
        for fields in (("ab", "c", "a"), ("a", "bc", "a"), ("a", "b", "ca"))
    ]
    keys += [
        token_key([TaggedSentence(*fields)], _tagging_preprocessor())
        for fields in ((("a", "b"), ("D", "N")), (("a",), ("b",)))
    ]
    monkeypatch.setattr(cache, "_code_digest", lambda: b"other")
    keys.append(token_key(PAIRS, _pair_preprocessor()))
    assert len(set(keys)) == len(keys)


def test_key_does_not_change_with_what_decides_nothing():
    key = token_key(PAIRS, _pair_preprocessor())
    assert key == token_key(tuple(PAIRS), _pair_preprocessor(name="other"))
    assert key == token_key(PAIRS, _pair_preprocessor(use_segment_ids=False))
    default = token_key(SENTENCES, _tagging_preprocessor())
    assert default == token_key(
        SENTENCES, _tagging_preprocessor(label_piece="first_content")
    )


def test_cache_that_cannot_be_written(tmp_path, caplog, count_builds):
    place = tmp_path / "file"
    place.write_text("")
    with caplog.at_level(logging.WARNING):
        arrays = cached_tokens(PAIRS, _pair_preprocessor(), place)
    _assert_equal(arrays, tokenize_examples(PAIRS, _pair_preprocessor()))
    assert count_builds == [3]
    assert "not cached" in caplog.text and "DLFA_TF_CACHE" in caplog.text


def test_wrong_labels_are_an_error_and_leave_no_folder(tmp_path):
    examples = [PairExample("a", "b", "neutral")]
    with pytest.raises(ValueError, match="neutral"):
        cached_tokens(examples, _pair_preprocessor(), tmp_path)
    assert list((tmp_path / "tokens").glob("*/")) == []


CHILD = """
import sys
from dlfa_tf.data import cache
from dlfa_tf.data.readers import PairExample
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
cache.LEAST_EXAMPLES = 1
examples = [PairExample("the cat " * (i % 9), "sees", "a") for i in range(999)]
arrays = cache.cached_tokens(
    examples, PairPreprocessor(load_tokenizer("tiny"), ["a"]), sys.argv[1]
)
print(len(arrays), int(arrays.token_ids.sum()))
"""


@pytest.mark.slow
def test_concurrent_processes_share_one_folder(tmp_path):
    command = [sys.executable, "-c", CHILD, str(tmp_path)]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = {child.communicate()[0] for child in children}
    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(answers) == 1 and answers.pop().startswith("999 ")
    assert len(list((tmp_path / "tokens").glob("*/"))) == 1
    assert not list((tmp_path / "tokens").glob(".*tmp*"))
