"""Tests of dlfa_tf.adapting.masked_lm."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.adapting.masked_lm import MaskedLM
from dlfa_tf.models.dlfa_backbone import DLFABackbone
from dlfa_tf.models.presets import load_encoder

pytestmark = pytest.mark.usefixtures("eager")


def test_short_way_to_the_losses_is_that_of_the_model(seed):
    model = MaskedLM(DLFABackbone(load_encoder("tiny")))
    model.vocabulary_weights[1].assign(
        np.linspace(-1, 1, model.output_shape[-1])
    )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    ids = np.random.default_rng(0).integers(5, 40, (2, 6)).astype(np.int32)
    features = {
        "token_ids": ids,
        "segment_ids": 0 * ids,
        "padding_mask": np.ones_like(ids, bool),
        "mask_positions": np.array([[1, 4], [2, 0]], np.int32),
    }
    labels = np.array([[7, 30], [9, -1]], np.int32)
    variables = [v.value for v in model.trainable_variables]
    with tf.GradientTape(persistent=True) as tape:
        ours = model.label_losses(features, labels)
        theirs = keras.losses.sparse_categorical_crossentropy(
            labels, model(features), from_logits=True, ignore_class=-1
        )
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)
    zero = tf.UnconnectedGradients.ZERO
    for a, b in zip(
        tape.gradient(ours, variables, unconnected_gradients=zero),
        tape.gradient(theirs, variables, unconnected_gradients=zero),
        strict=True,
    ):
        a, b = (np.array(tf.convert_to_tensor(x)) for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
