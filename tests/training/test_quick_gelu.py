"""Tests of dlfa_tf.training.quick_gelu."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.models.presets import load_encoder
from dlfa_tf.training import quick_gelu

pytestmark = pytest.mark.usefixtures("eager")


# bfloat16 has 8 bits, and every operation rounds.
@pytest.mark.parametrize(
    "dtype, tolerance", [("float32", 1e-6), ("bfloat16", 2e-2)]
)
@pytest.mark.parametrize("approximate", [False, True])
def test_values_and_gradients_are_those_of_keras(dtype, tolerance, approximate):
    ours = quick_gelu.gelu_tanh if approximate else quick_gelu.gelu
    exact = tf.cast(tf.cast(tf.linspace(-12.0, 12.0, 97), dtype), tf.float64)
    x = tf.cast(exact, dtype)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([x, exact])
        found = ours(x)
        wanted = keras.ops.gelu(exact, approximate=approximate)
    assert found.dtype == dtype
    for a, b in (
        (found, wanted),
        (tape.gradient(found, x), tape.gradient(wanted, exact)),
    ):
        a, b = (np.array(tf.cast(value, tf.float64)) for value in (a, b))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_the_activations_of_encoders_are_found():
    keras_hub = load_encoder("tiny").get_layer("transformer_layer_0")
    own = checkpoint_encoders.ACTIVATIONS
    for activation, quick in (
        (keras_hub.activation, quick_gelu.gelu_tanh),
        (own["gelu_tanh"], quick_gelu.gelu_tanh),
        (own["gelu"], quick_gelu.gelu),
        ("gelu", quick_gelu.gelu),
        ("relu", keras.activations.relu),
        (None, keras.activations.linear),
    ):
        layer = keras.layers.Dense(2, activation=activation)
        quick_gelu.use_in(keras.Sequential([layer]))
        assert layer.activation is quick
