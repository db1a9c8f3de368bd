"""Any keras-hub encoder with a lower block fused into the last one."""

import os
import pathlib
import re
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub

from dlfa_tf.layers.dlfa import DLFA
from dlfa_tf.models.lora import adapted_weights
from dlfa_tf.models.lora import add_adapted
from dlfa_tf.models.lora import check_has_targets
from dlfa_tf.models.lora import check_rank
from dlfa_tf.models.lora import read_adapted

_BLOCK_NAME = re.compile(r"transformer_layer_(\d+)")


class _Untracked:
    """Holds an object that Keras must not track as a sublayer.

    The blocks of the encoder are layers of the fused model already. Tracking
    the encoder besides would count weights that the fused model does not use.
    """

    def __init__(self, value: Any) -> None:
        self.value = value


def block_layers(encoder: keras_hub.models.Backbone) -> list[Any]:
    """Returns the transformer blocks of an encoder, first block first.

    Args:
        encoder: keras-hub encoder backbone.

    Returns:
        list of layers; item i is named `transformer_layer_i`.

    Raises:
        TypeError: when `encoder` is not a plain keras-hub backbone.
        ValueError: when the encoder has no such blocks.
    """
    if not isinstance(encoder, keras_hub.models.Backbone) or isinstance(
        encoder, DLFABackbone
    ):
        raise TypeError(
            "`encoder` must be a keras-hub backbone without fusion. Received: "
            f"{encoder!r} of type {type(encoder).__name__}. Accepted: "
            "keras-hub encoders such as BertBackbone; of a DLFABackbone take "
            "`.encoder`, of a preset name `load_encoder(name)`."
        )
    blocks = {}
    for layer in encoder.layers:
        match = _BLOCK_NAME.fullmatch(layer.name)
        if match:
            blocks[int(match.group(1))] = layer
    if not blocks or sorted(blocks) != list(range(len(blocks))):
        raise ValueError(
            "`encoder` must have blocks named `transformer_layer_0`, "
            "`transformer_layer_1`, ... Received: "
            f"{type(encoder).__name__} with layers "
            f"{[layer.name for layer in encoder.layers]}. Accepted: keras-hub "
            "encoders such as BertBackbone, XLMRobertaBackbone, "
            "RobertaBackbone, DistilBertBackbone."
        )
    return [blocks[i] for i in range(len(blocks))]


def check_fusion_layer(fusion_layer: Any, num_layers: int) -> None:
    """Refuses a fusion layer that the encoder does not have.

    Args:
        fusion_layer: None, or int from 0 to `num_layers - 1`.
        num_layers: int, number of blocks of the encoder.

    Raises:
        TypeError: when it is neither None nor an int.
        ValueError: when it is out of range.
    """
    if fusion_layer is None:
        return
    if isinstance(fusion_layer, bool) or not isinstance(fusion_layer, int):
        raise TypeError(
            f"`fusion_layer` must be an int or None. Received: {fusion_layer!r}"
            f" of type {type(fusion_layer).__name__}."
        )
    if not 0 <= fusion_layer < num_layers:
        raise ValueError(
            "`fusion_layer` is out of range. Received: "
            f"{fusion_layer}. Accepted for this encoder of {num_layers} "
            f"blocks: 1 to {num_layers - 1} (0 for the embeddings), or None "
            "for the baseline."
        )


def check_hidden_states(indices: Any, num_layers: int) -> list[int]:
    """Refuses hidden states that the encoder does not have.

    Args:
        indices: sequence of ints from 0 to `num_layers`.
        num_layers: int, number of blocks of the encoder.

    Returns:
        The indices as a list.

    Raises:
        TypeError: when it is not a sequence of ints.
        ValueError: when one is out of range.
    """
    if not isinstance(indices, (list, tuple, range)) or any(
        isinstance(i, bool) or not isinstance(i, int) for i in indices
    ):
        raise TypeError(
            "`output_hidden_states` must be a list of ints. Received: "
            f"{indices!r} of type {type(indices).__name__}."
        )
    if any(not 0 <= i <= num_layers for i in indices):
        raise ValueError(
            "`output_hidden_states` is out of range. Received: "
            f"{list(indices)}. Accepted for this encoder: 0 (the embeddings) "
            f"to {num_layers}."
        )
    return list(indices)


@keras.saving.register_keras_serializable(package="dlfa_tf")
class DLFABackbone(keras_hub.models.Backbone):
    """Encodes tokens and fuses a lower block with the last block.

    The paper's system D_x is `DLFABackbone(encoder, fusion_layer=x)`, its
    baseline `DLFABackbone(encoder)`, which computes exactly what the encoder
    computes. The blocks of `encoder` are used as they are, with their
    weights; only the fusion layer (equations 1 and 2) is new. An encoder
    without a pooler (RoBERTa, XLM-R, DistilBERT) gets a new one.

    `encoder.trainable = False` freezes the encoder and leaves the fusion
    layer; `enable_lora` does so too and adds low-rank factors to the encoder.
    Compile after either when the model has been trained before.

    Args:
        encoder: keras-hub encoder backbone whose blocks are named
            `transformer_layer_i` (BERT, XLM-R, RoBERTa, DistilBERT, ...).
        fusion_layer: int or None, the block fused with the last one. Counts
            as `hidden_states` does: 1 is the first block, 0 the embeddings
            (outside the paper). Defaults to `None`: the baseline.
        reduction_ratio: int, divisor of the width inside the branches of the
            fusion layer. Defaults to `4` (the ancestor's; the paper is
            silent).
        norm: `"layer"`, `"batch"` or `"none"`, normalisation inside the
            branches. Defaults to `"layer"` (our reading of the paper).
        gate: `"feature"` (equation 2 as it is written) or `"attention"`
            (the sigmoid alone, in (0, 1)). Defaults to `"feature"`.
        activation: activation inside the branches. Defaults to `"relu"`.
        pooling: `"mean"` or `"first"`, what the global branch reads.
            Defaults to `"mean"` over real tokens.
        mix_factor: float, factor of the mix. Defaults to `1.0` (equation 2;
            the ancestor's code has 2).
        first: `"low"` or `"high"`, which block is L1 of equation 2. Defaults
            to `"low"`.
        output_hidden_states: sequence of ints, hidden states to return too,
            0 (embeddings) to the number of blocks. Defaults to none.
        dtype: dtype policy of the fusion layer and a new pooler. Defaults to
            the encoder's. Loading a saved model gives one policy to both.
        name: str, name of the model. Defaults to a unique one.
        trainable: bool, False freezes all weights. Defaults to `True`.

    Call arguments:
        inputs: dict of the encoder's inputs: `token_ids`, `padding_mask` and,
            for BERT, `segment_ids`, each `(batch, time)`.

    Returns:
        dict with `sequence_output` `(batch, time, dim)`, `pooled_output`
        `(batch, dim)` (position 0 through dense and tanh) and, when asked
        for, `hidden_states`, a dict from "0", "1", ... to tensors
        `(batch, time, dim)`.

    Raises:
        ValueError: when the encoder has no named blocks, or when a layer
            index is out of range.
        TypeError: when `encoder` is not a keras-hub backbone, or when an
            index is not an int.

    Example:
        import keras_hub
        import numpy as np
        from dlfa_tf.models import DLFABackbone

        encoder = keras_hub.models.BertBackbone(
            vocabulary_size=30, num_layers=3, num_heads=2, hidden_dim=8,
            intermediate_dim=16, max_sequence_length=16)
        backbone = DLFABackbone(encoder, fusion_layer=1)
        ids = np.array([[1, 5, 6, 2]])
        outputs = backbone({"token_ids": ids, "segment_ids": 0 * ids,
                            "padding_mask": ids > 0})
        outputs["sequence_output"].shape  # (1, 4, 8)

    Reference:
        - Chen et al. 2022, equations 1 and 2; section on D_x.
    """

    def __init__(
        self,
        encoder: keras_hub.models.Backbone,
        fusion_layer: int | None = None,
        reduction_ratio: int = 4,
        norm: str = "layer",
        gate: str = "feature",
        activation: str = "relu",
        pooling: str = "mean",
        mix_factor: float = 1.0,
        first: str = "low",
        output_hidden_states: Sequence[int] = (),
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        blocks = block_layers(encoder)
        check_fusion_layer(fusion_layer, len(blocks))
        asked_for = check_hidden_states(output_hidden_states, len(blocks))
        states = [_first_input(blocks[0])] + [b.output for b in blocks]
        policy = encoder.dtype_policy if dtype is None else dtype
        sequence_output, encoder_pooled = _encoder_outputs(encoder)
        if fusion_layer is not None:
            sequence_output = DLFA(
                reduction_ratio=reduction_ratio,
                norm=norm,
                gate=gate,
                activation=activation,
                pooling=pooling,
                mix_factor=mix_factor,
                first=first,
                dtype=policy,
                name="dlfa",
            )(
                states[fusion_layer],
                sequence_output,
                mask=encoder.input["padding_mask"],
            )
        outputs = {
            "sequence_output": sequence_output,
            "pooled_output": _pool(
                encoder, sequence_output, encoder_pooled, fusion_layer, policy
            ),
        }
        if asked_for:
            outputs["hidden_states"] = {str(i): states[i] for i in asked_for}
        super().__init__(
            inputs=encoder.input,
            outputs=outputs,
            dtype=policy,
            name=name,
        )
        self._encoder = _Untracked(encoder)
        self.fusion_layer = fusion_layer
        self.reduction_ratio = reduction_ratio
        self.norm = norm
        self.gate = gate
        self.activation = activation
        self.pooling = pooling
        self.mix_factor = mix_factor
        self.first = first
        self.output_hidden_states = asked_for
        self.num_layers = len(blocks)
        self.hidden_dim = sequence_output.shape[-1]
        self.token_embedding = encoder.token_embedding
        if not trainable:
            # Not by Keras' constructor, which would leave the layers as they
            # are: a task model around this one would train them.
            self.trainable = False

    @property
    def encoder(self) -> keras_hub.models.Backbone:
        """The encoder whose layers this model uses."""
        return self._encoder.value

    def enable_lora(
        self, rank: int, target_layer_names: list[str] | None = None
    ) -> None:
        """Freezes the encoder and adds low-rank factors to some layers.

        Unlike keras-hub's, it leaves the layers that the encoder did not have
        as trainable as they were: the fusion layer, and a new pooler.

        Args:
            rank: int, rank of the factors.
            target_layer_names: names of the layers that get factors. Defaults
                to query and value of every block.

        Raises:
            ValueError: for a rank below 1, or when no layer has such a name.
        """
        check_rank(rank)
        new = [layer for layer in self._new_layers() if layer.trainable]
        super().enable_lora(rank, target_layer_names)
        for layer in new:
            layer.trainable = True
        check_has_targets(self, target_layer_names)

    def save_lora_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Saves all that was adapted: factors, biases, fusion, a new pooler.

        A task model's head is stored by `save_task_weights`.

        Args:
            filepath: file to write, whose name ends in `.lora.h5`.

        Raises:
            ValueError: without `enable_lora` before, or for another name.
        """
        path = pathlib.Path(filepath)
        temporary = path.with_name(f".{os.getpid()}.{path.name}")
        try:
            super().save_lora_weights(str(temporary))
            add_adapted(temporary, adapted_weights(self, self._new_layers()))
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def load_lora_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Loads what `save_lora_weights` saved, into an equal model.

        Args:
            filepath: file to read.

        Raises:
            ValueError: when ranks or fusion layers differ.
        """
        super().load_lora_weights(str(filepath))
        read_adapted(filepath, adapted_weights(self, self._new_layers()))

    def _new_layers(self) -> list[Any]:
        """Layers that the encoder does not have."""
        names = {layer.name for layer in self.encoder.layers}
        return [
            layer
            for layer in self.layers
            if layer.weights and layer.name not in names
        ]

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        config = super().get_config()
        config.update(
            {
                "encoder": keras.saving.serialize_keras_object(self.encoder),
                "fusion_layer": self.fusion_layer,
                "reduction_ratio": self.reduction_ratio,
                "norm": self.norm,
                "gate": self.gate,
                "activation": self.activation,
                "pooling": self.pooling,
                "mix_factor": self.mix_factor,
                "first": self.first,
                "output_hidden_states": self.output_hidden_states,
            }
        )
        return config

    @classmethod
    def from_config(cls, config: dict) -> "DLFABackbone":
        """Rebuilds the model; a given `dtype` holds for the encoder too."""
        config = dict(config)
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.dtype_policies.get(config["dtype"])
        if isinstance(config["encoder"], dict):
            encoder = dict(config["encoder"])
            if config.get("dtype") is not None:
                encoder["config"] = {
                    **encoder["config"],
                    "dtype": config["dtype"],
                }
            config["encoder"] = keras.saving.deserialize_keras_object(encoder)
        return cls(**config)


def _first_input(block: Any) -> Any:
    """The hidden state that a block reads (its input may hold a mask too)."""
    inputs = block.input
    return inputs[0] if isinstance(inputs, (list, tuple)) else inputs


def _encoder_outputs(encoder: keras_hub.models.Backbone) -> tuple[Any, Any]:
    """Sequence output of an encoder, and its pooled output or None."""
    output = encoder.output
    if isinstance(output, dict):
        return output["sequence_output"], output.get("pooled_output")
    return output, None


def _pool(
    encoder: keras_hub.models.Backbone,
    sequence_output: Any,
    encoder_pooled: Any,
    fusion_layer: int | None,
    policy: Any,
) -> Any:
    """Position 0 through the encoder's pooler, or through a new one."""
    if encoder_pooled is None:
        dense = keras.layers.Dense(
            sequence_output.shape[-1],
            activation="tanh",
            dtype=policy,
            name="pooled_dense",
        )
    elif fusion_layer is None:
        return encoder_pooled
    else:
        dense = encoder.get_layer("pooled_dense")
    return dense(sequence_output[:, 0, :])
