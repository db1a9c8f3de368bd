"""The masked softmax of attention in fewer operations, for training on a CPU.

Keras chooses between numbers by the mask before and after softmax, which with
the gradients are four passes over the scores of all heads. Adding a large
negative number where the mask is False is one, and what it lets through stays
as it is, bit for bit.
"""

import functools
from typing import Any

import keras

from dlfa_tf.lazy import tf


def use_in(model: Any) -> None:
    """Has the softmax of a model's attention computed that way.

    A row of nothing but padding attends to all of itself, where Keras has it
    attend to nothing; no other row reads it.

    Args:
        model: Keras model on the TensorFlow backend.
    """
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.MultiHeadAttention):
            softmax = layer._softmax
            is_plain = type(softmax) is keras.layers.Softmax
            if is_plain and len(softmax.axis) == 1:
                softmax.call = functools.partial(_call, softmax.axis[0])


def _call(axis: int, inputs: Any, mask: Any = None) -> Any:
    return masked_softmax(inputs, mask, axis)


def masked_softmax(inputs: Any, mask: Any, axis: int = -1) -> Any:
    """Softmax over the positions that the mask lets through.

    Args:
        inputs: float Tensor.
        mask: bool or int Tensor that is broadcast to `inputs`, or None.
        axis: int, of the positions.

    Returns:
        Tensor like `inputs`, 0 where the mask is False, if it is True for any
        position.
    """
    if mask is not None:
        large = -3e4 if inputs.dtype == tf.float16 else -1e9
        hidden = tf.constant(large, inputs.dtype)
        none = tf.constant(0.0, inputs.dtype)
        inputs += tf.where(tf.cast(mask, tf.bool), none, hidden)
    return tf.nn.softmax(inputs, axis=axis)
