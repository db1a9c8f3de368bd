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
from dlfa_tf.serving.export.flat_blocks import packed_positions
from dlfa_tf.serving.export.flat_blocks import padded_rows
from dlfa_tf.serving.export.flat_blocks import take
from dlfa_tf.serving.export.flat_layers import Weights
from dlfa_tf.serving.export.packed_weights import PackedWeights

# From the states of all blocks (embeddings first), each (positions, dim), to
# what is read: of every position, or of the first ones of rows (rows, dim).
Fusion = Callable[[list[Any], Batch, Weights, bool], Any]


def pack_fusion(packed: PackedWeights, backbone: Any) -> Fusion:
    """The fusion of a `DLFABackbone`; an own layer is called as Keras does.

    What it returns is called with the states, the batch, the weights, and
    whether only the first position of every row is read.
    """
    kind, low = backbone.fusion, backbone.fusion_layer
    if kind == "scalar_mix":
        return _pack_scalar_mix(packed, backbone.get_layer("scalar_mix"))
    if low is None:
        return lambda states, batch, weights, first: read_of(
            states[-1], batch, first
        )
    if kind == "mean":
        return lambda states, batch, weights, first: (
            (
                read_of(states[low], batch, first)
                + read_of(states[-1], batch, first)
            )
            / 2.0
        )
    if kind == "dlfa":
        fuse = _pack_dlfa(packed, backbone.get_layer("dlfa"))
        return lambda states, batch, weights, first: fuse(
            states[low], states[-1], batch, weights, first
        )

    def own(
        states: list[Any], batch: Batch, weights: Weights, first: bool
    ) -> Any:
        del weights
        real = batch.mask[..., None]
        # Zeros at padding.
        low_rows, high_rows = (
            padded_rows(x, batch) * tf.cast(real, x.dtype)
            for x in (states[low], states[-1])
        )
        fused = kind(
            low_rows, high_rows, padding_mask=tf.cast(batch.mask, tf.int32)
        )
        return fused[:, 0, :] if first else packed_positions(fused, batch)

    return own


def read_of(x: Any, batch: Batch, first: bool) -> Any:
    """Every position of `(positions, dim)`, or the first one of every row."""
    return first_position(x, batch) if first else x


def masked_mean(x: Any, batch: Batch) -> Any:
    """Mean over the real tokens of every row, float32 `(rows, dim)`."""
    return tf.math.segment_mean(tf.cast(x, tf.float32), batch.row)


def first_position(x: Any, batch: Batch) -> Any:
    """Position 0 of every row, `(rows, dim)`."""
    places = batch.shared("first", lambda: batch.places[:, 0])
    return take(x, places)


def _pack_scalar_mix(packed: PackedWeights, layer: ScalarMix) -> Fusion:
    shares = keras.ops.softmax(keras.ops.cast(layer.state_weights, "float32"))
    handle = packed.add(
        flat_layers.values(shares) * flat_layers.values(layer.gamma),
        layer.compute_dtype,
    )

    def mix(
        states: list[Any], batch: Batch, weights: Weights, first: bool
    ) -> Any:
        factors = tf.unstack(weights[handle], len(states) - 1)
        pairs = zip(states[1:], factors, strict=True)
        return tf.add_n(
            [read_of(state, batch, first) * factor for state, factor in pairs]
        )

    return mix


def _pack_dlfa(packed: PackedWeights, layer: DLFA) -> Callable[..., Any]:
    """Equations 1 and 2, as `DLFA` and `AIF` compute them."""
    aif = layer.aif
    local = _pack_branch(packed, aif.local_branch)
    over_time = _pack_branch(packed, aif.global_branch)
    norm = flat_layers.pack_norm(packed, layer.norm_of_output)
    dtype = layer.compute_dtype

    def over_time_of(
        low: Any, high: Any, batch: Batch, weights: Weights
    ) -> Any:
        """The global branch, one vector a row, float32 `(rows, dim)`."""
        pool = masked_mean if aif.pooling == "mean" else first_position
        vectors = tf.cast(pool((low + high) / 2.0, batch), dtype)
        return tf.cast(over_time(vectors, weights), "float32")

    def fuse(
        low: Any, high: Any, batch: Batch, weights: Weights, first: bool
    ) -> Any:
        low, high = tf.cast(low, dtype), tf.cast(high, dtype)
        total = 0.0
        if over_time is not None:
            total = over_time_of(low, high, batch, weights)
            if not first:
                total = take(total, batch.row)
        # Of other positions only the means are needed.
        low, high = (read_of(x, batch, first) for x in (low, high))
        x = (low + high) / 2.0
        if local is not None:
            total = tf.cast(local(x, weights), "float32") + total
        # What the sigmoid of equation 1 gives.
        gate = tf.cast(tf.sigmoid(total), dtype)
        if aif.gate != "attention":
            gate = x * gate
        l1, l2 = (low, high) if layer.first == "low" else (high, low)
        # Of l1 the share `gate`, of l2 the rest.
        mixed = layer.mix_factor * (l2 + gate * (l1 - l2))
        return norm(mixed, weights)

    return fuse


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
