"""Tests of tensor messages against TensorFlow's own."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from dlfa_tf.serving.client.messages import MESSAGES
from dlfa_tf.serving.client.tensors import from_tensor
from dlfa_tf.serving.client.tensors import string_tensor
from dlfa_tf.serving.client.tensors import to_bytes

TensorProto = MESSAGES["TensorProto"]


def theirs(value, dtype=None):
    """As TensorFlow writes it, read by our message."""
    proto = tf.make_tensor_proto(value, dtype)
    return TensorProto.FromString(proto.SerializeToString())


@pytest.mark.parametrize(
    "value",
    [["a", "東", b"\xff"], [["a", "b"], ["c", ""]], "a", [], [["x"]]],
)
def test_strings_are_those_of_tensorflow(value):
    ours = string_tensor(value)
    message = tensor_pb2.TensorProto.FromString(ours.SerializeToString())
    array = tf.make_ndarray(message)
    assert array.shape == np.shape(np.array(value, object))
    flat = [to_bytes(x) for x in np.array(value, object).flat]
    assert list(array.flat) == flat


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([[0.5, 1.5], [2.5, -1.0]], np.float32),
        ([[0.5], [1.5]], np.float64),
        ([3, 0, 7], np.int32),
        ([2**40, -1], np.int64),
        ([[1.5, 1.5], [1.5, 1.5]], np.float32),
        ([], np.float32),
    ],
)
def test_numbers_come_back(value, dtype):
    packed = theirs(np.array(value, dtype))
    assert from_tensor(packed) == value
    # As the server writes them by default: in the typed fields.
    typed = TensorProto(dtype=packed.dtype, tensor_shape=packed.tensor_shape)
    field = {1: "float_val", 2: "double_val", 3: "int_val", 9: "int64_val"}
    flat = np.array(value, dtype).ravel().tolist()
    getattr(typed, field[packed.dtype]).extend(flat)
    assert from_tensor(typed) == value


def test_single_value_stands_for_all():
    tensor = TensorProto(dtype=1, float_val=[2.0])
    for size in (2, 3):
        tensor.tensor_shape.dim.add(size=size)
    assert from_tensor(tensor) == [[2.0] * 3] * 2


def test_strings_come_back():
    assert from_tensor(theirs([["a", "東"]])) == [["a", "東"]]
    assert from_tensor(theirs("a")) == "a"


def test_other_types_are_refused():
    with pytest.raises(ValueError, match="Received: DataType 10"):
        from_tensor(theirs([True]))


def test_value_that_is_no_string_is_refused():
    with pytest.raises(TypeError, match="must be strings. Received: None"):
        to_bytes(None)
