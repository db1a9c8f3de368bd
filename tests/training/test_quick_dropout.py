"""Tests of dlfa_tf.training.quick_dropout."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.training import quick_dropout

pytestmark = pytest.mark.usefixtures("eager")


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_share_is_dropped_and_the_mean_stays(rate):
    x = tf.ones([37, 11, 251])
    y = np.array(quick_dropout.dropout(x, rate, [3, 4]))
    # Over 102,157 numbers: six standard deviations.
    assert (y == 0).mean() == pytest.approx(rate, abs=0.0095)
    np.testing.assert_allclose(y[y > 0], 1 / (1 - rate), rtol=1e-4)
    # No pattern along an axis.
    for axis in ((0, 1), (0, 2), (1, 2)):
        spread = (y == 0).mean(axis).std()
        count = np.prod([y.shape[i] for i in axis])
        assert spread == pytest.approx(
            np.sqrt(rate * (1 - rate) / count), rel=0.6
        )


def test_a_seed_gives_the_same_and_another_others():
    x = tf.ones([40, 5])
    first, again, other = (
        np.array(quick_dropout.dropout(x, 0.5, [1, s])) for s in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert not np.array(quick_dropout.dropout(x, 1.0, [1, 1])).any()


def test_gradient_goes_where_the_value_came_from():
    x = tf.cast(tf.fill([4, 8], 2.0), tf.bfloat16)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = quick_dropout.dropout(x, 0.25, [1, 1])
    gradient = tape.gradient(y, x)
    assert gradient.dtype == y.dtype == "bfloat16"
    np.testing.assert_array_equal(
        *(np.array(tf.cast(v, "float32")) for v in (2 * gradient, y))
    )


def test_layers_draw_from_their_seeds_in_training_only(seed):
    layer = keras.layers.Dropout(0.5, seed=7)
    model = keras.Sequential([layer])
    quick_dropout.use_in(model)
    x = np.ones((3, 64), np.float32)
    np.testing.assert_array_equal(model(x), x)
    np.testing.assert_array_equal(model(x, training=False), x)
    state = np.array(layer.seed_generator.state)
    first = np.array(model(x, training=True))
    second = np.array(model(x, training=True))
    assert set(np.unique(first)) == {0.0, 2.0}
    assert (first != second).any()
    layer.seed_generator.state.assign(state)
    np.testing.assert_array_equal(model(x, training=True), first)
    layer.rate = 0.0
    np.testing.assert_array_equal(model(x, training=True), x)
