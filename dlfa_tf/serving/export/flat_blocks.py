"""Transformer blocks on rows of two dimensions."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
import keras_hub
import numpy as np

from dlfa_tf.lazy import tf
from dlfa_tf.serving.export import flat_layers
from dlfa_tf.serving.export.flat_layers import Layer
from dlfa_tf.serving.export.flat_layers import Weights
from dlfa_tf.serving.export.packed_weights import PackedWeights

# What Keras adds to the scores of padding.
_PADDING_SCORE = -1e9

_DTYPES = frozenset({"float32", "bfloat16"})


class Batch(NamedTuple):
    """What all blocks read of a batch whose positions lie one after the other.

    Attributes:
        shape: int32 Tensor `(2,)`, rows and time.
        mask: float32 Tensor `(rows, time)`, 1 for real tokens.
        padding_scores: dict from dtype to a Tensor `(rows, 1, 1, time)`, to be
            added to the scores of attention.
    """

    shape: Any
    mask: Any
    padding_scores: dict[str, Any]


Block = Callable[[Any, Batch, Weights], Any]


def batch_of(padding_mask: Any, dtypes: set[str]) -> Batch:
    """The batch of a padding mask `(rows, time)`."""
    mask = tf.cast(padding_mask, tf.float32)
    scores = ((1.0 - mask) * _PADDING_SCORE)[:, None, None, :]
    return Batch(
        tf.shape(mask),
        mask,
        {dtype: tf.cast(scores, dtype) for dtype in dtypes},
    )


def is_known(block: Any) -> bool:
    """Whether a block computes what `pack_block` writes down anew."""
    if type(block) is not keras_hub.layers.TransformerEncoder:
        return False
    attention = block._self_attention_layer
    plain = {
        keras.layers.MultiHeadAttention: [attention],
        keras.layers.EinsumDense: [
            attention.query_dense,
            attention.key_dense,
            attention.value_dense,
            attention.output_dense,
        ],
        keras.layers.LayerNormalization: [
            block._self_attention_layer_norm,
            block._feedforward_layer_norm,
        ],
        keras.layers.Dense: [
            block._feedforward_intermediate_dense,
            block._feedforward_output_dense,
        ],
    }
    layers = [(cls, layer) for cls in plain for layer in plain[cls]]
    config = attention.get_config()
    return (
        all(type(layer) is cls and is_plain(layer) for cls, layer in layers)
        and config["use_bias"]
        and config["value_dim"] == config["key_dim"]
        and not config.get("use_gate")
        and not config.get("sliding_window")
        and attention.attention_axes == (1,)
    )


def is_plain(layer: Any) -> bool:
    """Whether a layer's weights are numbers of a type that is packed."""
    if layer.compute_dtype not in _DTYPES:
        return False
    if isinstance(layer, keras.layers.LayerNormalization):
        config = layer.get_config()
        axis = layer.axis if isinstance(layer.axis, int) else list(layer.axis)
        return (
            axis in (-1, 2, [-1], [2])
            and config["center"]
            and config["scale"]
            and not config.get("rms_scaling")
        )
    return getattr(layer, "quantization_mode", None) is None


def pack_block(packed: PackedWeights, block: Any) -> Block:
    """A block of `keras_hub.layers.TransformerEncoder`, see `is_known`."""
    attention = _pack_attention(packed, block._self_attention_layer)
    attention_norm = flat_layers.pack_layer_norm(
        packed, block._self_attention_layer_norm
    )
    inner = flat_layers.pack_dense(
        packed, block._feedforward_intermediate_dense
    )
    outer = flat_layers.pack_dense(packed, block._feedforward_output_dense)
    forward_norm = flat_layers.pack_layer_norm(
        packed, block._feedforward_layer_norm
    )

    def call(x: Any, batch: Batch, weights: Weights) -> Any:
        def forward(y: Any) -> Any:
            return outer(inner(y, weights), weights)

        if block.normalize_first:
            y = attention_norm(x, weights)
            x = attention(y, batch, weights) + x
            return forward(forward_norm(x, weights)) + x
        x = attention_norm(attention(x, batch, weights) + x, weights)
        return forward_norm(forward(x) + x, weights)

    return call


def _pack_attention(packed: PackedWeights, layer: Any) -> Block:
    """Self attention, with query, key and value as one product."""
    heads, size = layer.num_heads, layer.key_dim
    # Queries are divided by the root of their size here, once for all.
    scale = np.float32(1.0 / np.sqrt(float(size)))
    parts = (
        (layer.query_dense, scale),
        (layer.key_dense, np.float32(1.0)),
        (layer.value_dense, np.float32(1.0)),
    )
    kernels = [flat_layers.values(x.kernel) * factor for x, factor in parts]
    biases = [flat_layers.values(x.bias) * factor for x, factor in parts]
    dim = len(kernels[0])
    dtype = layer.compute_dtype
    project: Layer = flat_layers.pack_product(
        packed,
        np.concatenate([x.reshape(dim, -1) for x in kernels], axis=1),
        np.concatenate([x.reshape(-1) for x in biases]),
        dtype,
    )
    output = layer.output_dense
    join: Layer = flat_layers.pack_product(
        packed,
        flat_layers.values(output.kernel).reshape(heads * size, -1),
        flat_layers.values(output.bias),
        dtype,
    )

    def call(x: Any, batch: Batch, weights: Weights) -> Any:
        shape = tf.concat([batch.shape, [3, heads, size]], axis=0)
        # To (3, rows, heads, time, size).
        projected = tf.transpose(
            tf.reshape(project(x, weights), shape), [2, 0, 3, 1, 4]
        )
        query, key, value = tf.unstack(projected, 3)
        scores = tf.matmul(query, key, transpose_b=True)
        scores = tf.nn.softmax(scores + batch.padding_scores[dtype])
        read = tf.transpose(tf.matmul(scores, value), [0, 2, 1, 3])
        return join(tf.reshape(read, [-1, heads * size]), weights)

    return call
