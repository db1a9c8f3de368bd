"""A small encoder, and what it is asked."""

import keras_hub
import numpy as np
import pytest


@pytest.fixture
def bert():
    """A BertBackbone of 3 blocks and width 8, no weight at a special value."""
    encoder = keras_hub.models.BertBackbone(
        vocabulary_size=30,
        num_layers=3,
        num_heads=2,
        hidden_dim=8,
        intermediate_dim=16,
        max_sequence_length=16,
    )
    generator = np.random.default_rng(5)
    for weight in encoder.weights:
        noise = generator.normal(0.0, 0.3, tuple(weight.shape))
        weight.assign(weight + noise.astype("float32"))
    return encoder


@pytest.fixture
def bert_inputs():
    """Two rows of 5 positions, the second with 3 real tokens."""
    token_ids = np.array([[1, 5, 6, 7, 2], [1, 9, 2, 0, 0]])
    return {
        "token_ids": token_ids,
        "segment_ids": (token_ids > 5).astype("int32"),
        "padding_mask": (token_ids > 0).astype("int32"),
    }
