"""Tests of the warm-up records."""

import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor
from dlfa_tf.serving.contract import SIGNATURES
from dlfa_tf.serving.contract import WARMUP
from dlfa_tf.serving.export.warmup import as_strings
from dlfa_tf.serving.export.warmup import read_warmup
from dlfa_tf.serving.export.warmup import warmup_requests
from dlfa_tf.serving.export.warmup import write_warmup

CLASSES = {"tagger": TaggingPreprocessor, "classifier": PairPreprocessor}


def requests(kind, model, limit=32):
    preprocessor = CLASSES[kind](
        model.preprocessor.tokenizer, sequence_length=40
    )
    return preprocessor, list(warmup_requests(kind, preprocessor, limit))


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("source", ["tagger", "classifier"])
def test_every_signature_is_asked_small_and_large(kind, source, request):
    _, made = requests(kind, request.getfixturevalue(source))
    for name, signature in SIGNATURES[kind].items():
        asked = [inputs for other, inputs in made if other == name]
        assert len(asked) == 7
        for inputs in asked:
            ranks = {key: value.ndim for key, value in inputs.items()}
            declared = {k: f.rank for k, f in signature.inputs.items()}
            assert ranks == declared
        sizes = [len(next(iter(inputs.values()))) for inputs in asked]
        assert sorted(sizes) == [1, 1, 1, 8, 8, 32, 32]
    everything = b" ".join(
        x for _, inputs in made for v in inputs.values() for x in v.flat
    )
    assert not everything.isascii()
    assert any(word.isupper() for word in everything.decode().split())


@pytest.mark.parametrize("source", ["tagger", "classifier"])
def test_long_texts_fill_a_row_and_longest_is_split(source, request):
    preprocessor, made = requests("tagger", request.getfixturevalue(source))
    texts = [v["text"][0] for name, v in made if name == "serving_default"]
    rows = preprocessor.encode_words(preprocessor.as_words(texts))
    lengths = rows.token_ids.row_lengths().numpy()
    per_text = np.bincount(rows.row_sentence.numpy())
    assert per_text.tolist() == [1, 1, 1, 1, 1, 1, 3]
    assert lengths[0] < lengths[3]
    assert 30 < lengths[3] <= 40


def test_sizes_are_not_repeated(tagger):
    _, made = requests("tagger", tagger, limit=1)
    assert [n for n, _ in made].count("embed") == 3


def test_written_records_are_read_back(tmp_path):
    made = [
        ("a", {"text": as_strings(["x", b"\xff", "東"])}),
        ("b", {"words": as_strings([["a", ""], ["b", "c"]])}),
    ]
    assert write_warmup(tmp_path, "model", made) == 2
    found = read_warmup(tmp_path)
    assert [name for name, _ in found] == ["a", "b"]
    for (_, wanted), (_, got) in zip(made, found, strict=True):
        for key, value in wanted.items():
            np.testing.assert_array_equal(value, got[key])


def test_missing_records_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="tf_serving_warmup_requests"):
        read_warmup(tmp_path)


@pytest.mark.parametrize("damage", ["cut", "other record"])
def test_damaged_records_are_named(tmp_path, damage):
    write_warmup(tmp_path, "model", [("a", {"text": as_strings(["x"])})])
    path = tmp_path / WARMUP
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    else:
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(b"\xff")
    with pytest.raises(ValueError, match="warmup_requests is damaged: "):
        read_warmup(tmp_path)


@pytest.mark.parametrize(
    ("value", "rank", "shape"),
    [("a", None, ()), ([], 1, (0,)), ([], 2, (0, 0)), ([[]], 2, (1, 0))],
)
def test_shapes_of_strings(value, rank, shape):
    array = as_strings(value, rank)
    assert array.shape == shape
    assert array.dtype == object
