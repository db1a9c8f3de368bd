"""Tests of the preprocessor of texts and pairs, by hand on tiny vocabularies.

In the WordPiece vocabulary [PAD] is 0, [UNK] 1, [CLS] 2, [SEP] 3, a to z are
5 to 30 and ##a to ##z 31 to 56.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.preprocessing import PairPreprocessor
from dlfa_tf.preprocessing.pair_preprocessor import as_text_dict

CLS, SEP = 2, 3


@pytest.fixture(scope="module")
def bert(bert_tokenizer):
    return PairPreprocessor(
        bert_tokenizer, labels=["no", "yes"], sequence_length=8
    )


@pytest.fixture(scope="module")
def xlmr(xlmr_tokenizer):
    return PairPreprocessor(xlmr_tokenizer, sequence_length=9)


def lists(features):
    return {
        k: keras.ops.convert_to_numpy(v).tolist() for k, v in features.items()
    }


def test_single_texts(bert):
    assert lists(bert(["ab", "c"])) == {
        "token_ids": [[CLS, 5, 32, SEP], [CLS, 7, SEP, 0]],
        "padding_mask": [[True] * 4, [True, True, True, False]],
        "segment_ids": [[0] * 4, [0] * 4],
    }


PAIR = {
    "token_ids": [[CLS, 5, 32, SEP, 7, SEP], [CLS, 8, SEP, 9, SEP, 0]],
    "padding_mask": [[True] * 6, [True] * 5 + [False]],
    "segment_ids": [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 0]],
}


@pytest.mark.parametrize(
    "x",
    [
        (["ab", "d"], ["c", "e"]),
        {"first": ["ab", "d"], "second": ["c", "e"]},
        (np.array(["ab", "d"]), np.array(["c", "e"], object)),
        (tf.constant(["ab", "d"]), tf.constant(["c", "e"])),
        ([b"ab", b"d"], [b"c", b"e"]),
    ],
    ids=["tuple", "dict", "numpy", "tensors", "bytes"],
)
def test_pairs(bert, x):
    assert lists(bert(x)) == PAIR
    assert lists(bert(x=x)) == PAIR


def test_bare_tuple_is_a_pair_also_with_labels(bert):
    features, y = bert((["ab", "d"], ["c", "e"]), y=["yes", "no"])
    assert lists(features) == PAIR
    assert y.numpy().tolist() == [1, 0]


def test_bare_tuple_of_the_labels_names_is_a_pair(bert):
    # Texts that could be taken for labels are texts all the same.
    features = bert((["ab"], ["yes"]))
    assert set(features) == {"token_ids", "padding_mask", "segment_ids"}
    assert lists(features)["segment_ids"] == [[0, 0, 0, 0, 1, 1, 1, 1]]


def test_list_of_two_is_a_batch_of_two_texts(bert):
    assert len(bert(["a", "b"])["token_ids"]) == 2


def test_tuple_of_one_is_a_single_text(bert):
    assert lists(bert((["a"],))) == lists(bert(["a"]))


def test_scalars(bert):
    assert lists(bert("ab")) == {
        "token_ids": [CLS, 5, 32, SEP],
        "padding_mask": [True] * 4,
        "segment_ids": [0] * 4,
    }
    features, y = bert(("ab", "c"), y="yes")
    assert lists(features)["token_ids"] == [CLS, 5, 32, SEP, 7, SEP]
    assert lists(features)["segment_ids"] == [0, 0, 0, 0, 1, 1]
    assert int(y) == 1


def test_pair_too_long_is_cut_longest_first(bert):
    # Five pieces remain; from (4, 3) pieces a goes first, then b.
    features = lists(bert((["abcd"], ["xyz"])))
    assert features["token_ids"] == [[CLS, 5, 32, 33, SEP, 28, 55, SEP]]
    assert features["segment_ids"] == [[0, 0, 0, 0, 0, 1, 1, 1]]


def test_single_text_too_long_is_cut_at_the_end(bert):
    (ids,) = lists(bert(["abcdefghij"]))["token_ids"]
    assert ids == [CLS, 5, 32, 33, 34, 35, 36, SEP]


def test_texts_without_pieces(bert):
    assert lists(bert(["", "\u200b"]))["token_ids"] == [[CLS, SEP]] * 2
    assert lists(bert(([""], [""])))["token_ids"] == [[CLS, SEP, SEP]]


def test_invalid_bytes_are_no_error(bert):
    assert lists(bert([b"a\xffb"]))["token_ids"] == [[CLS, 5, 32, SEP]]


def test_pair_of_an_xlmr_vocabulary(xlmr, xlmr_tokenizer):
    a, ca, t, bare, cat = (
        xlmr_tokenizer.token_to_id(p) for p in ("▁a", "▁ca", "t", "▁", "猫")
    )
    features = lists(xlmr((["a", "cat cat cat"], ["cat", "猫 猫"])))
    assert features["token_ids"] == [
        [0, a, 2, 2, ca, t, 2, 1, 1],
        # Five pieces remain of 6 and 4: three of the first, two of the second.
        [0, ca, t, ca, 2, 2, bare, cat, 2],
    ]
    assert features["segment_ids"] == [[0] * 9] * 2
    assert features["padding_mask"] == [[True] * 7 + [False] * 2, [True] * 9]


@pytest.mark.parametrize("length", [8, 9, 64])
def test_rows_are_padded_to_the_longest_of_the_batch(bert_tokenizer, length):
    preprocessor = PairPreprocessor(bert_tokenizer, sequence_length=length)
    assert preprocessor(["a", "abc"])["token_ids"].shape == (2, 5)
    assert preprocessor(["a" * 90])["token_ids"].shape == (1, length)


def test_without_segment_ids(bert_tokenizer):
    preprocessor = PairPreprocessor(bert_tokenizer, use_segment_ids=False)
    features = preprocessor((["ab", "d"], ["c", "e"]))
    assert lists(features) == {
        k: v for k, v in PAIR.items() if k != "segment_ids"
    }


def test_types(bert):
    features, y = bert(["a"], y=["yes"])
    dtypes = {
        k: keras.backend.standardize_dtype(v.dtype) for k, v in features.items()
    }
    assert dtypes == {
        "token_ids": "int32",
        "padding_mask": "bool",
        "segment_ids": "int32",
    }
    assert keras.backend.standardize_dtype(y.dtype) == "int32"


def test_ids_as_labels_and_sample_weights(bert):
    _, y, weight = bert(["a", "b"], y=[1, 0], sample_weight=[0.5, 2.0])
    assert y.numpy().tolist() == [1, 0]
    assert weight.numpy().tolist() == [0.5, 2.0]


def test_unknown_label(bert):
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unknown label"):
        bert(["a"], y=["perhaps"])


@pytest.mark.parametrize(
    "x", [[], np.array([], str), tf.constant([], tf.string), ([], [])]
)
def test_empty_batch(bert, x):
    shapes = [tuple(value.shape) for value in bert(x).values()]
    assert shapes == [(0, 1)] * 3


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            ("a", "b", "c"),
            "one or two batches of texts. Received: a tuple of 3",
        ),
        ((), "one or two batches of texts. Received: a tuple of 0"),
        ({}, r"the key `first` and, for pairs, `second`. Received: keys \[\]"),
        ({"second": ["a"]}, r"Received: keys \['second'\]"),
        (
            {"first": ["a"], "other": ["a"]},
            r"Received: keys \['first', 'other'\]",
        ),
        ([["a", "b"]], r"first texts .* Received: shape \(1, 2\)"),
        ((["a"], [["b"]]), r"second texts .* Received: shape \(1, 1\)"),
        (
            (["a", "b"], ["c"]),
            r"equal size. Received: shapes \(2,\) and \(1,\)",
        ),
        (("a", ["c"]), r"equal size. Received: shapes \(\) and \(1,\)"),
    ],
)
def test_other_structures_are_refused(bert, x, message):
    with pytest.raises(ValueError, match=message):
        bert(x)


def test_numbers_are_refused(bert):
    with pytest.raises(TypeError, match="must be strings. Received: int32"):
        bert([1, 2])


def test_as_text_dict():
    assert as_text_dict("a") == {"first": "a"}
    assert as_text_dict(["a", "b"]) == {"first": ["a", "b"]}
    assert as_text_dict(("a", "b")) == {"first": "a", "second": "b"}
    assert as_text_dict({"first": "a"}) == {"first": "a"}


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("batch", [1, 2])
def test_data_sets(bert, labelled, batch):
    x = {"first": ["ab", "d"], "second": ["c", "e"]}
    data = tf.data.Dataset.from_tensor_slices(
        (x, ["yes", "no"]) if labelled else x
    )
    found = list(data.batch(batch).map(bert))
    features = [f for f, _ in found] if labelled else found
    rows = [row for f in features for row in f["token_ids"].numpy().tolist()]
    assert [[i for i in row if i] for row in rows] == [
        [i for i in row if i] for row in PAIR["token_ids"]
    ]
    if labelled:
        assert [i for _, y in found for i in y.numpy().tolist()] == [1, 0]


def test_data_set_of_tuples_of_a_pair_and_a_label(bert):
    data = tf.data.Dataset.from_tensors(((["ab", "d"], ["c", "e"]), [1, 0]))
    ((features, y),) = data.map(bert)
    assert lists(features) == PAIR
    assert y.numpy().tolist() == [1, 0]


def test_data_set_of_single_examples(bert):
    data = tf.data.Dataset.from_tensor_slices({"first": ["ab", "c"]})
    rows = [f["token_ids"].numpy().tolist() for f in data.map(bert)]
    assert rows == [[CLS, 5, 32, SEP], [CLS, 7, SEP]]
