"""Python, tf.data and a SavedModel give the same pieces for any text."""

import pytest
import tensorflow as tf
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor

VOCABULARIES = ("script_tokenizer", "xlmr_tokenizer")
LENGTH = 12
# Ends and joins of words, what cleaning drops, what no vocabulary has.
HOSTILE = (
    "",
    " ",
    "\u3000\u2003",
    "\u200b",
    "a\u200db\u200cc",
    "\ufeffa\ufffd",
    "a\x00b\x01\x85",
    "x\u2028y\u2029z",
    "e\u0301" * 9,
    "👩\u200d👩\u200d👧\U0001f3fd",
    "𐍈𠀀𝔘",
    "...!?--",
    "[SEP] </s> <mask>",
    "▁▁ ▁a",
    "ภ" * 130,
    "က" * 101,
    "word" * 60,
)


def _saved(function, signature, tracked, folder):
    """The function as a SavedModel gives it back."""
    module = tf.Module()
    module.call = tf.function(function, input_signature=signature)
    module.tracked = list(tracked)
    tf.saved_model.save(module, str(folder))
    return tf.saved_model.load(str(folder)).call


def _batches(function, inputs):
    """The function in a data set, two examples at a time."""
    dataset = tf.data.Dataset.from_tensor_slices(inputs).batch(2)
    return list(dataset.map(lambda *x: function(*x)))


def _texts(bert_reference):
    return [*bert_reference.scripts.values(), *HOSTILE]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_pairs(vocabulary, request, bert_reference, tmp_path):
    texts = _texts(bert_reference)
    first, second = tf.constant(texts), tf.constant(texts[::-1])
    preprocessor = PairPreprocessor(
        request.getfixturevalue(vocabulary), sequence_length=LENGTH
    )
    function, signature = preprocessor.encode_signature()
    eager = function(first, second)
    in_data_set = _batches(function, (first, second))
    saved = _saved(
        function, signature, preprocessor.pieces.resources, tmp_path
    )(first, second)
    for name in ("token_ids", "segment_ids"):
        wanted = getattr(eager, name).to_list()
        assert len(wanted) == len(texts)
        assert wanted == [
            row for b in in_data_set for row in getattr(b, name).to_list()
        ]
        assert wanted == getattr(saved, name).to_list()
    assert max(map(len, eager.token_ids.to_list())) == LENGTH


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_tags(vocabulary, request, bert_reference, tmp_path):
    sentences = [text.split(" ") for text in _texts(bert_reference)]
    sentences += [[], [word for s in sentences for word in s]]
    words = tf.RaggedTensor.from_row_lengths(
        tf.constant([w for s in sentences for w in s]),
        [len(s) for s in sentences],
    )
    preprocessor = TaggingPreprocessor(
        request.getfixturevalue(vocabulary), sequence_length=LENGTH
    )
    function, signature = preprocessor.encode_signature()
    eager = function(words)
    in_data_set = _batches(function, words)
    saved = _saved(
        function, signature, preprocessor.pieces.resources, tmp_path
    )(words)
    for name in ("token_ids", "label_mask"):
        wanted = getattr(eager, name).to_list()
        assert wanted == [
            row for b in in_data_set for row in getattr(b, name).to_list()
        ]
        assert wanted == getattr(saved, name).to_list()
    assert eager.row_sentence.numpy().tolist() == (
        saved.row_sentence.numpy().tolist()
    )


# Properties of any words at all. Surrogates are no text.
WORDS = st.lists(
    st.text(
        st.characters(exclude_categories=["Cs"]) | st.sampled_from("ภกaж漢▁'"),
        max_size=12,
    )
    | st.sampled_from(HOSTILE),
    max_size=9,
)


@pytest.fixture(scope="module", params=VOCABULARIES)
def tagging(request):
    """A preprocessor for tags and its compiled encoding."""
    preprocessor = TaggingPreprocessor(
        request.getfixturevalue(request.param), sequence_length=LENGTH
    )
    # Compiled: a few milliseconds a call.
    signature = tf.TensorSpec([None], tf.string)
    alone = tf.function(
        preprocessor.pieces.tokenize, input_signature=[signature]
    )
    return preprocessor, preprocessor.compiled_encode, alone


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(sentences=st.lists(WORDS, min_size=1, max_size=4))
def test_words_come_back_whole_and_each_has_one_label(tagging, sentences):
    preprocessor, encode, alone = tagging
    pieces = preprocessor.pieces
    flat = [word for sentence in sentences for word in sentence]
    rows = encode(
        tf.RaggedTensor.from_row_lengths(
            tf.constant(flat, tf.string), [len(s) for s in sentences]
        )
    )
    made = [
        row if 0 < len(row) <= LENGTH - 2 else [pieces.unk_id]
        for row in alone(tf.constant(flat, tf.string)).to_list()
    ]
    ids = rows.token_ids.to_list()
    # No row passes the limit.
    assert all(2 <= len(row) <= LENGTH for row in ids)
    assert all(
        (row[0], row[-1]) == (pieces.start_id, pieces.end_id) for row in ids
    )
    # Put together again, the rows of each sentence are its words.
    merged = [[] for _ in sentences]
    labelled = [0 for _ in sentences]
    order = rows.row_sentence.numpy().tolist()
    assert order == sorted(order)
    for row, mask, sentence in zip(
        ids, rows.label_mask.to_list(), order, strict=True
    ):
        merged[sentence] += row[1:-1]
        labelled[sentence] += sum(mask)
    words = iter(made)
    assert merged == [
        [piece for _ in sentence for piece in next(words)]
        for sentence in sentences
    ]
    # One prediction per word, in every sentence.
    assert labelled == [len(sentence) for sentence in sentences]
