"""Tests of dlfa_tf.training.quick_softmax."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.training import quick_softmax

pytestmark = pytest.mark.usefixtures("eager")
MASK = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], bool)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("mask", [MASK, MASK.astype(np.int32), None])
def test_values_and_gradients_are_those_of_keras(dtype, mask):
    random = np.random.default_rng(0)
    scores = tf.cast(random.normal(size=(2, 3, 4, 4)) * 3, dtype)
    factor = tf.cast(random.normal(size=(2, 3, 4, 4)), dtype)
    mask = None if mask is None else mask[:, None, None, :]
    keras_layer = keras.layers.Softmax(dtype=dtype)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(scores)
        ours = quick_softmax.masked_softmax(scores, mask)
        theirs = keras_layer(scores, mask=mask)
        sums = [tf.reduce_sum(x * factor) for x in (ours, theirs)]
    for a, b in (
        (ours, theirs),
        [tape.gradient(x, scores) for x in sums],
    ):
        np.testing.assert_array_equal(
            *(np.array(tf.cast(x, "float32")) for x in (a, b))
        )


def test_attention_layers_use_it(seed):
    layer = keras.layers.MultiHeadAttention(2, 4, dropout=0.1)
    x = np.random.default_rng(0).normal(size=(2, 4, 8)).astype(np.float32)
    inputs = keras.Input((4, 8))
    mask = keras.Input((1, 4), dtype="int32")
    model = keras.Model(
        [inputs, mask], layer(inputs, inputs, attention_mask=mask)
    )
    given = [x, MASK[:, None, :].astype(np.int32)]
    before = np.array(model(given))
    quick_softmax.use_in(model)
    np.testing.assert_array_equal(model(given), before)
    # A row of nothing but padding gives numbers.
    given[1] *= np.array([1, 0])[:, None, None]
    after = np.array(model(given))
    np.testing.assert_array_equal(after[0], before[0])
    assert np.isfinite(after).all()
    assert layer._softmax.call.func is quick_softmax._call
