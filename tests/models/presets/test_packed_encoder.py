"""Tests of dlfa_tf.models.presets.packed_encoder."""

import json

import keras_hub
import numpy as np
import pytest

from dlfa_tf.models.presets import load_encoder
from dlfa_tf.models.presets.packed_encoder import pack_encoder
from dlfa_tf.models.presets.packed_encoder import unpack_encoder
from dlfa_tf.models.presets.q4_blocks import dequantize
from dlfa_tf.models.presets.q4_blocks import quantize

ROWS = np.array([0, 3, 4, 7, 50, 9])


@pytest.fixture
def encoder():
    return load_encoder("tiny")


def rows_of(encoder, rows=ROWS):
    """Weights by path, of the token embedding some rows."""
    return {
        w.path: w.numpy()[rows] if w.path.startswith("token_emb") else w.numpy()
        for w in encoder.weights
    }


def test_float32_keeps_every_bit_and_the_order_of_the_rows(encoder):
    meta, arrays = pack_encoder(encoder, ROWS, "float32")
    assert meta["exact"]
    meta = json.loads(json.dumps(meta))  # plain values
    copy = unpack_encoder(meta, arrays)
    wanted = rows_of(encoder)
    for weight in copy.weights:
        assert weight.numpy().tobytes() == wanted[weight.path].tobytes()
    ids = np.array([[1, 5, 2, 0]])
    mask = np.array([[1, 1, 1, 0]])
    outputs = [
        model({"token_ids": x, "segment_ids": 0 * x, "padding_mask": mask})
        for model, x in ((encoder, ROWS[ids]), (copy, ids))
    ]
    np.testing.assert_array_equal(*(x["sequence_output"] for x in outputs))


def test_auto_takes_float16_where_four_bits_would_round(encoder):
    meta, arrays = pack_encoder(encoder, ROWS)
    assert (meta["format"], meta["exact"]) == ("float16", False)
    assert {array.dtype for array in arrays.values()} == {np.dtype("float16")}
    wanted = rows_of(encoder)
    for weight in unpack_encoder(meta, arrays).weights:
        # Half precision has 11 bits.
        np.testing.assert_allclose(weight, wanted[weight.path], rtol=2**-11)


def quantize_encoder(encoder):
    """Rounds to 4-bit blocks as weights files do: (outputs, inputs), rows."""
    for weight in encoder.weights:
        value = weight.numpy()
        if weight.path.startswith("token_embedding"):
            # 8 columns: four rows share a block, so these are kept together.
            blocks = quantize(value)
            weight.assign(dequantize(blocks)[: value.size].reshape(value.shape))
        elif weight.path.endswith("/kernel") and "pooled" not in weight.path:
            first = "/query/" in weight.path or "/key/" in weight.path
            first = first or "/value/" in weight.path
            inputs = value.shape[0] if first else value.size // value.shape[-1]
            matrix = value.reshape(inputs, -1).T
            matrix = dequantize(quantize(matrix)).reshape(matrix.shape)
            weight.assign(matrix.T.reshape(value.shape))


def test_auto_takes_four_bits_where_nothing_is_lost(encoder):
    quantize_encoder(encoder)
    rows = np.arange(56)  # whole blocks
    meta, arrays = pack_encoder(encoder, rows)
    assert (meta["format"], meta["exact"]) == ("q4", True)
    wanted = rows_of(encoder, rows)
    for weight in unpack_encoder(meta, arrays).weights:
        assert weight.numpy().tobytes() == wanted[weight.path].tobytes()
    kernels = [a for a in arrays.values() if a.dtype.names]
    assert len(kernels) == 1 + 3 * 6


def test_four_bits_when_asked_for_say_that_they_round(encoder):
    meta, _ = pack_encoder(encoder, ROWS, "q4")
    assert (meta["format"], meta["exact"]) == ("q4", False)


def test_policy_of_the_copy(encoder):
    packed = pack_encoder(encoder, ROWS, "float32")
    copy = unpack_encoder(*packed, dtype="mixed_bfloat16")
    assert copy.dtype_policy.name == "mixed_bfloat16"
    block = copy.get_layer("transformer_layer_1")
    assert block.dtype_policy.name == "mixed_bfloat16"
    assert copy.weights[0].dtype == "float32"


def test_encoder_without_segments():
    encoder = keras_hub.models.XLMRobertaBackbone(
        vocabulary_size=30, num_layers=2, num_heads=2, hidden_dim=8,
        intermediate_dim=16, max_sequence_length=16,
    )  # fmt: skip
    meta, arrays = pack_encoder(encoder, np.arange(9), "float32")
    assert meta["exact"]
    assert unpack_encoder(meta, arrays).vocabulary_size == 9


def test_what_does_not_fit_is_refused(encoder):
    with pytest.raises(ValueError, match="Received: 'q5'. Accepted: auto"):
        pack_encoder(encoder, ROWS, "q5")
    meta, arrays = pack_encoder(encoder, ROWS, "float32")
    meta["weights"][0]["shape"] = [1]
    with pytest.raises(ValueError, match="another version of keras-hub"):
        unpack_encoder(meta, arrays)


@pytest.mark.slow
@pytest.mark.weights
def test_e5_small_multi_is_kept_bit_for_bit_in_four_bits(seed):
    try:
        encoder = load_encoder("e5_small_multi")
    except (ImportError, OSError) as error:
        pytest.skip(f"the preset is not at hand: {error}")
    rows = np.random.default_rng(seed).permutation(250037)[:5000]
    meta, arrays = pack_encoder(encoder, rows)
    assert (meta["format"], meta["exact"]) == ("q4", True)
    wanted = rows_of(encoder, rows)
    for weight in unpack_encoder(meta, arrays).weights:
        assert weight.numpy().tobytes() == wanted[weight.path].tobytes()
    # 21.3 million numbers of the blocks and 1.9 million of the embedding.
    assert sum(array.nbytes for array in arrays.values()) < 15e6
