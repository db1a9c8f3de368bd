"""Weights that an export stores in eight bits and computes with as floats.

TensorFlow has no product of floats and eight-bit kernels that is as quick as
one of floats, so each kernel is made a float once, when the export is loaded.
"""

import hashlib
from typing import Any

import keras
import numpy as np

from dlfa_tf.lazy import tf

# Names of what is made at load begin so. It is no variable to be stored.
PREFIX = "dequantised_"
_STEPS = 127
# TensorFlow's name of what belongs to one handle alone.
_ANONYMOUS = "cd2c89b7-88b7-44c8-ad83-06c2a9158347"


def weights_only() -> Any:
    """Keras' setting that rounds weights to int8, and no inputs of layers.

    For `model.quantize(config=weights_only())`: a server is quicker with
    floats.
    """
    return keras.quantizers.Int8QuantizationConfig(activation_quantizer=None)


def quantised(stack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds matrices to 255 steps of each column's largest number.

    Exactly to what Keras has where it has quantised them before.

    Args:
        stack: float32 array `(matrices, inputs, outputs)`.

    Returns:
        int8 array of that shape and float32 array `(matrices, 1, outputs)`,
        whose product is nearly `stack`.
    """
    scales = np.max(np.abs(stack), axis=1, keepdims=True) / np.float32(_STEPS)
    safe = np.where(scales > 0, scales, np.float32(1.0))
    return np.rint(stack / safe).astype(np.int8), scales.astype(np.float32)


def dequantised(stack: np.ndarray, dtype: str) -> Any:
    """A resource of floats that is stored in int8.

    As a lookup table is, it is filled by the op with which every loader begins,
    the model server's too.

    Args:
        stack: float32 array `(matrices, inputs, outputs)`.
        dtype: str, type of the floats.

    Returns:
        An object to be tracked by what is exported. Its `read` gives the floats
        `(matrices, inputs, outputs)`, `variables` are what is stored.
    """

    # TensorFlow is imported at the first use.
    class DequantisedWeights(tf.saved_model.experimental.TrackableResource):
        """Floats that are made of two variables."""

        def __init__(self) -> None:
            super().__init__()
            numbers, scales = quantised(stack)
            digest = hashlib.sha256(numbers.tobytes() + scales.tobytes())
            # Of its own content: Python's loader keeps those of all exports of
            # a process together.
            name = digest.hexdigest()[:32]
            self._name = f"{PREFIX}{dtype}_{name}"
            self._shape = stack.shape
            shape = "_".join(map(str, stack.shape[1:]))
            self.variables = [
                tf.Variable(numbers, trainable=False, name=f"int8_{shape}"),
                tf.Variable(scales, trainable=False, name=f"scales_{shape}"),
            ]
            with tf.init_scope():
                self._initialize()

        def _create_resource(self) -> Any:
            # Out of a graph it goes with its handle.
            eager = tf.executing_eagerly()
            return tf.raw_ops.VarHandleOp(
                dtype=dtype,
                shape=self._shape,
                shared_name=_ANONYMOUS if eager else self._name,
            )

        def _initialize(self) -> None:
            numbers, scales = self.variables
            value = tf.cast(numbers, tf.float32) * scales
            tf.raw_ops.AssignVariableOp(
                resource=self.resource_handle, value=tf.cast(value, dtype)
            )

        def read(self) -> Any:
            """The floats, in the graph that is being built."""
            value = tf.raw_ops.ReadVariableOp(
                resource=self.resource_handle, dtype=dtype
            )
            value.set_shape(self._shape)
            return value

    return DequantisedWeights()
