"""Tests of the preprocessor of words and tags, by hand on tiny vocabularies.

In the WordPiece vocabulary [PAD] is 0, [UNK] 1, [CLS] 2, [SEP] 3, a to z are
5 to 30 and ##a to ##z 31 to 56.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.preprocessing import TaggingPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import spread_labels

UNK, CLS, SEP = 1, 2, 3
TAGS = ["O", "B", "I"]


@pytest.fixture(scope="module")
def bert(bert_tokenizer):
    return TaggingPreprocessor(bert_tokenizer, labels=TAGS, sequence_length=8)


@pytest.fixture(scope="module")
def xlmr(xlmr_tokenizer):
    return TaggingPreprocessor(xlmr_tokenizer, labels=TAGS)


def lists(features):
    return {
        k: keras.ops.convert_to_numpy(v).tolist() for k, v in features.items()
    }


FEATURES = {
    "token_ids": [[CLS, 5, 32, 7, SEP], [CLS, 8, SEP, 0, 0]],
    "padding_mask": [[True] * 5, [True] * 3 + [False] * 2],
    "segment_ids": [[0] * 5, [0] * 5],
}
LABELS = [[-1, 1, -1, 0, -1], [-1, 2, -1, -1, -1]]


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (["ab c", " d "], ["B O", "I"]),
        ([["ab", "c"], ["d"]], [["B", "O"], ["I"]]),
        ([("ab", "c"), ("d",)], [(1, 0), (2,)]),
        ([np.array(["ab", "c"]), np.array(["d"])], [np.array([1, 0]), [2]]),
        (tf.constant(["ab c", "d"]), tf.constant(["B O", "I"])),
        (tf.ragged.constant([["ab", "c"], ["d"]]), [["B", "O"], ["I"]]),
        (
            tf.ragged.constant([["ab", "c"], ["d"]]),
            tf.ragged.constant([[1, 0], [2]], row_splits_dtype=tf.int32),
        ),
        (
            tf.ragged.constant([["ab", "c"], ["d"]], row_splits_dtype=tf.int32),
            tf.ragged.constant([["B", "O"], ["I"]]),
        ),
        (["ab\u00a0c", "\u3000d\u2003"], ["B\tO", "I\n"]),
        ([b"ab c", b"d"], [b"B O", b"I"]),
        (list(np.array(["ab c", "d"])), list(np.array(["B O", "I"]))),
    ],
    ids=[
        "texts",
        "lists",
        "ids",
        "arrays",
        "tensors",
        "ragged words",
        "tags with short row splits",
        "words with short row splits",
        "Unicode spaces",
        "bytes",
        "strings of NumPy",
    ],
)
def test_words_and_tags(bert, x, y):
    features, labels = bert(x, y=y)
    assert lists(features) == FEATURES
    assert labels.numpy().tolist() == LABELS
    assert lists(bert(x)) == FEATURES


def test_words_as_a_rectangle(bert):
    x = np.array([["ab", "c"], ["d", "e"]])
    _, labels = bert(x, y=np.array([[0, 1], [2, 0]]))
    assert labels.numpy().tolist() == [[-1, 0, -1, 1, -1], [-1, 2, 0, -1, -1]]


def test_scalar_is_a_batch_of_one(bert):
    features, labels = bert("ab c", y="B O")
    assert lists(features)["token_ids"] == [[CLS, 5, 32, 7, SEP]]
    assert labels.numpy().tolist() == [[-1, 1, -1, 0, -1]]


def test_types(bert):
    features, labels = bert(["a"], y=["O"])
    values = {**features, "labels": labels}
    dtypes = {
        k: keras.backend.standardize_dtype(v.dtype) for k, v in values.items()
    }
    assert dtypes == {
        "token_ids": "int32",
        "padding_mask": "bool",
        "segment_ids": "int32",
        "labels": "int32",
    }


def test_words_of_a_text_stay_whole_for_one_label(bert):
    # Punctuation splits a word into pieces, not into words.
    features, labels = bert([["a.b"]], y=[["B"]])
    assert lists(features)["token_ids"] == [[CLS, 5, UNK, 6, SEP]]
    assert labels.numpy().tolist() == [[-1, 1, -1, -1, -1]]


def test_word_without_pieces_is_unknown_and_keeps_its_label(bert):
    features, labels = bert(
        [["a", "\u200b", "", "b"]], y=[["O", "B", "I", "O"]]
    )
    assert lists(features)["token_ids"] == [[CLS, 5, UNK, UNK, 6, SEP]]
    assert labels.numpy().tolist() == [[-1, 0, 1, 2, 0, -1]]


def test_invalid_bytes_keep_the_number_of_words(bert):
    features, labels = bert([[b"\xff", b"a\xc3"]], y=[["O", "B"]])
    assert lists(features)["token_ids"] == [[CLS, UNK, 5, SEP]]
    assert labels.numpy().tolist() == [[-1, 0, 1, -1]]


def test_long_sentence_goes_on_in_a_further_row(bert):
    features, labels = bert(
        ["abc de fg h abcdefg i", "z"], y=["O B I O B I", "B"]
    )
    assert lists(features)["token_ids"] == [
        [CLS, 5, 32, 33, 8, 35, SEP],
        # A word of seven pieces is more than a row of six.
        [CLS, 10, 37, 12, UNK, 13, SEP],
        [CLS, 30, SEP, 0, 0, 0, 0],
    ]
    assert labels.numpy().tolist() == [
        [-1, 0, -1, -1, 1, -1, -1],
        [-1, 2, -1, 0, 1, 2, -1],
        [-1, 1, -1, -1, -1, -1, -1],
    ]
    words = bert.as_words(["abc de fg h abcdefg i", "z"])
    assert bert.encode_words(words).row_sentence.numpy().tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("x", "y", "rows"),
    [
        ([""], [""], 1),
        (["", " \u3000 "], ["", ""], 2),
        ([[]], [[]], 1),
        ([[], []], [[], []], 2),
        ([[], ["a"]], [[], ["O"]], 2),
    ],
)
def test_empty_sentences_have_one_row_each(bert, x, y, rows):
    features, labels = bert(x, y=y)
    assert len(features["token_ids"]) == len(labels) == rows
    assert lists(features)["token_ids"][0][:2] == [CLS, SEP]
    assert set(labels.numpy()[0].tolist()) == {-1}


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([], []),
        (tf.constant([], tf.string), tf.constant([], tf.string)),
        (np.array([], str), np.array([], str)),
    ],
)
def test_empty_batch(bert, x, y):
    features, labels = bert(x, y=y)
    shapes = {tuple(value.shape) for value in features.values()}
    assert shapes == {(0, 1)} == {tuple(labels.shape)}


@pytest.fixture(scope="module")
def sentence(xlmr_tokenizer):
    """Words of two pieces with a bare "▁" before, and of one without."""
    pieces = ["▁", "猫", "▁a", "▁ca", "t"]
    bare, cat, a, ca, t = map(xlmr_tokenizer.token_to_id, pieces)
    return ["猫", "a", "cat", "猫a"], [0, bare, cat, a, ca, t, bare, cat], 4


def test_label_is_on_the_first_content_piece_of_sentencepiece(xlmr, sentence):
    words, ids, num_words = sentence
    features, labels = xlmr([words], y=[["B", "I", "O", "B"]])
    (found,) = lists(features)["token_ids"]
    assert found[: len(ids)] == ids
    (labels,) = labels.numpy().tolist()
    assert labels[: len(ids)] == [-1, -1, 1, 2, 0, -1, -1, 1]
    assert sum(label >= 0 for label in labels) == num_words
    assert xlmr.resolved_label_piece == "first_content"


def test_label_piece_first_is_xtremes_rule(xlmr_tokenizer, sentence):
    words, ids, _ = sentence
    first = TaggingPreprocessor(xlmr_tokenizer, TAGS, label_piece="first")
    _, labels = first([words], y=[["B", "I", "O", "B"]])
    labels = labels.numpy().tolist()[0][: len(ids)]
    assert labels == [-1, 1, -1, 2, 0, -1, 1, -1]
    assert first.resolved_label_piece == "first"


def test_unknown_piece_is_content(xlmr, xlmr_tokenizer):
    features, labels = xlmr([["Q"]], y=[["B"]])
    bare = xlmr_tokenizer.token_to_id("▁")
    assert lists(features)["token_ids"] == [[0, bare, 3, 2]]
    assert labels.numpy().tolist() == [[-1, -1, 1, -1]]


def test_wordpiece_has_no_bare_space(bert_tokenizer, bert):
    content = TaggingPreprocessor(
        bert_tokenizer, TAGS, label_piece="first_content"
    )
    x, y = [["ab", "c"]], [["B", "O"]]
    np.testing.assert_array_equal(content(x, y=y)[1], bert(x, y=y)[1])
    assert bert.resolved_label_piece == "first"


def test_unknown_label_piece_is_refused(bert_tokenizer):
    with pytest.raises(
        ValueError,
        match=r"`label_piece` is unknown. Received: 'last'. "
        r"Accepted: \('first', 'first_content'\) or None",
    ):
        TaggingPreprocessor(bert_tokenizer, label_piece="last")


def test_without_segment_ids(bert_tokenizer):
    preprocessor = TaggingPreprocessor(bert_tokenizer, use_segment_ids=False)
    assert set(preprocessor(["a"])) == {"token_ids", "padding_mask"}


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (["ab c", "d"], ["B O", "I O"]),
        (["ab c", "d"], ["B", "I"]),
        ([["ab", "c"], ["d"]], [["B"], ["O", "I"]]),
        ([["ab", "c"], []], [[1, 0], [0]]),
    ],
    ids=["more", "fewer", "shifted", "for no words"],
)
def test_other_number_of_tags_is_refused(bert, x, y):
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="Every word needs one tag"
    ):
        bert(x, y=y)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (["a", "b"], ["O"]),
        (["a"], ["O", "O"]),
        (["a b", "c d", "e f"], ["O O", "O O"]),
        ([""], ["", ""]),
        ([], ["O"]),
        ("a b", ["O", "O"]),
    ],
)
def test_other_number_of_sentences_is_refused(bert, x, y):
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="must have the tags of every"
    ):
        bert(x, y=y)


def test_other_number_of_tags_is_refused_in_a_data_set(bert):
    data = tf.data.Dataset.from_tensors((["ab c"], ["B"])).map(bert)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="Every word needs one tag"
    ):
        list(data)


def test_unknown_tag_is_refused(bert):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        bert(["ab c"], y=["B X"])
    assert "Unknown label" in str(caught.value)
    assert "'X'" in str(caught.value)


def test_sample_weight_is_refused(bert):
    with pytest.raises(ValueError, match="`sample_weight` is not supported"):
        bert(["a"], y=["O"], sample_weight=[1.0])


def test_bare_tuple_is_refused(bert):
    with pytest.raises(
        ValueError, match=r"by keyword.* Received: a tuple of 2"
    ):
        bert((["ab c"], ["B O"]))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            tf.constant([["a"]]),
            None,
            r"`x` has .* dense string of shape \(1, 1\)",
        ),
        ([1, 2], None, r"`x` has .* dense int32 of shape \(2,\)"),
        ([[1, 2]], None, "`x` has .* ragged int32 of shape"),
        (["a b", ["c"]], None, "`x` must not mix .* 'a b' beside a list"),
        ([["a"], ["b"]], [["O"], "O"], "`y` must not mix .* 'O' beside a"),
        (tf.ragged.constant([[1]]), None, "`x` has .* ragged int32 of shape"),
        (tf.ragged.constant([[["a"]]]), None, "`x` has .* ragged string of"),
        ("a b", [0, 1], r"`y` has .* dense int32 of shape \(2,\)"),
        ([["a"]], tf.constant([[1]]), "`y` has .* dense int32 of shape"),
        ([["a"]], tf.ragged.constant([[[1]]]), "`y` has .* ragged int32 of"),
    ],
)
def test_other_structures_are_refused(bert, x, y, message):
    with pytest.raises(ValueError, match=message):
        bert(x, y=y)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_data_sets_give_the_same_as_eager(bert, batch):
    x, y = ["ab c", "", "abc de fg h"], ["B O", "", "O B I O"]
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(batch).map(bert)
    for start, (features, labels) in enumerate(data):
        part = slice(start * batch, (start + 1) * batch)
        expected, expected_labels = bert(x[part], y=y[part])
        assert lists(features) == lists(expected)
        assert labels.numpy().tolist() == expected_labels.numpy().tolist()


def test_data_set_of_ragged_words(bert):
    words = tf.ragged.constant([["ab", "c"], ["d"]])
    tags = tf.ragged.constant([["B", "O"], ["I"]])
    ((features, labels),) = tf.data.Dataset.from_tensors((words, tags)).map(
        bert
    )
    assert lists(features) == FEATURES
    assert labels.numpy().tolist() == LABELS


def test_data_set_of_single_sentences(bert):
    data = tf.data.Dataset.from_tensor_slices(["ab c", "d"]).map(bert)
    rows = [features["token_ids"].numpy().tolist() for features in data]
    assert rows == [[[CLS, 5, 32, 7, SEP]], [[CLS, 8, SEP]]]


def test_as_words_splits_texts_and_keeps_words(bert):
    assert bert.as_words(["a  b\u3000c", ""]).to_list() == [
        [b"a", b"b", b"c"],
        [],
    ]
    words = bert.as_words([["a b", ""], []])
    assert words.to_list() == [[b"a b", b""], []]
    assert bert.as_words([[b"\xff"]]).to_list() == [["\ufffd".encode()]]
    assert words.row_splits.dtype == tf.int64


def test_spread_labels_puts_one_label_per_true():
    mask = tf.ragged.constant([[False, True, False], [True, True]])
    labels = tf.ragged.constant([[7], [8, 9]], dtype=tf.int32)
    spread = spread_labels(mask, labels)
    assert spread.to_list() == [[-1, 7, -1], [8, 9]]
    assert spread.dtype == tf.int32


def test_spread_labels_follows_the_words_not_the_rows():
    # One sentence in two rows.
    mask = tf.ragged.constant([[False, True, False], [False, True, False]])
    labels = tf.ragged.constant([[4, 5]], dtype=tf.int32)
    assert spread_labels(mask, labels).to_list() == [[-1, 4, -1], [-1, 5, -1]]
