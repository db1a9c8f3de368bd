"""Layers on rows of two dimensions, in the form that TensorFlow fuses.

Keras computes a dense layer on `(batch, time, dim)` by `tensordot` and a layer
norm by ten ops. On `(positions, dim)` a dense layer with bias and activation
becomes one op, and so does a layer norm in the form below (where TensorFlow
uses oneDNN, as on every x86 processor).

A layer is packed first (`pack_dense`, ...), outside of the graph; what that
returns is called in the graph with the rows and the weights as they are read.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.serving.export.packed_weights import Handle
from dlfa_tf.serving.export.packed_weights import PackedWeights

# From rows (positions, dim) and the weights that were read to rows.
Weights = dict[Handle, Any]
Layer = Callable[[Any, Weights], Any]


def values(weight: Any) -> np.ndarray:
    """A weight of a Keras layer in float32."""
    return keras.ops.convert_to_numpy(keras.ops.cast(weight, "float32"))


def kernel_of(layer: Any, inputs: int | None = None) -> np.ndarray:
    """The kernel of a dense layer as a float32 matrix `(inputs, outputs)`.

    Factors of LoRA are merged, and eight-bit numbers multiplied out. Inputs
    are the first axis unless their number is given.
    """
    kernel = values(layer._kernel if is_int8(layer) else layer.kernel)
    kernel = kernel.reshape(len(kernel) if inputs is None else inputs, -1)
    if is_int8(layer):
        kernel = kernel / values(layer.kernel_scale).reshape(-1)
    return kernel


def is_int8(layer: Any) -> bool:
    """Whether a layer's kernel is stored in eight bits."""
    return getattr(layer, "quantization_mode", None) == "int8"


def pack_product(
    packed: PackedWeights,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    dtype: str,
    activation: Callable[[Any], Any] | None = None,
    in_int8: bool = False,
) -> Layer:
    """A dense layer of a kernel `(inputs, outputs)` and a bias `(outputs,)`."""
    kernel_handle = packed.add(kernel, dtype, in_int8)
    bias_handle = None if bias is None else packed.add(bias, dtype)

    def dense(x: Any, weights: Weights) -> Any:
        y = tf.matmul(tf.cast(x, dtype), weights[kernel_handle])
        if bias_handle is not None:
            y = tf.nn.bias_add(y, weights[bias_handle])
        return y if activation is None else activation(y)

    return dense


def pack_dense(packed: PackedWeights, layer: keras.layers.Dense) -> Layer:
    """A Keras dense layer."""
    return pack_product(
        packed,
        kernel_of(layer),
        None if layer.bias is None else values(layer.bias),
        layer.compute_dtype,
        None if _is_linear(layer.activation) else layer.activation,
        is_int8(layer),
    )


def _is_linear(activation: Any) -> bool:
    return activation is None or activation is keras.activations.linear


def pack_layer_norm(
    packed: PackedWeights, layer: keras.layers.LayerNormalization
) -> Layer:
    """A Keras layer norm over the last axis, in float32 as there."""
    gamma = packed.add(values(layer.gamma), "float32")
    beta = packed.add(values(layer.beta), "float32")
    epsilon = layer.epsilon

    def norm(x: Any, weights: Weights) -> Any:
        y = _normalise(tf.cast(x, tf.float32), epsilon)
        # Ops of their own: TensorFlow 2.20 fuses what follows with the first
        # output of whatever gamma and beta are outputs of, and these are parts
        # of one vector. It takes away an identity.
        scale, offset = (
            tf.ensure_shape(weights[handle], [x.shape[-1]])
            for handle in (gamma, beta)
        )
        return tf.cast(y * scale + offset, layer.compute_dtype)

    return norm


def _normalise(x: Any, epsilon: float) -> Any:
    """Subtracts the mean of every row and divides by its deviation."""
    # Rows as channels of an image of batch norm: with the product and the sum
    # that follow this is the layer norm that TensorFlow knows and fuses. Not
    # by tf.nn, which raises small epsilons.
    rows = tf.shape(x)[:1]
    y, *_ = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(x, [1, -1, x.shape[-1], 1]),
        scale=tf.fill(rows, 1.0),
        offset=tf.fill(rows, 0.0),
        mean=tf.constant([], tf.float32),
        variance=tf.constant([], tf.float32),
        epsilon=epsilon,
        data_format="NCHW",
        is_training=True,
    )
    return tf.reshape(y, [-1, x.shape[-1]])


def pack_batch_norm(
    packed: PackedWeights, layer: keras.layers.BatchNormalization
) -> Layer:
    """A Keras batch norm over the last axis, by its moving statistics."""
    factor = values(layer.gamma) / np.sqrt(
        values(layer.moving_variance) + layer.epsilon
    )
    shift = values(layer.beta) - values(layer.moving_mean) * factor
    factor_handle = packed.add(factor, "float32")
    shift_handle = packed.add(shift, "float32")

    def norm(x: Any, weights: Weights) -> Any:
        y = tf.cast(x, tf.float32) * weights[factor_handle]
        return tf.cast(y + weights[shift_handle], layer.compute_dtype)

    return norm


def pack_norm(packed: PackedWeights, layer: Any) -> Layer:
    """Layer norm, batch norm, or nothing for None."""
    if layer is None:
        return lambda x, weights: x
    if isinstance(layer, keras.layers.BatchNormalization):
        return pack_batch_norm(packed, layer)
    return pack_layer_norm(packed, layer)
