"""Tests of training on the embedding rows in use."""

import keras
import numpy as np
import pytest

from dlfa_tf.data.arrays import TokenArrays
from dlfa_tf.data.arrays import tokenize_examples
from dlfa_tf.data.compact_vocabulary import compact_arrays
from dlfa_tf.data.compact_vocabulary import used_token_ids
from dlfa_tf.data.pipelines import pad_batch
from dlfa_tf.data.readers import PairExample
from dlfa_tf.data.readers import TaggedSentence
from dlfa_tf.models.compact_model import compact_model
from dlfa_tf.models.compact_model import write_back
from dlfa_tf.models.text_classifier import DLFATextClassifier
from dlfa_tf.models.token_classifier import DLFATokenClassifier
from dlfa_tf.scoring.predict import predict_logits

BATCH = 4


def arrays_of(ids):
    return TokenArrays(
        token_ids=np.array(ids, np.int32),
        segment_ids=np.zeros(len(ids), np.int8),
        row_splits=np.array([0, len(ids)], np.int64),
        labels=np.zeros(1, np.int32),
    )


def tagger(seed):
    keras.utils.set_random_seed(seed)
    model = DLFATokenClassifier.from_preset(
        "tiny", fusion_layer=1, labels=["A", "B"]
    )
    sentences = [
        TaggedSentence(("ab", "cab", "dd"), ("A", "B", "A")),
        TaggedSentence(("a", "b"), ("A", "B")),
        TaggedSentence(("cd", "da", "ba", "ac"), ("B", "B", "A", "A")),
        TaggedSentence(("d",), ("B",)),
    ] * 2
    return model, sentences


def classifier(seed):
    keras.utils.set_random_seed(seed)
    model = DLFATextClassifier.from_preset(
        "tiny_sentencepiece", fusion_layer=2, labels=["no", "yes"]
    )
    pairs = [
        PairExample("the cat", "a dog", "no"),
        PairExample("a house", "a house", "yes"),
        PairExample("old dog", "the dog runs", "no"),
        PairExample("a cat", "the cat", "yes"),
    ] * 2
    return model, pairs


def compiled(model):
    model.preprocessor = None
    # The clipping is meant to bite.
    model.compile(
        optimizer=keras.optimizers.AdamW(
            0.01, weight_decay=0.0, epsilon=1e-8, global_clipnorm=0.5
        )
    )
    return model


def train(model, arrays, pad_id, steps):
    for step in range(steps):
        rows = np.arange(BATCH) + BATCH * (step % 2)
        features, labels = pad_batch(arrays, rows, pad_id, True)
        model.train_on_batch(features, labels)


def test_used_ids_are_sorted_and_hold_the_special_ones():
    used = used_token_ids([0, 1, 9], arrays_of([7, 3, 7]), arrays_of([5, 3]))
    assert used.tolist() == [0, 1, 3, 5, 7, 9]
    assert used.dtype == np.int32


def test_ids_are_renumbered_by_their_place():
    arrays = arrays_of([7, 3, 9, 3])
    small = compact_arrays(arrays, np.array([0, 3, 7, 9], np.int32))
    assert small.token_ids.tolist() == [2, 1, 3, 1]
    assert small.token_ids.dtype == np.int32
    assert small.labels is arrays.labels
    assert arrays.token_ids.tolist() == [7, 3, 9, 3]


@pytest.mark.parametrize("unknown", [2, 4, 10])
def test_id_that_is_not_in_use_is_refused(unknown):
    used = np.array([0, 3, 7, 9], np.int32)
    with pytest.raises(ValueError, match="token ids that are not in `used`"):
        compact_arrays(arrays_of([3, unknown]), used)


@pytest.mark.parametrize("build", [tagger, classifier])
def test_untrained_compact_model_predicts_the_same(build, seed, eager):
    full, examples = build(seed)
    arrays = tokenize_examples(examples, full.preprocessor)
    pad_id = full.preprocessor.pieces.pad_id
    used = used_token_ids([pad_id], arrays)
    small = compact_model(full, used)
    assert type(small) is type(full)
    assert small.preprocessor is None
    assert small.labels == full.labels
    assert small.backbone.fusion_layer == full.backbone.fusion_layer
    assert small.backbone.token_embedding.input_dim == len(used)
    settings = {"batch_size": BATCH, "use_segment_ids": True}
    np.testing.assert_array_equal(
        predict_logits(full, arrays, pad_id=pad_id, **settings),
        predict_logits(
            small,
            compact_arrays(arrays, used),
            pad_id=int(np.searchsorted(used, pad_id)),
            **settings,
        ),
    )


@pytest.mark.parametrize("build", [tagger, classifier])
def test_training_gives_the_weights_that_full_training_gives(
    build, seed, eager
):
    """Equal to the bit, dropout included: its seeds are copied."""
    full, examples = build(seed)
    other, _ = build(seed)
    arrays = tokenize_examples(examples, full.preprocessor)
    pad_id = full.preprocessor.pieces.pad_id
    before = full.backbone.token_embedding.get_weights()[0]
    used = used_token_ids([pad_id], arrays)
    assert len(used) < len(before)

    small = compiled(compact_model(other, used))
    small_arrays = compact_arrays(arrays, used)
    train(small, small_arrays, int(np.searchsorted(used, pad_id)), steps=2)
    write_back(other, small, used)
    train(compiled(full), arrays, pad_id, steps=2)

    changed = 0
    for a, b in zip(full.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=a.path)
        changed += 1
    assert changed == len(full.get_weights())
    after = other.backbone.token_embedding.get_weights()[0]
    unused = np.setdiff1d(np.arange(len(before)), used)
    np.testing.assert_array_equal(after[unused], before[unused])
    assert not np.array_equal(after[used], before[used])
    settings = {"batch_size": 3, "pad_id": pad_id, "use_segment_ids": True}
    np.testing.assert_array_equal(
        predict_logits(full, arrays, **settings),
        predict_logits(other, arrays, **settings),
    )
