"""Tokenised arrays equal what the preprocessor itself gives."""

import keras
import numpy as np
import pytest

from dlfa_tf.data import arrays as arrays_module
from dlfa_tf.data.arrays import tokenize_examples
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.data.sources import Source
from dlfa_tf.data.tasks import SAMPLE_LANGUAGES
from dlfa_tf.data.tasks import TASKS
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.preprocessing.pair_preprocessor import PairPreprocessor
from dlfa_tf.preprocessing.tagging_preprocessor import TaggingPreprocessor

PRESETS = ["tiny", "tiny_sentencepiece"]
TAGS = ("NOUN", "VERB", "PUNCT")
LABELS = ("contradiction", "entailment", "neutral")

# Words that tokenizers stumble over: without pieces after cleaning, with
# spaces inside, of other scripts, longer than a row.
ODD_WORDS = (
    "\u200b",
    "\ufffd",
    "\0",
    " ",
    "\u00a0",
    "a b",
    "a\u3000b",
    "\u200ccat",
    "猫看书",
    "ภาษาไทย",
    "ज़ुबान",
    "👩\u200d👧",
    "...",
    "▁",
    "[SEP]",
    "</s>",
    "dog" * 400,
)


@pytest.fixture(scope="module", params=PRESETS)
def tokenizer(request):
    return load_tokenizer(request.param)


@pytest.fixture(scope="module")
def tagging(tokenizer):
    """Shared, as tracing one takes a second."""
    return TaggingPreprocessor(tokenizer, TAGS, sequence_length=24)


def _sentences(count, random, longest=12):
    words = ["the", "cat", "sees", "gato", "дом", "猫", "x", *ODD_WORDS[:4]]
    sentences = []
    for _ in range(count):
        size = random.integers(1, longest)
        sentences.append(
            TaggedSentence(
                tuple(words[i] for i in random.integers(len(words), size=size)),
                tuple(TAGS[i] for i in random.integers(len(TAGS), size=size)),
            )
        )
    return sentences


def _pairs(count, random):
    def text():
        (sentence,) = _sentences(1, random)
        return " ".join(sentence.words)

    return [
        PairExample(text(), text(), LABELS[random.integers(len(LABELS))])
        for _ in range(count)
    ]


def _rows(arrays, values):
    """Values per piece as one array per row."""
    return np.split(values, arrays.row_splits[1:-1])


def _assert_equal_features(arrays, features):
    """Compares with the padded features of the preprocessor's own call."""
    features = {k: keras.ops.convert_to_numpy(v) for k, v in features.items()}
    mask = features["padding_mask"]
    assert len(arrays) == len(mask)
    np.testing.assert_array_equal(arrays.row_lengths, mask.sum(1))
    np.testing.assert_array_equal(arrays.token_ids, features["token_ids"][mask])
    np.testing.assert_array_equal(
        arrays.segment_ids, features["segment_ids"][mask]
    )
    assert arrays.token_ids.dtype == arrays.labels.dtype == np.int32
    assert arrays.segment_ids.dtype == np.int8
    assert arrays.row_splits.dtype == np.int64
    return mask


def _assert_one_label_per_word(arrays, sentences, labels):
    words = [len(s.words) for s in sentences]
    assert arrays.label_mask.sum() == sum(words)
    np.testing.assert_array_equal(np.diff(arrays.word_splits), words)
    np.testing.assert_array_equal(
        arrays.labels[arrays.label_mask],
        [labels.index(tag) for s in sentences for tag in s.tags],
    )
    assert (arrays.labels[~arrays.label_mask] == -1).all()


# Pairs.


def test_pairs_equal_the_preprocessors_own_call(tokenizer, seed):
    preprocessor = PairPreprocessor(tokenizer, LABELS, sequence_length=24)
    examples = _pairs(1030, np.random.default_rng(seed))
    assert len(examples) > arrays_module._CHUNK
    arrays = tokenize_examples(examples, preprocessor)
    features, labels = preprocessor(
        x=([e.first for e in examples], [e.second for e in examples]),
        y=[e.label for e in examples],
    )
    _assert_equal_features(arrays, features)
    np.testing.assert_array_equal(arrays.labels, labels)
    assert arrays.label_mask is None and arrays.word_splits is None
    assert len(arrays) == len(examples)
    # Some were cut, some were not.
    assert arrays.row_lengths.max() == 24
    assert arrays.row_lengths.min() < 24


def test_labels_take_the_preprocessors_order(eager):
    examples = [PairExample("cat", "dog", label) for label in LABELS]
    preprocessor = PairPreprocessor(load_tokenizer("tiny"), LABELS[::-1])
    assert tokenize_examples(examples, preprocessor).labels.tolist() == [
        2,
        1,
        0,
    ]


# Tagging.


def test_tags_equal_the_preprocessors_own_call(tagging, seed):
    sentences = _sentences(1030, np.random.default_rng(seed))
    assert len(sentences) > arrays_module._CHUNK
    arrays = tokenize_examples(sentences, tagging)
    features, labels = tagging(
        [s.words for s in sentences], y=[s.tags for s in sentences]
    )
    mask = _assert_equal_features(arrays, features)
    labels = keras.ops.convert_to_numpy(labels)
    np.testing.assert_array_equal(arrays.labels, labels[mask])
    assert (labels[~mask] == -1).all()
    _assert_one_label_per_word(arrays, sentences, TAGS)
    # Some sentences were split.
    assert arrays.row_lengths.max() <= 24
    assert len(arrays) > len(sentences)


def test_every_odd_word_has_one_label(tagging):
    words = ODD_WORDS * 3
    tags = [TAGS[i % 3] for i in range(len(words))]
    sentences = [TaggedSentence(words, tuple(tags))]
    sentences += [TaggedSentence((w,), ("VERB",)) for w in ODD_WORDS]
    arrays = tokenize_examples(sentences, tagging)
    _assert_one_label_per_word(arrays, sentences, TAGS)
    assert arrays.row_lengths.max() <= 24


def test_long_sentences_are_split_and_nothing_is_lost(tokenizer, seed):
    sentences = _sentences(40, np.random.default_rng(seed), longest=90)
    whole, split = (
        tokenize_examples(
            sentences,
            TaggingPreprocessor(
                tokenizer, TAGS, sequence_length=n, label_piece="first"
            ),
        )
        for n in (512, 12)
    )
    assert len(whole) == len(sentences)
    assert len(split) > 3 * len(sentences)
    assert split.row_lengths.max() <= 12
    _assert_one_label_per_word(split, sentences, TAGS)

    def inner(arrays, values):
        # Without the two special pieces of every row.
        return np.concatenate([row[1:-1] for row in _rows(arrays, values)])

    for name in ("token_ids", "labels", "label_mask"):
        np.testing.assert_array_equal(
            inner(split, getattr(split, name)),
            inner(whole, getattr(whole, name)),
        )
    # Every row begins with the first piece of a word.
    for mask in _rows(split, split.label_mask):
        assert mask[1] and not mask[0] and not mask[-1]


def test_sentences_without_words(eager):
    preprocessor = TaggingPreprocessor(load_tokenizer("tiny"), TAGS)
    nothing = TaggedSentence((), ())
    arrays = tokenize_examples([nothing, nothing], preprocessor)
    assert arrays.row_lengths.tolist() == [2, 2]
    assert arrays.word_splits.tolist() == [0, 0, 0]
    assert not arrays.label_mask.any()


def test_known_answer(eager):
    preprocessor = TaggingPreprocessor(load_tokenizer("tiny"), TAGS)
    arrays = tokenize_examples(
        [
            TaggedSentence(("ab", "c"), ("NOUN", "PUNCT")),
            TaggedSentence((), ()),
            TaggedSentence(("é",), ("VERB",)),
        ],
        preprocessor,
    )
    # [PAD] [UNK] [CLS] [SEP] [MASK], then a..z, then ##a..##z.
    assert arrays.token_ids.tolist() == [2, 5, 32, 7, 3, 2, 3, 2, 1, 3]
    assert arrays.labels.tolist() == [-1, 0, -1, 2, -1, -1, -1, -1, 1, -1]
    assert arrays.label_mask.tolist() == [x >= 0 for x in arrays.labels]
    assert arrays.row_splits.tolist() == [0, 5, 7, 10]
    assert arrays.row_lengths.tolist() == [5, 2, 3]
    assert arrays.word_splits.tolist() == [0, 2, 2, 3]
    assert len(arrays) == 3


def test_every_word_of_the_sample_has_one_label(tokenizer):
    source = Source(task=TASKS["ner"], name="sample")
    sentences = [
        s for name in SAMPLE_LANGUAGES for s in source.load("test", name)
    ]
    labels = TASKS["ner"].labels
    arrays = tokenize_examples(
        sentences, TaggingPreprocessor(tokenizer, labels, sequence_length=32)
    )
    _assert_one_label_per_word(arrays, sentences, labels)


# Errors.


@pytest.mark.parametrize("kind", [PairPreprocessor, TaggingPreprocessor])
def test_no_examples(kind):
    with pytest.raises(
        ValueError, match=r"`examples` is empty. Accepted: one or more\."
    ):
        tokenize_examples([], kind(load_tokenizer("tiny"), LABELS))


@pytest.mark.parametrize("labels", [None, ["entailment"]])
def test_labels_unknown_to_the_preprocessor(labels):
    tokenizer = load_tokenizer("tiny")
    message = (
        r"labels that the preprocessor does not know. Received: \['no', "
        r"'yes'\]. Accepted \(its `labels`\): "
    )
    pairs = [PairExample("a", "b", x) for x in ("yes", "no")]
    with pytest.raises(ValueError, match=message):
        tokenize_examples(pairs, PairPreprocessor(tokenizer, labels))
    sentence = TaggedSentence(("a", "b"), ("yes", "no"))
    with pytest.raises(ValueError, match=message):
        tokenize_examples([sentence], TaggingPreprocessor(tokenizer, labels))


def test_many_calls_trace_the_tokenizer_once():
    preprocessor = TaggingPreprocessor(load_tokenizer("tiny"), labels=["X"])
    for words in (("a",), ("b", "c"), ("d",) * 200):
        tokenize_examples(
            [TaggedSentence(words, ("X",) * len(words))], preprocessor
        )
    traces = preprocessor.compiled_encode.experimental_get_tracing_count()
    assert traces == 1
