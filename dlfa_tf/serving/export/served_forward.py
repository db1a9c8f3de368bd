"""From features to logits and sentence vector, as an export computes them.

A Keras model's own graph has many more ops than the same mathematics needs,
and TensorFlow optimises and runs each of them. The blocks, the fusion
and the head are written down once more for a plain model, with the same
weights; a model that has anything else in it is called as Keras calls it.
"""

from typing import Any

import keras

from dlfa_tf.lazy import tf
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models.sentence_vectors import POOLER_NAME
from dlfa_tf.models.task import LOGITS_NAME
from dlfa_tf.serving.export import flat_blocks
from dlfa_tf.serving.export import flat_fusion
from dlfa_tf.serving.export import flat_layers
from dlfa_tf.serving.export.flat_layers import Layer
from dlfa_tf.serving.export.packed_weights import PackedWeights

# Of keras-hub's BERT, DistilBERT, RoBERTa and XLM-R.
_LAST_OF_EMBEDDINGS = ("embeddings_layer_norm", "embeddings_dropout")


class KerasForward:
    """A task model called as it is.

    `variables` are the TensorFlow variables that a call reads, `resources`
    what is made of them when an export is loaded.
    """

    def __init__(self, model: Any) -> None:
        self.resources: list[Any] = []
        self._reader = model.with_sentence_vector()
        self.variables = [v.value for v in self._reader.variables]

    def __call__(
        self, features: dict[str, Any], read: str | None = None
    ) -> tuple[Any, Any]:
        """Logits and sentence vector `(rows, dim)`, whichever is read."""
        del read
        return self._reader(features, training=False)


class FlatForward:
    """The same from real positions alone; see `is_plain_model`."""

    def __init__(self, model: Any) -> None:
        backbone = model.backbone
        encoder = backbone.encoder
        self._packed = PackedWeights()
        self._embeddings, self._embeddings_norm = self._pack_embeddings(encoder)
        last = backbone.last_layer or backbone.num_layers
        blocks = encoder_blocks.block_layers(encoder)[:last]
        self._blocks = [
            flat_blocks.pack_block(self._packed, block) for block in blocks
        ]
        self._fuse = flat_fusion.pack_fusion(self._packed, backbone)
        self._pooling = backbone.sentence_pooling
        self._reads_positions = model.head_input == "sequence_output"
        self._pooler = None
        if not self._reads_positions and backbone.pooler != "none":
            self._pooler = flat_layers.pack_dense(
                self._packed, backbone.get_layer(POOLER_NAME)
            )
        self._logits = flat_layers.pack_dense(
            self._packed, model.get_layer(LOGITS_NAME)
        )
        self._packed.store()
        own = backbone.fusion
        kept = [*self._embeddings.weights, *getattr(own, "weights", [])]
        self.variables = [
            *(weight.value for weight in kept),
            *self._packed.variables,
        ]
        self.resources = self._packed.resources

    def _pack_embeddings(self, encoder: Any) -> tuple[Any, Layer]:
        """The model of the embeddings, without their norm where it is last."""
        embedded = encoder_blocks.hidden_states(encoder)[0]
        layers: dict[str, Any] = {layer.name: layer for layer in encoder.layers}
        if layers.keys() >= set(_LAST_OF_EMBEDDINGS) and (
            type(norm := layers[_LAST_OF_EMBEDDINGS[0]])
            is keras.layers.LayerNormalization
            and flat_blocks.is_plain(norm)
            and (dropout := layers[_LAST_OF_EMBEDDINGS[1]]).input is norm.output
            and dropout.output is embedded
        ):
            return (
                keras.Model(encoder.input, norm.input),
                flat_layers.pack_layer_norm(self._packed, norm),
            )
        return keras.Model(encoder.input, embedded), lambda x, weights: x

    def __call__(
        self, features: dict[str, Any], read: str | None = None
    ) -> tuple[Any, Any]:
        """Logits and sentence vector `(rows, dim)`.

        With `read`, `"logits"` or `"vector"`, the other one may be None.
        """
        weights = self._packed.read()
        batch = flat_blocks.Batch(features["padding_mask"])
        x = flat_blocks.packed_positions(
            self._embeddings(features, training=False), batch
        )
        states = [self._embeddings_norm(x, weights)]
        for block in self._blocks:
            states.append(block(states[-1], batch, weights))
        logits = vector = None
        if self._reads_positions and read != "vector":
            fused = self._fuse(states, batch, weights, False)
            logits = flat_blocks.padded_rows(
                self._logits(fused, weights), batch
            )
        if not (self._reads_positions and read == "logits"):
            vector = self._vector(states, batch, weights)
        if self._reads_positions:
            return logits, vector
        x = vector
        if self._pooler is not None:
            x = self._pooler(x, weights)
        return self._logits(x, weights), vector

    def _vector(self, states: list[Any], batch: Any, weights: Any) -> Any:
        """The sentence vector, of the positions that it reads."""
        first = self._pooling != "mean"
        fused = self._fuse(states, batch, weights, first)
        if first:
            return fused
        return tf.cast(flat_fusion.masked_mean(fused, batch), fused.dtype)


def is_plain_model(model: Any) -> bool:
    """Whether `FlatForward` knows all that a task model is made of."""
    backbone = model.backbone
    layers = [model.get_layer(LOGITS_NAME)]
    names = {layer.name for layer in backbone.layers}
    layers += [
        layer
        for name in (POOLER_NAME, "dlfa", "scalar_mix")
        if name in names
        for layer in backbone.get_layer(name)._flatten_layers()
    ]
    return all(
        flat_blocks.is_known(block)
        for block in encoder_blocks.block_layers(backbone.encoder)
    ) and all(flat_blocks.is_plain(layer) for layer in layers)


def build_forward(model: Any) -> KerasForward | FlatForward:
    """The quickest forward pass that computes what a task model does."""
    if keras.backend.backend() == "tensorflow" and is_plain_model(model):
        return FlatForward(model)
    return KerasForward(model)
