"""Tests of dlfa_tf.adapting.guess_losses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dlfa_tf.adapting.guess_losses import guess_losses

pytestmark = pytest.mark.usefixtures("eager")
LABELS = np.array([[3, 0, -1], [5, -1, 3]], np.int32)


def both(dtype, size=1.0):
    """Losses and gradients of ours and of Keras' on the same numbers."""
    random = np.random.default_rng(0)
    values = [
        tf.constant(size * random.normal(size=shape), tf.float32)
        for shape in ((2, 3, 8), (7, 8), (7,))
    ]
    # Numbers that bfloat16 holds exactly.
    values = [tf.cast(tf.cast(x, "bfloat16"), tf.float32) for x in values]
    ours = [tf.cast(values[0], dtype), *values[1:]]
    factor = tf.constant([[0.1, 0.1, 0.1], [0.1, 0.1, 0.2]])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([*values, *ours])
        mine = guess_losses(*ours, LABELS)
        vectors, table, bias = values
        logits = tf.matmul(vectors, table, transpose_b=True) + bias
        theirs = keras.losses.sparse_categorical_crossentropy(
            LABELS, logits, from_logits=True, ignore_class=-1
        )
        sums = [tf.reduce_sum(x * factor) for x in (mine, theirs)]
    return (
        [mine, *tape.gradient(sums[0], ours)],
        [theirs, *tape.gradient(sums[1], values)],
    )


# bfloat16 has 8 bits; here logits are below 8.
@pytest.mark.parametrize("dtype, tolerance", [
    ("float32", 1e-6), ("bfloat16", 3e-2),
])  # fmt: skip
def test_losses_and_gradients_are_those_of_keras(dtype, tolerance):
    ours, theirs = both(dtype)
    assert [x.dtype for x in ours] == ["float32", dtype, "float32", "float32"]
    for a, b in zip(ours, theirs, strict=True):
        a, b = (np.array(tf.cast(x, tf.float32)) for x in (a, b))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance / 3)
    assert ours[0][0, 2] == ours[0][1, 1] == 0
    assert not np.array(tf.cast(ours[1][0, 2], tf.float32)).any()


def test_a_share_too_small_for_a_number_gives_the_largest_loss():
    ours, _ = both("float32", size=30.0)
    assert np.isfinite(np.array(ours[0])).all()
    assert np.max(ours[0]) == pytest.approx(87.3, abs=0.1)
    assert all(np.isfinite(np.array(x)).all() for x in ours[1:])


def test_nan_is_not_hidden():
    vectors = tf.fill([1, 1, 2], np.nan)
    losses = guess_losses(vectors, tf.ones([3, 2]), tf.zeros([3]), [[1]])
    assert np.isnan(losses).all()
    losses = guess_losses(vectors, tf.ones([3, 2]), tf.zeros([3]), [[-1]])
    assert losses.numpy().tolist() == [[0.0]]
