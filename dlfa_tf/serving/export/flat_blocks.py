"""Transformer blocks on the real positions of rows, one after the other."""

import math
from collections.abc import Callable
from typing import Any

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


class Batch:
    """What all layers read of rows whose real positions lie one after another.

    Attributes:
        rows: int32 scalar Tensor, rows.
        time: int32 scalar Tensor, width of the padded rows.
        mask: float32 Tensor `(rows, time)`, 1 for real tokens.
        real: int32 Tensor `(positions, 1)`, where in the padded rows, one
            after the other, the real tokens are.
        row: int32 Tensor `(positions,)`, their rows.
        places: int32 Tensor `(rows, time)`, which real token stands there; at
            padding the one before it.
    """

    def __init__(self, padding_mask: Any) -> None:
        """Of a mask `(rows, time)` whose first column is never padding."""
        shape = tf.shape(padding_mask)
        self.rows, self.time = tf.unstack(shape)
        self.mask = tf.cast(padding_mask, tf.float32)
        flat = tf.reshape(padding_mask, [-1])
        self.real = tf.cast(tf.where(flat), tf.int32)
        self._row = self.real // self.time
        self.row = tf.reshape(self._row, [-1])
        places = tf.cumsum(tf.cast(flat, tf.int32)) - 1
        self.places = tf.reshape(places, shape)
        self._shared: dict[Any, Any] = {}

    def shared(self, key: Any, make: Callable[[], Any]) -> Any:
        """What many layers need is made once."""
        if key not in self._shared:
            self._shared[key] = make()
        return self._shared[key]

    def padding_scores(self, dtype: str) -> Any:
        """What is added to the scores of attention, `(rows, 1, 1, time)`."""

        def make() -> Any:
            scores = self.mask * -_PADDING_SCORE + _PADDING_SCORE
            return tf.cast(scores[:, None, None, :], dtype)

        return self.shared(("padding_scores", dtype), make)

    def places_of_heads(self, heads: int) -> Any:
        """Where queries, keys and values of padded rows are among the heads.

        int32 `(3, rows, heads, time)`, numbers of the rows of `(positions, 3,
        heads, size)` seen as a matrix.
        """

        def make() -> Any:
            head = np.arange(3 * heads, dtype=np.int32)
            first = tf.expand_dims(self.places, 1) * (3 * heads)
            return first + head.reshape(3, 1, heads, 1)

        return self.shared(("places_of_heads", heads), make)

    def heads_of_places(self, heads: int) -> Any:
        """The way back, int32 `(positions, heads)`.

        Numbers of the rows of `(rows, heads, time, size)` seen as a matrix.
        """

        def make() -> Any:
            head = self._row * (heads - 1) + np.arange(heads, dtype=np.int32)
            return self.real + head * self.time

        return self.shared(("heads_of_places", heads), make)


Block = Callable[[Any, Batch, Weights], Any]


def take(x: Any, places: Any) -> Any:
    """Rows of a matrix by number; `tf.gather` has an axis, and is two ops."""
    return tf.raw_ops.Gather(params=x, indices=places)


def packed_positions(x: Any, batch: Batch) -> Any:
    """Real positions of padded rows `(rows, time, dim)`."""
    return take(tf.reshape(x, [-1, x.shape[-1]]), tf.reshape(batch.real, [-1]))


def padded_rows(x: Any, batch: Batch) -> Any:
    """Undoes `packed_positions`; padding repeats the position before it."""
    return take(x, batch.places)


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
    if getattr(layer, "quantization_mode", None) is None:
        return True
    # Inputs as they are, and kernels that can be multiplied out.
    return (
        flat_layers.is_int8(layer)
        and layer.inputs_quantizer is None
        and not layer.lora_enabled
    )


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
    scale = 1.0 / math.sqrt(size)
    parts = (layer.query_dense, layer.key_dense, layer.value_dense)
    biases = [flat_layers.values(x.bias).reshape(-1) for x in parts]
    dtype = layer.compute_dtype
    project: Layer = flat_layers.pack_product(
        packed,
        np.concatenate([flat_layers.kernel_of(x) for x in parts], axis=1),
        np.concatenate(biases),
        dtype,
        in_int8=all(map(flat_layers.is_int8, parts)),
    )
    output = layer.output_dense
    join: Layer = flat_layers.pack_product(
        packed,
        flat_layers.kernel_of(output, heads * size),
        flat_layers.values(output.bias),
        dtype,
        in_int8=flat_layers.is_int8(output),
    )

    def call(x: Any, batch: Batch, weights: Weights) -> Any:
        # A gather pads and puts heads before time at once.
        projected = take(
            tf.reshape(project(x, weights), [-1, size]),
            batch.places_of_heads(heads),
        )
        query, key, value = tf.unstack(projected, 3)
        # Scaled afterwards: TensorFlow takes the three ops as one.
        scores = tf.matmul(query, key, transpose_b=True) * scale
        scores = tf.nn.softmax(scores + batch.padding_scores(dtype))
        read = take(
            tf.reshape(tf.matmul(scores, value), [-1, size]),
            batch.heads_of_places(heads),
        )
        return join(tf.reshape(read, [-1, heads * size]), weights)

    return call
