"""Tests of the encoders with random weights."""

import string
import time

import numpy as np

from dlfa_tf.models.presets.tiny import tiny_bert_tokenizer
from dlfa_tf.models.presets.tiny import tiny_encoder
from dlfa_tf.models.presets.tiny import tiny_sentencepiece_tokenizer


def inputs(ids):
    token_ids = np.array([ids], np.int32)
    return {
        "token_ids": token_ids,
        "segment_ids": np.zeros_like(token_ids),
        "padding_mask": np.ones_like(token_ids),
    }


def test_bert_tokenizer_spells_every_lower_case_word():
    tokenizer = tiny_bert_tokenizer()
    assert tokenizer.vocabulary_size() < 60
    ids = tokenizer(f"quiz {string.ascii_lowercase}")
    pieces = [tokenizer.id_to_token(int(i)) for i in ids]
    assert pieces[:5] == ["q", "##u", "##i", "##z", "a"]
    assert len(pieces) == 4 + 26
    assert "[UNK]" not in pieces


def test_bert_tokenizer_gives_unknown_for_the_rest():
    tokenizer = tiny_bert_tokenizer()
    unknown = tokenizer.token_to_id("[UNK]")
    assert [int(i) for i in tokenizer("A 7 é !")] == [unknown] * 4


def test_sentencepiece_training_is_quick_and_repeatable():
    start = time.perf_counter()
    first = tiny_sentencepiece_tokenizer()
    assert time.perf_counter() - start < 1.0
    assert first.proto == tiny_sentencepiece_tokenizer().proto
    assert first.vocabulary_size() < 120


def test_sentencepiece_tokenizer_knows_its_special_tokens_and_letters():
    tokenizer = tiny_sentencepiece_tokenizer()
    assert tokenizer.start_token_id == 0
    assert tokenizer.pad_token_id == 1
    assert tokenizer.end_token_id == 2
    ids = [int(i) for i in tokenizer("the dog кот 猫 قط")]
    assert 3 not in ids
    assert max(ids) < tokenizer.vocabulary_size()
    assert tokenizer.detokenize(ids) == "the dog кот 猫 قط"


def test_encoder_has_the_sizes_of_the_conventions():
    encoder = tiny_encoder(57)
    assert encoder.hidden_dim == 8
    assert encoder.num_heads == 2
    assert encoder.num_layers == 3
    assert encoder.intermediate_dim == 16
    assert encoder.max_sequence_length == 512


def test_encoder_weights_are_always_the_same(seed):
    import keras

    first = tiny_encoder(57)
    keras.utils.set_random_seed(seed + 1)
    second = tiny_encoder(57)
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    # Blocks differ from each other, words too.
    kernel = "{}/feedforward_output_dense/kernel"
    values = {w.path: np.asarray(w) for w in first.weights}
    assert not np.array_equal(
        values[kernel.format("transformer_layer_0")],
        values[kernel.format("transformer_layer_1")],
    )


def test_encoder_without_weights_is_initialised_by_keras():
    encoder = tiny_encoder(57, load_weights=False)
    loaded = tiny_encoder(57)
    assert not np.array_equal(
        np.asarray(encoder.token_embedding.embeddings),
        np.asarray(loaded.token_embedding.embeddings),
    )


def test_encoder_takes_a_policy():
    encoder = tiny_encoder(57, dtype="mixed_bfloat16")
    outputs = encoder(inputs([2, 5, 3]))
    assert "bfloat16" in str(outputs["sequence_output"].dtype)
