"""The fusion of blocks, and what sums a row up, on rows of two dimensions."""

from collections.abc import Callable
from typing import Any

import keras

from dlfa_tf.layers.attention_branch import AttentionBranch
from dlfa_tf.layers.dlfa import DLFA
from dlfa_tf.layers.scalar_mix import ScalarMix
from dlfa_tf.lazy import tf
from dlfa_tf.serving.export import flat_layers
from dlfa_tf.serving.export.flat_blocks import Batch
from dlfa_tf.serving.export.flat_layers import Weights
from dlfa_tf.serving.export.packed_weights import PackedWeights

# From the states of all blocks (embeddings first), each (positions, dim).
Fusion = Callable[[list[Any], Batch, Weights], Any]


def pack_fusion(packed: PackedWeights, backbone: Any) -> Fusion:
    """The fusion of a `DLFABackbone`; an own layer is called as Keras does."""
    kind, low = backbone.fusion, backbone.fusion_layer
    if kind == "scalar_mix":
        return _pack_scalar_mix(packed, backbone.get_layer("scalar_mix"))
    if low is None:
        return lambda states, batch, weights: states[-1]
    if kind == "mean":
        return lambda states, batch, weights: (states[low] + states[-1]) / 2.0
    if kind == "dlfa":
        fuse = _pack_dlfa(packed, backbone.get_layer("dlfa"))
        return lambda states, batch, weights: fuse(
            states[low], states[-1], batch, weights
        )

    def own(states: list[Any], batch: Batch, weights: Weights) -> Any:
        del weights
        fused = kind(
            unflatten(states[low], batch),
            unflatten(states[-1], batch),
            padding_mask=tf.cast(batch.mask, tf.int32),
        )
        return flatten(fused)

    return own


def flatten(x: Any) -> Any:
    """Puts rows `(rows, time, dim)` one after the other."""
    return tf.reshape(x, [-1, x.shape[-1]])


def unflatten(x: Any, batch: Batch) -> Any:
    """Undoes `flatten`."""
    shape = tf.concat([batch.shape, [x.shape[-1]]], axis=0)
    return tf.reshape(x, shape)


def masked_mean(x: Any, batch: Batch) -> Any:
    """Mean over the real tokens of every row, float32 `(rows, dim)`."""
    rows = tf.cast(unflatten(x, batch), tf.float32)
    mask = tf.expand_dims(batch.mask, 1)
    count = tf.maximum(tf.reduce_sum(batch.mask, axis=1, keepdims=True), 1.0)
    return tf.reshape(tf.matmul(mask, rows), [-1, x.shape[-1]]) / count


def first_position(x: Any, batch: Batch) -> Any:
    """Position 0 of every row, `(rows, dim)`."""
    return unflatten(x, batch)[:, 0, :]


def _pack_scalar_mix(packed: PackedWeights, layer: ScalarMix) -> Fusion:
    shares = keras.ops.softmax(keras.ops.cast(layer.state_weights, "float32"))
    handle = packed.add(
        flat_layers.values(shares) * flat_layers.values(layer.gamma),
        layer.compute_dtype,
    )

    def mix(states: list[Any], batch: Batch, weights: Weights) -> Any:
        del batch
        factors = tf.unstack(weights[handle], len(states) - 1)
        pairs = zip(states[1:], factors, strict=True)
        return tf.add_n([state * factor for state, factor in pairs])

    return mix


def _pack_dlfa(packed: PackedWeights, layer: DLFA) -> Callable[..., Any]:
    """Equations 1 and 2, as `DLFA` and `AIF` compute them."""
    aif = layer.aif
    local = _pack_branch(packed, aif.local_branch)
    over_time = _pack_branch(packed, aif.global_branch)
    norm = flat_layers.pack_norm(packed, layer.norm_of_output)
    dtype = layer.compute_dtype

    def attention(x: Any, batch: Batch, weights: Weights) -> Any:
        """What the sigmoid of equation 1 gives, `(positions, dim)`."""
        total = None if local is None else tf.cast(local(x, weights), "float32")
        if over_time is not None:
            pool = masked_mean if aif.pooling == "mean" else first_position
            vectors = tf.cast(pool(x, batch), dtype)
            vectors = tf.cast(over_time(vectors, weights), "float32")
            total = _plus_row_vectors(total, vectors, batch)
        return tf.cast(tf.sigmoid(total), dtype)

    def fuse(low: Any, high: Any, batch: Batch, weights: Weights) -> Any:
        low, high = tf.cast(low, dtype), tf.cast(high, dtype)
        x = (low + high) / 2.0
        gate = attention(x, batch, weights)
        if aif.gate != "attention":
            gate = x * gate
        l1, l2 = (low, high) if layer.first == "low" else (high, low)
        mixed = layer.mix_factor * (l1 * gate + l2 * (1.0 - gate))
        return norm(mixed, weights)

    return fuse


def _plus_row_vectors(x: Any, vectors: Any, batch: Batch) -> Any:
    """Adds its row's vector to every position; x may be None for zeros."""
    dim = vectors.shape[-1]
    vectors = tf.expand_dims(vectors, 1)
    if x is None:
        rows = tf.zeros(tf.concat([batch.shape, [1]], axis=0))
    else:
        rows = unflatten(x, batch)
    return tf.reshape(rows + vectors, [-1, dim])


def _pack_branch(packed: PackedWeights, branch: AttentionBranch | None) -> Any:
    if branch is None:
        return None
    reduce = flat_layers.pack_dense(packed, branch.reduce)
    reduce_norm = flat_layers.pack_norm(packed, branch.reduce_norm)
    expand = flat_layers.pack_dense(packed, branch.expand)
    expand_norm = flat_layers.pack_norm(packed, branch.expand_norm)

    def call(x: Any, weights: Weights) -> Any:
        y = reduce_norm(reduce(x, weights), weights)
        return expand_norm(expand(branch.activation(y), weights), weights)

    return call
