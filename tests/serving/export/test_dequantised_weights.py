"""Tests of weights that are stored in int8 and read as floats."""

import numpy as np
import tensorflow as tf

from dlfa_tf.serving.export import dequantised_weights


def make_stack(matrices=2, inputs=5, outputs=3):
    generator = np.random.default_rng(3)
    stack = generator.normal(size=(matrices, inputs, outputs))
    return stack.astype("float32")


def test_each_column_has_a_scale_of_its_own():
    stack = make_stack()
    stack[:, :, 1] *= 1e-3
    stack[:, :, 2] = 0.0
    numbers, scales = dequantised_weights.quantised(stack)
    assert (numbers.dtype, scales.dtype) == ("int8", "float32")
    assert scales.shape == (2, 1, 3)
    step = np.max(np.abs(stack), axis=1, keepdims=True) / 127
    assert np.all(np.abs(numbers * scales - stack) <= step / 2 + 1e-9)


def test_what_is_quantised_stays_as_it_is():
    numbers, scales = dequantised_weights.quantised(make_stack())
    again, same = dequantised_weights.quantised(numbers * scales)
    np.testing.assert_array_equal(again, numbers)
    np.testing.assert_allclose(same, scales, rtol=1e-6)


def test_floats_are_read_in_the_type_asked_for():
    stack = make_stack()
    for dtype, tolerance in (("float32", 0.02), ("bfloat16", 0.04)):
        weights = dequantised_weights.dequantised(stack, dtype)
        value = weights.read()
        assert value.dtype == dtype
        np.testing.assert_allclose(
            tf.cast(value, "float32"), stack, atol=tolerance
        )
        assert {v.dtype for v in weights.variables} == {tf.int8, tf.float32}
