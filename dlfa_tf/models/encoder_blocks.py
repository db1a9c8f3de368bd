"""What is read out of the graph of a keras-hub encoder, and the checks."""

import re
from typing import Any

import keras_hub

from dlfa_tf.models.sentence_vectors import POOLER_NAME

_BLOCK_NAME = re.compile(r"transformer_layer_(\d+)")


def block_layers(encoder: keras_hub.models.Backbone) -> list[Any]:
    """Returns the transformer blocks of an encoder, first block first.

    Item i is named `transformer_layer_i`. TypeError when the encoder is not a
    plain keras-hub backbone, ValueError when it has no such blocks.
    """
    if not isinstance(encoder, keras_hub.models.Backbone) or hasattr(
        encoder, "fusion_layer"
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


def max_positions(encoder: keras_hub.models.Backbone) -> int | None:
    """Returns how many positions an encoder has learned embeddings for.

    This is keras-hub's `max_sequence_length`, also of RoBERTa and XLM-R: the
    two rows that their originals keep for padding are no positions there. None
    when rows may have any number of pieces.
    """
    return min(
        (
            layer.sequence_length
            for layer in encoder._flatten_layers()
            if isinstance(layer, keras_hub.layers.PositionEmbedding)
        ),
        default=None,
    )


def check_sequence_length(sequence_length: int, positions: int | None) -> None:
    """Refuses rows of more pieces than an encoder has positions."""
    if positions is not None and sequence_length > positions:
        raise ValueError(
            "`sequence_length` is larger than the number of positions of the "
            f"encoder. Received: {sequence_length}. Accepted: up to "
            f"{positions} pieces."
        )


def check_fusion_layer(fusion_layer: Any, last_layer: int) -> None:
    """Refuses a fusion layer that does not lie below the last one.

    Accepted are None, and ints from 0 to `last_layer - 1`.
    """
    if fusion_layer is None:
        return
    if isinstance(fusion_layer, bool) or not isinstance(fusion_layer, int):
        raise TypeError(
            f"`fusion_layer` must be an int or None. Received: {fusion_layer!r}"
            f" of type {type(fusion_layer).__name__}."
        )
    if not 0 <= fusion_layer < last_layer:
        raise ValueError(
            "`fusion_layer` is out of range. Received: "
            f"{fusion_layer}. Accepted for this encoder of {last_layer} "
            f"blocks: 1 to {last_layer - 1} (0 for the embeddings), or None "
            "for the baseline."
        )


def check_last_layer(last_layer: Any, num_layers: int) -> int:
    """Refuses a last layer that the encoder does not have.

    Accepted are None, and ints from 1 to `num_layers`. Returns the block whose
    output counts as the encoder's.
    """
    return _check_count("last_layer", last_layer, 1, num_layers, num_layers)


def check_frozen_layers(frozen_layers: Any, num_layers: int) -> None:
    """Refuses a number of frozen blocks that the encoder does not have.

    Accepted are None, and ints from 0 to `num_layers`.
    """
    _check_count("frozen_layers", frozen_layers, 0, num_layers, 0)


def _check_count(
    name: str, value: Any, low: int, high: int, default: int
) -> int:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(
            f"`{name}` must be an int or None. Received: {value!r} of type "
            f"{type(value).__name__}."
        )
    if not low <= value <= high:
        raise ValueError(
            f"`{name}` is out of range. Received: {value}. Accepted for this "
            f"encoder: {low} to {high}, or None."
        )
    return value


def check_hidden_states(indices: Any, num_layers: int) -> list[int]:
    """Refuses hidden states that the encoder does not have.

    Ints from 0 to `num_layers` are accepted, and returned as a list.
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


def hidden_states(encoder: keras_hub.models.Backbone) -> list[Any]:
    """Symbolic outputs of the embeddings and of every block.

    Each is `(batch, time, dim)`. Item 0 is the output of the embeddings, item i
    that of block i, the last one what the encoder itself returns.
    """
    blocks = block_layers(encoder)
    inputs = blocks[0].input
    # The input of a block may hold a mask too.
    first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
    last = encoder.output
    if isinstance(last, dict):
        last = last["sequence_output"]
    return [first, *(block.output for block in blocks[:-1]), last]


def freeze_blocks(encoder: keras_hub.models.Backbone, num_blocks: int) -> None:
    """Freezes the embeddings and the lowest blocks, if any, of an encoder."""
    stays = block_layers(encoder)[num_blocks:]
    for layer in encoder.layers:
        if layer not in stays and layer.name != POOLER_NAME:
            layer.trainable = False
