"""Tests of what the pair and the tagging preprocessor share."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.preprocessing import TaggingPreprocessor
from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL
from dlfa_tf.preprocessing.base_preprocessor import BasePreprocessor
from dlfa_tf.preprocessing.base_preprocessor import at_least_one_column

LABELS = ["no", "yes", "maybe"]


@pytest.fixture
def base(bert_tokenizer):
    return BasePreprocessor(bert_tokenizer, labels=LABELS)


def test_defaults(bert_tokenizer):
    preprocessor = BasePreprocessor(bert_tokenizer)
    assert preprocessor.labels is None
    assert preprocessor.sequence_length == 128
    assert preprocessor.use_segment_ids is True
    assert preprocessor.tokenizer is bert_tokenizer


@pytest.mark.parametrize("length", [7, 1, 0, -1])
def test_short_sequence_length_is_refused(bert_tokenizer, length):
    with pytest.raises(
        ValueError,
        match=f"`sequence_length` is too small. Received: {length}. "
        "Accepted: 8 pieces or more",
    ):
        BasePreprocessor(bert_tokenizer, sequence_length=length)
    BasePreprocessor(bert_tokenizer, sequence_length=8)


@pytest.mark.parametrize("labels", [["a", "b", "a"], []])
def test_repeated_or_no_labels_are_refused(bert_tokenizer, labels):
    with pytest.raises(ValueError, match="`labels` must not .* Received: "):
        BasePreprocessor(bert_tokenizer, labels=labels)


@pytest.mark.parametrize("labels", ["ab", [0, 1], ["a", None]])
def test_labels_must_be_strings(bert_tokenizer, labels):
    with pytest.raises(TypeError, match="sequence of strings. Received: "):
        BasePreprocessor(bert_tokenizer, labels=labels)


@pytest.mark.parametrize("labels", [("x", "y"), np.array(["x", "y"])])
def test_labels_become_a_list_of_plain_strings(bert_tokenizer, labels):
    labels = BasePreprocessor(bert_tokenizer, labels=labels).labels
    assert labels == ["x", "y"]
    assert {type(label) for label in labels} == {str}


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (["yes", "no", "maybe"], [1, 0, 2]),
        (np.array(["yes", "yes"]), [1, 1]),
        ([b"maybe"], [2]),
        ("maybe", 2),
        ([["no", "yes"]], [[0, 1]]),
        ([2, 0], [2, 0]),
        (np.array([1, 2], np.int64), [1, 2]),
        (2, 2),
        (tf.constant([], tf.string), []),
    ],
    ids=str,
)
def test_label_ids(base, y, expected):
    ids = base.label_ids(y)
    assert ids.dtype == tf.int32
    assert ids.numpy().tolist() == expected


def test_label_ids_of_ragged_labels(base):
    y = tf.ragged.constant([["yes"], [], ["no", "maybe"]])
    assert base.label_ids(y).to_list() == [[1], [], [0, 2]]


@pytest.mark.parametrize(
    "y", [["yes", "perhaps"], [["perhaps"]], "perhaps"], ids=str
)
def test_unknown_label_is_named_with_the_accepted_ones(base, y):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        base.label_ids(y)
    message = str(caught.value)
    for part in ("Unknown label. Received:", "perhaps", "Accepted:", *LABELS):
        assert part in message
    assert message.index("perhaps") < message.index("Accepted:")


def test_unknown_label_in_a_data_set_is_named(base):
    batches = tf.data.Dataset.from_tensors(["yes", "perhaps"])
    with pytest.raises(tf.errors.InvalidArgumentError, match="perhaps"):
        list(batches.map(base.label_ids))


def test_label_strings_without_labels_are_refused(bert_tokenizer):
    preprocessor = BasePreprocessor(bert_tokenizer)
    with pytest.raises(ValueError, match="the preprocessor has no `labels`"):
        preprocessor.label_ids(["yes"])
    assert preprocessor.label_ids([3]).numpy() == [3]


def test_features_are_padded_to_the_longest_row(base):
    rows = tf.ragged.constant([[2, 5, 3], [2, 3]], dtype=tf.int32)
    features = base.features(rows, rows * 0 + 1)
    assert list(features) == ["token_ids", "padding_mask", "segment_ids"]
    assert features["token_ids"].numpy().tolist() == [[2, 5, 3], [2, 3, 0]]
    assert features["padding_mask"].numpy().tolist() == [
        [True, True, True],
        [True, True, False],
    ]
    assert features["segment_ids"].numpy().tolist() == [[1, 1, 1], [1, 1, 0]]
    dtypes = [value.dtype for value in features.values()]
    assert dtypes == [tf.int32, tf.bool, tf.int32]


def test_features_without_segments_given_are_of_segment_zero(base):
    rows = tf.ragged.constant([[2, 5, 3]], dtype=tf.int32)
    assert base.features(rows, None)["segment_ids"].numpy().tolist() == [
        [0] * 3
    ]


def test_segment_ids_can_be_left_out(bert_tokenizer):
    preprocessor = BasePreprocessor(bert_tokenizer, use_segment_ids=False)
    rows = tf.ragged.constant([[2, 5, 3]], dtype=tf.int32)
    features = preprocessor.features(rows, rows)
    assert set(features) == {"token_ids", "padding_mask"}


def test_features_use_the_padding_id_of_the_vocabulary(xlmr_tokenizer):
    preprocessor = BasePreprocessor(xlmr_tokenizer)
    rows = tf.ragged.constant([[0, 2], [0, 4, 2]], dtype=tf.int32)
    features = preprocessor.features(rows, None)
    assert features["token_ids"].numpy().tolist() == [[0, 2, 1], [0, 4, 2]]


def test_features_of_no_rows_have_one_column(base):
    rows = tf.RaggedTensor.from_row_lengths(tf.zeros([0], tf.int32), [])
    shapes = [tuple(v.shape) for v in base.features(rows, None).values()]
    assert shapes == [(0, 1)] * 3


@pytest.mark.parametrize(
    ("rows", "filler", "expected"),
    [
        ([[1, 2], [3]], 9, [[1, 2], [3, 9]]),
        ([[], []], 9, [[9], [9]]),
        ([["a"], []], "", [[b"a"], [b""]]),
        ([[True], []], False, [[True], [False]]),
    ],
)
def test_at_least_one_column(rows, filler, expected):
    dtype = tf.constant(filler).dtype
    ragged = tf.ragged.constant(rows, dtype, ragged_rank=1)
    dense = at_least_one_column(ragged, filler)
    assert dense.dtype == dtype
    assert dense.numpy().tolist() == expected


def test_pack_leaves_out_what_is_not_given(base):
    x = {"token_ids": tf.constant([[2]])}
    assert set(base.pack(x, None, None)) == {"token_ids"}
    assert len(base.pack(x, tf.constant([1]), None)) == 2
    packed = base.pack(x, tf.constant([1]), [0.5])
    assert len(packed) == 3
    assert all(keras.ops.is_tensor(value) for value in packed[1:])


def test_tokenizer_is_wrapped_once_and_late(bert_tokenizer):
    preprocessor = BasePreprocessor(bert_tokenizer)
    assert preprocessor._pieces is None
    assert preprocessor.pieces is preprocessor.pieces


def test_other_tokenizers_are_refused_on_first_use():
    preprocessor = BasePreprocessor(tokenizer=None)
    with pytest.raises(TypeError, match="`tokenizer` must be"):
        preprocessor.pieces  # noqa: B018


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (PairPreprocessor, {}),
        (PairPreprocessor, {"labels": LABELS, "use_segment_ids": False}),
        (TaggingPreprocessor, {"labels": LABELS, "sequence_length": 9}),
        (TaggingPreprocessor, {"label_piece": "first_content"}),
    ],
)
@pytest.mark.parametrize("vocabulary", ["bert_tokenizer", "xlmr_tokenizer"])
def test_config_round_trip(cls, options, vocabulary, request):
    tokenizer = request.getfixturevalue(vocabulary)
    preprocessor = cls(tokenizer, **options)
    saved = keras.saving.serialize_keras_object(preprocessor)
    assert saved["registered_name"] == f"dlfa_tf>{cls.__name__}"
    restored = keras.saving.deserialize_keras_object(saved)
    assert type(restored) is cls
    assert type(restored.tokenizer) is type(tokenizer)
    for name in ("labels", "sequence_length", "use_segment_ids"):
        assert getattr(restored, name) == getattr(preprocessor, name)
    assert restored.get_config() == preprocessor.get_config()
    # keras-hub saves the vocabulary as a file; it is set later.
    if vocabulary == "bert_tokenizer":
        restored.tokenizer.set_vocabulary(tokenizer.get_vocabulary())
    else:
        restored.tokenizer.set_proto(tokenizer.proto)
    expected = preprocessor(["a cat"])["token_ids"]
    np.testing.assert_array_equal(restored(["a cat"])["token_ids"], expected)


@pytest.mark.parametrize("cls", [PairPreprocessor, TaggingPreprocessor])
@pytest.mark.parametrize("vocabulary", ["bert_tokenizer", "xlmr_tokenizer"])
def test_first_use_may_be_inside_a_data_set(cls, vocabulary, request):
    preprocessor = cls(request.getfixturevalue(vocabulary))
    batches = tf.data.Dataset.from_tensors(tf.constant(["a cat", "b"]))
    found = next(iter(batches.map(preprocessor)))
    expected = preprocessor(["a cat", "b"])
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_ignored_label_is_below_every_id():
    assert IGNORED_LABEL == -1
