"""Tests of weights that are packed into few variables."""

import numpy as np

from dlfa_tf.serving.export.packed_weights import PackedWeights


def test_weights_are_read_as_they_were_added():
    packed = PackedWeights()
    weights = [
        np.arange(6.0).reshape(2, 3),
        np.arange(3.0),
        np.arange(6.0).reshape(3, 2),
        np.arange(5.0) + 7.0,
        np.arange(6.0).reshape(2, 3) + 1.0,
    ]
    handles = [packed.add(weight, "float32") for weight in weights]
    half = packed.add(weights[1], "bfloat16")
    packed.store()
    # Two shapes of matrices, and vectors of two types.
    assert len(packed.variables) == 4
    tensors = packed.read()
    for handle, weight in zip(handles, weights, strict=True):
        np.testing.assert_array_equal(tensors[handle], weight)
    assert tensors[half].dtype == "bfloat16"


def test_matrices_in_int8_are_beside_those_of_floats():
    packed = PackedWeights()
    weights = [np.full((2, 3), 127.0 * i) for i in range(3)]
    floats = packed.add(weights[0], "float32")
    eights = [packed.add(x, "float32", in_int8=True) for x in weights[1:]]
    packed.store()
    (resource,) = packed.resources
    assert len(packed.variables) == 1 + len(resource.variables)
    tensors = packed.read()
    for handle, weight in zip([floats, *eights], weights, strict=True):
        np.testing.assert_allclose(tensors[handle], weight, rtol=1e-6)
