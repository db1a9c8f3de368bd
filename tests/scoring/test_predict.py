"""Tests of the way from token arrays to logits and label names."""

import dataclasses

import keras
import keras_hub
import numpy as np
import pytest

from dlfa_tf.data.arrays import tokenize_examples
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.presets import load_tokenizer
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.preprocessing import TaggingPreprocessor
from dlfa_tf.scoring.predict import label_names
from dlfa_tf.scoring.predict import predict_logits
from tests.eager_mode import eagerly

# Rows of one batch are padded together, which moves sums by some bits.
TOLERANCE = 1e-5


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Runs `tf.function`s as Python: tracing takes longer than tiny models."""
    with eagerly():
        yield


def build(cls, preset="tiny"):
    keras.utils.set_random_seed(3)
    return cls.from_preset(
        preset, fusion_layer=1, labels=["A", "B", "C"], sequence_length=16
    )


@pytest.fixture(scope="module")
def tagger():
    return build(DLFATokenClassifier)


@pytest.fixture(scope="module")
def classifier():
    return build(DLFATextClassifier, "tiny_sentencepiece")


def logits_of(model, examples, batch_size=4):
    arrays = tokenize_examples(examples, model.preprocessor)
    logits = predict_logits(
        model,
        arrays,
        batch_size=batch_size,
        pad_id=model.preprocessor.pieces.pad_id,
        use_segment_ids=model.preprocessor.use_segment_ids,
    )
    assert logits.dtype == np.float32
    return logits, arrays


def sentence(*words):
    return TaggedSentence(words, ("A",) * len(words))


# Lengths in no order; 16 pieces per row, so that the third is split.
SENTENCES = [
    sentence("abc", "d"),
    sentence("a"),
    sentence(*"abcdefghijklmnopqrstuvwxyzabcdefgh"),
    sentence("zz", "zzz", "zzzz", "z"),
    sentence("h", "hello", "you"),
    sentence("qwertyuiopasdfghjkl", "m"),
]
PAIRS = [
    PairExample("the cat", "a dog runs", "A"),
    PairExample("a", "b", "B"),
    PairExample("a house and a dog and a cat", "the garden of the house", "C"),
    PairExample("old book", "el gato", "A"),
    PairExample("perro", "el perro corre", "C"),
]


@pytest.fixture(scope="module")
def pair_logits(classifier):
    """Logits of `PAIRS`, by the model's own method, one by one."""
    return [
        classifier.predict_on_batch(([pair.first], [pair.second]))[0]
        for pair in PAIRS
    ]


@pytest.fixture(scope="module")
def word_logits(tagger):
    """Logits of the words of `SENTENCES`, by the model's own method."""
    sentences = [list(s.words) for s in SENTENCES]
    padded = tagger.predict(sentences, batch_size=1)
    return np.concatenate(
        [x[: len(s)] for x, s in zip(padded, sentences, strict=True)]
    )


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_pair_logits_are_the_models_own_in_order(
    classifier, pair_logits, batch_size
):
    logits, _ = logits_of(classifier, PAIRS, batch_size)
    np.testing.assert_allclose(logits, pair_logits, atol=TOLERANCE)
    assert logits.std(axis=0).min() > 1e-4


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_word_logits_are_the_models_own_in_order(
    tagger, word_logits, batch_size
):
    logits, arrays = logits_of(tagger, SENTENCES, batch_size)
    assert len(logits) == sum(len(s.words) for s in SENTENCES)
    assert len(arrays) > len(SENTENCES)
    np.testing.assert_allclose(logits, word_logits, atol=TOLERANCE)
    assert logits.std(axis=0).min() > 1e-4


def test_order_of_the_pairs_does_not_matter(classifier):
    order = np.random.default_rng(1).permutation(len(PAIRS))
    logits, _ = logits_of(classifier, PAIRS)
    shuffled, _ = logits_of(classifier, [PAIRS[i] for i in order])
    np.testing.assert_allclose(shuffled, logits[order], atol=TOLERANCE)


def test_order_of_the_sentences_does_not_matter(tagger):
    order = np.random.default_rng(1).permutation(len(SENTENCES))
    logits, arrays = logits_of(tagger, SENTENCES)
    shuffled, _ = logits_of(tagger, [SENTENCES[i] for i in order])
    parts = np.split(logits, arrays.word_splits[1:-1])
    np.testing.assert_allclose(
        shuffled, np.concatenate([parts[i] for i in order]), atol=TOLERANCE
    )


def test_long_sentence_is_merged_word_for_word(tagger):
    words = SENTENCES[2].words
    logits, arrays = logits_of(tagger, [SENTENCES[2]])
    assert (len(arrays), len(logits)) == (3, len(words))
    names = label_names(logits, arrays, ("A", "B", "C"))
    assert [len(tags) for tags in names] == [len(words)]
    assert names == tagger.tag([list(words)])
    # The rows are what the words give that stand in them.
    rows = [words[:14], words[14:28], words[28:]]
    apart, _ = logits_of(tagger, [sentence(*row) for row in rows])
    np.testing.assert_allclose(logits, apart, atol=TOLERANCE)


def test_padding_does_not_matter(tagger):
    alone, _ = logits_of(tagger, SENTENCES[:1])
    beside, _ = logits_of(tagger, SENTENCES, batch_size=64)
    np.testing.assert_allclose(beside[: len(alone)], alone, atol=TOLERANCE)


def test_names_of_pairs_follow_the_highest_logit(classifier):
    _, arrays = logits_of(classifier, PAIRS[:3])
    logits = np.array([[0, 1, 0], [5, 1, 4], [-3, -2, -1]], np.float32)
    assert label_names(logits, arrays, ("x", "y", "z")) == ["y", "x", "z"]


def test_names_of_words_are_grouped_by_sentence(tagger):
    _, arrays = logits_of(tagger, SENTENCES[:2])
    logits = np.eye(3, dtype=np.float32)
    names = label_names(logits, arrays, ("x", "y", "z"))
    assert names == [["x", "y"], ["z"]]


def test_sentence_without_words_has_no_names(tagger):
    _, arrays = logits_of(tagger, SENTENCES[:2])
    arrays = dataclasses.replace(arrays, word_splits=np.array([0, 2, 2, 3]))
    names = label_names(np.eye(3), arrays, ("x", "y", "z"))
    assert names == [["x", "y"], [], ["z"]]


def test_rows_as_long_as_the_encoder_has_positions():
    """Rounded up they would be longer, which the encoder cannot take."""
    encoder = keras_hub.models.BertBackbone(
        vocabulary_size=57,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=8,
        max_sequence_length=14,
    )
    tokenizer = load_tokenizer("tiny")
    model = DLFATokenClassifier(
        DLFABackbone(encoder),
        preprocessor=TaggingPreprocessor(
            tokenizer, labels=["A", "B"], sequence_length=14
        ),
    )
    logits, arrays = logits_of(model, SENTENCES)
    assert arrays.row_lengths.max() == 14
    assert np.isfinite(logits).all()
